"""A chain of stages: one origin, then the stages in their fixed order, whatever the order in the file."""

from __future__ import annotations

import polars as pl

from casemodel import required, tables
from mappings.compile_expr import condition, expression, use
from mappings.compile_json import json_origin
from mappings.compile_link import link, lookup
from mappings.compile_names import Made
from mappings.compile_plugins import use_function
from mappings.compile_program import TEXT, Flag, Repair
from mappings.compile_spread import spread
from mappings.compile_state import Compiler, Flow
from mappings.compile_steps import codes, do, null_if
from mappings.compile_target import kind_of_type, literal
from mappings.compile_try import alternatives
from mappings.compile_typed import typed, write
from mappings.language import Chain, FieldSpec, ValueSpec


def chain_flow(compiler: Compiler, owner: str, section: str, spec: ValueSpec | FieldSpec) -> Flow | None:
    """Compile a value or field up to ``lookup | link``; None when its origin is refused."""
    required = isinstance(spec, FieldSpec) and _required(compiler, owner, spec)
    flow = Flow(
        owner,
        (section, owner),
        [],
        severity="warning" if spec.on_error == "null" else "error",
        required=required or owner in compiler.required_values,
        lead_only=not (isinstance(spec, FieldSpec) and spec.take is not None),
    )
    if not _one_origin(compiler, flow, spec):
        return None
    if spec.alternatives or spec.otherwise:
        if alternatives(compiler, flow, spec, branch_flow) is None:
            return None
    elif _origin(compiler, flow, spec) is None:
        return None
    if not spec.otherwise:  # with else, the stages beside it belong to the first alternative
        _stages(compiler, flow, spec, spec.missing or "park")
    flow.timezone = spec.timezone or flow.timezone
    return flow


def branch_flow(compiler: Compiler, outer: Flow, spec: Chain, path: tuple[str | int, ...], policy: str) -> Flow | None:
    """Compile one alternative of ``try``; its issues stay in its own flow."""
    severity = outer.severity if spec.on_error is None else "warning" if spec.on_error == "null" else "error"
    flow = Flow(outer.owner, path, [], severity=severity, lead_only=outer.lead_only, required=outer.required)
    if not _one_origin(compiler, flow, spec) or _origin(compiler, flow, spec) is None:
        return None
    _stages(compiler, flow, spec, policy)
    return flow


def _required(compiler: Compiler, column: str, spec: FieldSpec) -> bool:
    target = compiler.file.model.target
    return spec.required or (target in tables and column in required(target))


def _one_origin(compiler: Compiler, flow: Flow, spec: Chain) -> bool:
    origins = {
        "from": bool(spec.origin_from),
        "expr": spec.expr is not None,
        "const": spec.const is not None,
        "json": spec.json_ is not None,
    }
    given = [name for name, there in origins.items() if there]
    if isinstance(spec, ValueSpec | FieldSpec):
        if spec.alternatives:
            given.append("try")
        if spec.otherwise and spec.alternatives:
            given.append("else")
    if len(given) == 1:
        return True
    found = "none" if not given else " and ".join(given)
    compiler.refuse(
        "MAP-020",
        f"exactly one origin is needed, found {found}",
        flow.path,
        key=not given,
        hint="Use one of from, expr, const, json or try.",
    )
    return False


def _origin(compiler: Compiler, flow: Flow, spec: Chain) -> Flow | None:
    program = compiler.program
    if spec.origin_from:
        found = [use(compiler, name, (*flow.path, "from"), flow.deps) for name in spec.origin_from]
        if None in found:
            return None
        flow.parts = [name for name in found if name is not None]
        if len(flow.parts) == 1:
            only = flow.deps[-1]
            flow.texts, flow.sort, flow.timezone = only.texts, only.sort, only.timezone
        if len(flow.parts) > 1 and not _joins(spec):
            compiler.refuse(
                "MAP-022",
                "a list of origins needs datetime, codes, link or lookup",
                (*flow.path, "from"),
                hint="Name one column, or write an expr that joins them.",
            )
            return None
    elif spec.expr is not None:
        made = expression(compiler, spec.expr, (*flow.path, "expr"), flow.deps)
        if made is None:
            return None
        flow.parts = [program.add("expr", *made)]
    elif spec.const is not None:
        flow.parts, flow.texts = [program.add("const", pl.lit(spec.const), TEXT)], frozenset([spec.const])
    elif spec.json_ is not None:
        parts = json_origin(compiler, flow, spec.json_)
        if parts is None:
            return None
        flow.parts, flow.sort = [parts], "json"
    else:
        return None
    for name, part in zip(spec.origin_from or ("",), flow.parts, strict=False):
        program.mark(flow.owner, f"from {name}" if name else _origin_word(spec), part)
    return flow


def _origin_word(spec: Chain) -> str:
    return "expr" if spec.expr is not None else "const" if spec.const is not None else "json"


def _joins(spec: Chain) -> bool:
    return bool(spec.codes or spec.datetime or spec.link or spec.lookup)


def _stages(compiler: Compiler, flow: Flow, spec: Chain, policy: str) -> None:
    """Apply the stages between the origin and ``default``."""
    null_if(compiler, flow, spec, "null_if")
    if spec.do:
        flow.texts = None
        do(compiler, flow, spec)
        null_if(compiler, flow, spec, "null_if again")
    if spec.use is not None:
        use_function(compiler, flow, spec)
    codes(compiler, flow, spec)
    typed(compiler, flow, spec)
    spread(compiler, flow, spec)
    write(compiler, flow, spec)
    if spec.link is not None and spec.lookup is not None:
        compiler.refuse(
            "MAP-021",
            "link and lookup exclude each other",
            (*flow.path, "lookup"),
            key=True,
            hint="Use one of the two.",
        )
        return
    if spec.lookup is not None:
        flow.texts = None
        lookup(compiler, flow, spec)
        compiler.program.mark(flow.owner, "lookup", flow.column)
    elif spec.link is not None:
        flow.texts = None
        link(compiler, flow, spec, policy)
        compiler.program.mark(flow.owner, "link", flow.column)


def settle(compiler: Compiler, flow: Flow) -> None:
    """Hand the flags, waits and parks of a finished chain over to the program."""
    program = compiler.program
    program.flags += flow.flags
    program.waits += flow.waits
    program.linked += flow.linked
    program.parks += [(column, flow.owner) for column in flow.parks]
    program.follows += [(column, flow.owner, mapping) for column, mapping in flow.follows]
    program.code_uses += flow.code_uses
    program.repairs += [Repair(flow.owner, column, flow.column, *both) for column, *both in flow.repaired]


def warn_if(compiler: Compiler, owner: str, spec: FieldSpec) -> None:
    """Compile ``warn_if`` of a field, which may name fields, values and source columns."""
    if spec.warn_if is None:
        return
    made = condition(compiler, spec.warn_if, ("fields", owner, "warn_if"), [], "fields")
    if made is not None:
        column = compiler.program.add("warn_if", made)
        compiler.program.flags.append(Flag(column, owner, "warn-if", "warning", owner, loaded_only=True))


def value(compiler: Compiler, name: str, spec: ValueSpec) -> Made | None:
    """Compile a value with its default."""
    flow = chain_flow(compiler, name, "values", spec)
    if flow is None:
        return None
    if len(flow.parts) != 1:
        compiler.refuse(
            "MAP-022",
            "a value needs one origin, or a stage that joins several",
            flow.path,
            hint="Name one column in from.",
        )
        return None
    program = compiler.program
    if spec.default is not None:
        default = literal(spec.default, kind_of_type(program.dtype(flow.column)), scale=9)
        if default is None:
            compiler.refuse(
                "MAP-026",
                "the default does not have the type of the value",
                (*flow.path, "default"),
                hint="Dates are written as 2024-01-31, true and false in lower case.",
            )
        else:
            flow.parts = [program.add("default", pl.col(flow.column).fill_null(default))]
            flow.texts = None if flow.texts is None else flow.texts | {spec.default}
            program.mark(name, "default", flow.column)
    settle(compiler, flow)
    return Made(
        name,
        flow.column,
        flow.taken,
        flow.error_columns,
        flow.deps,
        flow.texts,
        timezone=flow.timezone,
        sort=flow.sort,
    )
