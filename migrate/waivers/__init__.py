"""`waiver`: differences accepted for a time, kept in the ledger with their signatures."""
