"""Queries of the workspace in the dialect of the database that runs them; they are written in SQLite's dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import sqlglot
from sqlglot import exp

from casemodel import Query, SystemFailure


def translated(query: Query, relations: Mapping[str, Sequence[str]], dialect: str) -> str:
    """Return a query in another dialect, names quoted as they are declared: there SQLite's any case is no case.

    Args:
        relations: column names of the relations that it names, all as declared.
        dialect: sqlglot's name of the dialect.
    """
    tables = {name.casefold(): name for name in relations}
    columns = {column.casefold(): column for names in reversed(list(relations.values())) for column in names}
    tree = sqlglot.parse_one(query.sql, dialect="sqlite")
    aliases = {alias.name.casefold() for alias in tree.find_all(exp.TableAlias)}
    for node in tree.find_all(exp.Identifier):
        name, holder = node.name.casefold(), node.parent
        of_table = isinstance(holder, exp.TableAlias | exp.Table) or node.arg_key == "table"
        if isinstance(holder, exp.TableAlias) and node.arg_key == "columns":
            of_table = False
        if of_table:
            spelled = name if name in aliases else tables.get(name, name)
        else:
            spelled = columns.setdefault(name, node.name)
        node.set("this", spelled)
        node.set("quoted", True)
    return tree.sql(dialect=dialect)


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
