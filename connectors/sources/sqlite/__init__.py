"""Sources: SQLite databases."""
