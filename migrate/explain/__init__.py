"""`explain` and `lookup`: from a source row to its record, and back."""
