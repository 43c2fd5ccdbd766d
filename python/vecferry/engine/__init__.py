"""Who runs chunk tasks."""
