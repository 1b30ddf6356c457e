"""What the files of a run were: told to those who run it, kept in the ledger, and held against the last delivery."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from casemodel import CONVERTED, DETECTED, DeliveredFile, KeepsDocuments, RefusedError, SystemFailure, TellsFiles
from connectors import read_volume
from migrate.ledger.store import table
from migrate.running.selection import Selection
from migrate.session import Session

_DIGITS = 12
"""So many digits of the digest of a delivery name it."""


def delivered(session: Session, names: Sequence[str]) -> dict[tuple[str, str], tuple[DeliveredFile, ...]]:
    """Return the files of the relations that some mappings read, by system and relation."""
    found: dict[tuple[str, str], tuple[DeliveredFile, ...]] = {}
    for name in names:
        place = (session.mapping(name).system, session.mapping(name).relation)
        source = session.source(place[0])
        if place not in found and isinstance(source, TellsFiles):
            found[place] = source.files(place[1])
    return found


def keep_documents(session: Session, names: Sequence[str]) -> None:
    """Have the documents that the rows of some mappings carry copied to the content store, as they are read.

    Raises:
        SystemFailure: CON-077 it cannot be written (exit 5).
    """
    for system in dict.fromkeys(session.mapping(name).system for name in names):
        source = session.source(system)
        if isinstance(source, KeepsDocuments):
            source.keep_documents(session.workspace.documents)


def file_facts(session: Session, names: Sequence[str]) -> dict[str, Any]:
    """Return what the ledger keeps of the files of a run: nothing where there are none."""
    found = {
        f"{system}.{relation}": [asdict(file) for file in files]
        for (system, relation), files in delivered(session, names).items()
    }
    return {"files": found} if found else {}


def detected(session: Session, names: Sequence[str]) -> list[RefusedError]:
    """Return a warning CON-076 for every relation of which an encoding was detected, saying which for how many files.

    What was detected may be wrong, and a wrong encoding spoils names without any error.
    """
    warnings = []
    for (system, relation), files in delivered(session, names).items():
        counts: dict[str, int] = {}
        for file in files:
            if DETECTED in dict(file.notes):
                counts[file.encoding] = counts.get(file.encoding, 0) + 1
        if counts:
            told = ", ".join(f"{encoding} in {count}" for encoding, count in sorted(counts.items()))
            warnings.append(
                RefusedError(
                    "CON-076",
                    f"the encoding of {sum(counts.values())} of {len(files)} files was detected: {told}",
                    hint="Look at some names with accents, and declare the encoding.",
                    place=f"{system}.{relation}",
                )
            )
    return warnings


def converted_twice(session: Session, names: Sequence[str]) -> list[RefusedError]:
    """Return a warning CON-097 for every relation with lines that were converted twice and no mapping repairs."""
    repaired = {
        (session.mapping(name).system, session.mapping(name).relation)
        for name in names
        if _holds(session.files[name].tree, "fix_mojibake")
    }
    warnings = []
    for place, files in delivered(session, names).items():
        lines = sum(dict(file.notes).get(CONVERTED, 0) for file in files)
        if lines and place not in repaired:
            warnings.append(
                RefusedError(
                    "CON-097",
                    f"{lines:,} lines seem to be UTF-8 that was read in another encoding (JosÃ© for José)",
                    hint="Correct the setting encoding, ask for a right delivery, or take the step fix_mojibake.",
                    place=".".join(place),
                )
            )
    return warnings


def _holds(tree: object, step: str) -> bool:
    """Tell whether a mapping names a step anywhere."""
    if isinstance(tree, Mapping):
        return step in tree or any(_holds(each, step) for each in tree.values())
    if isinstance(tree, list | tuple):
        return any(_holds(each, step) for each in tree)
    return tree == step


def skipped_lines(session: Session, names: Sequence[str]) -> Iterator[str]:
    """Yield a line for every relation of which something was skipped as declared, or read in another way."""
    for (system, relation), files in delivered(session, names).items():
        counts: dict[str, int] = {}
        for file in files:
            for note, count in file.notes:
                if note not in (CONVERTED, DETECTED):
                    counts[note] = counts.get(note, 0) + count
        if counts:
            told = ", ".join(f"{note} {count:,}" for note, count in counts.items())
            yield f"{system}.{relation}: beside the rows of {len(files)} files: {told}."


def refuse_small(connection: sa.Connection, session: Session, selection: Selection) -> None:
    """Refuse a delivery that holds a smaller share of the last one than its relation allows (`min_share`).

    The last one is that of the newest completed run over the whole relation, by the count that the ledger kept.

    Raises:
        SystemFailure: CON-075 (exit 5), unless the settings confirm this very delivery by its digest.
    """
    if selection.part is not None:
        return
    rules = {}
    for name in selection.names:
        mapping = session.mapping(name)
        rule = read_volume(session.workspace.systems[mapping.system], mapping.relation)
        if rule is not None:
            rules[name] = rule
    last = _last_counts(connection, rules)
    for name, rule in rules.items():
        mapping, now = session.mapping(name), selection.expected[name]
        if name not in last or now is None or now >= rule.share * last[name]:
            continue
        digest = session.source(mapping.system).fingerprint(mapping.relation)
        if rule.confirmed and digest.startswith(rule.confirmed):
            continue
        raise SystemFailure(
            "CON-075",
            f"the delivery holds {now:,} records, the last one held {last[name]:,}: less than {rule.share:.0%} of it",
            hint=f"Ask whether it is complete; if it is, add confirmed: {digest[:_DIGITS]} to the relation.",
            place=f"{mapping.system}.{mapping.relation}",
        )


def _last_counts(connection: sa.Connection, wanted: Mapping[str, Any]) -> dict[str, int]:
    """Return how many records the newest completed run over a whole relation counted, for each mapping that has one."""
    found: dict[str, int] = {}
    if not wanted:
        return found
    run = table(connection, "run")
    done = sa.select(run.c.command).where(run.c.state == "completed").order_by(run.c.id.desc())
    for (command,) in connection.execute(done):
        kept = json.loads(command)
        if "limit" in kept or "keys" in kept:
            continue
        for name, count in (kept.get("expected") or {}).items():
            if name in wanted and name not in found and count is not None:
                found[name] = count
        if len(found) == len(wanted):
            break
    return found
