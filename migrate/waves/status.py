"""`wave list` and `wave status`: the journey at a glance, out of the ledger alone, so that old systems may be off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from migrate.ledger.store import table
from migrate.ledger.waves import PLANNED, Wave, known_wave, known_waves
from migrate.settings import WaveSettings
from migrate.target.opened import workspace_target
from migrate.workspace import Workspace

COUNTS = ("over", "left", "rejected", "parked", "conflict", "late")
"""How the rows of a wave stand: each row is one of these."""
_COUNTED = {
    "loaded": "over",
    "merged": "over",
    "deferred": "left",
    "rejected": "rejected",
    "stale": "rejected",
    "parked": "parked",
    "conflict": "conflict",
    "late": "late",
}
"""What a row counts as, by its state; those out of scope and gone are no part of the journey."""


@dataclass(frozen=True)
class Stand:
    """How many rows stand how, of a wave or of one mapping in it."""

    counts: Mapping[str, int]

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.counts.values())

    def as_dict(self) -> dict[str, int]:
        """Return rows, and the rows by how they stand."""
        return {"rows": self.rows, **{name: self.counts.get(name, 0) for name in COUNTS}}


@dataclass(frozen=True)
class WaveStatus:
    """One wave, or with ``name`` None what belongs to none although others of its mappings do.

    by_mapping: how the rows of each mapping stand.
    declared: whether workspace.yml still names it; False means that the next run forgets or refuses it.
    """

    name: str | None
    state: str
    since: str | None
    about: str | None
    where: Mapping[str, str]
    by_mapping: Mapping[str, Stand]
    declared: bool = True

    @property
    def stand(self) -> Stand:
        """All of it."""
        return Stand({name: sum(each.counts.get(name, 0) for each in self.by_mapping.values()) for name in COUNTS})

    def as_dict(self) -> dict[str, Any]:
        """Return the wave as the published schema has it."""
        return {
            "wave": self.name,
            "state": self.state,
            "since": self.since,
            "about": self.about,
            "declared": self.declared,
            **self.stand.as_dict(),
            "mappings": [{"mapping": name, **each.as_dict()} for name, each in self.by_mapping.items()],
        }


@dataclass(frozen=True)
class Journey:
    """All waves in the order of workspace.yml, and what belongs to none of them."""

    waves: tuple[WaveStatus, ...]
    rest: WaveStatus | None

    def as_dict(self) -> dict[str, Any]:
        """Return {waves, rest} of the published schema."""
        return {
            "waves": [each.as_dict() for each in self.waves],
            "rest": self.rest.as_dict() if self.rest is not None else None,
        }


@dataclass(frozen=True)
class WaveList:
    """The waves with their conditions, and every step of their journey."""

    waves: tuple[WaveStatus, ...]
    events: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return {waves, events} of the published schema."""
        names = ("wave", "state", "since", "about", "declared")
        return {
            "waves": [
                {name: value for name, value in each.as_dict().items() if name in names} | {"where": dict(each.where)}
                for each in self.waves
            ],
            "events": list(self.events),
        }


def read_journey(workspace: Workspace, name: str | None = None) -> Journey:
    """Return how every wave stands, or one of them.

    Raises:
        UsageError: WAV-001 no such wave.
        GuardError: DBS-003 the target is not upgraded.
    """
    target = workspace_target(workspace)
    try:
        with target.engine.connect() as connection:
            known = known_waves(connection)
            stands = _stands(connection, list(known.values()), workspace.model.waves)
    finally:
        target.close()
    names = _names(workspace, known)
    if name is not None:
        if name not in names:
            known_wave(known, name)
        names = [name]
    waves = tuple(_status(each, known.get(each), workspace, stands) for each in names)
    rest = stands.get(None, {})
    none = WaveStatus(None, "loaded", None, None, {}, rest) if rest and name is None and names else None
    return Journey(waves, none)


def list_waves(workspace: Workspace) -> WaveList:
    """Return the waves and their history.

    Raises:
        GuardError: DBS-003 the target is not upgraded.
    """
    target = workspace_target(workspace)
    try:
        with target.engine.connect() as connection:
            known = known_waves(connection)
            event = table(connection, "wave_event")
            columns = [event.c[name] for name in ("at", "wave", "event", "reason", "run_id", "os_user")]
            rows = connection.execute(sa.select(*columns).order_by(event.c.id)).mappings()
            events = tuple(dict(row) for row in rows)
    finally:
        target.close()
    return WaveList(tuple(_status(each, known.get(each), workspace, {}) for each in _names(workspace, known)), events)


def _names(workspace: Workspace, known: Mapping[str, Wave]) -> list[str]:
    return list(dict.fromkeys([*workspace.model.waves, *known]))


def _status(
    name: str, wave: Wave | None, workspace: Workspace, stands: Mapping[int | None, Mapping[str, Stand]]
) -> WaveStatus:
    settings: WaveSettings | None = workspace.model.waves.get(name)
    return WaveStatus(
        name,
        wave.state if wave is not None else PLANNED,
        wave.since if wave is not None else None,
        settings.about if settings is not None else None,
        dict(settings.where) if settings is not None else dict(wave.definition if wave is not None else {}),
        stands.get(wave.id, {}) if wave is not None else {},
        settings is not None,
    )


def _stands(
    connection: sa.Connection, waves: Sequence[Wave], declared: Mapping[str, WaveSettings]
) -> dict[int | None, dict[str, Stand]]:
    """Return by wave (None: none) and mapping how the rows stand, of the mappings that have rows in a wave."""
    id_map, mapping = table(connection, "id_map"), table(connection, "mapping")
    roots = {name for each in declared.values() for name in each.where}
    if not waves:
        return {}
    of_waves = sa.select(id_map.c.mapping_id).where(id_map.c.wave.is_not(None)).distinct()
    rows = connection.execute(
        sa.select(mapping.c.id, mapping.c.name, id_map.c.wave, id_map.c.state, sa.func.count())
        .join(mapping, mapping.c.id == id_map.c.mapping_id)
        .where(sa.or_(id_map.c.mapping_id.in_(of_waves), mapping.c.name.in_(sorted(roots))))
        .group_by(mapping.c.id, mapping.c.name, id_map.c.wave, id_map.c.state)
        .order_by(mapping.c.id)
    )
    found: dict[int | None, dict[str, dict[str, int]]] = {}
    for _, name, wave, state, count in rows:
        counted = _COUNTED.get(state)
        if counted is not None:
            counts = found.setdefault(wave, {}).setdefault(name, {})
            counts[counted] = counts.get(counted, 0) + int(count)
    return {wave: {name: Stand(counts) for name, counts in each.items()} for wave, each in found.items()}
