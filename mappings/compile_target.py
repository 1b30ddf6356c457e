"""From the type of a value to the type of a target column: implicit typing, constants, literals."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

import polars as pl

from casemodel import ColumnInfo, RefusedError, tables
from mappings.compile_program import BOOL, TEXT
from mappings.compile_state import Compiler, Flow, Path
from mappings.language import FieldSpec
from mappings.stages import local_date

_KINDS = {
    "text": "text",
    "date": "a date",
    "instant": "an instant",
    "boolean": "true or false",
    "integer": "a whole number",
    "decimal": "a number",
    "json": "JSON",
    "uuid": "the id of a record",
}
_KIND_OF_TYPE: dict[type[pl.DataType], str] = {
    pl.String: "text",
    pl.Date: "date",
    pl.Boolean: "boolean",
    pl.Null: "null",
    pl.Datetime: "instant",
    pl.Int64: "integer",
}

_LITERALS = {
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"),
    "instant": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]"),
    "integer": re.compile(r"-?[0-9]{1,18}\Z"),
    "decimal": re.compile(r"-?[0-9]{1,29}(\.[0-9]+)?\Z"),
}


def kind_of_type(dtype: pl.DataType) -> str:
    """Return what a type holds: text, date, instant, boolean, integer, decimal, null or other."""
    if known := _KIND_OF_TYPE.get(type(dtype)):
        return known
    if dtype.is_integer():
        return "integer"
    return "decimal" if dtype.is_float() or dtype.is_decimal() else "other"


def typed_literal(compiler: Compiler, text: str, name: str, info: ColumnInfo, path: Path) -> pl.Expr | None:
    """Return a constant text of the file as a literal of a column's type; None after a refusal."""
    value = literal(text, info["kind"], scale=info["scale"] or 0)
    if value is None:
        compiler.refuse(
            "MAP-026",
            f"'{text}' is not {_KINDS[info['kind']]}, which the column {name} needs",
            path,
            hint="Dates are written as 2024-01-31, true and false in lower case.",
        )
    return value


def literal(text: str, kind: str, *, scale: int = 0) -> pl.Expr | None:
    """Return a text of the file as a literal of a kind, or None when it is not one."""
    if (form := _LITERALS.get(kind)) is not None and not form.match(text):
        return None  # Python reads more than the language promises: 20240131, 2024-W05-1, 1_000, 1e2
    try:
        if kind == "date":
            return pl.lit(date.fromisoformat(text), pl.Date)
        if kind == "instant":
            moment = datetime.fromisoformat(text)
            return None if moment.tzinfo is None else pl.lit(moment.astimezone(UTC), pl.Datetime("us", "UTC"))
        if kind == "integer":
            return pl.lit(int(text), pl.Int64)
        if kind == "decimal":
            number = Decimal(text)
            exact = number.quantize(Decimal(1).scaleb(-scale))
            return pl.lit(f"{exact:f}") if exact == number else None
    except (ValueError, OverflowError, InvalidOperation):
        return None
    if kind == "boolean":
        return pl.lit(text == "true") if text in ("true", "false") else None
    return pl.lit(text) if kind in ("text", "null") else None


def constant(compiler: Compiler, flow: Flow, spec: FieldSpec, name: str, info: ColumnInfo) -> bool:
    """Type a bare constant as the column is typed; False when the field is no bare constant or the text is refused."""
    if not _is_bare(spec) or info["kind"] in ("text", "uuid", "json"):
        return False
    assert spec.const is not None
    value = literal(spec.const, info["kind"], scale=info["scale"] or 0)
    if value is None:
        return False
    flow.parts, flow.sort = [compiler.program.add("const", value, _dtype(info["kind"]))], "const"
    return True


def _is_bare(spec: FieldSpec) -> bool:
    """Return whether a field is a constant that no stage makes something else of."""
    stages = (spec.null_if, spec.do, spec.use, spec.codes, spec.date, spec.datetime, spec.number, spec.boolean)
    return spec.const is not None and not any(stages) and spec.write is None


def to_target(compiler: Compiler, flow: Flow, spec: FieldSpec, name: str, info: ColumnInfo) -> bool:
    """Turn the value into the type of the target column, or flag why it cannot; False after a refusal."""
    program = compiler.program
    value, found = pl.col(flow.column), kind_of_type(program.dtype(flow.column))
    kind = info["kind"]
    if found == "null":
        flow.parts = [program.add("null", value.cast(_dtype(kind)), _dtype(kind))]
        return True
    if kind in ("uuid", "json"):
        return _record_or_json(compiler, flow, name, info)
    if kind == found == "text" or kind == found == "boolean" or kind == found == "date" or kind == found == "instant":
        return not (kind == "text" and flow.sort.startswith("id:")) or _refuse(
            compiler, flow, name, kind, "the id of a record"
        )
    if kind == "text" and found == "integer":
        flow.parts = [program.add("text", value.cast(pl.String), TEXT)]
        return True
    if kind == "date" and found == "instant":
        return _date_of_instant(compiler, flow, spec, name)
    if kind in ("integer", "decimal") and _is_bare(spec):
        return _refuse_constant(compiler, flow, spec, name, kind)
    if kind == "integer" and found in ("text", "integer", "decimal"):
        _integer(compiler, flow, found)
        return True
    if kind == "decimal" and found in ("text", "integer", "decimal"):
        _decimal(compiler, flow, found, info["scale"] or 0)
        return True
    if spec.const is not None:
        return _refuse_constant(compiler, flow, spec, name, kind)
    return _refuse(compiler, flow, name, kind, _KINDS.get(found, "a list or another type"))


def _refuse_constant(compiler: Compiler, flow: Flow, spec: FieldSpec, name: str, kind: str) -> bool:
    compiler.refuse(
        "MAP-026",
        f"'{spec.const}' is not {_KINDS[kind]}, which the column {name} needs",
        (*flow.path, "const"),
        hint="Dates are written as 2024-01-31, true and false in lower case.",
    )
    return False


def _dtype(kind: str) -> pl.DataType:
    simple = {"date": pl.Date(), "instant": pl.Datetime("us", "UTC"), "boolean": pl.Boolean(), "integer": pl.Int64()}
    return simple.get(kind, pl.String())


def _refuse(compiler: Compiler, flow: Flow, name: str, kind: str, found: str) -> bool:
    hints = {
        "date": "Add the stage date: [format].",
        "instant": "Add the stage datetime: [format] with a timezone.",
        "boolean": "Add the stage boolean: {true: [...], false: [...]}.",
        "text": "Add the stage write.",
        "json": "Use the origin json.",
        "uuid": "Add the stage link or lookup.",
    }
    compiler.refuse(
        "MAP-025",
        f"the column {name} holds {_KINDS[kind]}, the field gives {found}",
        flow.path,
        key=True,
        hint=hints.get(kind, "Give the field a typing stage."),
    )
    return False


def _record_or_json(compiler: Compiler, flow: Flow, name: str, info: ColumnInfo) -> bool:
    if info["kind"] == "json":
        return flow.sort == "json" or _refuse(compiler, flow, name, "json", "text")
    if not flow.sort.startswith("id:"):
        return _refuse(compiler, flow, name, "uuid", "a value that is no link")
    # a mapping to a table that does not exist has its own error
    linked = set(flow.sort.removeprefix("id:").split(",")) & tables.keys()
    wrong = sorted(linked - {info["references"]})
    if wrong:
        compiler.refuse(
            "MAP-051",
            f"the column {name} refers to {info['references']}, the link gives {' and '.join(wrong)}",
            flow.path,
            key=True,
            hint="Link to a mapping of the table that the column refers to.",
        )
    return not wrong


def _date_of_instant(compiler: Compiler, flow: Flow, spec: FieldSpec, name: str) -> bool:
    zone = spec.timezone or flow.timezone or compiler.file.timezone
    if zone is None:
        compiler.refuse(
            "MAP-034",
            f"the column {name} holds a date, the field gives an instant",
            flow.path,
            key=True,
            hint="Add timezone: Europe/Amsterdam, so that it is known whose date is meant.",
        )
        return False
    try:
        moment = pl.col(flow.column)
        flow.parts = [compiler.program.add("day", local_date(moment, zone, place=compiler.place(flow.path)), pl.Date())]
        lost = moment.is_not_null() & pl.col(flow.column).is_null()
        flow.flag(compiler.program.add("no_day", lost, BOOL), "date-invalid")
    except RefusedError as error:
        compiler.refusals.errors.append(error)
        return False
    return True


def _integer(compiler: Compiler, flow: Flow, found: str) -> None:
    program, value = compiler.program, pl.col(flow.column)
    if found == "integer":
        flow.parts = [program.add("integer", value.cast(pl.Int64, strict=False), pl.Int64())]
        return
    if found == "text":
        good = value.str.contains(r"^[+-]?[0-9]{1,18}$")
        number = pl.when(good).then(value.str.strip_prefix("+")).cast(pl.Int64, strict=False)
        large = value.str.contains(r"^[+-]?[0-9]{19,}$")
        flow.flag(program.add("too_large", large, BOOL), "number-out-of-range")
        flow.flag(program.add("no_number", ~good & ~large, BOOL), "number-invalid")
    else:
        number = value.cast(pl.Int64, strict=False)
        whole = (value == value.floor()).fill_null(True)
        flow.flag(program.add("no_whole", ~whole, BOOL), "number-invalid")
        large = whole & value.is_not_null() & number.is_null()
        flow.flag(program.add("too_large", large, BOOL), "number-out-of-range")
        number = pl.when(whole).then(number)
    flow.parts = [program.add("integer", number, pl.Int64())]


def _decimal(compiler: Compiler, flow: Flow, found: str, scale: int) -> None:
    """Write a number as exact text at the scale of the column; more digits than that are an issue, never rounded."""
    program, value = compiler.program, pl.col(flow.column)
    text = value if found == "text" else value.cast(pl.Decimal(38, 9), strict=False).cast(pl.String)
    pattern = rf"^[+-]?[0-9]{{1,29}}(\.[0-9]{{0,{scale}}}0*)?$"
    # a number too large to be written as text is none either
    good = pl.when(value.is_not_null()).then(text.str.contains(pattern).fill_null(False))
    exact = pl.when(good).then(text).cast(pl.Decimal(38, scale), strict=False).cast(pl.String)
    flow.parts = [program.add("decimal", exact, TEXT)]
    flow.flag(program.add("no_decimal", ~good, BOOL), "number-invalid")
