"""Columns as they were read → wire columns; pure."""
