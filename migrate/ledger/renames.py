"""Mappings that changed their name (``formerly``) or lost their identity, beside what the ledger has of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from casemodel import GuardError
from mappings import CompiledMapping
from migrate.ledger.store import table


def take_over(connection: sa.Connection, mappings: Iterable[CompiledMapping]) -> list[tuple[str, str]]:
    """Rename in the ledger what is renamed in the workspace; return old and new names.

    Raises:
        GuardError: LED-002 the ledger knows both names, or two old ones; LED-003 the ids of loaded records hold another
            name than the mapping gives them; LED-004 the old mapping filled another table; LED-005 its records were
            made with an identity, which the mapping no longer has.
    """
    known = table(connection, "mapping")
    rows = {row.name: row for row in connection.execute(sa.select(known))}
    renamed = []
    for mapping in mappings:
        old = [name for name in mapping.formerly if name in rows]
        if mapping.giving is None:
            _never_shared(connection, mapping.name, [rows[name].id for name in (mapping.name, *old) if name in rows])
        if not old:
            if mapping.name in rows:
                _same_ids(mapping, rows[mapping.name])
            continue
        if mapping.name in rows or len(old) > 1:
            both = " and ".join([*old, mapping.name] if mapping.name in rows else old)
            raise GuardError(
                "LED-002",
                f"the target holds records of {both}, which would become one mapping",
                hint="Remove formerly, or give the mapping another name.",
                place=mapping.name,
            )
        row = rows[old[0]]
        if row.target != mapping.target:
            raise GuardError(
                "LED-004",
                f"{row.name} filled {row.target}, and {mapping.name} fills {mapping.target}",
                hint="Remove formerly: records do not move to another table.",
                place=mapping.name,
            )
        _same_ids(mapping, row)
        connection.execute(sa.update(known).where(known.c.name == row.name).values(name=mapping.name))
        renamed.append((str(row.name), mapping.name))
    return renamed


def _same_ids(mapping: CompiledMapping, row: sa.Row[Any, Any, Any]) -> None:
    if row.id_name != mapping.id_name:
        raise GuardError(
            "LED-003",
            f"the ids of its records hold the name {row.id_name}, and would get the name {mapping.id_name}",
            hint=f"Write formerly: [{row.id_name}], with every later name behind it, the first name first.",
            place=mapping.name,
        )


def _never_shared(connection: sa.Connection, name: str, numbers: list[int]) -> None:
    """Refuse a mapping without identity whose records others may share: each would stay what all of them made of it."""
    contribution = table(connection, "contribution")
    if numbers and connection.scalar(sa.select(sa.exists().where(contribution.c.mapping_id.in_(numbers)))):
        raise GuardError(
            "LED-005",
            "its records were loaded with an identity, so other systems may share them, and the mapping has none now",
            hint="Put identity back, or load into an empty target: merged records cannot be taken apart.",
            place=name,
        )


def ledger_numbers(connection: sa.Connection, mappings: Iterable[CompiledMapping]) -> dict[str, int]:
    """Return the numbers of all mappings by name; one that no run renamed yet has that of its former name, too."""
    known = table(connection, "mapping")
    numbers = {str(name): int(number) for name, number in connection.execute(sa.select(known.c.name, known.c.id))}
    for mapping in mappings:
        for old in mapping.formerly:
            if old in numbers:
                numbers.setdefault(mapping.name, numbers[old])
    return numbers
