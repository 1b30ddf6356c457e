"""Expressions of a mapping: names resolved, types checked, refused with their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import polars as pl
from polars.exceptions import PolarsError

from casemodel import RefusedError
from mappings.compile_names import Made
from mappings.compile_state import Compiler, Path
from mappings.expressions import parse_expression, translated

_TAKEN = ".taken"
Speaks = Literal["columns", "values", "fields"]
"""What an expression may name: columns of the frame; values and branches taken too; fields of the target too."""
_ORDINARY = frozenset({pl.String, pl.Boolean, pl.Date, pl.Int64})
"""Types of columns with which a translated expression fits, and is of the type that its kind says."""


def find(compiler: Compiler, name: str, speaks: Speaks = "values") -> Made | None:
    """Return what a name means: a source column, a value or a field; None when it means nothing.

    Exact spelling wins; then, in any case, fields (only where rules may name them), values, source columns.
    """
    if speaks == "columns":
        return compiler.columns.use(name)
    fields = speaks == "fields"
    if fields and name in compiler.file.model.fields:
        return compiler.finals.get(name)
    if name in compiler.file.model.values:
        return compiler.value_of(name)
    if name in compiler.columns.names:
        return compiler.columns.use(name)
    folded = name.casefold()
    if folded.endswith(_TAKEN):
        owner = _match(folded.removesuffix(_TAKEN), list(compiler.file.model.fields))
        made = compiler.field_of(owner) if owner else None
        if made is not None and made.taken is not None:
            return Made(f"{owner}.taken", made.taken, deps=[made])
    if fields and (match := _match(folded, list(compiler.file.model.fields))):
        return compiler.finals.get(match)
    if match := _match(folded, list(compiler.file.model.values)):
        return compiler.value_of(match)
    return compiler.columns.use(name)


def _match(folded: str, names: list[str]) -> str | None:
    return next((name for name in names if name.casefold() == folded), None)


def use(compiler: Compiler, name: str, path: Path, deps: list[Made], speaks: Speaks = "values") -> str | None:
    """Return the column of the program that a name stands for; refuse an unknown name."""
    found = find(compiler, name, speaks)
    if found is not None:
        deps.append(found)
        return found.column
    more: list[str] = []
    if speaks != "columns":
        more = [*compiler.file.model.values, *(compiler.file.model.fields if speaks == "fields" else ())]
    known = {
        *(other.casefold() for other in more),
        *(f"{other}.taken".casefold() for other in compiler.fields_with_try),
    }
    # a value or field that is known, but was itself refused, has its own error already
    if speaks == "columns" or name.casefold() not in known:
        compiler.refuse(
            "MAP-060",
            f"'{name}' is not a column, value or side column here",
            path,
            hint=compiler.columns.near(name, more),
        )
    return None


def expression(
    compiler: Compiler, text: str, path: Path, deps: list[Made], speaks: Speaks = "values", *, windows: bool = True
) -> tuple[pl.Expr, pl.DataType] | None:
    """Translate an expression; returns it with the type that it gives, or None after a refusal.

    Args:
        text: SQL expression as written.
        path: where it stands.
        deps: gets the values and fields it uses.
        speaks: what it may name.
        windows: whether it may look over the rows of a group.
    """
    place = compiler.place(path)
    try:
        parsed = parse_expression(text, place=place)
        columns: dict[str, str | None] = {}
        numbers: set[str] = set()
        for name in sorted(parsed.columns):
            columns[name] = use(compiler, name, path, deps, speaks)
            if columns[name] is not None and deps[-1].sort == "number":
                numbers.add(name.casefold())
        if None in columns.values():
            return None
        if parsed.has_window and not _window_allowed(compiler, parsed.partition_by, path, windows=windows):
            return None
        compiler.has_windows |= parsed.has_window
        names = {name.casefold(): column for name, column in columns.items()}

        def resolve(name: str) -> tuple[pl.Expr, pl.DataType]:
            column = columns.get(name) or names[name.casefold()]
            assert column is not None
            return pl.col(column), compiler.program.dtype(column)

        alone = _alone(compiler, names) if parsed.has_window else None
        made, dtype = translated(parsed, resolve, alone=alone, numbers=frozenset(numbers))
        dtypes = (type(compiler.program.dtype(str(column))) for column in columns.values())
        if dtype is None or not _ORDINARY.issuperset(dtypes):
            dtype = compiler.program.type_of(made)
    except RefusedError as error:
        compiler.refusals.errors.append(error)
        return None
    except PolarsError:
        compiler.refuse(
            "MAP-023",
            "the types in the expression do not go together",
            path,
            hint="Source columns are text: compare them with text, or use TRY_CAST.",
        )
        return None
    return made, dtype


def condition(
    compiler: Compiler, text: str, path: Path, deps: list[Made], speaks: Speaks = "values", *, windows: bool = True
) -> pl.Expr | None:
    """Translate an expression that must give true or false; None after a refusal."""
    found = expression(compiler, text, path, deps, speaks, windows=windows)
    if found is None:
        return None
    made, dtype = found
    if type(dtype) not in (pl.Boolean, pl.Null):
        compiler.refuse(
            "MAP-024",
            "the condition does not give true or false",
            path,
            hint="Compare with something, such as STATUS = 'AF'.",
        )
        return None
    return made


def _alone(compiler: Compiler, names: Mapping[str, str | None]) -> pl.Expr:
    """Return where a row has no value in a column of the group: it is a group of its own."""
    source = compiler.file.model.source
    group = source.one_per.by if source.one_per else source.together
    return pl.any_horizontal(pl.col(str(names[name.casefold()])).is_null() for name in group)


def _window_allowed(compiler: Compiler, partition: frozenset[str], path: Path, *, windows: bool) -> bool:
    source = compiler.file.model.source
    group = source.one_per.by if source.one_per else source.together
    if not windows or not group:
        compiler.refuse(
            "MAP-030",
            "OVER looks over rows, which is not possible here",
            path,
            hint="Name the rows that belong together in source: together.",
        )
        return False
    named = {name.casefold() for name in partition}
    missing = [name for name in group if name.casefold() not in named]
    if missing:
        compiler.refuse(
            "MAP-030",
            f"PARTITION BY must contain the columns of together ({', '.join(group)})",
            path,
            hint=f"Add {', '.join(missing)} to PARTITION BY.",
        )
        return False
    return True
