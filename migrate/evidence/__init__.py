"""Evidence of what was run: the outbox in the ledger, its projection into a file, and what waits in between."""
