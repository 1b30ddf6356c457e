"""What the ledger knows of waves: their states, how their rows were divided, and every step of their journey."""

from __future__ import annotations

import difflib
import getpass
import json
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from casemodel import GuardError, Place, UsageError
from migrate.evidence.record import record
from migrate.ledger.store import new_id, now, table

PLANNED, REHEARSING, LIVE, CLOSED = "planned", "rehearsing", "live", "closed"
"""The states of a wave, in the order of its journey."""
FROZEN = (LIVE, CLOSED)
"""States in which the new system is the one that people work in."""


@dataclass(frozen=True)
class Wave:
    """A wave as the ledger knows it.

    since: when it came into its state, UTC; of a live wave the moment of cutover.
    definition: mapping (by the name in its ids) to condition, by which its rows were divided.
    """

    id: int
    name: str
    state: str
    since: str
    definition: Mapping[str, str]

    @property
    def frozen(self) -> bool:
        """Whether nothing of it is loaded from now on."""
        return self.state in FROZEN


def known_waves(connection: sa.Connection) -> dict[str, Wave]:
    """Return the waves of the ledger by name, in the order in which it met them."""
    wave = table(connection, "wave")
    rows = connection.execute(sa.select(wave).order_by(wave.c.id)).mappings()
    return {
        row["name"]: Wave(row["id"], row["name"], row["state"], row["since"], json.loads(row["definition"]))
        for row in rows
    }


def known_wave(known: Mapping[str, Wave], name: str) -> Wave:
    """Return a wave by name.

    Raises:
        UsageError: WAV-001.
    """
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = (
            f"Did you mean {near[0]}?"
            if near
            else f"Waves: {', '.join(known)}."
            if known
            else "Name waves under waves: in workspace.yml, and begin one with `omnicase run --wave NAME`."
        )
        raise UsageError("WAV-001", f"there is no wave '{name}'", hint=hint, place="wave")
    return known[name]


def move(
    connection: sa.Connection, name: str, state: str, event: str, *, reason: str | None = None, run: int | None = None
) -> None:
    """Bring a wave into a state, and write that down."""
    wave = table(connection, "wave")
    connection.execute(sa.update(wave).where(wave.c.name == name).values(state=state, since=now()))
    note(connection, name, event, reason=reason, run=run)


def note(
    connection: sa.Connection, name: str, event: str, *, reason: str | None = None, run: int | None = None
) -> None:
    """Write down a step of a wave's journey."""
    connection.execute(
        sa.insert(table(connection, "wave_event")).values(
            at=now(),
            wave=name,
            event=event,
            reason=reason,
            run_id=run,
            os_user=getpass.getuser(),
            host=socket.gethostname(),
        )
    )
    record(connection, "wave", {"wave": name, "event": event, "run": run})


def keep_declared(
    connection: sa.Connection, declared: Mapping[str, Mapping[str, str]], members: Collection[int], run: int
) -> dict[str, Wave]:
    """Make the ledger's waves those of workspace.yml; where rows are divided anew, they are mapped again by this run.

    Args:
        declared: definition by name.
        members: numbers of the mappings whose rows may belong to a wave.

    Raises:
        GuardError: WAV-003 a wave that is live or closed was removed or divided otherwise.
    """
    known, wave = known_waves(connection), table(connection, "wave")
    removed = [each for name, each in known.items() if name not in declared]
    changed = [each for name, each in known.items() if name in declared and each.definition != dict(declared[name])]
    _refuse_frozen(removed, changed)
    for each in removed:
        connection.execute(sa.delete(wave).where(wave.c.id == each.id))
        note(connection, each.name, "removed", run=run)
    for each in changed:
        text = json.dumps(dict(declared[each.name]), sort_keys=True)
        connection.execute(sa.update(wave).where(wave.c.id == each.id).values(definition=text))
        note(connection, each.name, "changed", run=run)
    new = [name for name in declared if name not in known]
    for name in new:
        text = json.dumps(dict(declared[name]), sort_keys=True)
        values = {"name": name, "state": PLANNED, "since": now(), "definition": text}
        new_id(connection.execute(sa.insert(wave).values(**values)))
        note(connection, name, PLANNED, run=run)
    if removed or changed or new:
        frozen = [each.id for each in known.values() if each.frozen]
        _divide_anew(connection, members, [each.id for each in removed], frozen)
    return known_waves(connection)


def _refuse_frozen(removed: Collection[Wave], changed: Collection[Wave]) -> None:
    wrong = [*((each, "is no longer in") for each in removed), *((each, "has other conditions in") for each in changed)]
    for each, what in wrong:
        if each.frozen:
            raise GuardError(
                "WAV-003",
                f"the wave {each.name} is {each.state}, and {what} workspace.yml",
                hint="Put it back as it was: rows of a wave that is live stay in it. `omnicase wave back` opens a live"
                " wave again.",
                place=Place("workspace.yml"),
            )


def _divide_anew(
    connection: sa.Connection, members: Collection[int], removed: Collection[int], frozen: Collection[int]
) -> None:
    """Let every row that may belong to another wave now be mapped again, and forget the waves that are no more."""
    id_map = table(connection, "id_map")
    if removed:
        gone = id_map.c.wave.in_(list(removed))
        connection.execute(sa.update(id_map).where(gone).values(wave=None, source_hash=None))
    stays = sa.or_(id_map.c.wave.is_(None), id_map.c.wave.not_in(list(frozen) or [-1]))
    mine = id_map.c.mapping_id.in_(sorted(members) or [-1])
    connection.execute(sa.update(id_map).where(mine, stays, id_map.c.state != "gone").values(source_hash=None))
