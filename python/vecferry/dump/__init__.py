"""A dump file as a source: pure functions from what it says to what a live server would have said."""
