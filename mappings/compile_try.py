"""Alternatives: the first branch that applies and gives a value without an issue wins (``try`` and ``else``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import polars as pl

from mappings.compile_expr import condition
from mappings.compile_program import BOOL, NOTHING, TEXT
from mappings.compile_state import Compiler, Flow, Path, raises
from mappings.language import BranchSpec, Chain, FieldSpec, ValueSpec

_ALWAYS = pl.lit(True)
BranchFlow = Callable[[Compiler, Flow, Chain, Path, str], Flow | None]


def alternatives(compiler: Compiler, outer: Flow, spec: ValueSpec | FieldSpec, branch_flow: BranchFlow) -> Flow | None:
    """Compile the branches and merge them into the outer flow; None when one of them is refused."""
    branches = _branches(outer, spec)
    flows: list[Flow] = []
    tried: list[str] = []
    for index, (name, path, branch) in enumerate(branches):
        last = index == len(branches) - 1
        compiler.program.branch = f"{name}: "
        flow = branch_flow(compiler, outer, branch, path, _policy(compiler, branch, spec, path, last=last))
        compiler.program.branch = ""
        when = _when(compiler, outer, branch, path)
        if flow is None or when is None:
            continue
        if len(flow.parts) != 1:
            compiler.refuse("MAP-022", f"the branch {name} gives several parts", path, hint="Name one column in from.")
            continue
        flows.append(flow)
        tried.append(when)
    if len(flows) != len(branches) or not _same_type(compiler, outer, branches, flows):
        return None
    _merge(compiler, outer, [name for name, _, _ in branches], flows, tried)
    return outer


def _branches(outer: Flow, spec: ValueSpec | FieldSpec) -> list[tuple[str, Path, BranchSpec]]:
    """Return name, path and stages of every branch; with ``else`` the field's own origin is the branch ``first``."""
    if spec.alternatives:
        return [(name, (*outer.path, "try", name), branch) for name, branch in spec.alternatives.items()]
    own = {name: getattr(spec, name) for name in Chain.model_fields}
    first = BranchSpec.model_construct(**own, when=None)
    rest = [(f"else {i + 1}", (*outer.path, "else", i), branch) for i, branch in enumerate(spec.otherwise)]
    return [("first", outer.path, first), *rest]


def _policy(compiler: Compiler, branch: BranchSpec, spec: ValueSpec | FieldSpec, path: Path, *, last: bool) -> str:
    policy = branch.missing or spec.missing or "park"
    if last or policy != "park":
        return policy
    if branch.missing == "park":
        compiler.refuse(
            "MAP-031",
            "only the last branch may park",
            (*path, "missing"),
            hint="Leave missing out here; the next branch is tried.",
        )
    return "reject"


def _when(compiler: Compiler, outer: Flow, branch: BranchSpec, path: Path) -> str | None:
    program = compiler.program
    if branch.when is None:
        return program.add("tried", _ALWAYS, BOOL)
    made = condition(compiler, branch.when, (*path, "when"), outer.deps)
    return None if made is None else program.add("tried", made.fill_null(False), BOOL)


def _same_type(
    compiler: Compiler, outer: Flow, branches: list[tuple[str, Path, BranchSpec]], flows: list[Flow]
) -> bool:
    types: dict[str, tuple[str, Path]] = {}
    for (name, path, _), flow in zip(branches, flows, strict=True):
        dtype = compiler.program.dtype(flow.column)
        if dtype != pl.Null():
            types.setdefault(str(dtype), (name, path))
    if len(types) <= 1:
        return True
    names = " and ".join(name for name, _ in types.values())
    compiler.refuse(
        "MAP-025",
        f"the branches {names} give values of different types",
        outer.path,
        hint="Give every branch the same typing stage, or write the values back to text.",
    )
    return False


def _merge(compiler: Compiler, outer: Flow, names: list[str], flows: list[Flow], tried: list[str]) -> None:
    program = compiler.program
    good = []
    for flow, when in zip(flows, tried, strict=True):
        bad = [raises(program, column) for column in flow.error_columns()]
        fine = pl.col(when) & pl.col(flow.column).is_not_null()
        good.append(program.add("good", fine & ~pl.any_horizontal(bad) if bad else fine, BOOL))
    win = program.add("win", _first(good), pl.Int8())
    stand = program.add("stand", pl.coalesce(pl.col(win), _last(tried)), pl.Int8())
    here = [pl.col(win) == i for i in range(len(flows))]
    value = pl.coalesce(
        [pl.when(won).then(pl.col(flow.column)).otherwise(NOTHING) for won, flow in zip(here, flows, strict=True)]
    )
    types = [program.dtype(flow.column) for flow in flows]
    outer.parts = [program.add("try", value, next((each for each in types if each != pl.Null()), types[0]))]
    taken = pl.coalesce(
        [pl.when(won).then(pl.lit(name)).otherwise(NOTHING) for won, name in zip(here, names, strict=True)]
    )
    outer.taken = program.add("taken", taken, TEXT)
    program.mark(outer.owner, "branch taken", outer.taken)
    program.mark(outer.owner, "value of the branch", outer.column)
    for index, flow in enumerate(flows):
        _take_over(compiler, outer, flow, index, win, stand, tried[index])
    known = [flow.texts for flow in flows if flow.texts is not None]
    outer.texts = frozenset(text for texts in known for text in texts) if len(known) == len(flows) else None
    outer.sort = _sort(flows)
    outer.timezone = next((flow.timezone for flow in flows if flow.timezone), None)


def _take_over(compiler: Compiler, outer: Flow, flow: Flow, index: int, win: str, stand: str, tried: str) -> None:
    """Keep a branch's issues where it stands, and what it waits for where it was tried and no earlier one won."""
    program = compiler.program
    here = pl.col(stand) == index
    for flag in flow.flags:
        if flag.code:
            column = program.add("stands", here & pl.col(flag.column), BOOL)
        else:
            column = program.add("stands", pl.when(here).then(pl.col(flag.column)), TEXT)
        outer.flags.append(replace(flag, column=column))
    outer.parks += [program.add("parks", (here & pl.col(column)).fill_null(False), BOOL) for column in flow.parks]
    outer.follows += [
        (program.add("follows", pl.when(here).then(pl.col(column)), TEXT), mapping) for column, mapping in flow.follows
    ]
    asked = pl.col(tried) & (pl.col(win).is_null() | (pl.col(win) >= index))
    outer.waits += [
        replace(wait, column=program.add("waits", pl.when(asked).then(pl.col(wait.column)), TEXT))
        for wait in flow.waits
    ]
    outer.repaired += [
        (program.add("repaired", here & pl.col(column), BOOL), before, after) for column, before, after in flow.repaired
    ]
    outer.code_uses += [
        (
            table,
            program.add("code", pl.when(asked).then(pl.col(code)), TEXT),
            program.add("unknown", asked & pl.col(unknown), BOOL),
        )
        for table, code, unknown in flow.code_uses
    ]
    outer.deps += flow.deps


def _sort(flows: list[Flow]) -> str:
    """Return the common sort of the branches: JSON, ids (of several tables perhaps), or nothing special."""
    tables = {
        table for flow in flows if flow.sort.startswith("id:") for table in flow.sort.removeprefix("id:").split(",")
    }
    if all(flow.sort.startswith("id:") for flow in flows):
        return f"id:{','.join(sorted(tables))}"
    return flows[0].sort if len({flow.sort for flow in flows}) == 1 else ""


def _first(columns: list[str]) -> pl.Expr:
    return _numbered(list(enumerate(columns)))


def _last(columns: list[str]) -> pl.Expr:
    return _numbered(list(enumerate(columns))[::-1])


def _numbered(columns: list[tuple[int, str]]) -> pl.Expr:
    return pl.coalesce([pl.when(pl.col(column)).then(_number(i)).otherwise(NOTHING) for i, column in columns])


@cache
def _number(index: int) -> pl.Expr:
    return pl.lit(index, pl.Int8)
