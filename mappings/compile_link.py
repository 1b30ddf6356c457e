"""Links and lookups: from key parts to the id of a record, by the states of LANGUAGE.md ("Links and lookups")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import polars as pl

from casemodel import LinkRequest, identity_id, key_text, tables
from casemodel import canonical_text as canonical
from mappings.compile_program import TEXT, Followed, RunContext, Wait
from mappings.compile_state import Compiler, Flow, Path
from mappings.compile_steps import apply_steps
from mappings.language import Chain, MappingFile
from mappings.language.base import near
from mappings.language.models import KeyPart

_STATES = {"orphan": "orphan", "waiting": "link-waiting", "ambiguous": "link-ambiguous"}


def key_parts(file: MappingFile) -> list[str]:
    """Return the names of the parts of the key by which other mappings link to this one."""
    source = file.model.source
    if source.one_per:
        return list(source.one_per.by)
    parts = [part.column for part in source.key]
    return [*parts, source.unpivot.into[0]] if source.unpivot else parts


def text_of(compiler: Compiler, column: str) -> pl.Expr:
    """Return a column of the program as canonical text."""
    dtype = compiler.program.dtype(column)
    return pl.col(column).cast(pl.String) if dtype == pl.Null else canonical(column, dtype)


def link(compiler: Compiler, flow: Flow, chain: Chain, policy: str) -> None:
    """Resolve the parts of a flow as a link; ``policy`` is what a missing record leads to."""
    assert chain.link is not None
    path = (*flow.path, "link")
    if chain.link.mapping is None:
        _by_identity(compiler, flow, chain, path, policy)
        return
    target = compiler.others.get(chain.link.mapping)
    if target is None:
        compiler.refuse(
            "MAP-017",
            f"the mapping '{chain.link.mapping}' does not exist",
            path,
            hint=near(chain.link.mapping, list(compiler.others)) or "Links go to mappings of this workspace.",
        )
        _give_nothing(compiler, flow)
        return
    request = _request(compiler, target, chain, path)
    steps = _key_steps(target, request)
    if len(steps) != len(flow.parts):
        compiler.refuse(
            "MAP-050",
            f"the link has {len(flow.parts)} parts, the key of {target.name} has {len(steps)}",
            path,
            hint=f"The key of {target.name} is: {', '.join(request.other_key or key_parts(target))}.",
        )
        _give_nothing(compiler, flow)
        return
    compiler.links[request] = None
    program = compiler.program
    texts = [program.add("part", text_of(compiler, part), TEXT) for part in flow.parts]
    for index, part in enumerate(steps):
        if part is not None and part.do:
            texts[index] = apply_steps(compiler, texts[index], part.do, (*path,), None)
    key = program.add("link_key", key_text([pl.col(part) for part in texts]), TEXT)
    _resolve(compiler, flow, request, key, policy)


def _by_identity(compiler: Compiler, flow: Flow, chain: Chain, path: Path, policy: str) -> None:
    """Resolve the parts of a flow as the named parts of an identity (``link: {identity: party.bsn}``)."""
    assert chain.link is not None
    table, _, rest = (chain.link.identity or "").partition(".")
    names = rest.split("+")
    gives = {
        name: other.model.identity.by
        for name, other in compiler.others.items()
        if other.model.target == table and other.model.identity is not None
    }
    if not any(set(parts) == set(names) for by in gives.values() for parts in by):
        known = sorted(
            f"{other.model.target}.{'+'.join(parts)}"
            for other in compiler.others.values()
            if other.model.identity is not None
            for parts in other.model.identity.by
        )
        asked = chain.link.identity or ""
        hint = near(asked, known) or "Write link: {identity: table.name}, with the name of a part of an identity."
        compiler.refuse("MAP-076", f"no mapping has the identity '{asked}'", path, hint=hint)
        _give_nothing(compiler, flow)
        return
    if len(names) != len(flow.parts):
        hint = f"The parts of the identity are: {', '.join(names)}."
        message = f"the link has {len(flow.parts)} parts, the identity has {len(names)}"
        compiler.refuse("MAP-050", message, path, hint=hint)
        _give_nothing(compiler, flow)
        return
    siblings = tuple(sorted(gives))
    request = LinkRequest(siblings[0], (f"identity:{table}.{'+'.join(sorted(names))}",), siblings)
    compiler.links[request] = None
    texts = {name: named_part(name, text_of(compiler, part)) for name, part in zip(names, flow.parts, strict=True)}
    identity = identity_id(compiler.namespace, table, key_text([texts[name] for name in sorted(names)]))
    _resolve(compiler, flow, request, compiler.program.add("link_key", identity, TEXT), policy)


def named_part(name: str, text: pl.Expr) -> pl.Expr:
    """Return a part of an identity as text with its name; NULL where it has no value."""
    return pl.concat_str([pl.lit(f"{name}="), pl.when(text.str.len_chars() > 0).then(text)])


def _request(compiler: Compiler, target: MappingFile, chain: Chain, path: Path) -> LinkRequest:
    assert chain.link is not None
    wanted = tuple(name.casefold() for name in chain.link.key)
    if not wanted:
        return LinkRequest(target.name)
    for other in target.model.source.other_keys:
        if tuple(name.casefold() for name in other) == wanted:
            return LinkRequest(target.name, other)
    compiler.refuse(
        "MAP-053",
        f"{target.name} does not declare the key {', '.join(chain.link.key)}",
        path,
        hint="Declare it there under source: other_keys.",
    )
    return LinkRequest(target.name, chain.link.key)


def _key_steps(target: MappingFile, request: LinkRequest) -> list[KeyPart | None]:
    """Return for each part of the key linked to the part whose steps it goes through."""
    source = target.model.source
    if request.other_key:
        return [None] * len(request.other_key)
    if source.one_per:
        return [None] * len(source.one_per.by)
    return [*source.key, None] if source.unpivot else list(source.key)


def _give_nothing(compiler: Compiler, flow: Flow) -> None:
    flow.parts, flow.sort = [compiler.program.add("nothing", pl.lit(None), pl.Null())], ""


def _resolve(compiler: Compiler, flow: Flow, request: LinkRequest, key: str, policy: str) -> None:
    program = compiler.program
    linked_to = request.siblings or (request.mapping,)
    moves = compiler.others[request.mapping].model.identity is not None
    parts = ("id", "err", "warn", "park", "follow", "wait", *(("linked",) if moves else ()))
    made = {part: program.name(f"{part}:{request.mapping}") for part in parts}
    types: dict[str, pl.DataType] = dict.fromkeys(made.values(), pl.String())
    for part in parts:
        if part == "park":
            types[made[part]] = pl.Boolean()
    breakable = policy == "park" and not flow.required and not compiler.cycle_links.isdisjoint(linked_to)
    if policy == "park":
        link = (flow.owner, request.mapping)
        compiler.parking[link] = breakable and compiler.parking.get(link, True)
    broken = {each: _outcomes(policy, flow.required, each) for each in (False, True)}
    # Records that several systems know are part of none of them.
    follows = flow.required and not moves and request.mapping != compiler.file.name
    if follows:
        compiler.part_of[request.mapping] = None

    def call(frame: pl.DataFrame, context: RunContext) -> Sequence[pl.Series]:
        assert context.links is not None
        found = context.links.resolve(request, frame.get_column(key))
        if follows and context.followed is not None:
            context.followed.append(Followed(request, frame.get_column("_row"), frame.get_column(key)))
        states = pl.DataFrame([found.get_column("target_id"), found.get_column("state")])
        if not (states.get_column("state") != "linked").any():
            return _all_linked(states, made)
        exprs = broken[breakable and context.break_cycles]
        return states.select(exprs[name].alias(column) for name, column in made.items()).get_columns()

    program.call([key], types, call, late=compiler.file.name in linked_to)
    flow.parts, flow.sort = [made["id"]], f"id:{compiler.others[request.mapping].model.target}"
    flow.flag(made["err"], None)
    flow.flag(made["warn"], None, "warning")
    flow.parks.append(made["park"])
    flow.follows.append((made["follow"], request.mapping))
    flow.waits.append(Wait(made["wait"], key, flow.owner, request.mapping, request.other_key))
    if moves:
        flow.linked.append(Wait(made["linked"], key, flow.owner, request.mapping, request.other_key))


def _all_linked(states: pl.DataFrame, made: Mapping[str, str]) -> list[pl.Series]:
    """Return what `_outcomes` gives where every key that is there is linked, as nearly all keys of most batches are."""
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, states.height)
    known = {
        "id": states.get_column("target_id"),
        "park": pl.Series([False]).new_from_index(0, states.height),
        "linked": states.get_column("state"),
    }
    return [known.get(name, nothing).alias(column) for name, column in made.items()]


@cache
def _outcomes(policy: str, required: bool, broken: bool) -> Mapping[str, pl.Expr]:
    """Return what each state of a link means under a policy, as expressions over ``target_id`` and ``state``."""
    state = pl.col("state")
    nothing = pl.lit(None, pl.String)
    outside = state.is_in(["out_of_scope", "deferred", "late"])
    errors = ["orphan", "ambiguous", "waiting"] if policy == "reject" else ["orphan", "ambiguous"]
    warnings = ["orphan", "waiting"] if policy == "null" else ["waiting"] if broken else []
    if policy == "null":
        errors = ["ambiguous"]
    warn = pl.when(state.is_in(warnings)).then(state.replace(_STATES)).otherwise(nothing)
    if not required:
        warn = pl.when(outside).then(pl.lit("link-out-of-scope")).otherwise(warn)
    parks = policy == "park" and not broken
    return {
        "id": pl.when(state == "linked").then(pl.col("target_id")).otherwise(nothing),
        "err": pl.when(state.is_in(errors)).then(state.replace(_STATES)).otherwise(nothing),
        "warn": warn,
        "park": (state == "waiting").fill_null(False) if parks else pl.lit(False),
        "follow": pl.when(outside).then(state).otherwise(nothing) if required else nothing,
        # To the ledger an ambiguous key is one that was found.
        "wait": pl.when(state != "linked").then(state.replace("ambiguous", "linked")),
        "linked": pl.when(state == "linked").then(state),
    }


def lookup(compiler: Compiler, flow: Flow, chain: Chain) -> None:
    """Look the parts of a flow up in the target: unique there, or an issue."""
    assert chain.lookup is not None
    path = (*flow.path, "lookup")
    table, columns = chain.lookup.table, chain.lookup.by
    if table not in tables:
        compiler.refuse(
            "MAP-054",
            f"the target has no table '{table}'",
            path,
            hint=near(table, list(tables)) or "Use a table of the target model.",
        )
        _give_nothing(compiler, flow)
        return
    for column in columns:
        if column not in tables[table].columns:
            compiler.refuse(
                "MAP-054",
                f"the table {table} has no column '{column}'",
                path,
                hint=near(column, [item.name for item in tables[table].columns]) or "Use a column of the table.",
            )
            _give_nothing(compiler, flow)
            return
    if len(columns) != len(flow.parts):
        compiler.refuse(
            "MAP-050",
            f"the lookup has {len(columns)} columns, the origin gives {len(flow.parts)} parts",
            path,
            hint="Give as many columns in `by` as parts in `from`.",
        )
        _give_nothing(compiler, flow)
        return
    compiler.lookups[(table, columns)] = None
    program = compiler.program
    parts = [program.add("lookup_part", text_of(compiler, part), TEXT) for part in flow.parts]
    made_id, made_err = program.name(f"id:{table}"), program.name(f"err:{table}")
    names = {column: f"part:{place}" for place, column in enumerate(columns)}
    results = _looked_up(list(names.values()), made_id, made_err)

    def call(frame: pl.DataFrame, context: RunContext) -> Sequence[pl.Series]:
        asked = frame.select(pl.col(part).alias(column) for part, column in zip(parts, columns, strict=True))
        assert context.links is not None
        found = context.links.lookup(table, columns, asked)
        given = [found.get_column("target_id"), found.get_column("hits"), *asked.rename(names).get_columns()]
        return pl.DataFrame(given).select(results).get_columns()

    late = table == compiler.file.model.target
    program.call(parts, {made_id: pl.String(), made_err: pl.String()}, call, late=late)
    flow.parts, flow.sort = [made_id], f"id:{table}"
    flow.flag(made_err, None)


def _looked_up(parts: list[str], made_id: str, made_err: str) -> list[pl.Expr]:
    """Return id and issue of a lookup, over its parts and ``target_id`` and ``hits``."""
    filled, hits = pl.all_horizontal([pl.col(part).is_not_null() for part in parts]), pl.col("hits").fill_null(0)
    return [
        pl.when(hits == 1).then(pl.col("target_id")).alias(made_id),
        pl.when(filled & (hits == 0))
        .then(pl.lit("lookup-unknown"))
        .when(filled & (hits > 1))
        .then(pl.lit("lookup-ambiguous"))
        .alias(made_err),
    ]
