"""Sources: files of fixed positions."""
