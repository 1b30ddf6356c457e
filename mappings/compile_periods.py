"""Codes by period: which row of a code table holds on the day that ``at`` gives."""

from __future__ import annotations

from datetime import date as day_type

import polars as pl

from mappings.compile_expr import use
from mappings.compile_state import Compiler, Flow
from mappings.compile_target import kind_of_type
from mappings.language import Chain, CodeTable
from mappings.language.code_tables import PART
from mappings.stages import date, local_date


def code_at(
    compiler: Compiler, flow: Flow, chain: Chain, table: CodeTable, code: str
) -> tuple[pl.Expr, list[str]] | None:
    """Return the value of a code on a day, and columns that say where the day has an issue; None after a refusal.

    Args:
        code: column of the program with the parts of the code, joined.
    """
    assert chain.codes is not None
    path = (*flow.path, "codes", "at")
    if chain.codes.at is None:
        compiler.refuse(
            "MAP-021",
            "the code table has periods, the mapping does not say which day counts",
            path[:-1],
            hint="Write codes: {file: …, at: COLUMN}.",
        )
        return None
    if not table.dated:
        compiler.refuse(
            "MAP-021",
            "the code table has no periods",
            path,
            hint="Remove at, or add the columns valid_from and valid_to to the table.",
        )
        return None
    found_day = _day(compiler, flow, chain, chain.codes.at)
    if found_day is None:
        return None
    day, excuses = found_day
    periods: dict[str, list[tuple[day_type, day_type, str]]] = {}
    for key, value in table.rows.items():
        first, last = (day_type.fromisoformat(text) if text else None for text in key[table.parts :])
        periods.setdefault(PART.join(key[: table.parts]), []).append(
            (first or day_type.min, last or day_type.max, value[0])
        )
    most = max((len(spans) for spans in periods.values()), default=0)
    found = [_nth({key: spans[n] for key, spans in periods.items() if len(spans) > n}, code, day) for n in range(most)]
    return pl.coalesce(found) if found else pl.lit(None, pl.String), excuses


def _nth(spans: dict[str, tuple[day_type, day_type, str]], code: str, day: str) -> pl.Expr:
    """Return the value of the n-th period of each code, where the day lies in it."""
    keys = list(spans)

    def of(index: int, dtype: pl.DataType) -> pl.Expr:
        values = pl.Series([span[index] for span in spans.values()], dtype=dtype)
        return pl.col(code).replace_strict(keys, values, default=None, return_dtype=dtype)

    return pl.when(pl.col(day).is_between(of(0, pl.Date()), of(1, pl.Date()))).then(of(2, pl.String()))


def _day(compiler: Compiler, flow: Flow, chain: Chain, name: str) -> tuple[str, list[str]] | None:
    """Return the column of the day; a text must be a day as databases write it, and is an issue where it is none."""
    program, path = compiler.program, (*flow.path, "codes", "at")
    column = use(compiler, name, path, flow.deps)
    if column is None:
        return None
    kind = kind_of_type(program.dtype(column))
    excuses = flow.deps[-1].all_errors()
    if kind == "date":
        return column, excuses
    if kind == "instant":
        zone = chain.timezone or flow.deps[-1].timezone or compiler.file.timezone
        if zone is not None:
            return program.add("at", local_date(pl.col(column), zone, place=compiler.place(path))), excuses
        compiler.refuse(
            "MAP-034", f"'{name}' is an instant, at needs a day", path, hint="Add timezone: Europe/Amsterdam."
        )
        return None
    if kind != "text":
        compiler.refuse("MAP-025", f"'{name}' is no date", path, hint="Name a column or value that holds a date.")
        return None
    formats = ["YYYY-MM-DD", *compiler.file.date_formats]
    text = pl.col(column)
    read = date(pl.when(text != "").then(text), formats, place=compiler.place(path))
    failed = program.add("at_failed", read.failed)
    flow.flag(failed, "date-invalid")
    return program.add("at", read.value), [*excuses, failed]
