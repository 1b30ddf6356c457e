"""The looks beside of a mapping (``with``), as the joins that the reader performs."""

from __future__ import annotations

import polars as pl

from casemodel import SideJoin
from mappings.compile_climb import climb_columns, climb_join
from mappings.compile_order import holds_numbers
from mappings.compile_state import Compiler
from mappings.expressions import parse_expression, to_polars
from mappings.language import MappingFile


def side_joins(file: MappingFile, compiler: Compiler, used: tuple[str, ...]) -> tuple[SideJoin, ...]:
    """Return the joins with the columns that the mapping uses; a side that nothing uses is not joined.

    Args:
        file: the mapping.
        used: the columns of the prepared frame that the mapping uses.
    """
    joins = []
    for name, spec in file.model.source.beside.items():
        columns = tuple(
            column.removeprefix(f"{name}.")
            for column in used
            if column.startswith(f"{name}.") and not column.endswith(("._hits", "._cycle"))
        )
        if columns and spec.climb is not None:
            joins.append(climb_join(file, compiler, name, columns))
        if columns and spec.relation:
            wanted = () if spec.take == "count" else columns
            where, asked = _condition(file, name, spec.where)
            by = tuple(spec.by.items())
            side = compiler.sides.get(name)
            numeric = tuple(column for column, _ in spec.order if side is not None and holds_numbers(side, column))
            joins.append(
                SideJoin(name, spec.relation, by, wanted, spec.take, spec.order, where, asked, numeric=numeric)
            )
    return tuple(joins)


def _condition(file: MappingFile, name: str, where: str | None) -> tuple[pl.Expr | None, tuple[str, ...]]:
    """Return the condition of a side over its own columns, and these columns as written."""
    if where is None:
        return None, ()
    parsed = parse_expression(where, place=file.place("source", "with", name, "where"))
    spelled = {column.casefold(): column for column in sorted(parsed.columns)}

    def resolve(column: str) -> tuple[pl.Expr, pl.DataType]:
        return pl.col(spelled[column.casefold()]), pl.String()

    return to_polars(parsed, resolve), tuple(spelled.values())


def used_columns(file: MappingFile, compiler: Compiler, hashed: tuple[str, ...]) -> tuple[str, ...]:
    """Return every column of the frame as read that the result depends on, in the order of the relation."""
    source = file.model.source
    names = set(hashed)
    if source.unpivot:
        names -= set(source.unpivot.into)
        names |= {
            compiler.columns.find(name) or name for columns in source.unpivot.columns.values() for name in columns
        }
    used_sides = {name.partition(".")[0] for name in hashed if "." in name}
    for name, spec in source.beside.items():
        if name in used_sides:
            names |= {compiler.columns.find(column) or column for column in spec.by.values()}
            if spec.climb is not None:
                names |= set(climb_columns(compiler, name))
    return tuple(name for name in compiler.columns.names if name in names)
