"""Questions about documents that rows carry: can their folders be read, and the content store be written."""

from __future__ import annotations

from collections.abc import Iterator

from connectors import SystemConfig, check_folders, look_at_store
from migrate.doctor.diagnosis import Diagnosis, failed, finding, guarded, passed
from migrate.doctor.machine import LEAST_DISK
from migrate.workspace import Workspace


def examine_documents(workspace: Workspace) -> Iterator[Diagnosis]:
    """Answer the questions about the documents of a workspace; none of them when no row carries any."""
    carrying = [config for config in workspace.systems.values() if config.options.get("documents")]
    for config in carrying:
        yield from guarded(f"documents {config.name}", lambda config=config: _folders(config))  # type: ignore[misc]
    if carrying:
        yield from guarded("content store", lambda: _store(workspace.documents))


def _folders(config: SystemConfig) -> Iterator[Diagnosis]:
    relations = check_folders(config)
    yield passed(f"documents {config.name}", f"those of {relations} relations can be read", f"systems.{config.name}")


def _store(place: str) -> Iterator[Diagnosis]:
    room, where = look_at_store(place), "documents.store"
    if room.writable is False:
        yield failed("content store", "DOC-030", "the content store cannot be written",
                     "Give yourself the right to write there, or name another folder as documents: {store: …}.", where)
    elif room.open_to_others:
        yield finding("content store", "DOC-031", "the content store can be read by others",
                      "Take the rights of the others away (chmod go-rwx).", where)
    elif room.free is not None and room.free < LEAST_DISK:
        yield finding("content store", "DOC-032", f"the content store has {room.free // 2**20:,} MB left",
                      "Free space, or name a folder on another disk as documents: {store: …}.", where)
    elif room.free is None:
        yield passed("content store", "it is reached; whether it can be written, only a run tells", where)
    else:
        yield passed("content store", f"it can be written, {room.free // 2**20:,} MB are free", where)
