"""Which codes of the code tables were met so far, from the counts that loads keep."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import sqlalchemy as sa

from casemodel import UNKNOWN_CODE, RefusedError
from migrate.ledger.store import table
from migrate.session import Session
from migrate.target.database import is_current, target_engine

_PARTS = ("\x1f", " + ")
_SHOWN = 5


@dataclass(frozen=True)
class CodeUse:
    """The use of a code table.

    name: its file in ``codes``, or mapping and field of a table written in the mapping.
    mappings: who translate with it; codes: how many it has.
    used: of those so many were met in a load so far, by any of the mappings; None before the first load.
    unused: the others.
    unknown: rows with a code that it does not have, in the load of each mapping that met most codes.
    """

    name: str
    mappings: tuple[str, ...]
    codes: int
    used: int | None = None
    unused: tuple[str, ...] = ()
    unknown: int | None = None


@dataclass
class _Met:
    codes: set[str] = field(default_factory=set)
    unknown: int = 0
    loaded: bool = False


def code_use(session: Session) -> tuple[CodeUse, ...]:
    """Return the use of every code table, by name.  Reads the ledger if there is one; it makes none."""
    users: dict[str, list[str]] = {}
    codes: dict[str, dict[str, None]] = {}
    for file in session.files.values():
        for name, _, found in file.code_tables():
            users.setdefault(name, []).append(file.name)
            codes.setdefault(name, {}).update(dict.fromkeys(found.codes))
    met = _met(session, {(name, mapping) for name, mappings in users.items() for mapping in mappings})
    made = []
    for name in sorted(users):
        mappings, known = tuple(dict.fromkeys(users[name])), codes[name]
        seen = met.get(name, _Met())
        if not seen.loaded:
            made.append(CodeUse(name, mappings, len(known)))
            continue
        unused = tuple(code.replace(*_PARTS) for code in known if code not in seen.codes)
        made.append(CodeUse(name, mappings, len(known), len(known) - len(unused), unused, seen.unknown))
    return tuple(made)


def unused_warnings(session: Session) -> list[RefusedError]:
    """Return a warning MAP-092 for every code table of which loads so far never met some codes."""
    unused = {each.name: each for each in code_use(session) if each.unused}
    found = []
    for file in session.files.values():
        for name, path, _ in file.code_tables():
            if (use := unused.pop(name, None)) is None:
                continue
            shown = ", ".join(use.unused[:_SHOWN]) + (" …" if len(use.unused) > _SHOWN else "")
            found.append(
                RefusedError(
                    "MAP-092",
                    f"no load so far met {len(use.unused)} of the {use.codes} codes of {name}: {shown}",
                    hint="Look for typing errors; `mapping coverage` shows all of them.",
                    place=file.place(*path),
                )
            )
    return found


def _met(session: Session, wanted: set[tuple[str, str]]) -> dict[str, _Met]:
    """Return what loads met of the code tables of mappings that were loaded."""
    engine = target_engine(session.workspace.target_url)
    found: dict[str, _Met] = {}
    try:
        if not is_current(engine):
            return found
        with engine.connect() as connection:
            batch, mapping = table(connection, "batch"), table(connection, "mapping")
            rows = connection.execute(
                sa.select(mapping.c.name, batch.c.run_id, batch.c.counters)
                .join(mapping, mapping.c.id == batch.c.mapping_id)
                .where(batch.c.phase == "main")
            ).all()
    finally:
        engine.dispose()
    runs: dict[tuple[str, str], dict[int, dict[str, int]]] = {}
    loaded = {str(name) for name, _, _ in rows}
    for name, run, text in rows:
        for of_table, code, used in json.loads(text).get("codes", []):
            counted = runs.setdefault((of_table, str(name)), {}).setdefault(int(run), {})
            counted[code] = counted.get(code, 0) + int(used)
    for of_table, name in wanted:
        seen = found.setdefault(of_table, _Met())
        seen.loaded |= name in loaded
        by_run = runs.get((of_table, name), {})
        seen.codes |= {code for counted in by_run.values() for code in counted}
        if by_run:
            seen.unknown += max(by_run.values(), key=lambda counted: sum(counted.values())).get(UNKNOWN_CODE, 0)
    return found
