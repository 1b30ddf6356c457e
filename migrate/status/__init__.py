"""`status`: books, pace and rehearsals out of the ledger alone."""
