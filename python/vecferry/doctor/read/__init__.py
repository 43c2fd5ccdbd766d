"""What is read from the server, in a read-only session, each query bounded in time."""
