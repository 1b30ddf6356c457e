"""Questions about a workspace: its configuration, folders, systems and target."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from casemodel import OmnicaseError, Rights, Source, SystemFailure, TellsRights
from connectors import SystemConfig, open_source
from migrate.doctor.diagnosis import Diagnosis, Outcome, failed, finding, guarded, of_error, passed
from migrate.doctor.documents import examine_documents
from migrate.doctor.target import examine_target
from migrate.keys import machine_name, machine_signer, workspace_trust
from migrate.workspace import Workspace, load_workspace

_DOCUMENTS_GONE = ("CON-078", "CON-079")
_PRIVATE = ("keys", "reports", "evidence")
_OURS_TO_WRITE = (".", "workspace.yml", "mappings", "codes")
_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def examine_workspace(folder: Path, env: str | None) -> Iterator[Diagnosis]:
    """Answer every question about the workspace in a folder; when it cannot be read, only that is said."""
    try:
        workspace = load_workspace(folder, env)
    except OmnicaseError as error:
        yield of_error("workspace", error)
        return
    yield passed("workspace", f"workspace '{workspace.name}' is read", str(workspace.root))
    yield from guarded("namespace", lambda: _namespace(workspace))
    yield from _folders(workspace)
    yield from guarded("machine key", lambda: _machine_key(workspace))
    for config in workspace.systems.values():
        yield from _system(config, production=workspace.production)
    yield from examine_documents(workspace)
    yield from guarded("target", lambda: examine_target(workspace))


def _namespace(workspace: Workspace) -> Iterator[Diagnosis]:
    kind = "a public namespace, for examples only" if workspace.model.namespace.public else "a namespace of its own"
    yield passed("namespace", f"{kind} (fingerprint {workspace.secrets.fingerprint})")


def _machine_key(workspace: Workspace) -> Iterator[Diagnosis]:
    """Ask whether this machine signs the heads of the evidence: in production it should."""
    key = machine_signer(workspace)
    mine = [each for each in workspace_trust(workspace).of_person(machine_name()) if each.revoked is None]
    if key is not None:
        yield passed("machine key", f"key {key.id} signs the heads of the evidence", "keys/")
    elif mine:
        yield finding("machine key", "DOC-015", "the private key of this machine is not here, so nothing is signed",
                      "Name its folder in OMNICASE_KEYS, or revoke it and make another: `omnicase key new --machine`.",
                      f"keys/{mine[0].person}-{mine[0].id}.json")
    elif workspace.production:
        yield finding("machine key", "DOC-015", "this machine has no key, so heads of the evidence are not signed",
                      "Make one: `omnicase key new --machine`.", "keys/")


def _folders(workspace: Workspace) -> Iterator[Diagnosis]:
    loose = [name for name in _PRIVATE if _mode(workspace.root / name) & _BY_OTHERS]
    loose += [f"keys/{file.name}" for file in _files(workspace.root / "keys") if _mode(file) & _BY_OTHERS]
    loose += [name for name in _OURS_TO_WRITE if _mode(workspace.root / name) & _WRITE_BY_OTHERS]
    if not os.access(workspace.root, os.W_OK | os.X_OK):
        yield failed("folders", "DOC-010", "the workspace cannot be written, so reports have no place",
                     "Give yourself the right to write in it.", str(workspace.root))
    elif loose:
        yield finding("folders", "DOC-011", f"open to others: {', '.join(loose)}",
                      f"chmod go-rwx {' '.join(loose)}", str(workspace.root))
    else:
        yield passed("folders", "keys and results are private", str(workspace.root))
    if not list((workspace.root / "mappings").glob("*.yml")):
        yield finding("mappings", "DOC-012", "there are no mapping files", "Write the first one.", "mappings")


def _system(config: SystemConfig, *, production: bool) -> Iterator[Diagnosis]:
    check = f"system {config.name}"
    try:
        source = open_source(config)
    except OmnicaseError as error:
        yield of_error(check, error)
        return
    try:
        names = source.relations()
        for name in names:
            _look_at(source, name)
    except OmnicaseError as error:
        yield of_error(check, error)
    else:
        yield passed(check, f"{config.kind}, {len(names)} relations can be read", f"systems.{config.name}")
        if isinstance(source, TellsRights):
            yield from guarded(f"rights {config.name}", partial(_rights, config, source.rights, production))
    finally:
        source.close()


def _look_at(source: Source, relation: str) -> None:
    """Ask for a relation; that its documents are not there is the answer to a question of its own."""
    try:
        source.relation(relation)
    except SystemFailure as failure:
        if failure.code not in _DOCUMENTS_GONE:
            raise


def _rights(config: SystemConfig, ask: Callable[[], Rights], production: bool) -> Iterator[Diagnosis]:
    """Ask whether the role of a source may only read, over a connection that is protected (in production they must)."""
    check, where, found = f"rights {config.name}", f"systems.{config.name}", ask()
    if found.excess:
        more = finding(check, "DOC-013", f"the role may do more than read: {'; '.join(found.excess)}",
                       "Read with a role that may only SELECT; docs/engineer.md has the SQL that makes one.", where)
        yield replace(more, outcome=Outcome.FAILED, status=6) if production else more
    if found.unprotected:
        yield finding(check, "DOC-014", f"the server is not verified: {found.unprotected}",
                      "Write sslmode=verify-full in the URL; in production it is refused without.", where)
    if not found.excess and not found.unprotected:
        yield passed(check, f"{found.server}, the role {found.role} may only read", where)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0


def _files(folder: Path) -> list[Path]:
    """Return the files that must be private: public keys are not."""
    files = folder.iterdir() if folder.is_dir() else ()
    return [file for file in files if file.is_file() and file.name != "README.md" and file.suffix != ".json"]
