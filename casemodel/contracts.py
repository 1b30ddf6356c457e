"""Contracts: what a frame must be before it goes on, as pandera schemas.

`source_contract` refuses drift before a row is read; `target_contract`, derived from the model, is the last gate
before the commit, and what it catches is our bug.  pandera checks no values of a LazyFrame and its reports quote
values, therefore frames are validated eagerly and only through `check_contract`, which counts and never quotes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaError, SchemaErrors

from casemodel.errors import BugError
from casemodel.model import RowCheck, ValueCheck, polars_schema, required, row_checks, value_checks

_MISSING = "missing"
_UNEXPECTED = "unexpected"
_TYPE = "type"
_REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class ContractBreach:
    """One way in which a frame breaks its contract.

    Args:
        column: the column, or the columns of a row check joined by commas.
        check: ``missing``, ``unexpected``, ``type``, ``required``, the name of a value check or of a row check.
        count: rows that break it; the height of the frame where the column as a whole is wrong.
    """

    column: str
    check: str
    count: int


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule of the model: one boolean column of a frame, True or NULL where a row is good."""

    column: str
    check: str
    holds: pl.Expr
    absent: Mapping[str, pl.DataType]
    """Columns that the rule reads and the frame does not have; the database will hold NULL there."""

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return the rule's boolean column, named ``holds``."""
        if self.absent:
            frame = frame.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in self.absent.items())
        return frame.select(self.holds.alias("holds"))


@dataclass(frozen=True, slots=True)
class _Sound:
    """All rules and required columns of a contract as one pandera check.

    One pass: pandera's own way, column by column and check by check, took a tenth of a load.
    """

    rules: tuple[_Rule, ...]
    required: tuple[str, ...]

    def __call__(self, data: PolarsData) -> pl.LazyFrame:
        frame = data.lazyframe
        absent = {name: dtype for rule in self.rules for name, dtype in rule.absent.items()}
        good = [rule.holds.fill_null(True) for rule in self.rules]
        there = [pl.col(name).is_not_null() for name in self.required]
        frame = frame.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in absent.items())
        return frame.select(pl.all_horizontal(*good, *there, pl.lit(True)).alias("holds"))


def target_contract(table_name: str, columns: Iterable[str], *, whole: bool = True) -> pa.DataFrameSchema:
    """Return the contract of a frame of records of a table, derived from the model.

    Args:
        table_name: a table of the case model.
        columns: the columns that the frame brings besides the id, no others; a row check reads NULL from the rest.
        whole: records are whole; else what must be there, and what holds for whole rows, is not asked.
    """
    types = polars_schema(table_name)
    given = ["id", *(name for name in columns if name != "id")]
    unknown = [name for name in given if name not in types]
    if unknown:
        raise BugError(
            "BUG-010",
            f"table {table_name} has no column {', '.join(unknown)}",
            hint="Report this with the output of `omnicase doctor`.",
        )
    needed = {"id", *(required(table_name) if whole else ())}
    values = [_value_rule(check) for name in given for check in value_checks(table_name, name)]
    checks = row_checks(table_name) if whole else ()
    of_rows = [_row_rule(check, types, given) for check in checks if not _says_nothing(check, given)]
    sound = _Sound((*values, *of_rows), tuple(name for name in given if name in needed))
    return pa.DataFrameSchema(
        {name: pa.Column(types[name], nullable=True) for name in given},
        checks=pa.Check(sound, name="sound", n_failure_cases=1),
        strict=True,
        name=table_name,
        metadata={"sound": sound, "values": pa.DataFrameSchema(checks=pa.Check(sound, n_failure_cases=1))},
    )


def source_contract(columns: Iterable[str]) -> pa.DataFrameSchema:
    """Return the contract of a frame as read: these columns are there and hold text; others may be there too."""
    return pa.DataFrameSchema(
        {name: pa.Column(pl.String(), nullable=True) for name in columns},
        strict=False,
        metadata={},
    )


def check_contract(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> list[ContractBreach]:
    """Validate a frame and return every breach, without one value of the frame in it.

    Args:
        schema: a contract of this module.
        frame: an eager frame; a LazyFrame raises BugError, since pandera would check no value of it.
    """
    if not isinstance(frame, pl.DataFrame):
        raise BugError(
            "BUG-011",
            "a contract was to be checked on a frame that is not there yet",
            hint="Report this with the output of `omnicase doctor`.",
        )
    breaches = list(_structure(schema, frame))
    if breaches or "values" not in schema.metadata:
        return breaches
    try:
        schema.metadata["values"].validate(frame)
    except (SchemaError, SchemaErrors):
        # What pandera caught quotes values: it is dropped here, and the rows are counted anew.
        breaches = list(_counted(schema, frame))
        if not breaches:
            breaches = [ContractBreach(", ".join(frame.columns), "contract", frame.height)]
    return breaches


def _says_nothing(check: RowCheck, given: Iterable[str]) -> bool:
    """Return whether a frame brings no column of a row check but the id."""
    return not set(check.columns) & (set(given) - {"id"})


def _value_rule(check: ValueCheck) -> _Rule:
    return _Rule(check.column, check.name, check.holds, {})


def _row_rule(check: RowCheck, types: Mapping[str, pl.DataType], given: Iterable[str]) -> _Rule:
    present = set(given)
    absent = {name: types[name] for name in check.columns if name not in present}
    return _Rule(",".join(check.columns), check.name, pl.sql_expr(check.sql), absent)


def _structure(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> Iterator[ContractBreach]:
    """Compare names and types; pandera 0.35 cannot report a wrong type with polars 2.1 (it recurses without end)."""
    for name, column in schema.columns.items():
        if name not in frame.columns:
            yield ContractBreach(name, _MISSING, frame.height)
        elif frame.schema[name] != column.dtype.type:
            yield ContractBreach(name, _TYPE, frame.height)
    if schema.strict:
        for name in frame.columns:
            if name not in schema.columns:
                yield ContractBreach(name, _UNEXPECTED, frame.height)


def _counted(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> Iterator[ContractBreach]:
    sound: _Sound = schema.metadata["sound"]
    for name in sound.required:
        nulls = frame.get_column(name).null_count()
        if nulls:
            yield ContractBreach(name, _REQUIRED, nulls)
    for rule in sound.rules:
        broken = rule.apply(frame.lazy()).select((~pl.col("holds")).sum()).collect().item()
        if broken:
            yield ContractBreach(rule.column, rule.check, broken)
