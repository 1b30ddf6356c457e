"""An open workspace: its sources, its checked and compiled mappings, in the order in which they load."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from casemodel import (
    Place,
    RefusedError,
    RefusedMany,
    Relation,
    RunsQueries,
    Source,
    SystemFailure,
    TellsOddities,
    UsageError,
)
from connectors import open_source
from mappings import CheckResult, CompiledMapping, MappingFile, check_mappings, compile_mapping, load_mappings
from migrate.workspace import Workspace

if TYPE_CHECKING:
    from migrate.waves import Declared


@dataclass
class Session:
    """What a command works with.

    Args:
        workspace: the workspace.
        files: its mapping files by name.
        as_of: what "today" is in mappings.
        check: the result of the static check, with the order of the mappings.
    """

    workspace: Workspace
    files: dict[str, MappingFile]
    as_of: date
    sources: dict[str, Source] = field(default_factory=dict)
    check: CheckResult = field(default_factory=lambda: CheckResult((), (), ()))
    waves: Declared | None = None
    """The waves of workspace.yml, compiled; None where there are none, or a mapping is refused."""
    _compiled: dict[str, CompiledMapping] = field(default_factory=dict)

    def source(self, system: str) -> Source:
        """Open a system of the workspace, once."""
        if system not in self.sources:
            if system not in self.workspace.systems:
                known = ", ".join(sorted(self.workspace.systems)) or "none"
                raise UsageError("RUN-010", f"there is no system '{system}'", hint=f"Known systems: {known}.")
            self.sources[system] = open_source(self.workspace.systems[system])
        return self.sources[system]

    def relation(self, system: str, name: str) -> Relation:
        """Return what a system says of one of its relations, or of a query of one of its mappings."""
        source = self.source(system)
        for file in self.files.values():
            if file.query is not None and file.query.name == name and file.system == system:
                if not isinstance(source, RunsQueries):
                    kind = self.workspace.systems[system].kind
                    raise SystemFailure(
                        "CON-025", f"a system of the kind {kind} runs no queries", hint="Name a relation.", place=name
                    )
                source.offer(file.query)
        return source.relation(name)

    def mapping(self, name: str) -> CompiledMapping:
        """Return a mapping, compiled once."""
        if name not in self._compiled:
            file = self.files[name]
            self._compiled[name] = compile_mapping(file, self.relation, self.files, self.workspace.secrets, self.as_of)
        return self._compiled[name]

    @property
    def unmapped(self) -> list[RefusedError]:
        """Source columns that no mapping uses or ignores: refused by `mapping check`, a finding of a run."""
        return [error for error in self.check.errors if error.code == UNMAPPED_COLUMN]

    def oddities(self, names: Sequence[str]) -> list[RefusedError]:
        """Return what the relations of the asked mappings hold beside their values: findings of a run (CON-094)."""
        relations = dict.fromkeys((self.files[each].system, self.files[each].relation) for each in self.selected(names))
        opened = [(self.source(system), name) for system, name in relations]
        return [each for source, name in opened if isinstance(source, TellsOddities) for each in source.oddities(name)]

    def selected(self, names: Sequence[str]) -> list[str]:
        """Return the asked mappings in loading order; none asked means all.

        Raises:
            UsageError: RUN-011 unknown mapping.
        """
        for name in names:
            if name not in self.files:
                near = difflib.get_close_matches(name, self.files, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(self.files))}."
                raise UsageError("RUN-011", f"there is no mapping '{name}'", hint=hint, place="mappings/")
        return [name for name in self.check.order if not names or name in names]

    def close(self) -> None:
        """Close every source."""
        for source in self.sources.values():
            source.close()
        self.sources.clear()


@contextmanager
def open_session(workspace: Workspace, as_of: date) -> Iterator[Session]:
    """Open a workspace for work; every mapping is checked before a row is read.

    Raises:
        RefusedError: a mapping is refused (exit 4), or there is none (RUN-012).
        SystemFailure: a system cannot be reached or read (exit 5).
    """
    loaded = load_mappings(workspace.root / "mappings", workspace.root)
    if not loaded:
        raise RefusedError(
            "RUN-012",
            "the workspace has no mappings",
            hint="Write one in mappings/; see docs/tutorial.md.",
            place="mappings/",
        )
    session = Session(workspace, {file.name: file for file in loaded}, as_of)
    try:
        session.check = check_mappings(
            loaded, session.relation, tuple(workspace.systems), secrets=workspace.secrets, as_of=as_of
        )
        session._compiled.update(session.check.compiled)
        wrong = [error for system in session.sources for error in _wrong_personal(session, system)]
        if wrong and not _drift(session.check.errors):
            raise RefusedMany([*session.check.errors, *wrong])
        if workspace.model.waves and all(error.code == UNMAPPED_COLUMN for error in session.check.errors):
            from migrate.waves import declared_waves

            session.waves = declared_waves(session)
        yield session
    finally:
        session.close()


MISSING_COLUMN = "MAP-060"
"""Code of the check for a source column that is not there: drift when it happens in a run."""

UNMAPPED_COLUMN = "MAP-040"
"""Code of the check for a source column that is neither used nor ignored."""


def _drift(errors: Sequence[RefusedError]) -> list[RefusedError]:
    """Return the columns that the source lost, when nothing else is wrong but columns that it gained."""
    lost = [error for error in errors if error.code == MISSING_COLUMN]
    return lost if all(error.code in (MISSING_COLUMN, UNMAPPED_COLUMN) for error in errors) else []


def refuse_wrong_personal(session: Session, system: str) -> None:
    """Refuse (WSP-006) what `personal:` of an opened system names and the system does not have."""
    wrong = list(_wrong_personal(session, system))
    if wrong:
        raise RefusedMany(wrong)


def _wrong_personal(session: Session, system: str) -> Iterator[RefusedError]:
    """Find names under `personal:` that the system does not have: the column meant would be shown to everybody."""
    declared = session.workspace.model.systems[system].get("personal")
    if declared is None:
        return
    if not isinstance(declared, dict) or any(isinstance(columns, str | dict) for columns in declared.values()):
        yield _not_personal(system, "it does not list columns by relation", "Write personal: {RELATION: [COLUMN]}.")
        return
    source = session.sources[system]
    queries = (file.query.name for file in session.files.values() if file.query is not None and file.system == system)
    relations = {name.upper(): name for name in (*source.relations(), *queries)}
    for name, columns in declared.items():
        found = relations.get(str(name).upper())
        if found is None and _is_query(session.workspace, str(name)):
            continue  # No mapping reads it (a profile knows of no mappings), so it has not told its columns.
        if found is None:
            yield _not_personal(system, f"there is no relation '{name}'", _nearest(str(name), list(relations.values())))
            continue
        known = {column.name.upper(): column.name for column in source.relation(found).columns}
        for column in columns or []:
            if str(column).upper() not in known:
                hint = _nearest(str(column), list(known.values()))
                yield _not_personal(system, f"the relation {found} has no column '{column}'", hint)


def _is_query(workspace: Workspace, name: str) -> bool:
    return name.startswith("queries/") and name in {
        path.relative_to(workspace.root).as_posix() for path in (workspace.root / "queries").glob("*.sql")
    }


def _not_personal(system: str, cause: str, hint: str) -> RefusedError:
    return RefusedError(
        "WSP-006", f"systems.{system}.personal does not hold: {cause}", hint=hint, place=Place("workspace.yml")
    )


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"It has: {', '.join(known[:20])}."


def require_runnable(session: Session) -> None:
    """Refuse to run when the check found errors (exit 4), or the source lacks a column (exit 5, before a row is read).

    A column that no mapping uses is no reason to refuse: see `Session.unmapped`.

    Raises:
        RefusedError: the errors of the check.
        SystemFailure: RUN-001.
    """
    errors = [error for error in session.check.errors if error.code != UNMAPPED_COLUMN]
    drift = _drift(errors)
    if drift:
        raise SystemFailure(
            "RUN-001",
            f"the source is not what the mappings were written for: {drift[0].message}",
            place=drift[0].place,
            hint="The source changed its columns, or the mapping names a wrong one. See `omnicase mapping check`.",
        )
    if errors:
        raise RefusedMany(errors)


def plan_digest(session: Session, names: Sequence[str], revisions: dict[str, str | None]) -> str:
    """Return the digest of what a run would do: mappings and their meaning, target revisions, source contents."""
    mappings = [session.mapping(name) for name in names]
    facts = {
        "mappings": [[each.name, each.file_digest, each.meaning] for each in mappings],
        "revisions": revisions,
        "sources": [
            [each.system, each.relation, session.source(each.system).fingerprint(each.relation)] for each in mappings
        ],
        "as_of": session.as_of.isoformat(),
        "namespace": session.workspace.secrets.fingerprint,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
