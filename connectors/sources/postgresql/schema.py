"""What a PostgreSQL database offers: its relations, what identifies their rows, and which orders an index gives."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql

from casemodel import Relation, SourceColumn, SystemFailure
from connectors.relations import no_such_column
from connectors.sources.postgresql.link import Access, Link

_RESERVED = ("_ref", "_file", "_omitted")
# Types whose canonical text gives back the very value, and in which equal texts and equal values are the same.
_EXACT = frozenset(
    "int2 int4 int8 oid numeric text varchar bpchar date timestamp timestamptz uuid bool bytea".split()  # noqa: SIM905
)

_RELATIONS = """
WITH RECURSIVE root(oid, root) AS (
  SELECT oid, oid FROM pg_catalog.pg_type WHERE typtype <> 'd'
  UNION ALL SELECT t.oid, r.root FROM pg_catalog.pg_type t JOIN root r ON t.typbasetype = r.oid WHERE t.typtype = 'd')
SELECT c.oid::int8, c.relname, c.relkind::text, c.relkind = 'r' AND c.relhassubclass, a.attnum, a.attname,
  pg_catalog.format_type(a.atttypid, a.atttypmod), tn.nspname, t.typname, a.attnotnull,
  coalesce(o.collisdeterministic, true), pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN root ON root.oid = a.atttypid
JOIN pg_catalog.pg_type t ON t.oid = root.root
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_collation o ON o.oid = a.attcollation
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY c.relname, a.attnum
"""

_INDEXES = """
SELECT i.indrelid::int8, i.indisprimary, i.indisunique, (i.indkey::int2[])[0:i.indnkeyatts - 1]
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam
WHERE n.nspname = %s AND m.amname = 'btree' AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND NOT EXISTS (SELECT FROM unnest(i.indoption::int2[]) AS o WHERE o <> 0)
  AND NOT EXISTS (SELECT FROM unnest(i.indclass::oid[]) AS k JOIN pg_catalog.pg_opclass p ON p.oid = k
                  WHERE NOT p.opcdefault)
  AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[]) AS k(number, rules)
                  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                  WHERE k.rules <> 0 AND k.rules <> a.attcollation)
ORDER BY i.indrelid, NOT i.indisprimary, i.indexrelid
"""

_FILES = """
WITH RECURSIVE used(relation, oid) AS (
  SELECT c.oid, c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION
  SELECT u.relation, x.oid FROM used u CROSS JOIN LATERAL (
    SELECT d.refobjid FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    WHERE r.ev_class = u.oid
    UNION ALL SELECT h.inhrelid FROM pg_catalog.pg_inherits h WHERE h.inhparent = u.oid) AS x(oid))
SELECT u.relation::int8, string_agg(u.oid || ':' || c.relfilenode, ' ' ORDER BY u.oid), bool_or(c.relkind IN ('v', 'f'))
FROM used u JOIN pg_catalog.pg_class c ON c.oid = u.oid GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what is offered of it, its type without modifiers, and whether its texts identify its values."""

    offered: SourceColumn
    schema: str
    kind: str
    not_null: bool
    exact: bool

    @property
    def name(self) -> str:
        """The name as declared."""
        return self.offered.name

    def literal(self, text: str) -> sql.Composable:
        """Return the value that a canonical text of this column stands for."""
        if self.kind == "bytea":
            return sql.SQL("decode({}, 'hex')").format(sql.Literal(text))
        return sql.SQL("{}::{}").format(sql.Literal(text), sql.Identifier(self.schema, self.kind))


@dataclass(frozen=True, slots=True)
class Table:
    """A relation and how to read it.

    locator: columns that identify a row; empty when nothing does, then the relation is read from a copy of its rows.
    orders: column lists in the order of which an index gives the rows, each with whether it is unique.
    shape: digest of the columns and of what the way of reading depends on.
    files: which tables, and which storage of them, are read; another one when a table is truncated or rewritten.
    volatile: whether the rows may change although no table does (a view may ask for the time).
    """

    relation: Relation
    schema: str
    columns: tuple[Column, ...]
    locator: tuple[str, ...] = ()
    orders: tuple[tuple[tuple[str, ...], bool], ...] = ()
    files: str = ""
    volatile: bool = False

    @property
    def name(self) -> sql.Composable:
        """The name, quoted, with its schema."""
        return sql.Identifier(self.schema, self.relation.name)

    @property
    def shape(self) -> str:
        """Digest of the columns and of what the way of reading depends on."""
        parts = [(c.name, c.offered.declared_type, c.not_null, c.exact) for c in self.columns]
        return hashlib.sha256(repr((parts, self.locator, self.orders)).encode()).hexdigest()

    def column(self, name: str) -> Column:
        """Return a column by its name in any case; raise CON-021 with the nearest name."""
        for column in self.columns:
            if column.name.casefold() == name.casefold():
                return column
        raise no_such_column(self.relation, name)

    def narrowed(self, names: Sequence[str]) -> Table:
        """Return the table with these columns only."""
        kept = tuple(self.column(name) for name in dict.fromkeys(names))
        return replace(self, columns=kept, relation=replace(self.relation, columns=tuple(c.offered for c in kept)))

    def along_index(self, wanted: tuple[str, ...]) -> bool:
        """Tell whether an index gives rows in this order, and texts of it say exactly where a row stands."""
        if not wanted or not all(self.column(name).not_null and self.column(name).exact for name in wanted):
            return False
        return any(
            order[: len(wanted)] == wanted or (unique and wanted[: len(order)] == order)
            for order, unique in self.orders
        )


def read_tables(link: Link, system: str) -> dict[str, Table]:
    """Return the relations of the schema that the role may read, by name, as they are in the link's snapshot."""
    schema = link.access.schema
    indexes = defaultdict(list)
    for oid, primary, unique, numbers in link.rows(_INDEXES, [schema]):
        indexes[oid].append((primary, unique, tuple(numbers)))
    files = {oid: (storage, volatile) for oid, storage, volatile in link.rows(_FILES, [schema])}
    found: dict[tuple[int, str], list[tuple[Any, ...]]] = defaultdict(list)
    for row in link.rows(_RELATIONS, [schema]):
        found[row[0], row[1]].append(row)
    tables = {}
    for (oid, name), rows in found.items():
        readable = [row for row in rows if row[11]]
        if readable:
            storage, volatile = files.get(oid, ("", True))
            made = _table(system, schema, name, readable, indexes[oid])
            tables[name] = replace(made, files=f"{oid} {storage}", volatile=volatile)
    return tables


def _table(
    system: str, schema: str, name: str, rows: list[tuple[Any, ...]], indexes: list[tuple[bool, bool, tuple[int, ...]]]
) -> Table:
    place = f"{system}.{name}"
    columns = {row[4]: _column(row, place) for row in rows}
    # What holds for a table with children holds for itself only, not for the rows that they add.
    alone = not rows[0][3]
    known = [
        (primary, unique, tuple(columns[number].name for number in numbers))
        for primary, unique, numbers in indexes
        if alone and all(number in columns for number in numbers)
    ]
    by_name = {column.name: column for column in columns.values()}
    keys = [
        names
        for _, unique, names in known
        if unique and all(by_name[each].not_null and by_name[each].exact for each in names)
    ]
    primary_key = next((names for primary, _, names in known if primary), ())
    integer = len(primary_key) == 1 and by_name[primary_key[0]].kind in ("int2", "int4", "int8")
    relation = Relation(
        system=system,
        name=name,
        columns=tuple(column.offered for column in columns.values()),
        primary_key=primary_key,
        key_is_unique=integer,
    )
    orders = tuple(dict.fromkeys((names, unique) for _, unique, names in known))
    return Table(relation, schema, tuple(columns.values()), keys[0] if keys else (), orders)


def _column(row: tuple[Any, ...], place: str) -> Column:
    _, relation, _, _, _, name, declared, schema, kind, not_null, deterministic, _ = row
    if name.casefold() in _RESERVED:
        raise SystemFailure(
            "CON-022",
            f"the column {name} of {relation} has a name that the toolkit uses itself",
            hint="Offer the relation as a view that renames it.",
            place=place,
        )
    exact = schema == "pg_catalog" and kind in _EXACT and deterministic
    return Column(SourceColumn(name, declared), schema, kind, not_null, exact)


def check_same(then: Table, now: Table | None, access: Access) -> None:
    """Raise CON-067 with the difference when a relation is not what it was in the snapshot of the run.

    Its rows could then be missing: a table that is truncated or rewritten is empty in snapshots taken before.
    """
    if now is not None and (_types(now), now.files) == (_types(then), then.files):
        return
    raise SystemFailure(
        "CON-067",
        f"the relation {then.relation.name} was changed since the run began: {_difference(then, now)}",
        hint="What is committed stays. Look at `omnicase mapping check`, and run again.",
        place=access.shown,
    )


def _difference(then: Table, now: Table | None) -> str:
    if now is None:
        return "it is gone, or may no longer be read"
    before, after = _types(then), _types(now)
    said = [f"the column {name} is gone" for name in before if name not in after]
    said += [f"the column {name} is new" for name in after if name not in before]
    said += [
        f"the column {name} is {after[name]}, it was {before[name]}"
        for name in before
        if name in after and after[name] != before[name]
    ]
    return "; ".join(said or ["it was truncated or written anew"])


def _types(table: Table) -> dict[str, str]:
    return {column.name: column.offered.declared_type for column in table.columns}
