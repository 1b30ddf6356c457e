"""`mapping new`: a first mapping of a relation that nobody has mapped yet."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from casemodel import RefusedError, RefusedMany, UsageError, tables
from mappings import (
    CheckResult,
    Decision,
    Draft,
    LinkTarget,
    MappingFile,
    check_mappings,
    draft_mapping,
    load_mappings,
    parse_mapping,
)
from migrate.profile import RelationProfile, named_relation, profile, saved_profile
from migrate.session import Session
from migrate.workspace import Workspace

OPEN = ("MAP-040", "MAP-041", "MAP-044")
"""Codes with which `mapping check` asks for a decision: a column used or left behind, filled or not."""
_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_MOST_TRIES = 40


@dataclass(frozen=True, slots=True)
class NewMapping:
    """A mapping file as written.

    fields: the target columns that it fills.
    profiled: whether the profile was made for it; otherwise the kept one was used.
    """

    file: str
    name: str
    target: str
    fields: tuple[str, ...]
    decisions: tuple[Decision, ...]
    profiled: bool


def new_mapping(
    workspace: Workspace, asked: str, target: str, *, name: str | None = None, owner: str | None = None
) -> NewMapping:
    """Draft a mapping of ``SYSTEM.RELATION`` to a table of the model and write it; no file is ever overwritten.

    Raises:
        UsageError: PRF-001, PRF-002 no such system or relation; NEW-002 no such table; NEW-004 a name that cannot be.
        RefusedError: NEW-001 the file is there already, NEW-003 a mapping has the name; a mapping of the workspace
            cannot be read.
        SystemFailure: the system cannot be reached or read.
    """
    if target not in tables:
        near = difflib.get_close_matches(target, tables, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Tables: {', '.join(sorted(tables))}."
        raise UsageError("NEW-002", f"the model has no table '{target}'", hint=hint, place="--target")
    session = Session(workspace, {}, date(2000, 1, 1))
    with closing(session):
        system, relation = named_relation(session, asked)
        name = _name(name or f"{system}.{_plain(relation)}")
        path = workspace.root / "mappings" / f"{name}.yml"
        others = load_mappings(workspace.root / "mappings", workspace.root)
        _refuse_taken(path, name, others)
        known, profiled = _profile(session, system, relation)
        draft = _checked(session, known, name, target, owner, others)
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(draft.text)
    except FileExistsError:
        raise _exists(path) from None
    return NewMapping(
        f"mappings/{path.name}", name, target, tuple(draft.fields.values()), tuple(draft.decisions), profiled
    )


def _plain(relation: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", relation.casefold()).strip("_")
    return plain if plain[:1].isalpha() else f"r_{plain}"


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(
            "NEW-004",
            f"'{name}' cannot be the name of a mapping",
            hint="Give --name <system>.<name>, in lower case letters, digits and underscores.",
            place="--name",
        )
    return name


def _refuse_taken(path: Path, name: str, others: Sequence[MappingFile]) -> None:
    if path.exists():
        raise _exists(path)
    taken = next((file for file in others if file.name == name), None)
    if taken is not None:
        raise RefusedError(
            "NEW-003",
            f"there is a mapping {name} already",
            hint="Give the new one another name with --name.",
            place=taken.place("mapping"),
        )


def _exists(path: Path) -> RefusedError:
    return RefusedError(
        "NEW-001",
        "the file is there already, and is not overwritten",
        hint="Remove it, or give the new mapping another name with --name.",
        place=f"mappings/{path.name}",
    )


def _profile(session: Session, system: str, relation: str) -> tuple[RelationProfile, bool]:
    """Return the kept profile while it has the columns that the relation has now, else a new one."""
    kept = saved_profile(session.workspace, system, relation)
    offered = list(session.relation(system, relation).column_names())
    if kept is not None and [column.name for column in kept.columns] == offered:
        return kept, False
    return profile(session.workspace, f"{system}.{relation}").relations[0], True


def _checked(
    session: Session,
    known: RelationProfile,
    name: str,
    target: str,
    owner: str | None,
    others: Sequence[MappingFile],
) -> Draft:
    """Draft, check, and take out what the check refuses, until only decisions are left."""
    links = [
        LinkTarget(file.name, file.relation, tuple(part.column for part in file.model.source.key), file.model.target)
        for file in others
        if file.system == known.system
    ]
    left_out: dict[str, str] = {}
    covered: set[str] = set()
    for _ in range(_MOST_TRIES):
        draft = draft_mapping(
            known.as_dict(), name=name, target=target, owner=owner, links=links, left_out=left_out, covered=covered
        )
        errors, elsewhere = _errors(session, draft, known, name, others)
        refused = [error for error in errors if error.code not in OPEN]
        if not refused and elsewhere <= covered:
            return draft
        covered |= elsewhere
        if not refused:
            continue
        wrong = {draft.fields.get(error.place.line or 0): error for error in refused}
        fields = {field: error for field, error in wrong.items() if field is not None}
        if not fields:
            draft.decisions += [Decision(error.code, "file", error.message) for error in refused]
            return draft
        left_out |= {field: f"a first guess did not hold ({error.code})" for field, error in fields.items()}
    return draft


def _errors(
    session: Session, draft: Draft, known: RelationProfile, name: str, others: Sequence[MappingFile]
) -> tuple[list[RefusedError], set[str]]:
    """Return what `mapping check` will say of the draft, and the columns that other mappings cover."""
    shown = f"mappings/{name}.yml"
    try:
        file = parse_mapping(draft.text.encode(), shown_as=shown, codes=session.workspace.root / "codes")
    except RefusedMany as many:
        return list(many.errors), set()
    except RefusedError as error:
        return [error], set()
    found: CheckResult = check_mappings([*others, file], session.relation, tuple(session.workspace.systems))
    elsewhere = {
        column.name
        for relation in found.coverage.relations
        if (relation.system, relation.relation.casefold()) == (known.system, known.relation.casefold())
        for column in relation.columns
        if column.covered and set(column.mappings) != {name}
    }
    return [error for error in found.errors if error.place.file == shown], elsewhere
