"""The ledger: all state about runs, in the target database."""
