"""A run: one invocation that loads, resumable at any batch (DESIGN.md, section 6)."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from casemodel import BugError, GuardError, OmnicaseError, Target
from connectors import open_target
from mappings import cursor_rule, delete_rule
from migrate import __version__
from migrate.deliveries import file_facts, keep_documents, refuse_small
from migrate.evidence.record import record
from migrate.ledger.lock import hold_lock, one_starts, refuse_if_held, release_lock, take_lock
from migrate.ledger.renames import take_over
from migrate.ledger.store import check_namespace, fully_read, mapping_ids, new_id, now, table
from migrate.ledger.undo import refuse_half_undone
from migrate.ledger.waves import known_waves
from migrate.opening import require_runnable
from migrate.pipeline.adopted import adopted_records
from migrate.pipeline.context import LoadContext, RunWaves
from migrate.pipeline.contributions import shared_records
from migrate.pipeline.deletes import delete_gone
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.links import LedgerLinks
from migrate.pipeline.load import MappingLoad
from migrate.pipeline.part import Part
from migrate.pipeline.retry import resumed
from migrate.pipeline.rings import find_rings
from migrate.pipeline.shared_commit import remove_leftovers
from migrate.pipeline.waits import waiting_mappings
from migrate.pipeline.workers import Workers
from migrate.progress import progress
from migrate.running.allocators import trim
from migrate.running.bulk import bulk, require_bulk
from migrate.running.executors import require_workers, scheduled, spawned
from migrate.running.interrupt import patient
from migrate.running.options import RunOptions, RunResult
from migrate.running.selection import Selection, select
from migrate.running.strict import refuse_warnings
from migrate.session import DeclaredWaves, Session, plan_digest
from migrate.status.books import run_books
from migrate.status.rehearsals import remembered
from migrate.target.database import current, heads, require_current
from migrate.target.opened import refuse_pooler, workspace_target
from migrate.waves.declared import begin_waves, refuse_two_waves
from migrate.workspace import Workspace

_MOST_ROUNDS = 200

UNFINISHED = ("running", "interrupted", "failed")


def load(session: Session, options: RunOptions, *, target_url: str | None = None) -> RunResult:
    """Load the selected mappings into the target.

    Args:
        target_url: another target than the workspace's (for `plan`, a copy).

    Raises:
        GuardError: DBS-003 the target is not upgraded, LED-001 another namespace, RUN-020 too many rejects,
            RUN-021 nothing to resume, RUN-022 more deletes than allowed, RUN-041 no bulk load into what holds records,
            RUN-043 no bulk load by who does not own the tables, TGT-026 a pooler stands before the target,
            UND-004 a rollback is not finished, WAV-… a wave is live (exit 6).
        RefusedError: WAV-004 a row belongs to two waves.
        LockedError: another run holds the target (exit 7).
    """
    require_runnable(session)
    names = session.selected(options.mappings)
    if options.strict:
        refuse_warnings(session, names)
    selection = select(session, names, options.limit, options.keys)
    if session.waves is not None:
        refuse_two_waves(session, session.waves, names)
    target = open_target(target_url or session.workspace.target_url)
    try:
        require_current(target.engine)
        refuse_pooler(target)
        with target.engine.connect() as connection:
            refuse_small(connection, session, selection)
        digest = selection.digest(plan_digest(session, names, current(target.engine)))
        loaded = {session.mapping(name).target for name in names} if options.bulk else None
        require_bulk(target, loaded)
        require_workers(options.scheduler)
        if target_url is None:
            keep_documents(session, names)
        start = _start(session, target, selection, options, digest)
        kept = remembered(session.workspace, target, start.context.run_id) if target_url is None else nullcontext()
        with kept, _ending(start.context), patient(), bulk(target, loaded):
            _load_all(session, start.context, selection, options)
            failpoint("before-finish")
        books = resumed(start.context, lambda: run_books(target, start.context.run_id))
        moved_on = sorted(start.context.moved_on) if start.resumed else ()
        return RunResult(books, start.resumed, start.abandoned, tuple(moved_on), selection.unknown)
    finally:
        target.close()


def refuse_if_locked(workspace: Workspace) -> None:
    """Refuse at once when another run holds the target, before sources are opened and mappings compiled.

    Raises:
        LockedError: LED-007.
    """
    try:
        target = workspace_target(workspace)
    except OmnicaseError:
        # A target that is missing or behind is held by nobody; `load` says what is wrong with it, in its turn.
        return
    try:
        with target.engine.connect() as connection:
            refuse_if_held(connection)
    finally:
        target.close()


@dataclass(frozen=True)
class _Start:
    context: LoadContext
    resumed: bool
    abandoned: int | None


def _start(session: Session, target: Target, selection: Selection, options: RunOptions, digest: str) -> _Start:
    compiled = [session.mapping(name) for name in session.check.order]
    failpoint("before-start")
    with target.transaction() as connection:
        one_starts(connection)
        check_namespace(connection, session.workspace.secrets)
        refuse_half_undone(connection)
        renamed = take_over(connection, compiled)
        numbers = mapping_ids(connection, [(each.name, each.id_name, each.target, each.meaning) for each in compiled])
        run = table(connection, "run")
        waves = _waves(connection, session, numbers, options)
        digest = hashlib.sha256(json.dumps([digest, waves.facts]).encode()).hexdigest() if waves.names else digest
        last = connection.execute(
            sa.select(run.c.id, run.c.plan_digest, run.c.command)
            .where(run.c.state.in_(UNFINISHED))
            .order_by(run.c.id.desc())
            .limit(1)
        ).first()
        was_full = last is not None and bool(json.loads(last.command).get("full"))
        same = last is not None and last.plan_digest == digest and (was_full or not options.full)
        if options.resume and not same:
            raise _not_resumable(None if last is None else int(last.id))
        begun = None if last is None or not same else int(last.id)
        run_id = begun or _new_run(connection, session, options, selection, digest, renamed)
        epoch = take_lock(connection, run_id, images_of=run_id)
        others = sa.and_(run.c.state.in_(UNFINISHED), run.c.id != run_id)
        connection.execute(sa.update(run).where(others).values(state="abandoned", ended_at=now()))
        started = {"state": "running", "ended_at": None, "host": socket.gethostname(), "pid": os.getpid()}
        connection.execute(sa.update(run).where(run.c.id == run_id).values(started))
        full, adopted = fully_read(connection), adopted_records(connection)
        told = {"run": run_id, "resumed": begun is not None, "plan_sha256": digest, **_inputs(session, selection)}
        record(connection, "run", told)
        failpoint("before-start-commit")
    failpoint("after-start")
    context = LoadContext(
        target,
        session.workspace.secrets,
        run_id,
        epoch,
        numbers,
        session.workspace.model.run.batch_rows,
        full,
        frozenset(numbers[each.name] for each in compiled if each.records_by_group),
        shared_records(compiled, numbers, adopted),
        waves=waves,
        full=was_full if same else options.full,
        adopted=adopted,
    )
    return _Start(context, same, int(last.id) if last is not None and not same else None)


def _inputs(session: Session, selection: Selection) -> dict[str, Any]:
    """Return what a run goes by: the digests of mappings and of what the sources say their relations hold."""
    mappings = [session.mapping(name) for name in selection.names]
    prints = {(each.system, each.relation): session.source(each.system).fingerprint(each.relation) for each in mappings}
    return {
        "mappings": {each.name: each.file_digest for each in mappings},
        "sources": {".".join(of): hashlib.sha256(text.encode()).hexdigest() for of, text in sorted(prints.items())},
    }


def _not_resumable(last: int | None) -> GuardError:
    changed = f"run {last} cannot be resumed: mappings, codes, sources or target changed since"
    return GuardError(
        "RUN-021",
        "there is no unfinished run to resume" if last is None else changed,
        hint="Run without --resume: a new run starts, and only what changed is written.",
        place="run",
    )


def _waves(
    connection: sa.Connection, session: Session, numbers: dict[str, int], options: RunOptions
) -> RunWaves:
    """Return what the run does with each wave; one that was removed from workspace.yml is forgotten first."""
    if session.waves is None and options.wave is None and not known_waves(connection):
        return RunWaves()
    last = connection.scalar(sa.select(sa.func.max(table(connection, "run").c.id)))
    return begin_waves(connection, session, session.waves or DeclaredWaves(), numbers, int(last or 0) + 1, options.wave)


def _new_run(
    connection: sa.Connection,
    session: Session,
    options: RunOptions,
    selection: Selection,
    digest: str,
    renamed: Sequence[tuple[str, str]],
) -> int:
    command: dict[str, Any] = {"mappings": list(options.mappings), "max_rejects": options.max_rejects}
    command |= {"order": selection.names, "expected": selection.expected, **selection.facts}
    command |= file_facts(session, selection.names)
    if options.strict:
        command["strict"] = True
    if options.full:
        command["full"] = True
    if options.wave is not None:
        command["wave"] = options.wave
    if renamed:
        command["renamed"] = [list(names) for names in renamed]
    inserted = connection.execute(
        sa.insert(table(connection, "run")).values(
            state="running",
            started_at=now(),
            as_of=session.as_of.isoformat(),
            label=options.label,
            reason=options.reason,
            program=__version__,
            plan_digest=digest,
            command=json.dumps(command),
            host=socket.gethostname(),
            pid=os.getpid(),
            os_user=getpass.getuser(),
            model_revision=heads("model")["model"],
        )
    )
    return new_id(inserted)


@contextmanager
def _ending(context: LoadContext) -> Iterator[None]:
    """Write down how the run ended, and give the lock back."""
    state = "failed"
    try:
        yield
        state = "completed"
    except KeyboardInterrupt:
        state = "interrupted"
        raise
    except GuardError:
        state = "stopped"
        raise
    finally:
        resumed(context, partial(_end, context, state))
        failpoint("after-end")


def _end(context: LoadContext, state: str) -> None:
    with context.target.transaction() as connection:
        run = table(connection, "run")
        # Who took the lock over goes on with the same run and says how it ends.
        if release_lock(connection, context.epoch):
            values = {"state": state, "ended_at": now(), "retries": run.c.retries + context.patience.count}
            mine = sa.and_(run.c.id == context.run_id, run.c.state == "running")
            connection.execute(sa.update(run).where(mine).values(values))
            record(connection, "run-ended", {"run": context.run_id, "state": state})
        failpoint("before-end-commit")


def _load_all(session: Session, context: LoadContext, selection: Selection, options: RunOptions) -> None:
    names = selection.names
    by_record = frozenset(name for name in session.check.order if session.mapping(name).records_by_group)
    siblings = {name: frozenset(each.mappings.values()) for name, each in context.shared.items()}
    links = LedgerLinks(context.target, context.mapping_ids, by_record, context.full_read, siblings)
    with ExitStack() as stack:
        workers = stack.enter_context(_workers(session, context, options))
        loads = {name: _mapping_load(session, context, name, links, workers, selection.part) for name in names}

        def closed() -> None:
            for each in loads.values():
                each.close()

        def afresh() -> None:
            links.forget_all()
            closed()

        stack.callback(closed)
        for name in names:
            resumed(context, partial(_load, loads[name], options, selection.expected[name]), afresh)
            if name != names[-1]:
                resumed(context, partial(_settle, context, [loads[name]]), afresh)
        resumed(context, partial(_settle, context, list(loads.values())), afresh)
        gates = {name: each.gate() for name, each in loads.items() if each.mapping.giving}
        resumed(context, partial(remove_leftovers, context, gates))
        resumed(context, partial(_mark_done, context))
        if selection.part is not None:
            return
        rules = {name: rule for name in names if (rule := delete_rule(session.files[name])) is not None}
        resumed(context, partial(delete_gone, context, [session.mapping(name) for name in names], rules))
        # What was linked to by a record that is removed now.
        resumed(context, partial(remove_leftovers, context, gates))


@contextmanager
def _workers(session: Session, context: LoadContext, options: RunOptions) -> Iterator[Workers | None]:
    """Give what maps the batches in other processes, when that was asked for."""
    if options.workers == 1 and options.scheduler is None:
        yield None
        return
    with spawned(options.workers) if options.scheduler is None else scheduled(options.scheduler) as (executor, count):
        url = context.target.engine.url.render_as_string(hide_password=False)
        workspace = session.workspace
        yield Workers(executor, count, workspace.root, workspace.env, session.as_of, url)


def _load(load: MappingLoad, options: RunOptions, expected: int | None) -> None:
    with progress(load.mapping.name, expected) as bar:
        load.load(bar, max_rejects=options.max_rejects)
    # Small blocks that live on lie scattered in what the batches used: mapping after mapping it would add up.
    trim()


def _mark_done(context: LoadContext) -> None:
    with context.target.transaction() as connection:
        hold_lock(connection, context.epoch)
        done = table(connection, "progress")
        connection.execute(sa.update(done).where(done.c.run_id == context.run_id).values(state="done"))
        failpoint("before-done-commit")


def _mapping_load(
    session: Session,
    context: LoadContext,
    name: str,
    links: LedgerLinks,
    workers: Workers | None,
    part: Part | None,
) -> MappingLoad:
    mapping = session.mapping(name)
    source = session.source(mapping.system)
    # Of a part the cursor says nothing: its high water is that of what was read to its end.
    cursor = cursor_rule(session.files[name]) if part is None else None
    return MappingLoad(context, mapping, source, source.relation(mapping.relation), links, cursor, workers, part)


def _settle(context: LoadContext, loads: Sequence[MappingLoad]) -> None:
    """Try waiting rows again until nothing moves; circles of links are then loaded without the link and filled."""
    for _ in range(_MOST_ROUNDS):
        moved = {each.number for each in loads}
        if len(loads) > 1:
            moved = waiting_mappings(context, moved)
        tried = sum(each.retry() for each in loads if each.number in moved)
        if not tried and (rings := find_rings(context, [each.mapping for each in loads])) is not None:
            tried = sum(each.open_rings(rings) for each in loads)
        if not tried:
            return
    raise BugError(
        "BUG-004",
        f"rows that wait for each other did not settle in {_MOST_ROUNDS} rounds: our bug",
        hint="What is committed stays and is consistent. Report this with the output of `omnicase status`.",
    )


def as_of_date(text: str | None) -> date:
    """Return what "today" is in mappings: as asked, else the day it is."""
    return date.fromisoformat(text) if text else datetime.now(ZoneInfo("Europe/Amsterdam")).date()
