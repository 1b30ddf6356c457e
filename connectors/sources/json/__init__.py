"""Sources: JSON files, whole or by lines."""
