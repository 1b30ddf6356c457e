"""Sources: CSV files."""
