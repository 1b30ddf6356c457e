"""Typed stages: date, datetime, number, boolean, and write back to text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date as day_type

import polars as pl

from casemodel import RefusedError
from mappings.compile_expr import use
from mappings.compile_program import BOOL, TEXT
from mappings.compile_state import Compiler, Flow
from mappings.compile_steps import text_only
from mappings.compile_target import kind_of_type
from mappings.language import Chain
from mappings.stages import boolean, date, datetime, number, write_date, write_instant, write_number

_RESULTS: dict[str, tuple[pl.DataType, pl.DataType]] = {
    "date": (pl.Date(), BOOL),
    "datetime": (pl.Datetime("us", "UTC"), TEXT),
    "number": (TEXT, BOOL),
    "boolean": (BOOL, BOOL),
}
"""Per stage the types of its value and of what says that it failed."""


def typed(compiler: Compiler, flow: Flow, chain: Chain) -> None:
    """Apply the one typed stage of a chain, if it has one."""
    given = [name for name in _RESULTS if getattr(chain, name)]
    if len(given) > 1:
        compiler.refuse(
            "MAP-021",
            f"{' and '.join(given)} exclude each other",
            (*flow.path, given[1]),
            key=True,
            hint="Use one typed stage; alternatives go into try.",
        )
        return
    if not given or not text_only(compiler, flow, given[0]):
        return
    stage, program = given[0], compiler.program
    if len(flow.parts) > 1:
        if stage != "datetime":
            return
        flow.parts = [program.add("parts", pl.concat_str([pl.col(part) for part in flow.parts], separator=" "), TEXT)]
    try:
        whole = _staged(compiler, flow, chain, stage)
    except RefusedError as error:
        compiler.refusals.errors.append(error)
        return
    if whole is None:
        return
    kind, code = _RESULTS[stage]
    both = pl.col(program.add(f"{stage}_whole", whole, pl.Struct({"value": kind, "failed": code})))
    value = program.add(stage, both.struct.field("value"), kind)
    failed = program.add(f"{stage}_failed", both.struct.field("failed"), code)
    flow.parts, flow.texts, flow.sort = [value], None, stage if stage == "number" else ""
    flow.flag(failed, None if stage == "datetime" else f"{stage}-invalid")
    program.mark(flow.owner, stage, value)


def _staged(compiler: Compiler, flow: Flow, chain: Chain, stage: str) -> pl.Expr | None:
    """Return a Struct of ``value`` and ``failed``."""
    text, place = pl.col(flow.column), compiler.place((*flow.path, stage))
    if stage == "number":
        assert chain.number is not None
        return number(text, decimal=chain.number.decimal, thousands=chain.number.thousands, place=place).whole
    if stage == "boolean":
        assert chain.boolean is not None
        return boolean(text, chain.boolean.true, chain.boolean.false, place=place).whole
    past = _past(compiler, flow, chain)
    if stage == "date":
        return _date(compiler, flow, chain, past)
    not_before = None
    if chain.ambiguous.not_before is not None:
        made = (
            compiler.field_of(chain.ambiguous.not_before)
            if chain.ambiguous.not_before in compiler.file.model.fields
            else None
        )
        column = (
            made.column if made else use(compiler, chain.ambiguous.not_before, (*flow.path, "ambiguous"), flow.deps)
        )
        if column is None:
            return None
        not_before = pl.col(column)
    return datetime(
        text,
        chain.datetime,
        timezone=chain.timezone,
        ambiguous=chain.ambiguous.policy,
        not_before=not_before,
        gap=chain.gap,
        pivot_year=chain.pivot_year,
        past=past,
        place=place,
    ).whole


def _past(compiler: Compiler, flow: Flow, chain: Chain) -> day_type | None:
    """Return the day that no date of ``pivot: past`` comes after: as_of of the field, else that of the run."""
    if chain.pivot is None:
        return None
    if chain.as_of is None:
        compiler.uses_as_of = True
        return compiler.as_of
    try:
        return day_type.fromisoformat(chain.as_of)
    except ValueError:
        compiler.refuse("MAP-028", f"'{chain.as_of}' is no date", (*flow.path, "as_of"), hint="Write it as 2024-01-31.")
        return None


def _date(compiler: Compiler, flow: Flow, chain: Chain, past: day_type | None) -> pl.Expr | None:
    assert chain.date is not None
    text, place = pl.col(flow.column), compiler.place((*flow.path, "date"))

    def parsed(formats: Sequence[str]) -> pl.Expr:
        return date(text, formats, pivot_year=chain.pivot_year, past=past, place=place).whole

    if chain.date.by is None:
        return parsed(chain.date.formats_)
    column = use(compiler, chain.date.by, (*flow.path, "date", "by"), flow.deps)
    if column is None:
        return None
    table = compiler.file.tables[".".join(map(str, flow.path)) + ".date"]
    formats = {
        values[0]: [key[0] for key, other in table.rows.items() if other == values] for values in table.rows.values()
    }
    made = (
        parsed(chain.date.otherwise)
        if chain.date.otherwise
        else pl.struct(pl.lit(None, pl.Date).alias("value"), text.is_not_null().alias("failed"))
    )
    for written, files in formats.items():
        made = pl.when(pl.col(column).is_in(files)).then(_fields(parsed([written]))).otherwise(_fields(made))
    return made


def _fields(whole: pl.Expr) -> pl.Expr:
    """Return the struct with its fields in one order, so that structs of several formats are of one type."""
    return pl.struct(whole.struct.field("value"), whole.struct.field("failed"))


def write(compiler: Compiler, flow: Flow, chain: Chain) -> None:
    """Write a typed value back to text."""
    if chain.write is None:
        return
    program, value = compiler.program, pl.col(flow.column)
    path, kind = (*flow.path, "write"), kind_of_type(program.dtype(flow.column))
    place = compiler.place(path)
    try:
        if kind == "date" and chain.write.format:
            text = write_date(value, chain.write.format, place=place)
        elif kind == "instant" and chain.write.format:
            zone = chain.timezone or flow.timezone or compiler.file.timezone
            text = write_instant(value, chain.write.format, timezone=zone, place=place)
        elif (kind in ("integer", "decimal") or flow.sort == "number") and chain.write.decimal:
            text = write_number(value, decimal=chain.write.decimal, place=place)
        else:
            compiler.refuse(
                "MAP-021",
                "this write does not go with the value",
                path,
                key=True,
                hint="Dates take a format such as YYYYMMDD, numbers take {decimal: sign}.",
            )
            return
    except RefusedError as error:
        compiler.refusals.errors.append(error)
        return
    flow.parts, flow.sort = [program.add("write", text, TEXT)], ""
    program.mark(flow.owner, "write", flow.column)
