"""Catalog, target and configuration → the frozen decisions of one run; pure, no driver."""
