"""Slices of a relation: conditions outside a mapping file that say which rows belong to something, such as a wave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from polars.exceptions import PolarsError

from casemodel import Place, RefusedError
from mappings.expressions import parse_expression, translated
from mappings.language.base import near


@dataclass(frozen=True, slots=True)
class Slice:
    """A condition on the columns of a relation as they are read; NULL is not in the slice.

    columns: those that it names, as the relation spells them.
    """

    text: str
    condition: pl.Expr
    columns: tuple[str, ...]


def slice_of(text: str, columns: Sequence[str], place: Place) -> Slice:
    """Compile a condition in the language of a mapping's scope.

    Args:
        text: SQL expression.
        columns: names of the relation's columns.
        place: where it stands, for errors.

    Raises:
        RefusedError: the errors of expressions (MAP-…), MAP-060 a name that is no column, MAP-030 it looks over rows.
    """
    parsed = parse_expression(text, place=place)
    if parsed.has_window:
        raise RefusedError(
            "MAP-030", "OVER looks over rows, which is not possible here", hint="Name columns only.", place=place
        )
    folded = {name.casefold(): name for name in reversed(columns)}
    known = {name: name if name in columns else folded.get(name.casefold()) for name in sorted(parsed.columns)}
    for name, found in known.items():
        if found is None:
            hint = near(name, list(columns)) or f"Columns: {', '.join(columns)}."
            raise RefusedError("MAP-060", f"'{name}' is not a column here", hint=hint, place=place)
    schema = {name: pl.String() for name in columns}

    def resolve(name: str) -> tuple[pl.Expr, pl.DataType]:
        return pl.col(str(known[name] if name in known else folded[name.casefold()])), pl.String()

    made, dtype = translated(parsed, resolve)
    try:
        dtype = dtype or pl.LazyFrame(schema=schema).select(x=made).collect_schema()["x"]
    except PolarsError:
        raise RefusedError(
            "MAP-023",
            "the types in the expression do not go together",
            hint="Source columns are text: compare them with text, or use TRY_CAST.",
            place=place,
        ) from None
    if type(dtype) not in (pl.Boolean, pl.Null):
        raise RefusedError(
            "MAP-024",
            "the condition does not give true or false",
            hint="Compare with something, such as STATUS = 'AF'.",
            place=place,
        )
    named = tuple(dict.fromkeys(str(name) for name in known.values()))
    return Slice(text, made.cast(pl.Boolean).fill_null(False), named)
