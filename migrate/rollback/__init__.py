"""`rollback`: a run taken back."""
