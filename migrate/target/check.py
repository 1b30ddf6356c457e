"""What differs between a database and the tables as they should be, in words and as data.

alembic compares tables, columns, types, links, keys, indexes and comments; primary keys, checks and the conditions of
partial indexes are compared here.  Tables of others are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from migrate.history import History
from migrate.ledger.tables import ledger_table
from migrate.ledger.triggers import trigger_names


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the database is not as it should be.

    Args:
        history: ``model`` or ``ledger``.
        table: name of the table.
        kind: ``missing``, ``unexpected`` or ``differs``.
        what: ``table``, ``column``, ``type``, ``nullable``, ``comment``, ``index``, ``unique key``, ``link``,
            ``check``, ``primary key``, ``condition`` or ``trigger``.
        name: the column, index or constraint, or the table itself.
        expected: how it should be, or empty.
        found: how it is, or empty.
    """

    history: str
    table: str
    kind: str
    what: str
    name: str
    expected: str = ""
    found: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the difference as it is written to JSON."""
        return asdict(self)

    def __str__(self) -> str:
        where = self.table if self.name == self.table else f"{self.table}.{self.name}"
        if self.kind != "differs":
            return f"{self.history}: {self.what} {where} is {self.kind}"
        return f"{self.history}: {self.what} of {where} is {self.found or 'empty'}, expected {self.expected or 'none'}"


def differences(connection: sa.Connection, history: History) -> list[Difference]:
    """Return what differs in the tables of one history, in the order of its tables."""
    dialect = connection.dialect.name
    metadata = history.metadata(dialect)
    schema = history.schema_on(dialect)
    inspector = sa.inspect(connection)
    ours = [table.name for table in metadata.sorted_tables]
    there = set(ours) & set(inspector.get_table_names(schema=schema))
    found = [each for each in _by_alembic(connection, history, metadata) if each.table in there or each.what == "table"]
    keys = inspector.get_multi_pk_constraint(schema=schema, filter_names=ours)
    checks = inspector.get_multi_check_constraints(schema=schema, filter_names=ours)
    indexes = inspector.get_multi_indexes(schema=schema, filter_names=ours)
    for table in metadata.sorted_tables:
        if table.name in there:
            place = (schema, table.name)
            found += _primary_key(keys[place], history, table)
            found += _checks(checks[place], history, table, connection.dialect)
            found += _conditions(indexes[place], history, table, connection.dialect)
    if history.name == "ledger" and there == set(ours):
        found += _triggers(connection, history)
    order = {table.name: position for position, table in enumerate(metadata.sorted_tables)}
    return sorted(found, key=lambda each: (order.get(each.table, len(order)), each.what, each.name))


def _triggers(connection: sa.Connection, history: History) -> Iterator[Difference]:
    """Find triggers of the ledger that are not there: without them a rollback would restore too little."""
    dialect = connection.dialect.name
    there = sa.text(
        "SELECT tgname FROM pg_trigger"
        if dialect == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    known = set(connection.scalars(there))
    for name in trigger_names(dialect):
        if name not in known:
            of_table = name.rpartition("_")[0].removeprefix("migration_").removeprefix("keep_")
            yield Difference(history.name, ledger_table(dialect, of_table).name, "missing", "trigger", name)


def _by_alembic(connection: sa.Connection, history: History, metadata: sa.MetaData) -> Iterator[Difference]:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    schema = history.schema_on(connection.dialect.name)
    ours = {table.name for table in metadata.sorted_tables}

    def include_name(name: str | None, type_: str, parents: Mapping[str, str | None]) -> bool:
        if type_ == "schema":
            return name == schema
        return type_ != "table" or (name in ours and parents.get("schema_name") == schema)

    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "compare_server_default": False,
            "include_schemas": schema is not None,
            "include_name": include_name,
            "version_table": history.version_table,
            "version_table_schema": schema,
        },
    )
    for entry in compare_metadata(context, metadata):
        for step in entry if isinstance(entry, list) else [entry]:
            yield _from_step(history.name, step)


_WHAT = {
    "table": "table",
    "column": "column",
    "index": "index",
    "constraint": "unique key",
    "fk": "link",
    "table_comment": "comment",
}


def _from_step(history: str, step: tuple[Any, ...]) -> Difference:
    """Turn a step of alembic, which says how to mend, into what is wrong: to add is missing, to remove unexpected."""
    verb, _, subject = step[0].partition("_")
    if verb == "modify":
        _, _, table, column, _, found, expected = step
        return Difference(history, table, "differs", subject, column, _shown(expected), _shown(found))
    if subject == "table_comment":
        table = step[1]
        return Difference(history, table.name, "differs", "comment", table.name, table.comment or "", step[2] or "")
    kind = "missing" if verb == "add" else "unexpected"
    if subject == "column":
        return Difference(history, step[2], kind, "column", step[3].name)
    item = step[1]
    table_name = item.name if subject == "table" else item.table.name
    return Difference(history, table_name, kind, _WHAT[subject], str(item.name))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "nullable" if value else "not nullable"
    return "" if value is None else str(value)


def _primary_key(reflected: Mapping[str, Any] | None, history: History, table: sa.Table) -> Iterator[Difference]:
    expected = [column.name for column in table.primary_key.columns]
    found = list((reflected or {}).get("constrained_columns", []))
    if found != expected:
        yield Difference(
            history.name, table.name, "differs", "primary key", table.name, ", ".join(expected), ", ".join(found)
        )


def _checks(
    reflected: Iterable[Mapping[str, Any]], history: History, table: sa.Table, dialect: sa.Dialect
) -> Iterator[Difference]:
    expected = {
        _name(constraint, dialect): str(constraint.sqltext)
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint) and constraint.info.get("dialect", dialect.name) == dialect.name
    }
    found = {str(each["name"]): str(each["sqltext"]) for each in reflected}
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield Difference(history.name, table.name, "missing", "check", name)
        elif name not in expected:
            yield Difference(history.name, table.name, "unexpected", "check", name)
        elif _gist(expected[name], table, dialect) != _gist(found[name], table, dialect):
            yield Difference(history.name, table.name, "differs", "check", name, expected[name], found[name])


def _conditions(
    reflected: Iterable[Mapping[str, Any]], history: History, table: sa.Table, dialect: sa.Dialect
) -> Iterator[Difference]:
    """Compare the conditions of partial indexes, which alembic leaves out."""
    there = {
        str(each["name"]): str(each.get("dialect_options", {}).get(f"{dialect.name}_where", "")) for each in reflected
    }
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        where = index.dialect_options[dialect.name]["where"]
        expected = "" if where is None else str(where.compile(dialect=dialect))
        expected = expected.replace(f"{table.fullname}.", "").replace(f"{table.name}.", "")
        name = _name(index, dialect)
        if name in there and _gist(expected, table, dialect) != _gist(there[name], table, dialect):
            yield Difference(history.name, table.name, "differs", "condition", name, expected, there[name])


def _name(item: sa.Constraint | sa.Index, dialect: sa.Dialect) -> str:
    """Return the name that the naming convention of the table's metadata gives."""
    preparer: Any = dialect.identifier_preparer
    return str(preparer.format_constraint(item, _alembic_quote=False))


def _gist(sql: str, table: sa.Table, dialect: sa.Dialect) -> object:
    """Return what of a condition survives the database.

    SQLite keeps the text.  PostgreSQL writes it anew with casts and brackets, so there the texts, numbers and columns
    in it are compared, each with how often it occurs.
    """
    if dialect.name == "sqlite":
        return " ".join(sql.split())
    texts = re.findall(r"'(?:[^']|'')*'", sql)
    rest = re.sub(r"'(?:[^']|'')*'(::[a-z ]+(\[\])?)?|::[a-z ]+(\([0-9,]+\))?", " ", sql)
    columns = [word for word in re.findall(r"\w+", rest) if word in table.columns]
    numbers = re.findall(r"(?<![\w.])-?\d+(?![\w.])", rest)
    return sorted(texts), sorted(columns), sorted(numbers)
