"""The PostgreSQL side: connections, what is there, statements, bulk ingest, the ledger."""
