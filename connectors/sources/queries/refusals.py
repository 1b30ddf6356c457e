"""What is refused of a query of the workspace, whichever database runs it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from casemodel import Query, SystemFailure


def refuse_names(names: Sequence[str], place: str) -> None:
    """Refuse (CON-026) a query that returns a column twice, one without a name, or one with a name of ours."""
    folded = [name.casefold() for name in names]
    for name in names:
        twice = folded.count(name.casefold()) > 1
        if twice or name.startswith("_") or re.fullmatch(r"|\?column\?", name):
            raise SystemFailure(
                "CON-026",
                f"the query returns the column {name} twice"
                if twice
                else f"the column {name} of the query has a name that the toolkit uses itself",
                hint="Give each column a name of its own: SELECT a.NR AS NR, b.NR AS OTHER.",
                place=place,
            )


def refuse_accounts(query: Query, names: Sequence[str], place: str) -> None:
    """Refuse (CON-025) a query that does not return the columns by which it accounts for a relation."""
    known = {name.casefold() for name in names}
    for column in query.by:
        if column.casefold() not in known:
            raise SystemFailure(
                "CON-025",
                f"the query does not return the column {column}, by which it accounts for {query.base}",
                hint="Return it under this name.",
                place=place,
            )


def refused(cause: str, place: str, hint: str | None) -> SystemFailure:
    """Return the error for a query that the database does not run."""
    return SystemFailure("CON-025", f"the query cannot be run: {cause}", hint=hint or "Correct the query.", place=place)
