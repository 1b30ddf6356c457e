"""Text stages: null_if, do, codes."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from casemodel import RefusedError
from mappings.compile_periods import code_at
from mappings.compile_program import BOOL, NOTHING, TEXT
from mappings.compile_state import Compiler, Flow, Path, raises
from mappings.language import Chain, CodeTable
from mappings.language.base import near
from mappings.language.code_tables import PART
from mappings.language.stages import StepSpec
from mappings.steps import STEPS, Step
from mappings.steps.text import collapse


def null_if(compiler: Compiler, flow: Flow, chain: Chain, stage: str) -> None:
    """Make NULL of the texts that mean "no value", in every part."""
    if chain.null_if is None:
        return
    if not text_only(compiler, flow, "null_if"):
        return
    more = compiler.file.texts[chain.null_if.file] if chain.null_if.file else ()
    texts = text_list((*chain.null_if.texts, *more))
    kept = [pl.when(~pl.col(part).is_in(texts)).then(pl.col(part)).otherwise(NOTHING) for part in flow.parts]
    flow.parts = [compiler.program.add("null_if", each, TEXT) for each in kept]
    compiler.program.mark(flow.owner, stage, flow.parts[-1])


def text_only(compiler: Compiler, flow: Flow, stage: str) -> bool:
    """Return True when the flow still holds text; refuse the stage otherwise."""
    typed = [part for part in flow.parts if type(compiler.program.dtype(part)) not in (pl.String, pl.Null)]
    if typed:
        compiler.refuse(
            "MAP-021",
            f"{stage} works on text, but the origin gives a typed value",
            (*flow.path, stage),
            hint="Move the stage to where the value is still text.",
            key=True,
        )
    else:
        flow.parts = [as_text(compiler, part) for part in flow.parts]
    return not typed


def as_text(compiler: Compiler, part: str) -> str:
    """Return the column itself, or its text where the origin gives nothing but NULL."""
    if type(compiler.program.dtype(part)) is pl.Null:
        return compiler.program.add("text", pl.col(part).cast(pl.String), TEXT)
    return part


def do(compiler: Compiler, flow: Flow, chain: Chain) -> None:
    """Apply the steps of ``do`` to every part."""
    if not chain.do or not text_only(compiler, flow, "do"):
        return
    flow.parts = [apply_steps(compiler, part, chain.do, (*flow.path, "do"), flow) for part in flow.parts]


def find_step(compiler: Compiler, spec: StepSpec, path: Path) -> Step | None:
    """Return a step by its name, or refuse it."""
    step = STEPS.get(spec.name)
    if step is None:
        compiler.refuse(
            "MAP-027",
            f"the step '{spec.name}' is not known",
            path,
            hint=near(spec.name, list(STEPS)) or f"Steps: {', '.join(sorted(STEPS))}.",
        )
    return step


def apply_steps(compiler: Compiler, part: str, steps: tuple[StepSpec, ...], path: Path, flow: Flow | None) -> str:
    """Apply steps one after the other; failures and repairs are noted in the flow, if there is one."""
    program = compiler.program
    for index, spec in enumerate(steps):
        here = (*path, index)
        step = find_step(compiler, spec, here)
        if step is None:
            continue
        try:
            result = step.build(pl.col(part), spec.params, place=compiler.place(here))
        except RefusedError as error:
            compiler.refusals.errors.append(error)
            continue
        made = program.add(f"do:{spec.name}", result.value, TEXT)
        if flow is not None and result.failed is not None:
            flow.flag(program.add("failed", result.failed, BOOL), "step-failed")
        if flow is not None and step.repairs:
            changed = (pl.col(part) != pl.col(made)).fill_null(False)
            flow.repaired.append((program.add("repaired", changed, BOOL), part, made))
        part = made
        if flow is not None:
            program.mark(flow.owner, f"do {spec.name}", part)
    return part


def codes(compiler: Compiler, flow: Flow, chain: Chain) -> None:
    """Translate through a code table; several parts go to a table with as many ``from`` columns."""
    if chain.codes is None or not text_only(compiler, flow, "codes"):
        return
    path = (*flow.path, "codes")
    table = compiler.file.tables[".".join(str(part) for part in flow.path)]
    if table.parts != len(flow.parts):
        compiler.refuse(
            "MAP-022",
            f"the code table has {table.parts} code columns, the origin gives {len(flow.parts)} parts",
            path,
            hint="Give `from` as many columns as the table has from columns.",
        )
        return
    if len(table.targets) != 1:
        compiler.refuse("MAP-019", "the code table has several columns of values", path, hint="Keep one column: to.")
        return
    if chain.unknown.policy == "keep" and len(flow.parts) > 1:
        compiler.refuse(
            "MAP-021",
            "an unknown code of several parts cannot be kept",
            (*flow.path, "unknown"),
            hint='Use reject, "null" or {use: text}.',
        )
        return
    program = compiler.program
    kept = flow.column
    code = program.add("code", _code_text(flow.parts, table), TEXT)
    excuses: list[str] = []
    if table.dated or chain.codes.at is not None:
        dated = code_at(compiler, flow, chain, table, code)
        if dated is None:
            return
        found, excuses = dated
    else:
        found = pl.col(code).replace_strict(*_translation(table), default=None, return_dtype=pl.String)
    flow.parts = [program.add("codes", found, TEXT)]
    nowhere = pl.col(code).is_not_null() & pl.col(flow.column).is_null()
    if excuses:  # the day has its own issue: one cause, one issue
        nowhere &= ~pl.any_horizontal([raises(program, column) for column in excuses])
    unknown = program.add("unknown", nowhere, BOOL)
    flow.code_uses.append((compiler.file.counted_as(flow.owner, chain), code, unknown))
    flow.texts = frozenset(value[0] for value in table.rows.values())
    _unknown(compiler, flow, chain, kept, unknown)
    program.mark(flow.owner, "codes", flow.column)


@lru_cache(maxsize=1_024)
def text_list(texts: tuple[str, ...]) -> pl.Expr:
    """Return texts as a literal for ``is_in``."""
    return pl.lit(pl.Series([texts], dtype=pl.List(pl.String)))


def _translation(table: CodeTable) -> tuple[pl.Expr, pl.Expr]:
    """Return the codes of a table without periods, and their values."""
    codes = pl.Series([PART.join(key) for key in table.rows], dtype=pl.String)
    values = pl.Series([value[0] for value in table.rows.values()], dtype=pl.String)
    return pl.lit(codes), pl.lit(values)


def _unknown(compiler: Compiler, flow: Flow, chain: Chain, kept: str, unknown: str) -> None:
    program, policy = compiler.program, chain.unknown.policy
    if policy == "reject":
        flow.flag(unknown, "code-unknown")
    elif policy == "null":
        flow.flag(unknown, "code-unknown", "warning")
    else:
        instead = pl.col(kept) if policy == "keep" else pl.lit(chain.unknown.use)
        known = pl.when(pl.col(unknown)).then(instead).otherwise(pl.col(flow.column))
        flow.parts = [program.add("known", known, TEXT)]
        flow.texts = None if policy == "keep" or flow.texts is None else flow.texts | {chain.unknown.use or ""}


def _code_text(parts: list[str], table: CodeTable) -> pl.Expr:
    texts = [pl.col(part) for part in parts]
    if table.fold:
        texts = [collapse(text).str.strip_chars().str.to_lowercase() for text in texts]
    return texts[0] if len(texts) == 1 else pl.concat_str(texts, separator=PART)
