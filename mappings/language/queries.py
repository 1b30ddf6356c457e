"""The queries of a workspace (``queries/name.sql``): read, and held to one SELECT over relations of the system."""

from __future__ import annotations

import logging
from pathlib import Path

import sqlglot
from sqlglot import exp

from casemodel import Place, Query, RefusedError, RefusedMany, read_regular_file
from mappings.language.models import Source

MAX_BYTES = 100_000
_FUNCTIONS = frozenset(
    {"abs", "and", "avg", "case", "cast", "coalesce", "concat", "count", "exists", "group_concat", "groupconcat", "hex"}
    | {"ifnull", "if", "iif", "instr", "length", "least", "greatest", "lower", "ltrim", "max", "min", "nullif", "or"}
    | {"replace", "round", "rownumber", "rank", "denserank", "lag", "lead", "rtrim", "strposition", "substr"}
    | {"substring", "sum", "total", "trim", "upper", "xor"}
)
"""What a query may call, by sqlglot's names: nothing that reads the clock, draws lots or reaches outside."""
_REFUSED: tuple[tuple[type, str], ...] = (
    (exp.Into, "it writes (INTO)"),
    (exp.Lock, "it locks rows (FOR UPDATE)"),
    (exp.Placeholder, "it has a parameter"),
    (exp.Parameter, "it has a parameter"),
    (exp.Command, "it is no SELECT"),
    (exp.DML, "it writes"),
    (exp.DDL, "it changes the database"),
)


def query_of(source: Source, folder: Path) -> Query | None:
    """Return the query that a mapping names, or None when it names none.

    Args:
        folder: the folder of the workspace's queries.

    Raises:
        RefusedMany: MAP-070 the file cannot be read, MAP-071 it is not one SELECT that may be run; places are in the
            file of the query.
    """
    if source.query is None:
        return None
    shown = f"queries/{source.query}.sql"
    tree = one_select(_read(folder, source.query, shown), shown)
    names = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    tables = dict.fromkeys(
        table.name for table in tree.find_all(exp.Table) if table.name and table.name.casefold() not in names
    )
    accounts = source.accounts
    return Query(
        name=shown,
        sql=tree.sql(dialect="sqlite"),
        tables=tuple(tables),
        columns=tuple(dict.fromkeys(column.name for column in tree.find_all(exp.Column) if column.name)),
        base=accounts.relation if accounts else "",
        by=accounts.by if accounts else (),
    )


def _read(folder: Path, name: str, shown: str) -> str:
    path = folder / f"{name}.sql"
    if "\0" in name or not path.resolve().is_relative_to(folder.resolve()):
        raise _refused("MAP-070", "the query lies outside the folder queries", "Put it into queries/.", shown)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refused("MAP-070", f"the query is larger than {MAX_BYTES:,} bytes", "Make it shorter.", shown)
        return read_regular_file(path).decode("utf-8-sig")
    except OSError as error:
        near = ", ".join(sorted(file.stem for file in folder.glob("*.sql"))[:10])
        raise _refused(
            "MAP-070",
            f"the query cannot be read ({error.strerror or 'unknown reason'})",
            f"Write it in {shown}." + (f" There are: {near}." if near else ""),
            shown,
        ) from None
    except UnicodeDecodeError:
        raise _refused("MAP-070", "the query is not UTF-8 text", "Save the file as UTF-8.", shown) from None


def one_select(text: str, shown: str) -> exp.Query:
    """Return the one SELECT that a text is."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        found = [tree for tree in sqlglot.parse(text, dialect="sqlite") if tree is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        first = error.errors[0] if isinstance(error, sqlglot.ParseError) and error.errors else {}
        place = Place(shown, first.get("line"), first.get("col"))
        raise RefusedMany(
            [RefusedError("MAP-071", "the query cannot be read as SQL", hint="Write one SELECT.", place=place)]
        ) from None
    if len(found) != 1:
        raise _refused("MAP-071", f"the file holds {len(found)} statements", "Write one SELECT.", shown)
    tree = found[0]
    if not isinstance(tree, exp.Query) or isinstance(tree, exp.Values):
        raise _refused("MAP-071", f"{tree.key.upper()} is not allowed: a query only reads", "Write one SELECT.", shown)
    _look_through(tree, shown)
    return tree


def _look_through(tree: exp.Query, shown: str) -> None:
    for node in tree.walk():
        for kind, why in _REFUSED:
            if isinstance(node, kind):
                raise _refused("MAP-071", f"{why}: a query only reads", "Write one SELECT.", shown)
        if isinstance(node, exp.With) and node.args.get("recursive"):
            raise _refused(
                "MAP-071", "WITH RECURSIVE is not allowed: it may never end", "Use with: {main: {climb: …}}.", shown
            )
        if isinstance(node, exp.Table):
            if not isinstance(node.this, exp.Identifier):
                raise _refused("MAP-071", "a function as a table is not allowed", "Name a relation.", shown)
            if node.args.get("db") is not None or node.name.casefold().startswith(("pragma_", "sqlite_")):
                raise _refused(
                    "MAP-071", f"'{node.name}' is no relation of the system", "Name a relation, without schema.", shown
                )
        if isinstance(node, exp.Func):
            name = node.name.casefold() if isinstance(node, exp.Anonymous) else node.key
            if name not in _FUNCTIONS:
                raise _refused(
                    "MAP-071", f"the function {name} is not on the list", "See docs/mappings.md for the list.", shown
                )


def _refused(code: str, message: str, hint: str, shown: str) -> RefusedMany:
    return RefusedMany([RefusedError(code, message, hint=hint, place=Place(shown))])
