"""Migrations under fire. The short forms run with all tests; `make torture` runs the long ones, marked `torture`."""
