"""Write the first revision of both alembic histories from the tables as they are now.

Until the first release each history has one revision and this program writes it anew; after that the revisions are
frozen and every change is a new revision by hand.

    python tools/write_first_revisions.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import sqlalchemy as sa  # noqa: E402
from sqlalchemy.dialects import postgresql, sqlite  # noqa: E402

from casemodel import metadata as model_metadata  # noqa: E402
from migrate.ledger.tables import ledger_metadata  # noqa: E402
from migrate.ledger.triggers import trigger_statements  # noqa: E402

PREFIX = "migration_"
HEAD = '''"""{title}"""

import sqlalchemy as sa
from alembic import op
{imports}
revision = "{revision}"
down_revision = None
branch_labels = None
depends_on = None
{prelude}
def upgrade() -> None:
    """{title}"""
{body}'''
MODEL_PRELUDE = '''
UUID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
DAY = sa.Text().with_variant(sa.Date(), "postgresql")
INSTANT = sa.Text().with_variant(sa.DateTime(timezone=True), "postgresql")
FLAG = sa.Integer().with_variant(sa.Boolean(create_constraint=False), "postgresql")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def decimal(precision: int, scale: int) -> sa.Text:
    return sa.Text().with_variant(sa.Numeric(precision, scale), "postgresql")


def check(name: str, sql: str, dialect: str | None = None) -> sa.CheckConstraint:
    constraint = sa.CheckConstraint(sql, name=name)
    if dialect is not None:
        constraint.ddl_if(dialect=dialect)
    return constraint

'''
LEDGER_PRELUDE = '''
KEY = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


'''
LEDGER_START = '''    # PostgreSQL has a schema for the ledger, SQLite a prefix.
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    schema = "migration" if on_postgresql else None
    prefix = "" if on_postgresql else "migration_"
    home = "migration." if on_postgresql else "migration_"
'''


def type_code(column: sa.Column[Any]) -> str:
    """Return the code of a column's type, without the live classes of the model."""
    kind = type(column.type).__name__
    if kind == "ExactDecimal":
        return f"decimal({column.type.precision}, {column.type.scale})"  # type: ignore[attr-defined]
    decorated = {"Uuid": "UUID", "Day": "DAY", "Instant": "INSTANT", "Flag": "FLAG", "JsonValue": "JSON"}
    if kind in decorated:
        return decorated[kind]
    if getattr(column.type.dialect_impl(postgresql.dialect()), "collation", None) == "C":
        return "KEY"
    length = getattr(column.type, "length", None)
    return f"sa.{kind}({length or ''})"


def literal(text: str, ledger: bool) -> str:
    """Return a name as Python code; names of the ledger carry the prefix of the dialect."""
    if ledger and PREFIX in text:
        return 'f"' + text.replace(PREFIX, "{prefix}", 1) + '"'
    return quoted(text)


def quoted(text: str) -> str:
    """Return text as Python code in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def column_code(column: sa.Column[Any]) -> str:
    """Return the code of one column."""
    parts = [quoted(column.name), type_code(column)]
    if column.primary_key and isinstance(column.type, sa.Integer) and column.autoincrement is True:
        parts.append("autoincrement=True")
    parts.append(f"nullable={column.nullable}")
    if column.comment:
        parts.append(f"comment={quoted(column.comment)}")
    return f"sa.Column({', '.join(parts)})"


def constraint_codes(table: sa.Table, ledger: bool) -> Iterator[str]:
    """Yield the code of the table's constraints: key, links, unique keys, checks."""
    order = (sa.PrimaryKeyConstraint, sa.ForeignKeyConstraint, sa.UniqueConstraint, sa.CheckConstraint)
    columns = list(table.columns.keys())

    def rank(item: sa.Constraint) -> tuple[int, list[int]]:
        named = [columns.index(column.name) for column in getattr(item, "columns", [])]
        return order.index(type(item)), [] if isinstance(item, sa.CheckConstraint) else named

    for item in sorted(table.constraints, key=lambda each: (rank(each), getattr(each, "_creation_order", 0))):
        name = literal(formatted(item), ledger)
        if isinstance(item, sa.CheckConstraint):
            dialect = item.info.get("dialect")
            yield f"check({name}, {quoted(str(item.sqltext))}{f', {quoted(dialect)}' if dialect else ''})"
            continue
        keys = [quoted(column.name) for column in item.columns]  # type: ignore[attr-defined]
        if isinstance(item, sa.ForeignKeyConstraint):
            other = item.elements[0].target_fullname
            target = f'f"{{home}}{other.removeprefix(PREFIX)}"' if ledger else quoted(other)
            late = ", deferrable=True, initially=\"DEFERRED\"" if item.deferrable else ""
            yield f"sa.ForeignKeyConstraint([{', '.join(keys)}], [{target}], name={name}{late})"
        else:
            yield f"sa.{type(item).__name__}({', '.join(keys)}, name={name})"


def formatted(item: sa.Constraint | sa.Index) -> str:
    """Return the name that the naming convention gives."""
    return str(sqlite.dialect().identifier_preparer.format_constraint(item, _alembic_quote=False))


def table_codes(table: sa.Table, ledger: bool) -> Iterator[str]:
    """Yield the lines that create a table and its indexes."""
    name = literal(table.name, ledger)
    yield "    op.create_table("
    yield f"        {name},"
    for column in table.columns:
        yield f"        {column_code(column)},"
    for code in constraint_codes(table, ledger):
        yield f"        {code},"
    if table.comment:
        yield f"        comment={quoted(table.comment)},"
    if ledger:
        yield "        schema=schema,"
    if table.dialect_options["sqlite"]["with_rowid"] is False:
        yield "        sqlite_with_rowid=False,"
    yield "    )"
    for index in sorted(table.indexes, key=formatted):
        keys = ", ".join(quoted(column.name) for column in index.columns)
        parts = [literal(formatted(index), ledger), name, f"[{keys}]", f"unique={index.unique}"]
        for dialect in (sqlite, postgresql):
            kind = dialect.dialect.name
            where = index.dialect_options[kind]["where"]
            if where is not None:
                sql = str(where.compile(dialect=dialect.dialect(), compile_kwargs={"literal_binds": True}))
                sql = sql.replace(f"{table.name}.", "")
                parts.append(f"{kind}_where=sa.text({quoted(sql)})")
        if ledger:
            parts.append("schema=schema")
        yield f"    op.create_index({', '.join(parts)})"


def triggers_code() -> str:
    """Return the code of the triggers."""
    lines = ["TRIGGERS = {"]
    for dialect in ("sqlite", "postgresql"):
        lines.append(f"    {quoted(dialect)}: [")
        lines += [f"        {quoted(sql)}," for sql in trigger_statements(ledger_metadata(dialect), dialect)]
        lines.append("    ],")
    return "\n".join([*lines, "}", "", "", ""])


def revision_text(name: str) -> str:
    """Return the text of the first revision of a history."""
    ledger = name == "ledger"
    metadata = ledger_metadata("sqlite") if ledger else model_metadata
    lines = [line for table in metadata.sorted_tables for line in table_codes(table, ledger)]
    if ledger:
        lines.append("    for statement in TRIGGERS[op.get_bind().dialect.name]:")
        lines.append("        op.execute(statement)")
    body = (LEDGER_START if ledger else "") + "\n".join(lines) + "\n"
    title = "Create the ledger." if ledger else "Create the omnichannel case model."
    prelude = LEDGER_PRELUDE + triggers_code() if ledger else MODEL_PRELUDE
    text = HEAD.format(
        title=title, revision=f"{name}_0001", body=body, prelude=prelude,
        imports="from sqlalchemy.dialects import postgresql\n",
    )
    return "# ruff: noqa: E501 - one line a column and constraint\n" + text


def main() -> int:
    """Write the revisions, or with ``--check`` say whether they are as the tables are."""
    stale = []
    for name in ("model", "ledger"):
        file = ROOT / "migrate" / "history" / name / "versions" / f"{name}_0001.py"
        text = revision_text(name)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(str(file.relative_to(ROOT)))
            if "--check" not in sys.argv:
                file.write_text(text, encoding="utf-8")
    print("\n".join(stale) or "nothing to do")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    raise SystemExit(main())
