"""`rejects`: the rows that were not loaded."""
