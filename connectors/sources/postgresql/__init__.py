"""Sources: PostgreSQL databases."""
