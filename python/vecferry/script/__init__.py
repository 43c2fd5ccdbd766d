"""A dump rewritten as a SQL script that psql loads: rows in passing, a spool, the script at the end."""
