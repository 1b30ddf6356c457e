"""What the model says about single values and rows, as Polars expressions.

Mappings use these to make issues of the row that breaks a rule, contracts use the same ones as the last gate, and the
constraints of the database say the same once more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

import polars as pl

from casemodel.model.base import CHARSETS, ColumnInfo, PartialUnique, RowCheck, metadata

CheckName = Literal["length", "filled", "values", "characters", "range", "form"]

_DTYPES: dict[str, pl.DataType] = {
    "uuid": pl.String(),
    "text": pl.String(),
    "json": pl.String(),
    "decimal": pl.String(),
    "date": pl.Date(),
    "instant": pl.Datetime("us", "UTC"),
    "boolean": pl.Boolean(),
    "integer": pl.Int64(),
}


@dataclass(frozen=True, slots=True)
class ValueCheck:
    """A rule that every value of a column must hold.

    Args:
        column: name of the column.
        name: short name of the check.
        code: the issue code of a value that breaks it.
        holds: True where the value is good; NULL passes.
        allows: the same of one text, in Python: a single constant is not worth a frame.
    """

    column: str
    name: CheckName
    code: str
    holds: pl.Expr
    allows: Callable[[str], bool] | None = None

    def broken_by(self, texts: Iterable[str]) -> list[str]:
        """Return the texts that a text column may not hold, in their order."""
        if self.allows is not None:
            return [text for text in texts if not self.allows(text)]
        frame = pl.DataFrame({self.column: list(texts)}, schema={self.column: pl.String})
        return frame.filter((~self.holds).fill_null(False)).get_column(self.column).to_list()


@cache
def column_info(table_name: str, column: str) -> ColumnInfo:
    """Return what the model says about a column; raises KeyError for an unknown table or column."""
    return cast(ColumnInfo, metadata.tables[table_name].c[column].info)


def polars_schema(table_name: str) -> dict[str, pl.DataType]:
    """Return the Polars type of every column of a table, in the table's order, the id included.

    uuid, text, JSON and decimals are String (exact text), dates Date, instants Datetime in microseconds UTC.
    """
    return dict(_polars_schema(table_name))


@cache
def _polars_schema(table_name: str) -> dict[str, pl.DataType]:
    return {column.name: _DTYPES[column.info["kind"]] for column in metadata.tables[table_name].columns}


@cache
def required(table_name: str) -> tuple[str, ...]:
    """Return the columns that may not be NULL, the id excepted, in the table's order."""
    columns = metadata.tables[table_name].columns
    return tuple(column.name for column in columns if not column.nullable and not column.primary_key)


def unique_keys(table_name: str) -> list[tuple[str, ...]]:
    """Return the unique keys that hold for all rows, the id excepted; a key with a NULL in it equals no other."""
    return list(metadata.tables[table_name].info["unique"])


def partial_unique_keys(table_name: str) -> list[PartialUnique]:
    """Return the keys that are unique among the rows that meet a condition."""
    return list(metadata.tables[table_name].info["unique_where"])


def row_checks(table_name: str) -> tuple[RowCheck, ...]:
    """Return the business rules that one row of a table must hold."""
    checks: tuple[RowCheck, ...] = metadata.tables[table_name].info["row_checks"]
    return checks


@cache
def value_checks(table_name: str, column: str) -> tuple[ValueCheck, ...]:
    """Return the rules that every value of a column must hold, for values typed as `polars_schema` says."""
    return tuple(_value_checks(column, column_info(table_name, column)))


def _value_checks(name: str, info: ColumnInfo) -> Iterator[ValueCheck]:
    value = pl.col(name)
    if info["enum"] is not None:
        values = frozenset(info["enum"])
        yield ValueCheck(name, "values", "enum-invalid", value.is_in(list(info["enum"])), values.__contains__)
    elif info["length"] is not None:
        length, most = value.str.len_chars(), info["length"]
        if info["exact"]:
            yield ValueCheck(name, "length", "too-long", length == most, lambda text: len(text) == most)
        else:
            yield ValueCheck(name, "length", "too-long", length <= most, lambda text: len(text) <= most)
    if info["filled"]:
        yield ValueCheck(name, "filled", "required-missing", value != "", bool)
    if info["charset"] is not None:
        good = re.compile(f"{CHARSETS[info['charset']]}+")
        whole = value.str.contains(f"^{good.pattern}$")
        yield ValueCheck(name, "characters", "enum-invalid", whole, lambda text: good.fullmatch(text) is not None)
    if info["kind"] == "integer":
        yield ValueCheck(name, "range", "number-out-of-range", value.is_between(info["minimum"], info["maximum"]))
    if info["kind"] == "uuid":
        yield ValueCheck(name, "form", "step-failed", value.str.len_bytes() == 36)
    if info["kind"] == "decimal":
        yield from _decimal_checks(name, info)


def _decimal_checks(name: str, info: ColumnInfo) -> Iterator[ValueCheck]:
    precision, scale = info["precision"] or 0, info["scale"] or 0
    value = pl.col(name)
    pattern = rf"^-?[0-9]{{1,{precision - scale}}}(\.[0-9]{{{scale}}})?$" if scale else rf"^-?[0-9]{{1,{precision}}}$"
    yield ValueCheck(name, "form", "number-invalid", value.str.contains(pattern))
    if info["minimum"] is not None and info["maximum"] is not None:
        number = value.cast(pl.Decimal(38, scale), strict=False)
        holds = (number >= info["minimum"]) & (number <= info["maximum"])
        yield ValueCheck(name, "range", "number-out-of-range", holds)
