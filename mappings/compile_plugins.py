"""Plug-ins in the program: a function on a value, and a step on the frame that is held to what it declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from casemodel import Place, RefusedError
from mappings.compile_names import Columns
from mappings.compile_program import RunContext
from mappings.compile_state import Compiler, Flow
from mappings.compile_steps import text_only
from mappings.language import Chain
from mappings.language.plugins import load_plugin

_TYPES = (pl.String(), pl.Date(), pl.Boolean(), pl.Int64(), pl.Datetime("us", "UTC"))
_SAMPLE = ("", "a", "2024-01-31", "0", None)


class _Held:
    """A plug-in's name and place: everything that it does wrong becomes one error with both."""

    def __init__(self, name: str, place: Place) -> None:
        self.name, self.place = name, place

    def wrong(self, problem: str, hint: str) -> RefusedError:
        return RefusedError("MAP-081", f"the plug-in {self.name} {problem}", hint=hint, place=self.place)

    def raised(self, error: BaseException) -> RefusedError:
        # the text of the error may quote a cell, so only its kind is shown
        return self.wrong(f"failed ({type(error).__name__})", "A plug-in may not raise: flag the value as failed.")


def use_function(compiler: Compiler, flow: Flow, chain: Chain) -> None:
    """Apply ``use: module:function`` to the text of a chain: ``Expr -> (value Expr, failed Expr)``."""
    if chain.use is None or not text_only(compiler, flow, "use"):
        return
    path, program = (*flow.path, "use"), compiler.program
    held = _Held(chain.use, compiler.place(path))
    if len(flow.parts) != 1:
        compiler.refuse("MAP-022", "a plug-in takes one origin", path, hint="Name one column in from.")
        return
    try:
        function = load_plugin(compiler.file.plugins[chain.use], held.place)
        value, failed = _pair(held, function)
        sample = pl.DataFrame({"text": _SAMPLE}, schema={"text": pl.String})
        dtype = _evaluated(held, sample, value, failed, None).schema["value"]
    except RefusedError as error:
        compiler.refusals.errors.append(error)
        return
    source, made, bad = flow.column, program.name("use"), program.name("use_failed")

    def call(frame: pl.DataFrame, _: RunContext) -> Sequence[pl.Series]:
        text = frame.select(pl.col(source).alias("text"))
        found = _evaluated(held, text, value, failed, dtype)
        return [found.get_column("value").alias(made), found.get_column("failed").alias(bad)]

    program.call([source], {made: dtype, bad: pl.Boolean()}, call)
    flow.parts, flow.texts, flow.sort = [made], None, ""
    flow.flag(bad, "step-failed")
    program.mark(flow.owner, f"use {chain.use}", made)


def _pair(held: _Held, function: Any) -> tuple[pl.Expr, pl.Expr]:
    try:
        made = function(pl.col("text"))
    except (Exception, SystemExit) as error:
        raise held.raised(error) from None
    if not (isinstance(made, tuple) and len(made) == 2 and all(isinstance(item, pl.Expr) for item in made)):
        raise held.wrong("does not return two expressions", "Return (value, failed), both expressions of Polars.")
    if any(set(item.meta.root_names()) - {"text"} for item in made):
        raise held.wrong("uses another column than its argument", "Use the expression that it is given, nothing else.")
    return made


def _evaluated(
    held: _Held, text: pl.DataFrame, value: pl.Expr, failed: pl.Expr, dtype: pl.DataType | None
) -> pl.DataFrame:
    """Return ``value`` and ``failed`` of some texts, or raise what is wrong with them."""
    try:
        columns = [text.select(item.alias(name)) for name, item in (("value", value), ("failed", failed))]
    except (Exception, pl.exceptions.PanicException) as error:
        raise held.raised(error) from None
    if any(column.height != text.height for column in columns):
        raise held.wrong("returns another number of rows", "Return a value for each text, in the order of the texts.")
    found = pl.concat(columns, how="horizontal")
    allowed = _TYPES if dtype is None else (dtype,)
    if found.schema["value"] not in allowed:
        raise held.wrong(
            "returns values of another type", "Return text, a date, a UTC instant in µs, true or false, or an Int64."
        )
    if found.schema["failed"] != pl.Boolean() or found.get_column("failed").null_count():
        raise held.wrong("does not say for each text whether it failed", "Return true or false as second, never NULL.")
    return found.with_columns(pl.when(~pl.col("failed")).then(pl.col("value")).alias("value"))


def add_frame_steps(compiler: Compiler) -> None:
    """Add the columns that the frame steps of the mapping write; they run on whole batches."""
    columns, program = compiler.columns, compiler.program
    for index, step in enumerate(compiler.file.model.use):
        path = ("use", index)
        held = _Held(step.step, compiler.place((*path, "step")))
        reads: dict[str, str] = {}
        for position, name in enumerate(step.reads):
            made = columns.use(name)
            if made is None:
                compiler.refuse(
                    "MAP-060",
                    f"'{name}' is not a column here",
                    (*path, "reads", position),
                    hint=columns.near(name),
                )
            else:
                reads[name] = made.column
        for position, name in enumerate(step.writes):
            if columns.find(name) is not None or name in compiler.file.model.values:
                compiler.refuse(
                    "MAP-016", f"'{name}' is there already", (*path, "writes", position), hint="Choose another name."
                )
        try:
            function = load_plugin(compiler.file.plugins[step.step], held.place)
        except RefusedError as error:
            compiler.refusals.errors.append(error)
        else:
            writes = {name: Columns.PREFIX + name for name in step.writes}
            program.call(
                reads.values(), dict.fromkeys(writes.values(), pl.String()), _call(held, function, reads, writes)
            )
        for name in step.writes:
            if columns.find(name) is None:
                columns.add(name)
            program.schema.setdefault(Columns.PREFIX + name, pl.String())
            program.levels.setdefault(Columns.PREFIX + name, 0)


def _call(held: _Held, function: Any, reads: dict[str, str], writes: dict[str, str]) -> Any:
    def call(frame: pl.DataFrame, _: RunContext) -> Sequence[pl.Series]:
        given = frame.select(pl.col(column).alias(name) for name, column in reads.items())
        try:
            made = function(given)
        except (Exception, SystemExit, pl.exceptions.PanicException) as error:
            raise held.raised(error) from None
        if not isinstance(made, pl.DataFrame):
            raise held.wrong("does not return a frame", "Return a DataFrame with the columns of writes.")
        if made.height != frame.height:
            raise held.wrong("returns another number of rows", "Return a row for each row, in their order.")
        if more := sorted(set(made.columns) - set(writes)):
            raise held.wrong(f"returns a column that it does not declare ({more[0]})", "Name it under writes.")
        if less := sorted(set(writes) - set(made.columns)):
            raise held.wrong(f"does not return the column {less[0]}", "Return every column of writes.")
        if any(dtype not in (pl.String(), pl.Null()) for dtype in made.schema.values()):
            raise held.wrong("returns a column that is no text", "Cast it to text; fields give it a type.")
        return [made.get_column(name).cast(pl.String).alias(column) for name, column in writes.items()]

    return call
