"""Compile a mapping file once, and map batches of rows with it: column operations only, nothing per row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, partial

import polars as pl

from casemodel import (
    OMITTED,
    LinkRequest,
    Links,
    Mapped,
    RefusedError,
    RefusedMany,
    Relation,
    Secrets,
    SideJoin,
    polars_schema,
)
from mappings.check_order import Edges, all_edges, cycle_links_of, hard_parents_of
from mappings.compile_build import CLIMBED, Built, build, new_compiler
from mappings.compile_identity import Giving, giving_of
from mappings.compile_lead import LEAD, LEAD_KEY
from mappings.compile_meaning import meaning_of
from mappings.compile_names import Columns, Refusals
from mappings.compile_outcome import Reading, judge, mapped
from mappings.compile_prepare import Preparation, prepared_keys, spelled
from mappings.compile_program import Followed, Mark, Passes, RunContext
from mappings.compile_sides import side_joins, used_columns
from mappings.compile_standing import LATEST_DELIVERY, SAME_CONTENT, Standing, stand
from mappings.compile_state import Compiler
from mappings.language import MappingFile

Relations = Callable[[str, str], Relation]
"""Gives a relation by system and name; raises SystemFailure where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledMapping:
    """A mapping ready to run.

    key: raw columns of the source key.
    group: raw columns of ``together``, ``one_per`` or, with ``on_duplicate``, the key.
    group_is_wide: True when the group is made of other than raw columns; then the relation must be grouped by the
        prepared column ``_group``.
    other_keys: declared other keys; the prepared column of the n-th is ``_other_<n>``.
    records_by_group: one record out of many rows (``one_per``), whose key is ``_group``; key_is_group: then rows of one
        key are one record, and no key is duplicate.
    key_columns: raw columns that `keys_only` needs.
    ignored, unfilled: columns left out, each with the reason.
    used_columns: every column of the frame that the result depends on, side columns included.
    contract_columns: target column to its Polars type, without the id.
    """

    name: str
    id_name: str
    """The name that the target ids hold: the first that the mapping ever had."""
    formerly: tuple[str, ...]
    system: str
    relation: str
    target: str
    owner: str
    file_digest: str
    meaning: str
    key: tuple[str, ...]
    group: tuple[str, ...]
    group_is_wide: bool
    records_by_group: bool
    key_is_group: bool
    key_columns: tuple[str, ...]
    by_query: bool
    """The relation is a query of the workspace."""
    ignored: tuple[tuple[str, str], ...]
    unfilled: tuple[tuple[str, str], ...]
    other_keys: tuple[tuple[str, ...], ...]
    sides: tuple[SideJoin, ...]
    links: tuple[LinkRequest, ...]
    part_of: tuple[str, ...]
    """The mappings that a required field links to, but for those whose records several systems know."""
    lookups: tuple[tuple[str, tuple[str, ...]], ...]
    hard_parents: tuple[str, ...]
    self_links: bool
    parking: Mapping[tuple[str, str], bool]
    """Field and mapping of its links that park, and whether a row may be loaded without to open a circle of links."""
    used_columns: tuple[str, ...]
    giving: Giving | None
    """How its rows give to records that several systems may know; None without an identity."""
    has_windows: bool
    """An expression looks over the rows of a group: then rows are taken in the order of their keys."""
    fields: tuple[str, ...]
    contract_columns: dict[str, pl.DataType]
    preparation: Preparation
    standing: Standing
    passes: Passes
    reading: Reading
    fine: Callable[[], CompiledMapping]
    """Gives the mapping compiled with every stage kept, for `explain` and tests; the first call compiles it."""
    marks: tuple[Mark, ...]
    made_of: Mapping[str, frozenset[str]]
    """Value or field to the columns that it is made of, compiled with every stage kept; else empty."""

    def prepare(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the prepared frame of a batch.

        Args:
            frame: ``Extract.frame`` with the columns of ``sides`` joined as ``<name>.<column>``.

        Returns:
            Every column kept, a row per row (x slot), and ``_row`` (UInt32), ``_key`` (canonical key, NULL when a part
            is), ``_group`` (key of together, one_per; else NULL), ``_hash``, and ``_other_<n>`` per other key.
        """
        return self.preparation.run(frame)

    @staticmethod
    def repeats(duplicates: pl.Series) -> pl.Expr:
        """Return which rows of `Mapped.outcomes` are left behind for another row of their key (``on_duplicate``)."""
        dropped = pl.col("reason").is_in([SAME_CONTENT, LATEST_DELIVERY]) & (pl.col("outcome") == "out_of_scope")
        return (dropped & pl.col("_key").is_in(duplicates.implode())).fill_null(False)

    def keys_only(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return ``_key`` of rows of which only `key_columns` were read, a row per row (x slot)."""
        return self.preparation.keys_only(frame)

    def apply(
        self, prepared: pl.DataFrame, links: Links, duplicates: pl.Series, *, followed: list[Followed] | None = None
    ) -> Mapped:
        """Map prepared rows.

        Args:
            prepared: what `prepare` returned, whole groups of ``together`` and ``one_per``.
            links: how links and lookups are resolved.
            duplicates: values of ``_key`` that occur more than once in the relation.
            followed: gets the keys of the links that say what the rows are part of.
        """
        return self._apply(prepared, duplicates, RunContext(links, followed=followed))[1]

    def apply_and_show(
        self, prepared: pl.DataFrame, links: Links, duplicates: pl.Series
    ) -> tuple[pl.DataFrame, Mapped]:
        """Map as `apply` does; return with it the columns that the program made of the rows in scope."""
        return self._apply(prepared, duplicates, RunContext(links))

    def apply_breaking_cycles(
        self, prepared: pl.DataFrame, links: Links, duplicates: pl.Series, *, followed: list[Followed] | None = None
    ) -> Mapped:
        """Map as `apply` does, but load a row without its link where that link closes a permitted cycle and waits."""
        return self._apply(prepared, duplicates, RunContext(links, break_cycles=True, followed=followed))[1]

    def _apply(self, prepared: pl.DataFrame, duplicates: pl.Series, context: RunContext) -> tuple[pl.DataFrame, Mapped]:
        stood = stand(self.standing, prepared, duplicates, self.passes.given)
        frame = stood.frame.sort("_key", nulls_last=True, maintain_order=True) if self.has_windows else stood.frame
        frame = self.passes.run(frame, context)
        frame = frame.sort("_row") if self.has_windows else frame
        return frame, mapped(judge(self.reading, frame), stood.outside, stood.issues, stood.unknown)


@dataclass(frozen=True, slots=True)
class Draft:
    """A mapping compiled as far as its columns and the target model go; `check_mappings` looks at it, too."""

    compiler: Compiler
    keys: Compiler
    built: Built
    prepared: dict[str, str]
    parents: tuple[str, ...]
    """The mappings that must have run before."""

    @property
    def errors(self) -> list[RefusedError]:
        """Return everything that was refused, once per place, in the order of the file."""
        found = Refusals(list(self.compiler.refusals.errors))
        places = {str(error.place) for error in found.errors}
        found.errors += [error for error in self.keys.refusals.errors if str(error.place) not in places]
        return sorted(found.errors, key=lambda error: (error.place.line or 0, error.place.column or 0))


def draft_of(
    file: MappingFile,
    relation: Relation,
    sides: Mapping[str, Relation],
    others: Mapping[str, MappingFile],
    *,
    namespace: str,
    as_of: date,
    needs: Edges | None = None,
    fine: bool = False,
) -> Draft:
    """Compile a mapping; what is wrong is in the draft's errors.

    Args:
        sides: the relations of ``with``, by their names in the mapping.
        namespace: UUID text of the target ids.
        needs: what every mapping needs of the others, if that is known already.
    """
    needs = all_edges({**others, file.name: file}) if needs is None else needs
    circles = cycle_links_of(file.name, needs)
    compiler = new_compiler(file, relation, others, as_of=as_of, sides=sides, cycle_links=circles, fine=fine)
    keys = new_compiler(file, relation, others, as_of=as_of, sides=sides)
    parents = hard_parents_of(file.name, needs, circles)
    return Draft(compiler, keys, build(compiler, namespace), prepared_keys(keys), parents)


def compile_mapping(
    file: MappingFile,
    relations: Relations,
    others: Mapping[str, MappingFile],
    secrets: Secrets,
    as_of: date,
    *,
    fine: bool = False,
) -> CompiledMapping:
    """Compile a mapping.

    Args:
        file: the mapping.
        relations: gives a relation by system and name.
        others: every mapping of the workspace by name, the mapping itself included.
        secrets: the workspace's keys; the namespace makes the ids.
        as_of: the run's "today".
        fine: keep every stage's result, for `explain`.

    Raises:
        RefusedMany: everything that is wrong with the mapping, also what only the source's columns can tell.
    """
    relation = relations(file.system, file.relation)
    beside = file.model.source.beside
    sides = {name: relations(file.system, spec.relation) for name, spec in beside.items() if spec.relation}
    draft = draft_of(file, relation, sides, others, namespace=secrets.namespace, as_of=as_of, fine=fine)
    if draft.errors:
        raise RefusedMany(draft.errors)
    return compiled(draft, relations, secrets)


def compiled(draft: Draft, relations: Relations, secrets: Secrets) -> CompiledMapping:
    """Make a mapping of a draft without errors."""
    compiler, keys, prepared = draft.compiler, draft.keys, draft.prepared
    file, as_of = compiler.file, compiler.as_of
    meaning = meaning_of(file, compiler.others, as_of if compiler.uses_as_of or keys.uses_as_of else None)
    beside = file.model.source.beside
    preparation = Preparation(
        unpivot=spelled(keys, file.model.source.unpivot),
        passes=keys.program.only(prepared.values()),
        keys=prepared,
        hashed=_used(compiler, keys),
        hash_key=secrets.hash_key,
        meaning=meaning,
        key_passes=keys.program.only([prepared["_key"]]),
        counts=tuple(
            f"{name}.{CLIMBED if spec.climb else 'count'}"
            for name, spec in beside.items()
            if spec.climb or spec.take == "count"
        ),
    )
    # Once, however many tests and rows ask for it.
    fine = cache(partial(compile_mapping, file, relations, compiler.others, secrets, as_of, fine=True))
    return _assemble(draft, preparation, fine)


def _used(compiler: Compiler, keys: Compiler) -> tuple[str, ...]:
    """Return the used columns in the order of the relation, outputs of unpivot and numbers of side rows included."""
    names = dict.fromkeys([*compiler.columns.names, *keys.columns.names])
    written = {name for step in compiler.file.model.use for name in step.writes}
    names = {name: None for name in names if name not in written}
    used = [name for name in names if name in compiler.columns.used or name in keys.columns.used]
    used += [OMITTED] if compiler.file.query is not None else []
    return (*used, *(hits.removeprefix(Columns.PREFIX) for hits in compiler.side_hits))


def _raw_group(file: MappingFile, keys: Compiler) -> tuple[tuple[str, ...], bool]:
    """Return the raw columns of the group, and whether the group is made of something else than raw columns."""
    source = file.model.source
    names = source.one_per.by if source.one_per else source.together
    if not names and source.on_duplicate:
        names = tuple(part.column for part in source.key)
    folded = {name.casefold(): name for name in keys.relation_columns}
    raw = tuple(folded[name.casefold()] for name in names if name.casefold() in folded)
    return (raw, False) if len(raw) == len(names) else ((), True)


def _standing(built: Built, key: tuple[str, ...], group: tuple[str, ...]) -> Standing:
    model = built.compiler.file.model
    source = model.source
    slots: tuple[str, ...] = ()
    if source.unpivot and source.unpivot.drop_empty:
        slots = tuple(Columns.PREFIX + name for name in source.unpivot.into[1:])
    return Standing(
        built.scope,
        model.scope.reason if model.scope else "",
        slots,
        source.on_duplicate,
        source.one_per is not None,
        # the key of the record is the key of the row: rows of one key are one record
        source.one_per is not None and key == group and not source.unpivot and not any(part.do for part in source.key),
        source.accounts.reason if source.accounts else None,
    )


def _reading(built: Built) -> Reading:
    program = built.compiler.program
    return Reading(
        tuple(program.flags),
        tuple(program.waits),
        tuple(column for column, _ in program.parks),
        tuple((column, mapping) for column, _, mapping in program.follows),
        tuple(program.repairs),
        tuple(program.code_uses),
        tuple((name, column, tuple(causes)) for name, column, causes in built.required),
        tuple(built.rules),
        tuple(built.row_checks),
        tuple(built.outputs.items()),
        built.compiler.file.model.source.one_per is not None,
        tuple(program.linked),
        tuple(built.identity.columns.items()),
    )


def _made_of(compiler: Compiler) -> dict[str, frozenset[str]]:
    return {name: frozenset(made.sources()) for name, made in {**compiler.values, **compiler.finals}.items()}


def _assemble(draft: Draft, prepared: Preparation, fine: Callable[[], CompiledMapping]) -> CompiledMapping:
    built, keys, compiler = draft.built, draft.keys, draft.compiler
    file = compiler.file
    model, reading = file.model, _reading(built)
    folded = {name.casefold(): name for name in compiler.relation_columns}
    key = tuple(folded[part.column.casefold()] for part in model.source.key)
    group, wide = _raw_group(file, keys)
    standing = _standing(built, key, group)
    outputs = [*built.outputs.values(), "id", *(rule.column for rule in (*built.rules, *built.row_checks))]
    outputs += [column for _, _, causes in built.required for column in causes]
    outputs += [LEAD, LEAD_KEY] if reading.grouped else []
    outputs += [column for _, column in reading.shares]
    schema = polars_schema(model.target)
    links = tuple(compiler.links)
    return CompiledMapping(
        name=file.name,
        id_name=model.id_name,
        formerly=model.formerly,
        system=file.system,
        relation=file.relation,
        target=model.target,
        owner=model.owner or "",
        file_digest=file.file_digest,
        meaning=prepared.meaning,
        key=key,
        group=group,
        group_is_wide=wide,
        records_by_group=reading.grouped,
        key_is_group=standing.key_is_group,
        key_columns=tuple(dict.fromkeys(key)),
        by_query=file.query is not None,
        ignored=tuple((name, item.reason) for item in model.ignore for name in item.columns),
        unfilled=tuple((name, item.reason) for item in model.unfilled for name in item.columns),
        other_keys=model.source.other_keys,
        sides=side_joins(file, compiler, prepared.hashed),
        links=links,
        part_of=tuple(compiler.part_of),
        lookups=tuple(compiler.lookups),
        hard_parents=draft.parents,
        self_links=any(request.mapping == file.name for request in links),
        parking=dict(compiler.parking),
        used_columns=used_columns(file, compiler, prepared.hashed),
        giving=giving_of(file, built.identity),
        has_windows=compiler.has_windows,
        fields=tuple(built.outputs),
        contract_columns={name: schema[name] for name in built.outputs},
        preparation=prepared,
        standing=standing,
        passes=compiler.program.finish(outputs),
        reading=reading,
        fine=fine,
        marks=tuple(compiler.program.marks),
        made_of=_made_of(compiler) if compiler.program.fine else {},
    )
