"""Mapping the batches of a pass in other processes; this one reads, and commits in the order of reading.

A batch is what it would have been here: the worker sees what is committed, and where a link or lookup goes to what
earlier batches of the same pass commit, it waits until the ledger has them.  Whichever executor runs the workers, any
number of them gives the same target and the same ledger.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field, fields
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import Secrets, SystemFailure, Target
from connectors import open_target
from mappings import load_mappings
from migrate.ledger.tables import ledger_table
from migrate.pipeline.batch import Batch
from migrate.pipeline.context import LoadContext
from migrate.pipeline.links import LedgerLinks
from migrate.pipeline.mapped_batch import Loader, open_loader
from migrate.pipeline.overlap import PatientLinks
from migrate.pipeline.reading import ReadBatch
from migrate.session import Session
from migrate.workspace import load_workspace

_LOOK_AGAIN = 0.02
"""Seconds after which a worker looks again whether an earlier batch is committed."""
_HERE = ("target", "secrets")
"""What of a `LoadContext` stays in its process: connections, and keys, which a worker derives for itself."""


@dataclass(frozen=True)
class Workers:
    """Where batches are mapped: an executor, how many batches it maps at once, and how a worker opens the workspace."""

    executor: Executor
    count: int
    root: Path
    env: str | None
    as_of: date
    target_url: str


@dataclass(frozen=True)
class Pass:
    """One pass over a relation, as its workers know it.

    facts: the fields of its `LoadContext` but those of `_HERE`.
    links: how links are resolved, as `LedgerLinks` is told.
    begun: number of the batch that this start of the run commits first.
    """

    root: Path
    env: str | None
    as_of: date
    target_url: str
    mapping: str
    digests: tuple[str, str]
    facts: Mapping[str, Any]
    links: Mapping[str, Any]
    duplicates: pl.Series
    begun: int

    @property
    def name(self) -> tuple[str, int, int, str]:
        """Tell passes apart."""
        return self.target_url, self.facts["run_id"], self.facts["epoch"], self.mapping


def begin_pass(workers: Workers, context: LoadContext, loader: Loader, begun: int) -> Pass:
    """Return what workers need to know of a pass."""
    mapping = loader.mapping
    facts = {each.name: getattr(context, each.name) for each in fields(context) if each.name not in _HERE}
    return Pass(
        workers.root,
        workers.env,
        workers.as_of,
        workers.target_url,
        mapping.name,
        (mapping.file_digest, mapping.meaning),
        facts,
        loader.links.told(),
        loader.duplicates,
        begun,
    )


def mapped_by(workers: Workers, work: Pass, read: Iterable[ReadBatch]) -> Iterator[Batch]:
    """Yield the batches of what is read, in its order; one more than there are workers is on its way.

    Raises:
        SystemFailure: RUN-030 a worker died; RUN-031 a worker has another workspace.
    """
    pending: deque[Future[Batch]] = deque()
    try:
        for number, each in enumerate(read):
            pending.append(workers.executor.submit(map_apart, work, number, each))
            if len(pending) > workers.count:
                yield _made(pending.popleft())
        while pending:
            yield _made(pending.popleft())
    finally:
        for left in pending:
            left.cancel()


def _made(found: Future[Batch]) -> Batch:
    try:
        return found.result()
    except Exception as error:
        if not isinstance(error, BrokenExecutor) and not type(error).__module__.startswith("distributed"):
            raise
        raise SystemFailure(
            "RUN-030",
            "a worker process ended before its work was done",
            hint="What is committed stays. It may have lacked memory: take fewer --workers, and run again.",
            place="--workers",
        ) from None


@dataclass
class _Opened:
    """What a worker keeps open from one batch to the next."""

    work: Pass
    session: Session
    target: Target
    loader: Loader
    parent: int = field(default_factory=os.getppid)

    def close(self) -> None:
        """Close the source and the target."""
        self.session.close()
        self.target.close()


_opened: dict[str, _Opened] = {}
"""The pass that this process works at; it begins the next one by leaving this."""


def map_apart(work: Pass, number: int, read: ReadBatch) -> Batch:
    """Map one batch of a pass; runs in a worker.

    Args:
        number: of the batch, from 0 at the first that is read.
    """
    mine = _at_work(work)
    links, mapping = mine.loader.links, mine.loader.mapping
    links.forget(mapping.name, mapping.target)
    wait = partial(_wait, mine, work.begun + number)
    patient = PatientLinks(links, links.siblings(mapping.name), mapping.target, None, wait)
    return mine.loader.batch_of(mine.loader.sifted(read), patient, first=work.begun + number == 0)


def _at_work(work: Pass) -> _Opened:
    found = _opened.get("pass")
    if found is not None and found.work.name == work.name:
        return found
    if found is not None:
        found.close()
    _opened["pass"] = _open(work)
    return _opened["pass"]


def _open(work: Pass) -> _Opened:
    workspace = load_workspace(work.root, work.env)
    files = {file.name: file for file in load_mappings(workspace.root / "mappings", workspace.root)}
    session = Session(workspace, files, work.as_of)
    mapping = session.mapping(work.mapping) if work.mapping in files else None
    if mapping is None or (mapping.file_digest, mapping.meaning) != work.digests:
        raise SystemFailure(
            "RUN-031",
            "a worker has another mapping, code table or namespace than the run",
            hint="Workers must see the same workspace and the same namespace; do not edit it while a run goes on.",
            place=work.mapping,
        )
    target = open_target(work.target_url)
    context = _context(target, workspace.secrets, work.facts)
    links = LedgerLinks(target, context.mapping_ids, full_read=context.full_read, **work.links)
    loader = open_loader(context, mapping, links, lambda _changes: work.duplicates)
    return _Opened(work, session, target, loader)


def _context(target: Target, secrets: Secrets, facts: Mapping[str, Any]) -> LoadContext:
    return LoadContext(target=target, secrets=secrets, **facts)


def _wait(mine: _Opened, needed: int) -> None:
    """Wait until the ledger has so many batches of the pass.

    Raises:
        SystemFailure: RUN-030 the process that commits is gone, or another run took the target over.
    """
    while not _committed(mine, needed):
        if os.getppid() != mine.parent:
            raise SystemFailure("RUN-030", "the process that commits ended", place="--workers", hint="Run again.")
        time.sleep(_LOOK_AGAIN)


def _committed(mine: _Opened, needed: int) -> bool:
    if needed == 0:
        return True
    target, facts = mine.target, mine.work.facts
    batch, lock = ledger_table(target.dialect, "batch"), ledger_table(target.dialect, "lock")
    number = facts["mapping_ids"][mine.work.mapping]
    last = sa.select(sa.func.coalesce(sa.func.max(batch.c.seq), -1)).where(
        batch.c.run_id == facts["run_id"], batch.c.mapping_id == number, batch.c.phase == "main"
    )
    found = target.query(sa.select(last.scalar_subquery(), lock.c.epoch).select_from(lock), ("seq", "epoch"))
    if int(found["epoch"][0]) != facts["epoch"]:
        raise SystemFailure("RUN-030", "another run took the target over", place="--workers", hint="See `status`.")
    return int(found["seq"][0]) + 1 >= needed
