"""Dumps of the source by the server's own client: which client, how it is run, and how its text is kept and checked."""
