"""The end of a field: typed as the target column, default, truncated, and every rule of the model checked."""

from __future__ import annotations

import polars as pl

from casemodel import ValueCheck, column_info, polars_schema, tables, value_checks
from mappings.compile_chain import chain_flow, settle
from mappings.compile_names import Made
from mappings.compile_program import BOOL, TEXT
from mappings.compile_state import Compiler, Flow
from mappings.compile_target import constant, to_target, typed_literal
from mappings.language import FieldSpec
from mappings.language.base import near
from mappings.stages import truncate


def known_column(compiler: Compiler, name: str) -> bool:
    """Return whether the target has the column; refuse it otherwise."""
    target = compiler.file.model.target
    if target not in tables:
        return False
    if name != "id" and name in tables[target].columns:
        return True
    columns = [column.name for column in tables[target].columns if column.name != "id"]
    compiler.refuse(
        "MAP-014",
        f"the table {target} has no column '{name}'",
        ("fields", name),
        key=True,
        hint=near(name, columns) or f"Columns: {', '.join(columns)}.",
    )
    return False


def origin(compiler: Compiler, name: str, spec: FieldSpec) -> tuple[Flow, Made] | None:
    """Compile a field up to ``lookup | link``, so that others may ask for the branch it took."""
    flow = chain_flow(compiler, name, "fields", spec)
    if flow is None:
        return None
    if len(flow.parts) != 1:
        compiler.refuse(
            "MAP-022",
            "a field needs one origin, or a stage that joins several",
            flow.path,
            hint="Name one column in from.",
        )
        return None
    return flow, Made(name, flow.column, flow.taken, deps=flow.deps)


def finish(compiler: Compiler, name: str, spec: FieldSpec, flow: Flow) -> Made | None:
    """Compile the stages after ``lookup | link``; the result is a column that fits the target column exactly."""
    program, target = compiler.program, compiler.file.model.target
    info = column_info(target, name)
    if spec.take is not None and not _take(compiler, name, spec, flow):
        return None
    before = flow.column
    if not (constant(compiler, flow, spec, name, info) or to_target(compiler, flow, spec, name, info)):
        return None
    if flow.column != before:
        program.mark(name, "typed as the column", flow.column)
    if spec.default is not None:
        if spec.link is not None or spec.lookup is not None:
            compiler.refuse(
                "MAP-033",
                "a default beside link or lookup would hide a missing record",
                (*flow.path, "default"),
                key=True,
                hint="Remove one of the two.",
            )
            return None
        literal = typed_literal(compiler, spec.default, name, info, (*flow.path, "default"))
        if literal is None:
            return None
        if compiler.file.model.identity is not None:
            compiler.defaulted[name] = program.add("defaulted", pl.col(flow.column).is_null(), BOOL)
        # typed as the column of the target, as the literal is
        flow.parts = [program.add("default", pl.col(flow.column).fill_null(literal), program.dtype(flow.column))]
        flow.texts = None if flow.texts is None else flow.texts | {spec.default}
        program.mark(name, "default", flow.column)
    if spec.truncate != "false":
        _truncate(compiler, flow, spec, info["length"] if info["kind"] == "text" else None)
    if info["kind"] in ("text", "json") and flow.texts is None and flow.sort == "":
        flow.flag(program.add("nul", pl.col(flow.column).str.contains("\0", literal=True), BOOL), "nul-character")
    _checks(compiler, flow, name)
    program.mark(name, "written", flow.column)
    settle(compiler, flow)
    sort = "number" if info["kind"] == "decimal" else ""
    return Made(name, flow.column, flow.taken, flow.error_columns, flow.deps, sort=sort)


def _truncate(compiler: Compiler, flow: Flow, spec: FieldSpec, length: int | None) -> None:
    if length is None:
        compiler.refuse(
            "MAP-021",
            "truncate needs a text column with a length",
            (*flow.path, "truncate"),
            key=True,
            hint="Remove truncate.",
        )
        return
    made = truncate(pl.col(flow.column), length, word=spec.truncate == "word")
    flow.flag(compiler.program.add("cut", made.cut, BOOL), "truncated", "warning")
    flow.parts, flow.texts = [compiler.program.add("truncate", made.value, TEXT)], None
    compiler.program.mark(flow.owner, "truncate", flow.column)


def _checks(compiler: Compiler, flow: Flow, name: str) -> None:
    """Check the rules of the model; with ``on_error: "null"`` what breaks one becomes NULL."""
    program = compiler.program
    checks = _needed(compiler, flow, name)
    dtype = polars_schema(compiler.file.model.target)[name]
    value = pl.col(flow.column)
    same = program.dtype(flow.column) == dtype
    final = program.add(name, value if same else value.cast(dtype), dtype, exact=True)
    flow.parts = [final]
    broken = []
    for check in checks:
        column = program.add(f"bad:{check.name}", ~check.holds, BOOL)
        broken.append(column)
        # an empty text in a column that must be filled is a missing value, which on_error does not excuse
        flow.flag(column, check.code, "error" if check.name == "filled" else None)
    if broken and flow.severity == "warning":
        good = ~pl.any_horizontal([pl.col(column).fill_null(False) for column in broken])
        flow.parts = [program.add(f"{name}:kept", pl.when(good).then(pl.col(final)), dtype)]


def _needed(compiler: Compiler, flow: Flow, name: str) -> list[ValueCheck]:
    """Return the checks that a row can break; texts known in advance are checked now."""
    checks = list(value_checks(compiler.file.model.target, name))
    if flow.sort.startswith("id:"):
        return []
    dtype = polars_schema(compiler.file.model.target)[name]
    if flow.texts is None or dtype != pl.String():
        return checks
    texts = sorted(flow.texts)
    for check in checks:
        bad = check.broken_by(texts)
        if bad and not (check.name == "length" and compiler.file.model.fields[name].truncate != "false"):
            shown = ", ".join(f"'{text}'" for text in bad[:3])
            compiler.refuse(
                "MAP-026" if compiler.file.model.fields[name].const is not None else "MAP-032",
                f"the column {name} does not allow {shown}",
                (*flow.path,),
                key=True,
                hint=_allowed(compiler, name, bad[0]),
            )
    return []


def _allowed(compiler: Compiler, name: str, found: str) -> str:
    info = column_info(compiler.file.model.target, name)
    if info["enum"]:
        return near(found, list(info["enum"])) or f"Allowed: {', '.join(info['enum'])}."
    return f"At most {info['length']} characters fit." if info["length"] else "See the target model."


def _take(compiler: Compiler, name: str, spec: FieldSpec, flow: Flow) -> bool:
    """Take one value from all rows of a record (``one_per``)."""
    source, program = compiler.file.model.source, compiler.program
    if source.one_per is None:
        compiler.refuse("MAP-061", "take needs one_per", (*flow.path, "take"), key=True, hint="Remove take.")
        return False
    number, extreme = flow.sort == "number", spec.take in ("min", "max")
    if extreme and flow.sort and not number:
        compiler.refuse("MAP-021", f"{spec.take} of ids means nothing", (*flow.path, "take"), hint="Use any or count.")
        return False
    kind = column_info(compiler.file.model.target, name)["kind"]
    if extreme and not number and kind in ("integer", "decimal") and program.dtype(flow.column) == pl.String():
        message = f"{spec.take} of text compares signs, and the column {name} holds a number"
        hint = "Add the stage number, so that 9 is less than 10."
        compiler.refuse("MAP-021", message, (*flow.path, "take"), hint=hint)
        return False
    member = pl.when(pl.col("_member")).then(pl.col(flow.column))
    taken = {"min": member.min(), "max": member.max(), "count": member.count().cast(pl.Int64), "any": member.min()}
    if number and extreme:
        size = member.cast(pl.Decimal(38, 9), strict=False)
        taken[spec.take or ""] = member.sort_by(size, descending=spec.take == "max", nulls_last=True).first()
    flow.parts = [program.add(f"take:{spec.take}", taken[spec.take or "any"].over("_group"))]
    flow.texts = None
    program.mark(name, f"take {spec.take}", flow.column)
    return True
