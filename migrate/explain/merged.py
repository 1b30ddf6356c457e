"""Which system a field of a merged record comes from, and what other systems said of it (promise 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from casemodel import column_info
from mappings import CompiledMapping
from migrate.pipeline.adopted import adopted_records
from migrate.pipeline.contributions import contributions_to, shared_records
from migrate.pipeline.identity import DEFAULT, ordered, said_of, units
from migrate.session import Session
from migrate.shown import Shown


@dataclass(frozen=True)
class Said:
    """What a row says of a field; key and value are shown as they may be."""

    mapping: str
    key: tuple[str, ...]
    value: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"mapping": self.mapping, "key": list(self.key), "value": self.value}


@dataclass(frozen=True)
class MergedField:
    """A field of a merged record.  won: the row that it comes from; lost: those that said something else."""

    field: str
    won: Said
    lost: tuple[Said, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"field": self.field, **self.won.as_dict(), "lost": [each.as_dict() for each in self.lost]}


def merged_fields(
    session: Session,
    connection: sa.Connection,
    mapping: CompiledMapping,
    numbers: dict[str, int],
    target_id: str | None,
    shown: Shown,
) -> tuple[MergedField, ...]:
    """Return who says what of the fields of a record to which several rows give; nothing of other records."""
    if target_id is None or mapping.giving is None:
        return ()
    compiled = (session.mapping(name) for name in session.check.order)
    shared = shared_records(compiled, numbers, adopted_records(connection))[mapping.name]
    given = contributions_to(connection, shared, target_id)
    if given.height < 2:
        return ()
    frame = pl.concat([given.drop("fields"), said_of(given["fields"], shared)], how="horizontal")
    found = []
    for unit in units(shared):
        rows = ordered(frame, shared, unit[0]).to_dicts()
        filled = [row for row in rows if any(row[name] is not None for name in unit)]
        filled += [row for row in rows if row not in filled and any(row[DEFAULT + name] is not None for name in unit)]
        for row in filled:
            row.update((name, row[DEFAULT + name]) for name in unit if row[name] is None)
        for name in unit if filled else ():
            won, *rest = filled
            lost = [row for row in rest if row[name] is not None and row[name] != won[name]]
            said = [_said(session, shown, mapping.target, name, row) for row in (won, *lost)]
            found.append(MergedField(name, said[0], tuple(said[1:])))
    return tuple(found)


def _said(session: Session, shown: Shown, table: str, name: str, row: dict[str, Any]) -> Said:
    key = shown.key(session.mapping(row["mapping"]), row["key"])
    return Said(row["mapping"], key, shown.value(row[name], personal=bool(column_info(table, name)["personal"])))


_FROM: Final = {
    "nl": "uit welke rij elk veld van het record komt",
    "en": "where each field of the record comes from",
}
_NOT: Final = {"nl": "niet", "en": "not"}


def merged_lines(fields: tuple[MergedField, ...], lang: str) -> Iterator[str]:
    """Return the same for a terminal; nothing for a record of one row."""
    if fields:
        yield _FROM[lang]
    for each in fields:
        yield f"  {each.field:<24} {each.won.mapping} {'|'.join(each.won.key)}   {each.won.value}"
        for lost in each.lost:
            yield f"  {'':<24}   {_NOT[lang]} {lost.mapping} {'|'.join(lost.key)}   {lost.value}"
