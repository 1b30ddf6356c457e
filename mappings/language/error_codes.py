"""The codes of refused mappings: one table, from which the documentation is generated.

A code never changes its meaning and is never used again for something else.
"""

from __future__ import annotations

from typing import Final

MAPPING_CODES: Final[dict[str, str]] = {
    "MAP-001": "a key is not part of the language",
    "MAP-002": "a key that must be there is missing",
    "MAP-003": "a value has the wrong form (text, list or keys expected)",
    "MAP-004": "a value is not one of those allowed",
    "MAP-005": "a name is not allowed as a name",
    "MAP-006": "two mapping files have the same name",
    "MAP-007": "defaults.yml does not have what a mapping takes from it, or is for a system that no mapping reads",
    "MAP-010": "the system is not in workspace.yml",
    "MAP-011": "the system does not have the relation",
    "MAP-013": "the target model does not have the table",
    "MAP-014": "the target table does not have the column",
    "MAP-016": "a value has the same name as a source column",
    "MAP-017": "the mapping named does not exist",
    "MAP-018": "a code table cannot be read",
    "MAP-019": "a code table holds a row that cannot be used",
    "MAP-020": "a field needs exactly one origin",
    "MAP-021": "a stage does not go with this origin or with another stage",
    "MAP-022": "a list of origins is only allowed for datetime, codes, link and lookup",
    "MAP-023": "the expression is refused",
    "MAP-024": "a condition does not give true or false",
    "MAP-025": "the type of the value does not fit the column",
    "MAP-026": "a constant does not fit the column",
    "MAP-027": "a step is not known or its parameters are wrong",
    "MAP-028": "a date, time, number or boolean stage is wrong",
    "MAP-029": "values or fields refer to each other in a circle",
    "MAP-030": "an expression looks over rows, which needs together",
    "MAP-031": "a branch of try is not known or not allowed",
    "MAP-032": "a code table gives a value that the column does not allow",
    "MAP-033": "a default beside link or lookup",
    "MAP-034": "an instant in a date column needs a time zone",
    "MAP-040": "a source column is neither used nor ignored",
    "MAP-041": "a target column is neither filled nor unfilled",
    "MAP-042": "an ignored column is used",
    "MAP-043": "an unfilled column is filled",
    "MAP-044": "a required target column is not filled",
    "MAP-045": "a column is named twice in ignore or unfilled",
    "MAP-050": "the link has another number of parts than the key it goes to",
    "MAP-051": "the link goes to records of another table than the column",
    "MAP-052": "the links of the mappings run in a circle",
    "MAP-053": "the other key is not declared by the mapping linked to",
    "MAP-054": "the lookup names a table or column that does not exist",
    "MAP-060": "a name is not known: the relation does not have the column, nor is it a value or side column here",
    "MAP-061": "unpivot, together, one_per or with is used in a way that cannot work",
    "MAP-090": "something to look at: it may be meant, but often is not",
    "MAP-100": "the expression is too long or too deep",
    "MAP-101": "the expression cannot be read as SQL",
    "MAP-102": "the text is more than one expression",
    "MAP-103": "the expression uses something that is not on the list of the language",
    "MAP-104": "kinds of values in the expression do not go together",
    "MAP-105": "a pattern, constant or name in the expression cannot be used",
    "MAP-900": "not available in this version",
}
"""Every code of `mapping check` with its meaning."""
