"""What a SQLite database offers: its tables and views, how their rows are located, and the SQL that reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from casemodel import Relation, SourceColumn, SystemFailure
from connectors.relations import no_such_column
from connectors.sources.sqlite.file import DatabaseFile
from connectors.sources.sqlite.link import Link
from connectors.sources.sqlite.text import affinity, is_padded, quoted, tagged

_MANY = 100_000
COPY_ROW = '"omnicase row"'
_RESERVED = ("_ref", "_file", "_omitted")
_ROWID_NAMES = ("rowid", "_rowid_", "oid")


@dataclass(frozen=True, slots=True)
class Table:
    """A relation and how to read it.

    ``locator`` holds the columns, quoted, that locate a row: the rowid, or the primary key of a table without one.  A
    view
    (or a table that hides its rowid) is read from a copy of its rows, which has a rowid.
    """

    relation: Relation
    locator: tuple[str, ...]
    by_rowid: bool
    is_view: bool

    @property
    def name(self) -> str:
        """The name, quoted."""
        return quoted(self.relation.name)

    def column(self, name: str) -> SourceColumn:
        """Return a column by its name in any case; raise CON-021 with the nearest name."""
        for column in self.relation.columns:
            if column.name.casefold() == name.casefold():
                return column
        raise no_such_column(self.relation, name)

    def reference(self) -> str:
        """Return SQL for ``_ref``: the rowid as text, or the tagged key as JSON text."""
        if self.by_rowid:
            return f"CAST({self.locator[0]} AS TEXT)"
        parts = " || ',' || ".join(f"coalesce('\"' || {tagged(column)} || '\"', 'null')" for column in self.locator)
        return f"'[' || {parts} || ']'"

    def bytes_found(self, names: set[str]) -> str:
        """Return SQL that is true for a row that holds bytes where text is expected, in the named columns."""
        columns = [c for c in self.relation.columns if c.name in names and "BLOB" not in c.declared_type.upper()]
        tests = [f"typeof({quoted(c.name)}) = 'blob'" for c in columns]
        # A chain of ORs deeper than 1,000 is more than SQLite parses, and a table may have 2,000 columns.
        while len(tests) > 1:
            tests = ["(" + " OR ".join(tests[i : i + 50]) + ")" for i in range(0, len(tests), 50)]
        return tests[0] if tests else "0"


def read_tables(link: Link, system: str, reserved: tuple[str, ...] = _RESERVED) -> dict[str, Table]:
    """Return the tables and views of a database by name, in alphabetical order, without SQLite's own."""
    found = link.frame(
        "SELECT l.name AS relation, l.type AS type, l.wr AS without_rowid, x.name AS name, "
        "x.type AS declared, x.pk AS pk, "
        "EXISTS (SELECT 1 FROM pragma_index_list(l.name) i WHERE i.origin = 'pk') AS key_index "
        "FROM pragma_table_list l JOIN pragma_table_xinfo(l.name) x "
        "WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual') "
        "AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        "AND x.hidden <> 1 ORDER BY l.name, x.cid",
        _MANY,
    )
    tables = {}
    for part in found.partition_by("relation", maintain_order=True):
        name = part.item(0, "relation")
        tables[name] = _table(system, name, part.to_dicts(), reserved)
    return tables


def _table(system: str, name: str, columns: list[dict[str, object]], reserved: tuple[str, ...]) -> Table:
    names = [str(column["name"]) for column in columns]
    for taken in names:
        if taken.casefold() in reserved:
            raise SystemFailure(
                "CON-022",
                f"the column {taken} of {name} has a name that the toolkit uses itself",
                hint="Offer the relation as a view that renames it.",
                place=f"{system}.{name}",
            )
    keys = sorted((c for c in columns if c["pk"]), key=lambda c: int(str(c["pk"])))
    key = tuple(str(c["name"]) for c in keys)
    is_view, without_rowid = columns[0]["type"] == "view", bool(columns[0]["without_rowid"])
    # Only "INTEGER PRIMARY KEY" is the rowid itself: it has no index of its own, and holds nothing but integers.
    integer_key = (
        len(key) == 1
        and str(keys[0]["declared"]).upper() == "INTEGER"
        and not columns[0]["key_index"]
        and not without_rowid
    )
    rowid = next((r for r in _ROWID_NAMES if r not in {n.casefold() for n in names}), None)
    if without_rowid:
        locator = tuple(quoted(part) for part in key)
    else:
        locator = (quoted(key[0]) if integer_key else rowid if rowid and not is_view else COPY_ROW,)
    relation = Relation(
        system=system,
        name=name,
        primary_key=key,
        key_is_unique=integer_key,
        columns=tuple(SourceColumn(str(c["name"]), _declared(c, is_view)) for c in columns),
    )
    hidden = not (without_rowid or integer_key or rowid)
    return Table(relation, locator, by_rowid=not without_rowid, is_view=is_view or hidden)


def _declared(column: dict[str, object], is_view: bool) -> str:
    found = str(column["declared"] or "")
    # SQLite calls a view's column BLOB when it has no type at all, too; bytes in it are not expected then.
    return "" if is_view and found.upper() == "BLOB" else found


def copy_view(link: Link, table: Table, file: DatabaseFile, path: Path) -> DatabaseFile:
    """Copy the rows of a view, in one read, to a table of that name in a scratch database; values stay as they are."""
    columns = ", ".join(quoted(column.name) for column in table.relation.columns)
    # Columns without a type have no affinity, so that a 1.0 or a '1' is not turned into something else.
    link.table(f"ATTACH DATABASE 'file:{quote(str(path))}?mode=rwc' AS scratch", 1)
    try:
        link.table(f"CREATE TABLE scratch.{table.name} ({COPY_ROW} INTEGER PRIMARY KEY, {columns})", 1)
        link.table(f"INSERT INTO scratch.{table.name} ({columns}) SELECT {columns} FROM main.{table.name}", 1)
    finally:
        link.table("DETACH DATABASE scratch", 1)
    path.chmod(0o600)
    return replace(file, path=path)


def grouping_is_plain(link: Link, table: Table, columns: tuple[SourceColumn, ...]) -> bool:
    """Tell whether rows with equal canonical text in these columns are equal, so neighbours, in the source's order.

    Not so when a CHAR column is padded unevenly, or when a column holds both numbers and texts.
    """
    checks = []
    for column in columns:
        name = quoted(column.name)
        if not (table.relation.key_is_unique and table.relation.primary_key == (column.name,)):
            if affinity(column.declared_type) != "TEXT":
                checks.append(f"count(DISTINCT CASE WHEN {name} IS NOT NULL THEN typeof({name}) END) <= 1")
            if is_padded(column.declared_type):
                checks.append(f"(NOT coalesce(max({name} LIKE '% '), 0) OR min(length({name})) = max(length({name})))")
    return not checks or bool(link.number(f"SELECT {' AND '.join(checks)} FROM {table.name}"))
