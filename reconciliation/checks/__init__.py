"""The checks of reconciliation, one level a file."""
