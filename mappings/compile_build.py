"""Build the program of a mapping: columns, scope, values, fields, rules, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from casemodel import Relation, polars_schema, record_id, required, row_checks, tables
from mappings.compile_chain import value, warn_if
from mappings.compile_expr import condition, find
from mappings.compile_field import finish, known_column, origin
from mappings.compile_identity import IdentityTerms, add_terms, shared_id
from mappings.compile_lead import add_differs, add_lead
from mappings.compile_names import Columns, Made, Refusals
from mappings.compile_plugins import add_frame_steps
from mappings.compile_program import BOOL, TEXT, Flag, Program, RunContext
from mappings.compile_state import Compiler, Flow
from mappings.language import FieldSpec, MappingFile

INTERNAL: dict[str, pl.DataType] = {
    "_row": pl.UInt32(),
    "_key": pl.String(),
    "_group": pl.String(),
    "_member": pl.Boolean(),
}
"""Columns of the frame that a program runs on, besides the source's."""
CLIMBED, CYCLE = "climbed", "_cycle"
"""Last parts of the names of the columns that say how many steps a climb took, and whether it found no top."""
HITS = "_hits"
"""Last part of the name of the column that says how many rows answered to a look beside."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule: the Boolean column that says whether it holds."""

    name: str
    field: str
    otherwise: str
    column: str


@dataclass(slots=True)
class Built:
    """What compiling a mapping made, before it becomes passes."""

    compiler: Compiler
    scope: pl.Expr | None = None
    rules: list[CompiledRule] = field(default_factory=list)
    row_checks: list[CompiledRule] = field(default_factory=list)
    required: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """Required field, its column, and the columns of errors that excuse its absence."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Target column to column of the program."""
    identity: IdentityTerms = field(default_factory=IdentityTerms)


def new_compiler(
    file: MappingFile,
    relation: Relation,
    others: Mapping[str, MappingFile],
    *,
    as_of: date,
    sides: Mapping[str, Relation] | None = None,
    cycle_links: frozenset[str] = frozenset(),
    fine: bool = False,
) -> Compiler:
    """Return the state to compile a mapping with: the columns it may name and an empty program."""
    columns = Columns([column.name for column in relation.columns])
    counts = set()
    for name, spec in file.model.source.beside.items():
        if spec.climb is not None:
            columns.add(f"{name}.{CLIMBED}")
            counts.add(f"{name}.{CLIMBED}")
            for column in relation.columns:
                columns.add(f"{name}.{column.name}")
        elif spec.take == "count":
            columns.add(f"{name}.count")
            counts.add(f"{name}.count")
        elif sides is not None and name in sides:
            for column in sides[name].columns:
                columns.add(f"{name}.{column.name}")
        else:
            columns.open_sides.append(name)
    if file.model.source.unpivot:
        for name in file.model.source.unpivot.into:
            columns.add(name)
    schema: dict[str, pl.DataType] = {
        Columns.PREFIX + name: pl.Int64() if name in counts else pl.String() for name in columns.names
    }
    program = Program({**schema, **INTERNAL}, fine=fine)
    columns.on_new = program.add_source
    compiler = Compiler(
        file,
        others,
        program,
        columns,
        Refusals(),
        as_of,
        relation,
        sides or {},
        cycle_links,
        required_values=_required_values(file),
    )
    flows: dict[str, Flow] = {}
    compiler.value_of = lambda name: _value_of(compiler, name)
    compiler.field_of = lambda name: _field_of(compiler, flows, name)
    compiler.flows = flows
    return compiler


def build(compiler: Compiler, namespace: str) -> Built:
    """Compile everything; what is wrong is collected in ``compiler.refusals``."""
    built = Built(compiler)
    compiler.namespace = namespace
    model, program = compiler.file.model, compiler.program
    if model.scope is not None:
        built.scope = condition(compiler, model.scope.where, ("scope", "where"), [], "columns", windows=False)
    add_frame_steps(compiler)
    source = model.source
    record_key = "_group" if source.one_per else "_key"
    own = record_id(namespace, model.target, model.id_name, pl.col(record_key))
    program.add("id", shared_id(compiler, namespace, own, built.identity), TEXT, exact=True)
    if source.one_per:
        add_lead(compiler)
    for name in model.values:
        compiler.value_of(name)
    for name, spec in model.fields.items():
        _finish_field(compiler, built, name, spec)
    for name, spec in model.fields.items():
        if name in compiler.finals:
            warn_if(compiler, name, spec)
    add_terms(compiler, own, built.identity)
    _rules(compiler, built)
    if model.identity is None:
        # Of records that several systems know, the merged one is checked.
        _row_checks(compiler, built)
    if source.one_per:
        add_differs(compiler)
    _side_hits(compiler)
    counted = _all_rows(compiler)
    program.flags[:] = [replace(flag, lead_only=False) if flag.owner in counted else flag for flag in program.flags]
    return built


def _required_values(file: MappingFile) -> frozenset[str]:
    """Return the values that a required field takes as they are; a link in them puts the row out of scope."""
    needed = required(file.model.target) if file.model.target in tables else ()
    names = {name.casefold(): name for name in file.model.values}
    found = set()
    for name, spec in file.model.fields.items():
        if name in needed or spec.required:
            chains = [spec, *spec.alternatives.values(), *spec.otherwise]
            found |= {
                names[item.casefold()] for chain in chains for item in chain.origin_from if item.casefold() in names
            }
    return frozenset(found)


def _value_of(compiler: Compiler, name: str) -> Made | None:
    if name in compiler.values:
        return compiler.values[name]
    if _circle(compiler, name, "values"):
        return None
    compiler.active.append(name)
    branch, compiler.program.branch = compiler.program.branch, ""
    made = value(compiler, name, compiler.file.model.values[name])
    compiler.program.branch = branch
    compiler.active.pop()
    if made is not None:
        compiler.values[name] = made
    else:
        compiler.refused.add(name)
    return made


def _field_of(compiler: Compiler, flows: dict[str, Flow], name: str) -> Made | None:
    if name in compiler.fields:
        return compiler.fields[name]
    if _circle(compiler, name, "fields") or not known_column(compiler, name):
        return None
    compiler.active.append(name)
    branch, compiler.program.branch = compiler.program.branch, ""
    found = origin(compiler, name, compiler.file.model.fields[name])
    compiler.program.branch = branch
    compiler.active.pop()
    if found is None:
        compiler.refused.add(name)
        return None
    flows[name], compiler.fields[name] = found
    return compiler.fields[name]


def _circle(compiler: Compiler, name: str, section: str) -> bool:
    """Refuse a value or field that needs itself; a refused one is not tried again."""
    if name in compiler.active:
        path = " → ".join([*compiler.active[compiler.active.index(name) :], name])
        compiler.refuse(
            "MAP-029",
            f"these need each other in a circle: {path}",
            (section, name),
            key=True,
            hint="Take one of them out of the circle.",
        )
    return name in compiler.active or name in compiler.refused


def _finish_field(compiler: Compiler, built: Built, name: str, spec: FieldSpec) -> None:
    if compiler.field_of(name) is None:
        return
    made = finish(compiler, name, spec, compiler.flows[name])
    if made is None:
        return
    compiler.finals[name] = made
    built.outputs[name] = made.column
    if spec.take is None:
        compiler.lead_deps.append(made)
    if compiler.file.model.identity is None and (spec.required or name in required(compiler.file.model.target)):
        built.required.append((name, made.column, made.all_errors()))


def _rules(compiler: Compiler, built: Built) -> None:
    for index, rule in enumerate(compiler.file.model.rules):
        deps: list[Made] = []
        made = condition(compiler, rule.check, ("rules", index, "check"), deps, "fields")
        compiler.lead_deps += deps
        if made is not None:
            column = compiler.program.add("rule", made.cast(pl.Boolean), BOOL)
            built.rules.append(CompiledRule(rule.name, rule.name, rule.otherwise, column))


def _row_checks(compiler: Compiler, built: Built) -> None:
    """Compile the rules of the model about a whole row; columns that the mapping leaves out are NULL."""
    target, program = compiler.file.model.target, compiler.program
    if target not in tables:
        return
    checks = [check for check in row_checks(target) if set(check.columns) & (set(built.outputs) - {"id"})]
    if not checks:
        return
    schema = polars_schema(target)
    selects = [
        pl.col(built.outputs[name]).alias(name) if name in built.outputs else pl.lit(None, schema[name]).alias(name)
        for name in schema
        if name != "id"
    ]
    made = {check.name: program.name(f"check:{check.name}") for check in checks}
    exprs = [pl.sql_expr(check.sql).alias(made[check.name]) for check in checks]

    def call(frame: pl.DataFrame, _: RunContext) -> Sequence[pl.Series]:
        return frame.select("id", *selects).select(exprs).get_columns()

    program.call([*built.outputs.values(), "id"], dict.fromkeys(made.values(), pl.Boolean()), call)
    for check in checks:
        shown = next((name for name in check.columns if name in built.outputs), check.columns[0])
        built.row_checks.append(CompiledRule(check.name, shown, "reject", made[check.name]))


def _side_hits(compiler: Compiler) -> None:
    """Add an issue where several rows answer to a look beside of which only one may, or a climb finds no top."""
    for name, spec in compiler.file.model.source.beside.items():
        climbs = spec.climb is not None
        if (climbs or spec.take == "only") and any(column.startswith(f"{name}.") for column in compiler.columns.used):
            hits = f"{Columns.PREFIX}{name}.{CYCLE if climbs else HITS}"
            compiler.program.add_source(hits, pl.Int64())
            compiler.side_hits.append(hits)
            column = compiler.program.add("several", (pl.col(hits) > (0 if climbs else 1)).fill_null(False), BOOL)
            code = "climb-cycle" if climbs else "side-ambiguous"
            compiler.program.flags.append(Flag(column, name, code, "error", name))


def _all_rows(compiler: Compiler) -> set[str]:
    """Return the values whose issues count on every row of a record: those of ``by`` and of fields with ``take``."""
    source = compiler.file.model.source
    roots: list[Made] = []
    if source.one_per:
        roots += [made for name in source.one_per.by if (made := find(compiler, name)) is not None]
        roots += [made for name, made in compiler.finals.items() if compiler.file.model.fields[name].take is not None]
    found: set[str] = set()
    while roots:
        made = roots.pop()
        found.add(made.name)
        roots += made.deps
    return found
