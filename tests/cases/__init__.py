"""Test cases kept as directories: README.md says how to write one."""
