"""Controls and children, ready to be compared: their SQL, their columns, and what of them may be personal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import polars as pl
from sqlglot import exp

from casemodel import Query, canonical_text, column_info, polars_schema, tables
from mappings.compile_target import literal
from mappings.language import MappingFile
from mappings.language.queries import one_select
from mappings.stages import date, datetime, number


@dataclass(frozen=True, slots=True)
class ControlColumn:
    """What a column of a control is made of: the relations of its SELECT, and the columns that it names.

    whole: the SELECT reads from other SELECTs, so that the column may be made of any column of it.
    """

    tables: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ControlSql:
    """One control of a mapping.

    name: what it is called in the mapping.
    source: the SELECT over the old system, as a query that the system can run.
    target: the SELECT over the target, by the dialect of the target (``sqlite``, ``postgresql``).
    source_made, target_made: per result column (``g``, ``n``) what it is made of.
    """

    name: str
    source: Query
    target: Mapping[str, str]
    source_made: Mapping[str, ControlColumn]
    target_made: Mapping[str, ControlColumn]
    tolerance: str | None = None
    """By how much the numbers of a group may differ, as the mapping says it."""


@dataclass(frozen=True, slots=True)
class ChildSql:
    """One kind of children of a mapping.

    mapping: the mapping of the children.
    by: columns of its relation that hold the key of the parent.
    link: target column of the children that holds the id of the parent's record.
    """

    mapping: str
    by: tuple[str, ...]
    link: str


def controls_of(file: MappingFile) -> tuple[ControlSql, ...]:
    """Return the controls of a mapping that was checked."""
    found = []
    for index, control in enumerate(file.model.controls):
        source, target = one_select(control.source, ""), one_select(control.target, "")
        query = Query(
            name=f"controls[{index}] of {file.name}",
            sql=source.sql(dialect="sqlite"),
            tables=_tables(source),
            columns=tuple(dict.fromkeys(column.name for column in source.find_all(exp.Column) if column.name)),
        )
        made = _made(source), _made(target)
        found.append(ControlSql(control.name, query, _for_targets(target), *made, control.tolerance))
    return tuple(found)


def _for_targets(tree: exp.Query) -> dict[str, str]:
    return {dialect: tree.sql(dialect=spoken) for dialect, spoken in (("sqlite", "sqlite"), ("postgresql", "postgres"))}


def _tables(tree: exp.Query) -> tuple[str, ...]:
    made = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    names = [table.name for table in tree.find_all(exp.Table)]
    return tuple(dict.fromkeys(name for name in names if name and name.casefold() not in made))


def _made(tree: exp.Query) -> dict[str, ControlColumn]:
    """Return what ``g`` and ``n`` are made of; a count shows nothing of what it counts."""
    names = _tables(tree)
    nested = any(tree.find_all(exp.CTE, exp.Subquery, exp.SetOperation))
    found = {}
    for part in ("g", "n"):
        chosen = next((each for each in tree.selects if each.alias_or_name.casefold() == part), None)
        inside = tree if nested or chosen is None else chosen
        found[part] = ControlColumn(names, tuple(dict.fromkeys(_shown(inside))))
    return found


def _shown(tree: exp.Expr) -> list[str]:
    columns = tree.find_all(exp.Column, exp.Star)
    return [
        "*" if isinstance(column, exp.Star) else column.name
        for column in columns
        if column.find_ancestor(exp.Count) is None
    ]


def children_of(file: MappingFile, others: Mapping[str, MappingFile]) -> tuple[ChildSql, ...]:
    """Return the children of a mapping that was checked."""
    return tuple(
        ChildSql(child.mapping, tuple(child.by), link_column(file, others[child.mapping], child.by) or "")
        for child in file.model.children
    )


def link_column(parent: MappingFile, child: MappingFile, by: tuple[str, ...]) -> str | None:
    """Return the target column in which the records of a child hold the id of the parent, or None.

    Where several fields link to the parent, it is the one made of the columns `by`, else the first.
    """
    linking = [
        (name, chain.origin_from)
        for name, path, chain in child.chains()
        if chain.link is not None and chain.link.mapping == parent.name and path[0] == "fields"
    ]
    wanted = [name.casefold() for name in by]
    for name, origin in linking:
        if [each.casefold() for each in origin] == wanted:
            return name
    if linking:
        return linking[0][0]
    # A link in a shared value: the field that holds it is the foreign key to the parent's table.
    keys = [
        column.name
        for column in tables[child.model.target].columns
        if column.name in child.model.fields
        and any(key.column.table.name == parent.model.target for key in column.foreign_keys)
    ]
    return keys[0] if keys else None


@dataclass(frozen=True, slots=True)
class DeleteRule:
    """What becomes of the records of a mapping whose rows left the source or the scope.

    policy: ``remove`` or ``close``.
    close: target column to the canonical text that closing sets.
    most: share (0 to 1) of the mapping's loaded keys above which nothing is deleted.
    """

    policy: str
    close: Mapping[str, str]
    most: float


def null_texts_of(file: MappingFile, name: str) -> tuple[str, ...]:
    """Return the texts that a field takes for no value (``null_if``)."""
    spec = file.model.fields[name].null_if
    if spec is None:
        return ()
    return (*spec.texts, *file.texts.get(spec.file or "", ()))


MOST_DELETES = 2.0
"""Percentage of the loaded keys that may leave at once, where a mapping does not say otherwise."""


def delete_rule(file: MappingFile) -> DeleteRule | None:
    """Return what a mapping says of deletes; None: records are kept."""
    found = file.model.incremental
    if found is None or found.deletes.policy == "keep":
        return None
    types = polars_schema(file.model.target)
    values = {}
    for name, text in found.deletes.close.items():
        info = column_info(file.model.target, name)
        made = literal(text, info["kind"], scale=info["scale"] or 0)
        assert made is not None
        typed = pl.DataFrame({name: pl.select(made.cast(types[name])).to_series()})
        values[name] = str(typed.select(canonical_text(name, types[name])).item())
    most = MOST_DELETES if found.max_deletes is None else found.max_deletes
    return DeleteRule(found.deletes.policy, values, most / 100)


@dataclass(frozen=True, slots=True)
class CursorRule:
    """The column that says when a row last changed, made comparable.

    kind: ``date``, ``datetime``, ``number`` or ``text``.
    lag: microseconds to read again before the last high water (dates and instants).
    digest: changes when the cursor is declared otherwise.
    """

    column: str
    kind: str
    lag: int
    digest: str
    stage: Callable[[pl.Expr], pl.Expr]

    def value(self, column: str) -> pl.Expr:
        """Return a column (canonical text) as microseconds, Decimal or text; NULL where it cannot be read."""
        return self.stage(pl.col(column))

    def typed(self, text: str) -> int | Decimal | str:
        """Return a value that was kept as text."""
        return text if self.kind == "text" else Decimal(text) if self.kind == "number" else int(text)


def cursor_rule(file: MappingFile) -> CursorRule | None:
    """Return how a mapping that was checked is read by a cursor; None: every run compares all rows."""
    found = file.model.incremental
    if found is None or found.cursor is None:
        return None
    spec = found.cursor
    text = json.dumps(spec.model_dump(mode="json", by_alias=True), sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()
    kind = "datetime" if spec.datetime else "date" if spec.date else "number" if spec.number else "text"
    return CursorRule(spec.column, kind, found.lag or 0, digest, partial(cursor_value, file))


def cursor_value(file: MappingFile, text: pl.Expr) -> pl.Expr:
    """Return a cursor's text as the values that are compared.

    Raises:
        RefusedError: MAP-028 formats or time zone are wrong.
    """
    assert file.model.incremental is not None and file.model.incremental.cursor is not None
    spec = file.model.incremental.cursor
    place = file.place("incremental", "cursor")
    if spec.datetime:
        made = datetime(
            text,
            spec.datetime,
            timezone=spec.timezone or file.timezone,
            ambiguous=spec.ambiguous.policy if spec.ambiguous.not_before is None else "earliest",
            gap=spec.gap,
            place=place,
        )
        return made.value.dt.timestamp("us")
    if spec.date is not None:
        days = date(text, spec.date.formats_ or file.date_formats, place=place).value
        return days.cast(pl.Datetime("us")).dt.timestamp("us")
    if spec.number is not None:
        made = number(text, decimal=spec.number.decimal, thousands=spec.number.thousands, place=place)
        return made.value.cast(pl.Decimal(38, 9), strict=False)
    return text
