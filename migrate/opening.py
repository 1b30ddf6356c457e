"""Opening a workspace for work: every mapping and every wave is checked before a row is read."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from casemodel import Place, RefusedError, RefusedMany, SystemFailure
from mappings import check_mappings, load_mappings
from migrate.session import UNMAPPED_COLUMN, Session
from migrate.waves.declared import declared_waves
from migrate.workspace import Workspace

MISSING_COLUMN = "MAP-060"
"""Code of the check for a source column that is not there: drift when it happens in a run."""


@contextmanager
def open_session(workspace: Workspace, as_of: date, to_load: Sequence[str] | None = None) -> Iterator[Session]:
    """Open a workspace for work; every mapping is checked before a row is read.

    Args:
        to_load: the mappings that are going to be loaded, () for all of them; None: none is.

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
    if to_load is not None:
        session.to_read = frozenset(file.system for file in loaded if not to_load or file.name in to_load)
    try:
        session.check = check_mappings(
            loaded, session.relation, tuple(workspace.systems), secrets=workspace.secrets, as_of=as_of
        )
        session._compiled.update(session.check.compiled)
        wrong = [error for system in session.sources for error in _wrong_personal(session, system)]
        if wrong and not _drift(session.check.errors):
            raise RefusedMany([*session.check.errors, *wrong])
        if workspace.model.waves and all(error.code == UNMAPPED_COLUMN for error in session.check.errors):
            session.waves = declared_waves(session)
        yield session
    finally:
        session.close()


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
