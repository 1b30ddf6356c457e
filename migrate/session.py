"""An open workspace: its sources, its checked and compiled mappings, in the order in which they load."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from casemodel import (
    FingerprintsAhead,
    RefusedError,
    Relation,
    RunsQueries,
    Source,
    SystemFailure,
    TellsOddities,
    UsageError,
)
from connectors import open_source
from mappings import CheckResult, CompiledMapping, MappingFile, Slice, compile_mapping
from migrate.workspace import Workspace

UNMAPPED_COLUMN = "MAP-040"
"""Code of the check for a source column that is neither used nor ignored."""


@dataclass(frozen=True)
class DeclaredWaves:
    """The waves of workspace.yml, compiled.

    slices: wave to mapping to condition.
    members: the mappings whose rows may belong to a wave: those that waves name, and those that are part of them.
    """

    slices: Mapping[str, Mapping[str, Slice]] = field(default_factory=dict)
    members: tuple[str, ...] = ()

    def definitions(self, session: Session) -> dict[str, dict[str, str]]:
        """Return condition by mapping by wave; a mapping by the name that its ids hold, which it keeps when renamed."""
        return {
            wave: {session.mapping(name).id_name: each.text for name, each in slices.items()}
            for wave, slices in self.slices.items()
        }


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
    to_read: frozenset[str] = frozenset()
    """Systems that are going to be read: their fingerprints are taken beside the check."""
    waves: DeclaredWaves | None = None
    """The waves of workspace.yml, compiled; None where there are none, or a mapping is refused."""
    _compiled: dict[str, CompiledMapping] = field(default_factory=dict)

    def source(self, system: str) -> Source:
        """Open a system of the workspace, once."""
        if system not in self.sources:
            if system not in self.workspace.systems:
                known = ", ".join(sorted(self.workspace.systems)) or "none"
                raise UsageError("RUN-010", f"there is no system '{system}'", hint=f"Known systems: {known}.")
            found = self.sources[system] = open_source(self.workspace.systems[system])
            if system in self.to_read and isinstance(found, FingerprintsAhead):
                found.begin_fingerprint()
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
