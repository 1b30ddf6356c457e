"""What a database offers by way of SQLAlchemy's inspector: names, columns as declared, primary keys."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from casemodel import Relation, SourceColumn, SystemFailure
from connectors.relations import no_such_column

_RESERVED = ("_ref", "_file", "_omitted")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what is offered of it, whether it is padded, and how a text of it becomes the value it stands for.

    exact: ``int`` or ``str`` where equal texts are equal values; NULL is not among them.
    """

    offered: SourceColumn
    padded: bool = False
    exact: type[int] | type[str] | None = None

    @property
    def name(self) -> str:
        """The name as declared."""
        return self.offered.name


@dataclass(frozen=True, slots=True)
class Table:
    """A relation: its columns, and the primary key where texts say exactly which row is meant."""

    relation: Relation
    schema: str | None
    columns: tuple[Column, ...]
    locator: tuple[str, ...] = ()

    @property
    def shape(self) -> str:
        """Digest of the columns and the key."""
        parts = [(c.name, c.offered.declared_type) for c in self.columns]
        return hashlib.sha256(repr((parts, self.locator)).encode()).hexdigest()

    def column(self, name: str) -> Column:
        """Return a column by its name in any case; raise CON-021 with the nearest name."""
        for column in self.columns:
            if column.name.casefold() == name.casefold():
                return column
        raise no_such_column(self.relation, name)

    def selectable(self) -> sa.TableClause:
        """Return the table without types: values come as the driver gives them, dirt included."""
        columns: list[sa.ColumnClause[Any]] = [sa.column(column.name) for column in self.columns]
        return sa.table(self.relation.name, *columns, schema=self.schema)

    def by_key(self, wanted: tuple[str, ...], group: tuple[str, ...]) -> bool:
        """Tell whether rows come in this order page by page, equal texts of the group beside each other.

        What a collation takes for equal is apart by its text; a primary key is unique whatever the collation.
        """
        return bool(self.locator) and wanted == self.locator and all(self.column(n).exact is int for n in group)


def read_tables(connection: sa.Connection, system: str, schema: str | None) -> dict[str, Table]:
    """Return the tables and views of a schema by name."""
    inspector = sa.inspect(connection)
    names = sorted({*inspector.get_table_names(schema), *inspector.get_view_names(schema)})
    return {name: _table(inspector, system, name, schema) for name in names}


def read_table(connection: sa.Connection, system: str, name: str, schema: str | None) -> Table | None:
    """Return one of them as it is now, or None when it is gone."""
    try:
        return _table(sa.inspect(connection), system, name, schema)
    except sa.exc.NoSuchTableError:
        return None


def _table(inspector: sa.Inspector, system: str, name: str, schema: str | None) -> Table:
    with warnings.catch_warnings():
        # Of a type that SQLAlchemy does not know the text is read, as of others.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        found = inspector.get_columns(name, schema)
    if inspector.dialect.name in ("mysql", "mariadb"):
        # SQLAlchemy reads them out of a statement, and leaves a backtick in a name doubled as it stands there.
        found = [{**each, "name": each["name"].replace("``", "`")} for each in found]
    columns = tuple(_column(each, inspector.dialect, f"{system}.{name}") for each in found)
    by_name = {column.name: column for column in columns}
    names = inspector.get_pk_constraint(name, schema).get("constrained_columns") or ()
    key = tuple(part if part in by_name else part.replace("``", "`") for part in names)
    exact = [by_name[part].exact for part in key]
    # In SQLite a key may hold NULL and values of any type, but for INTEGER PRIMARY KEY.
    rowid = len(key) == 1 and by_name[key[0]].offered.declared_type.upper() == "INTEGER"
    sure = bool(key) and all(exact) and (inspector.dialect.name != "sqlite" or rowid)
    offered = tuple(column.offered for column in columns)
    relation = Relation(system, name, offered, key, key_is_unique=sure and exact == [int])
    return Table(relation, schema, columns, key if sure else ())


def _column(found: Any, dialect: sa.Dialect, place: str) -> Column:
    name, kind = str(found["name"]), found["type"]
    if name.casefold() in _RESERVED:
        raise SystemFailure(
            "CON-022",
            f"the column {name} has a name that the toolkit uses itself",
            hint="Offer the relation as a view that renames it.",
            place=place,
        )
    try:
        declared = kind.compile(dialect=dialect)
    except sa.exc.CompileError:
        declared = ""
    padded = isinstance(kind, sa.CHAR | sa.NCHAR)
    exact: type[int] | type[str] | None = None
    if isinstance(kind, sa.Integer):
        exact = int
    elif isinstance(kind, sa.String) and not padded and not isinstance(kind, sa.Enum):
        exact = str
    sure = not found.get("nullable", True) or (dialect.name == "sqlite" and bool(found.get("primary_key")))
    return Column(SourceColumn(name, declared), padded, exact if sure else None)
