"""`explain`: every stage of every value and field of one row, as the compiled mapping really ran it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from casemodel import Links, canonical_text
from mappings.compile import CompiledMapping
from mappings.compile_program import RunContext
from mappings.compile_standing import stand


@dataclass(frozen=True, slots=True)
class StageValue:
    """What one stage made of one value or field.

    value: canonical text, None for NULL; it is raw, so show it through `casemodel.show`.
    issue: the code of the issue that this value or field has, shown with its last stage.
    """

    field: str
    stage: str
    value: str | None
    issue: str | None = None


def stage_values(mapping: CompiledMapping, prepared: pl.DataFrame, links: Links) -> list[StageValue]:
    """Return the stages of the first row, values before fields, each in the order in which its stages ran.

    Args:
        mapping: the mapping; it is compiled again with every stage kept.
        prepared: the row, and with ``one_per`` the other rows of its record.
        links: how links and lookups are resolved.

    Returns:
        An empty list when the row is out of scope: then no stage ran.
    """
    mapping = mapping.fine()
    stood = stand(mapping.standing, prepared, pl.Series([], dtype=pl.String))
    wanted = prepared.get_column("_row")[0]
    ran = mapping.passes.run(stood.frame, RunContext(links))
    row = ran.filter(pl.col("_row") == wanted)
    if row.is_empty():
        return []
    columns = list(dict.fromkeys(mark.column for mark in mapping.marks))
    texts = row.select(_text(row, column).alias(str(index)) for index, column in enumerate(columns)).row(0)
    shown = dict(zip(columns, texts, strict=True))
    issues = _issues(mapping, row)
    last = {mark.field: mark for mark in mapping.marks}
    found = [
        StageValue(
            mark.field, mark.stage, shown[mark.column], issues.get(mark.field) if mark is last[mark.field] else None
        )
        for mark in mapping.marks
    ]
    values = [mark.field for mark in mapping.marks if mark.field not in mapping.fields]
    order = {name: place for place, name in enumerate(dict.fromkeys([*values, *mapping.fields]))}
    return sorted(found, key=lambda stage: order[stage.field])


def _text(row: pl.DataFrame, column: str) -> pl.Expr:
    dtype = row.schema[column]
    return pl.col(column).cast(pl.String) if dtype == pl.Null() or dtype.is_nested() else canonical_text(column, dtype)


def _issues(mapping: CompiledMapping, row: pl.DataFrame) -> dict[str, str]:
    """Return the code of the first issue of each value and field."""
    found: dict[str, str] = {}
    for flag in mapping.reading.flags:
        value = row.get_column(flag.column)[0]
        if value is True or isinstance(value, str):
            found.setdefault(flag.owner, flag.code or str(value))
    for name, column, causes in mapping.reading.required:
        missing = row.get_column(column)[0] is None
        if missing and name not in found and not any(row.get_column(cause)[0] for cause in causes):
            found[name] = "required-missing"
    return found
