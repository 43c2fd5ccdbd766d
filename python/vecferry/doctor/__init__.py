"""Is a PostgreSQL with pgvector healthy: reads what it holds, judges it, and says what mends it; changes nothing."""
