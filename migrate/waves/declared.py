"""The waves of a workspace: checked against its mappings, kept in the ledger, moved by name (DESIGN.md, section 6)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import GuardError, Place, RefusedError, RefusedMany, read_strict_yaml
from mappings import Slice, slice_of
from migrate.ledger.waves import PLANNED, REHEARSING, Wave, keep_declared, known_wave, move
from migrate.pipeline.context import RunWaves
from migrate.pipeline.waves import refuse_overlaps
from migrate.session import DeclaredWaves, Session
from migrate.workspace import FILE, Workspace

_PASS_ROWS = 200_000


def declared_waves(session: Session) -> DeclaredWaves:
    """Compile the waves of a workspace.

    Raises:
        RefusedMany: WSP-020 there is no such mapping, WSP-021 its records belong to several systems, MAP-… the
            condition is none; each with its place in workspace.yml.
    """
    waves = session.workspace.model.waves
    if not waves:
        return DeclaredWaves()
    places = _places(session.workspace)
    errors: list[RefusedError] = []
    slices: dict[str, dict[str, Slice]] = {}
    for wave, settings in waves.items():
        for name, text in settings.where.items():
            key, value = places(wave, name)
            try:
                slices.setdefault(wave, {})[name] = _slice(session, name, text, key, value)
            except RefusedMany as error:
                errors += error.errors
            except RefusedError as error:
                errors.append(error)
    if errors:
        raise RefusedMany(errors)
    return DeclaredWaves(slices, _members(session, {name for each in slices.values() for name in each}))


def _places(workspace: Workspace) -> Any:
    raw = read_strict_yaml(workspace.root / FILE)

    def places(wave: str, mapping: str) -> tuple[Place, Place]:
        where = raw["waves"][wave]["where"]
        return Place(FILE, *where.key_places[mapping]), Place(FILE, *where.value_places[mapping])

    return places


def _slice(session: Session, name: str, text: str, key: Place, value: Place) -> Slice:
    if name not in session.files:
        near = difflib.get_close_matches(name, session.files, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(session.files))}."
        raise RefusedError("WSP-020", f"there is no mapping '{name}'", hint=hint, place=key)
    file = session.files[name]
    if file.model.identity is not None:
        raise RefusedError(
            "WSP-021",
            f"{name} gives to records that several systems know, and those belong to no wave",
            hint="Name the mappings of what moves (cases, tickets, contacts); people and other shared records come with"
            " every run.",
            place=key,
        )
    return slice_of(text, session.relation(file.system, file.relation).column_names(), value)


def _members(session: Session, roots: set[str]) -> tuple[str, ...]:
    """Return roots and what is part of them, in loading order."""
    found, before = set(roots), -1
    while len(found) != before:
        before = len(found)
        for name in session.check.order:
            mapping = session.mapping(name)
            if mapping.giving is None and not found.isdisjoint(mapping.part_of):
                found.add(name)
    return tuple(name for name in session.check.order if name in found)


def refuse_two_waves(session: Session, declared: DeclaredWaves, names: Sequence[str]) -> None:
    """Refuse rows that would belong to two waves, before any is loaded; only the columns of the conditions are read.

    Raises:
        RefusedError: WAV-004.
    """
    for name in names:
        found = [(number, wave) for number, wave in enumerate(declared.slices) if name in declared.slices[wave]]
        if len(found) < 2:
            continue
        slices = {number: declared.slices[wave][name] for number, wave in found}
        columns = list(dict.fromkeys(column for each in slices.values() for column in each.columns))
        mapping = session.mapping(name)
        made = [
            frame.select(each.condition.alias(str(number)) for number, each in slices.items())
            for frame in session.source(mapping.system).columns(mapping.relation, columns, _PASS_ROWS)
        ]
        if made:
            refuse_overlaps(name, pl.concat(made), dict(found))


def begin_waves(
    connection: sa.Connection,
    session: Session,
    declared: DeclaredWaves,
    numbers: Mapping[str, int],
    run: int,
    asked: str | None,
) -> RunWaves:
    """Return what a run does with each wave; a planned wave that is asked for begins to be rehearsed.

    Raises:
        UsageError: WAV-001 no such wave.
        GuardError: WAV-003 a live wave was changed, WAV-005 the wave asked for is live or closed.
    """
    members = {numbers[name] for name in declared.members}
    known = keep_declared(connection, declared.definitions(session), members, run)
    if asked is not None:
        wave = known_wave(known, asked)
        if wave.frozen:
            raise GuardError(
                "WAV-005",
                f"the wave {asked} is {wave.state}: nothing of it is loaded from now on",
                hint="Its late rows are in `omnicase wave status`. To load it again, first `omnicase wave back`.",
                place="--wave",
            )
        if wave.state == PLANNED:
            move(connection, asked, REHEARSING, REHEARSING, run=run)
    return run_waves(declared, known, asked)


def run_waves(declared: DeclaredWaves, known: Mapping[str, Wave], asked: str | None = None) -> RunWaves:
    """Return the waves as a run, or reconcile, sees them.

    Args:
        asked: the one wave that is loaded; None: all that are rehearsed.
    """
    loading = {each.id for name, each in known.items() if name == asked or (asked is None and each.state == REHEARSING)}
    slices: dict[str, list[tuple[int, Slice]]] = {}
    for name, by_mapping in declared.slices.items():
        for mapping, each in by_mapping.items():
            if name in known:
                slices.setdefault(mapping, []).append((known[name].id, each))
    return RunWaves(
        {each.id: name for name, each in known.items()},
        frozenset(each.id for name, each in known.items() if each.state == PLANNED and name != asked),
        frozenset(loading),
        frozenset(each.id for each in known.values() if each.frozen),
        {mapping: tuple(found) for mapping, found in slices.items()},
        frozenset(declared.members),
    )
