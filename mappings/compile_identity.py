"""What a row gives to a record that several systems may know: the record's id, and what ranks its contribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from casemodel import identity_id, key_text, tables
from mappings.compile_expr import use
from mappings.compile_link import named_part, text_of
from mappings.compile_names import Made
from mappings.compile_order import holds_numbers, rising
from mappings.compile_program import TEXT
from mappings.compile_state import Compiler
from mappings.compile_steps import apply_steps
from mappings.compile_target import kind_of_type
from mappings.language import MappingFile
from mappings.language.decisions import PersonDecision
from mappings.language.models import Identity

OWN, NEWEST, AGREE, PROBABLE, DEFAULTED = "own", "newest", "agree", "probable", "defaulted"
"""Columns that a row has for its contribution besides the fields."""


@dataclass(frozen=True, slots=True)
class Giving:
    """How the rows of a mapping give to records that several systems may know.

    rank: of its contributions; the lowest wins.
    ranks: fields with a rank of their own.
    together: fields that come from one contribution.
    needed: fields that the mapping asks for besides those that the model asks for.
    by: for each alternative its names, each with what it holds.
    newest: what the value holds that orders contributions of one rank; None without.
    decisions: what people decided about rows of this mapping.
    """

    rank: int
    ranks: Mapping[str, int]
    together: tuple[tuple[str, ...], ...]
    needed: tuple[str, ...]
    by: tuple[tuple[tuple[str, str], ...], ...]
    agree: tuple[tuple[str, str], ...] = ()
    newest: str | None = None
    decisions: tuple[PersonDecision, ...] = ()


@dataclass(slots=True)
class IdentityTerms:
    """What compiling an identity found: columns of the program, and what its parts hold."""

    columns: dict[str, str] = field(default_factory=dict)
    by: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    agree: list[tuple[str, str]] = field(default_factory=list)
    newest: str | None = None
    probable: pl.Expr | None = None
    """The id by the last of several alternatives: who has the same is probably the same."""


def shared_id(compiler: Compiler, namespace: str, own: pl.Expr, terms: IdentityTerms) -> pl.Expr:
    """Return the id of the record that the row is part of: by the first alternative that it can fill.

    Args:
        own: the id by mapping and source key, for rows that can fill no alternative.
        terms: gets what the parts hold.
    """
    spec = compiler.file.model.identity
    if spec is None:
        return own
    ids = []
    for index, parts in enumerate(spec.by):
        texts, kinds = [], []
        # By name, so that the order in which a file gives the parts does not matter.
        for name in sorted(parts):
            path = ("identity", "by", index, name)
            deps: list[Made] = []
            column = use(compiler, parts[name].origin, (*path, "from"), deps)
            if column is None:
                continue
            if parts[name].do:
                column = apply_steps(compiler, column, parts[name].do, (*path, "do"), None)
            kinds.append((name, kind_of_type(compiler.program.dtype(column))))
            texts.append(named_part(name, text_of(compiler, column)))
        if len(texts) == len(parts):
            terms.by.append(tuple(kinds))
            ids.append(identity_id(namespace, compiler.file.model.target, key_text(texts)))
    if len(ids) > 1:
        terms.probable = ids[-1]
    return pl.coalesce([*ids, own])


def add_terms(compiler: Compiler, own: pl.Expr, terms: IdentityTerms) -> None:
    """Compile what contributions are compared by, when the fields are known."""
    spec = compiler.file.model.identity
    if spec is None:
        return
    program = compiler.program
    terms.columns[OWN] = program.add("own", own, TEXT)
    if terms.probable is not None:
        terms.columns[PROBABLE] = program.add("probable", terms.probable, TEXT)
    texts = []
    for index, name in enumerate(spec.agree):
        column = use(compiler, name, ("identity", "agree", index), compiler.lead_deps, "fields")
        if column is not None:
            terms.agree.append((name, kind_of_type(program.dtype(column))))
            said = text_of(compiler, column)
            if name in compiler.defaulted:  # a default neither agrees with anybody nor contradicts him
                said = pl.when(~pl.col(compiler.defaulted[name])).then(said)
            texts.append(folded(said).alias(name))
    if texts:
        terms.columns[AGREE] = program.add("agree", pl.struct(texts).struct.json_encode(), TEXT)
    if spec.newest is not None:
        column = use(compiler, spec.newest, ("identity", "newest"), compiler.lead_deps, "fields")
        if column is not None:
            terms.newest = kind_of_type(program.dtype(column))
            made, said = compiler.lead_deps[-1], text_of(compiler, column)
            declared = made.source is not None and holds_numbers(compiler.relation, made.source)
            if declared or made.sort == "number" or terms.newest in ("integer", "decimal"):
                said = rising(said)
            terms.columns[NEWEST] = program.add("newest", said, TEXT)
    if compiler.defaulted:
        names = [pl.when(pl.col(column)).then(pl.lit(name)) for name, column in compiler.defaulted.items()]
        terms.columns[DEFAULTED] = program.add(
            "defaulted", pl.concat_str(names, separator=",", ignore_nulls=True), TEXT
        )
    _check_groups(compiler, spec)


def folded(text: pl.Expr) -> pl.Expr:
    """Return a text as it is compared: letters and digits only, without accents or upper case; NULL where none is."""
    bare = text.str.normalize("NFKD").str.replace_all(r"[^\p{L}\p{N}]", "").str.to_lowercase()
    return pl.when(bare.str.len_chars() > 0).then(bare)


def _check_groups(compiler: Compiler, spec: Identity) -> None:
    """Refuse fields of ``together`` that are no columns, that two groups want, or that differ in rank."""
    target, fields = compiler.file.model.target, compiler.file.model.fields
    known = [column.name for column in tables[target].columns if column.name != "id"] if target in tables else []
    seen: set[str] = set()
    for index, group in enumerate(spec.together):
        path = ("identity", "together", index)
        for position, name in enumerate(group):
            if known and name not in known:
                hint = "Name columns of the target table."
                compiler.refuse("MAP-014", f"the table {target} has no column '{name}'", (*path, position), hint=hint)
            elif name in seen:
                hint = "Name it once."
                compiler.refuse("MAP-076", f"the field {name} stands in together twice", (*path, position), hint=hint)
            seen.add(name)
        ranks = {fields[name].rank for name in group if name in fields}
        if len(ranks) > 1:
            compiler.refuse(
                "MAP-076",
                f"the fields {', '.join(group)} come from one contribution, but have different ranks",
                path,
                hint="Give them one rank.",
            )


def giving_of(file: MappingFile, terms: IdentityTerms) -> Giving | None:
    """Return how the rows of a mapping give to records; None without an identity."""
    spec = file.model.identity
    if spec is None:
        return None
    fields = file.model.fields
    return Giving(
        rank=spec.rank,
        ranks={name: field.rank for name, field in fields.items() if field.rank is not None},
        together=spec.together,
        needed=tuple(name for name, field in fields.items() if field.required),
        by=tuple(terms.by),
        agree=tuple(terms.agree),
        newest=terms.newest,
        decisions=file.decisions,
    )
