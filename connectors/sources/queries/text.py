"""Queries of the workspace in the dialect of the database that runs them; they are written in SQLite's dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlglot
from sqlglot import exp

from casemodel import Query


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
