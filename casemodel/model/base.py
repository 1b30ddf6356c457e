"""How the tables of the case model are built: column builders, table builder, naming convention.

Every column carries in ``column.info`` what mappings, contracts, masking and reports need to know (`ColumnInfo`); the
checks that a database holds are derived from it, so that model, contract and database cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, cast

import sqlalchemy as sa

from casemodel.model.types import Day, ExactDecimal, Flag, Instant, JsonValue, Uuid

Kind = Literal["text", "date", "instant", "boolean", "integer", "decimal", "json", "uuid"]
Charset = Literal["digits", "snake"]

NAMING = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""Naming convention of constraints and indexes; unique keys are named by `table`."""

metadata = sa.MetaData(naming_convention=NAMING)
"""The omnichannel case model."""

CHARSETS: Mapping[Charset, str] = {"digits": "[0-9]", "snake": "[a-z_]"}
"""Per character set: one character of it, as regular expressions and SQLite's GLOB write it."""

_NAME_LENGTH = 63
_DAY_GLOB = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"
_INSTANT_GLOB = _DAY_GLOB + " [0-2][0-9]:[0-5][0-9]:[0-5][0-9]." + "[0-9]" * 6
_INTEGER_TYPES: Mapping[str, tuple[type[sa.types.TypeEngine[int]], int, int]] = {
    "SMALLINT": (sa.SmallInteger, -(2**15), 2**15 - 1),
    "INTEGER": (sa.Integer, -(2**31), 2**31 - 1),
    "BIGINT": (sa.BigInteger, -(2**63), 2**63 - 1),
}


class ColumnInfo(TypedDict):
    """What ``column.info`` holds.

    kind: the type of the values, independent of the database.
    length: most characters of a text, or None.
    exact: True when a text must have exactly ``length`` characters.
    filled: True when a text may not be empty.
    charset: the only characters a text may hold, or None.
    enum: the allowed values in their declared order, or None.
    minimum, maximum: bounds of an integer or decimal, or None.
    precision, scale: digits of a decimal in all and behind the point, or None.
    dutch: the Dutch term or the field of the API.
    personal: True when a value may say something about a person; it is masked wherever it is shown.
    references: the table that a link points to, or None.
    """

    kind: Kind
    length: int | None
    exact: bool
    filled: bool
    charset: Charset | None
    enum: tuple[str, ...] | None
    minimum: int | None
    maximum: int | None
    precision: int | None
    scale: int | None
    dutch: str
    personal: bool
    references: str | None


@dataclass(frozen=True, slots=True)
class RowCheck:
    """A business rule that one row must hold.

    Args:
        name: short name; the constraint in the database is ``ck_<table>_<name>``.
        sql: SQL condition that SQLite, PostgreSQL and Polars read alike; NULL passes.
        columns: the columns it looks at, in the order of the table.
    """

    name: str
    sql: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartialUnique:
    """A key that is unique among the rows that meet a condition (SQL that SQLite, PostgreSQL and Polars read alike)."""

    columns: tuple[str, ...]
    where: str


def _info(kind: Kind, dutch: str, personal: bool, **more: Any) -> dict[str, Any]:
    info = ColumnInfo(
        kind=kind, length=None, exact=False, filled=False, charset=None, enum=None, minimum=None, maximum=None,
        precision=None, scale=None, dutch=dutch, personal=personal, references=None,
    )
    return {**info, **more}


def _column(name: str, kind_type: Any, info: dict[str, Any], null: bool, *more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind_type, *more, nullable=null, comment=info["dutch"], info=info)


def text(
    name: str,
    length: int | None,
    dutch: str,
    *,
    null: bool = False,
    personal: bool = True,
    filled: bool = False,
    exact: bool = False,
    charset: Charset | None = None,
) -> sa.Column[str]:
    """Return a text column of at most ``length`` characters (None: no limit)."""
    kind_type = sa.Text() if length is None else sa.CHAR(length) if exact else sa.String(length)
    info = _info("text", dutch, personal, length=length, exact=exact, filled=filled, charset=charset)
    return _column(name, kind_type, info, null)


def choice(name: str, length: int, values: tuple[str, ...], dutch: str, *, null: bool = False,
           personal: bool = False) -> sa.Column[str]:
    """Return a text column that holds one of a list of values."""
    return _column(name, sa.String(length), _info("text", dutch, personal, length=length, enum=values), null)


def day(name: str, dutch: str, *, null: bool = False, personal: bool = False) -> sa.Column[Any]:
    """Return a column of calendar dates."""
    return _column(name, Day(), _info("date", dutch, personal), null)


def instant(name: str, dutch: str, *, null: bool = False, personal: bool = False) -> sa.Column[Any]:
    """Return a column of moments in UTC, to the microsecond."""
    return _column(name, Instant(), _info("instant", dutch, personal), null)


def flag(name: str, dutch: str, *, null: bool = False, personal: bool = False) -> sa.Column[bool]:
    """Return a column of booleans."""
    return _column(name, Flag(), _info("boolean", dutch, personal), null)


def integer(name: str, dutch: str, *, size: str = "INTEGER", null: bool = False, minimum: int | None = None,
            maximum: int | None = None, personal: bool = False) -> sa.Column[int]:
    """Return a column of whole numbers; ``size`` is SMALLINT, INTEGER or BIGINT and bounds them too."""
    kind_type, lowest, highest = _INTEGER_TYPES[size]
    info = _info(
        "integer", dutch, personal,
        minimum=lowest if minimum is None else minimum, maximum=highest if maximum is None else maximum,
    )
    return _column(name, kind_type(), info, null)


def decimal(name: str, precision: int, scale: int, dutch: str, *, null: bool = False, minimum: int | None = None,
            maximum: int | None = None, personal: bool = False) -> sa.Column[Any]:
    """Return a column of exact decimals."""
    info = _info("decimal", dutch, personal, precision=precision, scale=scale, minimum=minimum, maximum=maximum)
    return _column(name, ExactDecimal(precision, scale), info, null)


def json_value(name: str, dutch: str, *, null: bool = False, personal: bool = True) -> sa.Column[Any]:
    """Return a column of JSON values."""
    return _column(name, JsonValue(), _info("json", dutch, personal), null)


def link(name: str, references: str, dutch: str, *, null: bool = False) -> sa.Column[str]:
    """Return a link to a record of another table, by its id."""
    return _column(
        name, Uuid(), _info("uuid", dutch, False, references=references), null, sa.ForeignKey(f"{references}.id")
    )


def table(
    name: str,
    dutch: str,
    *columns: sa.Column[Any],
    checks: Mapping[str, str] | None = None,
    unique: Sequence[tuple[str, ...]] = (),
    unique_where: Sequence[PartialUnique] = (),
) -> sa.Table:
    """Build a table of the model with its id, constraints, indexes and comments, and add it to `metadata`.

    Args:
        name: name of the table.
        dutch: Dutch term, the comment of the table.
        columns: the columns, the id excepted.
        checks: business rules that one row must hold, short name to portable SQL.
        unique: unique keys (NULL never equals NULL).
        unique_where: keys that are unique among some rows.
    """
    identifier: sa.Column[str] = sa.Column(
        "id", Uuid(), primary_key=True, comment="technische sleutel (UUID)",
        info=_info("uuid", "technische sleutel (UUID)", False),
    )
    built = sa.Table(name, metadata, identifier, *columns, comment=dutch)
    for foreign_key in built.foreign_key_constraints:
        if foreign_key.elements[0].target_fullname == f"{name}.id":
            # A record may come in before the one of its own table that it links to.
            foreign_key.deferrable, foreign_key.initially = True, "DEFERRED"
    row_checks = tuple(_row_check(built, short, sql) for short, sql in (checks or {}).items())
    built.info.update(dutch=dutch, row_checks=row_checks, unique=tuple(unique), unique_where=tuple(unique_where))
    for column in built.columns:
        for constraint in _column_checks(column, cast(ColumnInfo, column.info)):
            built.append_constraint(constraint)
    for check in row_checks:
        built.append_constraint(sa.CheckConstraint(check.sql, name=check.name))
    for key in unique:
        built.append_constraint(sa.UniqueConstraint(*key, name=_key_name("uq", name, key)))
    _index(built, unique, unique_where)
    return built


def _row_check(built: sa.Table, name: str, sql: str) -> RowCheck:
    words = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", sql)))
    return RowCheck(name, sql, tuple(column.name for column in built.columns if column.name in words))


def _index(built: sa.Table, unique: Sequence[tuple[str, ...]], unique_where: Sequence[PartialUnique]) -> None:
    """Index every link, unless a unique key that begins with it serves the same searches."""
    served = {key[0] for key in unique}
    for column in built.columns:
        if column.foreign_keys and column.name not in served:
            sa.Index(None, column)
    for partial in unique_where:
        where = sa.text(partial.where)
        sa.Index(
            _key_name("ux", built.name, partial.columns),
            *(built.c[name] for name in partial.columns),
            unique=True, sqlite_where=where, postgresql_where=where,
        )


def _key_name(prefix: str, table_name: str, columns: tuple[str, ...]) -> str:
    """Return the name of a key, with as many of its columns as PostgreSQL's 63 bytes allow."""
    name = f"{prefix}_{table_name}"
    for column in columns:
        if len(name) + len(column) + 1 < _NAME_LENGTH:
            name += f"_{column}"
    return name


def _column_checks(column: sa.Column[Any], info: ColumnInfo) -> Iterator[sa.Constraint]:
    name = column.name
    yield from _stored_form(name, info)
    if info["length"] is not None and info["enum"] is None and not info["exact"]:
        yield _only("sqlite", f"length({name}) <= {info['length']}", f"{name}_length")
    if info["filled"]:
        yield sa.CheckConstraint(f"{name} <> ''", name=f"{name}_filled")
    if info["enum"] is not None:
        # Not IN: SQLite builds the list of an IN anew for every row that a check looks at.
        values = " OR ".join(f"{name} = '{value}'" for value in info["enum"])
        yield sa.CheckConstraint(values, name=f"{name}_values")
    if info["charset"] is not None:
        one = CHARSETS[info["charset"]]
        glob, regex = f"{name} <> '' AND {name} NOT GLOB '*[^{one[1:]}*'", f"{one}+"
        if info["exact"] and info["length"]:
            glob, regex = f"{name} GLOB '{one * info['length']}'", f"{one}{{{info['length']}}}"
        yield _only("sqlite", glob, f"{name}_characters")
        yield _only("postgresql", f"{name} ~ '^{regex}$'", f"{name}_characters")


def _stored_form(name: str, info: ColumnInfo) -> Iterator[sa.Constraint]:
    """Yield the checks that give SQLite the types that PostgreSQL has, and the bounds of numbers."""
    forms = {
        "date": f"{name} GLOB '{_DAY_GLOB}'",
        "instant": f"{name} GLOB '{_INSTANT_GLOB}'",
        "boolean": f"{name} IN (0, 1)",
        "integer": f"typeof({name}) IN ('integer', 'null')",
        "decimal": f"{name} <> '' AND {name} NOT GLOB '*[^0-9.-]*'",
        "json": f"{name} IS NULL OR json_valid({name})",
    }
    if name == "id":
        yield _only("sqlite", "length(id) = 36", "id_form")
    if info["kind"] in forms:
        yield _only("sqlite", forms[info["kind"]], f"{name}_form")
    if info["kind"] in ("integer", "decimal") and info["minimum"] is not None and info["maximum"] is not None:
        number = name if info["kind"] == "integer" else f"CAST({name} AS NUMERIC)"
        bounds = (info["minimum"], info["maximum"])
        sql = f"{number} >= {bounds[0]} AND {number} <= {bounds[1]}"
        if bounds not in [(lowest, highest) for _, lowest, highest in _INTEGER_TYPES.values()]:
            yield sa.CheckConstraint(sql, name=f"{name}_range")
        elif bounds[1] < 2**63 - 1:
            yield _only("sqlite", sql, f"{name}_range")


def _only(dialect: str, sql: str, name: str) -> sa.Constraint:
    constraint = sa.CheckConstraint(sql, name=name, info={"dialect": dialect})
    constraint.ddl_if(dialect=dialect)
    return constraint
