"""The codes of the connectors' errors: stable, documented, and the only texts a driver's error is turned into."""

from __future__ import annotations

CODES: dict[str, str] = {
    "CON-001": "The kind of a system is unknown.",
    "CON-002": "A password or token stands in the workspace or in a URL.",
    "CON-003": "A setting of a system is missing, unknown or has a wrong form.",
    "CON-010": "The source file or folder does not exist.",
    "CON-011": "The source is not a regular file.",
    "CON-012": "The source may not be read.",
    "CON-013": "The file is not a SQLite database.",
    "CON-014": "The database was left in the middle of a transaction (a hot journal lies beside it).",
    "CON-015": "The database is locked by another program.",
    "CON-016": "The database is damaged or could not be read to the end.",
    "CON-017": "The database kept changing while it was copied.",
    "CON-018": "The source changed during the run.",
    "CON-019": "A position or row reference belongs to another content of the source.",
    "CON-020": "The system has no such relation.",
    "CON-021": "The relation has no such column.",
    "CON-022": "A column of the source has a name that the toolkit reserves.",
    "CON-023": "The scratch folder cannot be written.",
    "CON-024": "The database refuses the query (an unknown collation, function or module).",
    "CON-025": "The system refuses a query of the workspace.",
    "CON-026": "A query of the workspace returns a column twice, or one with a name that the toolkit reserves.",
    "CON-030": "No file answers to the relation's `files` setting.",
    "CON-031": "A column is missing from the header of a file.",
    "CON-032": "The header of a file holds an unknown column.",
    "CON-033": "The header of a file holds a blank or duplicate column.",
    "CON-034": "A quote is opened and never closed.",
    "CON-035": "A record or field is larger than the limit.",
    "CON-036": "A file has more columns than the limit.",
    "CON-037": "The bytes of a file do not fit the declared encoding.",
    "CON-038": "The encoding of a file is not one that can be read.",
    "CON-039": "A delivery is empty.",
    "CON-040": "The trailer line of a file is missing.",
    "CON-041": "The control total of a trailer line differs from the number of records.",
}
"""Every code with its meaning, in the order of the documentation."""
