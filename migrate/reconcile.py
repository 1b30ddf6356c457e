"""`reconcile`: both sides read again, judged and reported."""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from casemodel import Target
from migrate import __version__
from migrate.ledger.store import now, table
from migrate.ledger.undo import ROLLED_BACK
from migrate.opening import require_runnable
from migrate.proof import Sample, build_proofs, journal_of
from migrate.session import Session
from migrate.status.trend import last_runs, note_verdict, wave_lines
from migrate.target.opened import workspace_target
from migrate.verdicts import record_verdict
from migrate.waivers.kept import counting_waivers, today
from reconciliation import (
    LEVELS,
    KeptFindings,
    Report,
    ReportContext,
    Terms,
    build_report,
    judge,
    require_place,
    watched_keys,
    with_waivers,
    write_report,
)

_ZONE = ZoneInfo("Europe/Amsterdam")
_HOLD_ALL = frozenset(["json", "xlsx"])
"""Kinds of report that hold every finding."""


@dataclass(frozen=True)
class Reconciled:
    """The report and the files it was written to."""

    report: Report
    files: tuple[Path, ...]
    anew: tuple[str, ...] = ()
    """Mappings that cannot be taken over when this is interrupted, nor were: a source of theirs promises nothing."""


@contextmanager
def reconcile(
    session: Session,
    mappings: Sequence[str],
    levels: Sequence[str],
    kinds: Sequence[str],
    lang: str,
    *,
    listed: bool,
    sample: Sample | None = None,
    resume: bool = False,
) -> Iterator[Reconciled]:
    """Compare source and target of the mappings, write the reports asked for, and record the verdict.

    Args:
        levels: levels to run; none means all.
        kinds: ``html``, ``json``, ``junit``, ``txt``, ``xlsx``.
        listed: whether all findings are to be read from the report as long as the block lasts; else some are.
        sample: the records to compare; None: all.
        resume: take over what an interrupted reconciliation kept.

    Raises:
        UsageError: REC-001, REC-002 unknown level or kind, RUN-011 unknown mapping.
        GuardError: DBS-003 the target is not upgraded, REC-043 there is nothing to resume, REC-044 another
            reconciliation is at work.
        SystemFailure: VRD-001 the verdict cannot be recorded.
    """
    require_runnable(session)
    names = session.selected(mappings)
    reports = session.workspace.reports
    if kinds:
        require_place(reports, kinds)
    with KeptFindings(reports) if listed or _HOLD_ALL & set(kinds) else nullcontext() as kept:
        target = workspace_target(session.workspace)
        try:
            asked = _Asked(tuple(names), tuple(levels) or LEVELS, kept, sample, resume)
            began = now()
            report, anew = _report(session, target, asked)
            stamp = report.context.reconciled_at.strftime("%Y%m%d-%H%M%S")
            written = write_report(report, reports, f"aansluiting-{stamp}", kinds, lang) if kinds else []
            whole = set(names) == set(session.files)
            record_verdict(target, report, written, began=began, all_mappings=whole)
        finally:
            target.close()
        yield Reconciled(report, tuple(written), anew)


@dataclass(frozen=True)
class _Asked:
    """What is asked of a reconciliation."""

    names: tuple[str, ...]
    levels: tuple[str, ...]
    kept: KeptFindings | None
    sample: Sample | None
    resume: bool

    @property
    def share(self) -> float | None:
        """The share of the records that is compared."""
        return None if self.sample is None else self.sample.share


def _report(session: Session, target: Target, asked: _Asked) -> tuple[Report, tuple[str, ...]]:
    waivers, started = counting_waivers(target, session.workspace), time.perf_counter()
    # Before anything is read: a run that ends meanwhile is not the one that is judged.
    context, workspace = _context(session, target), session.workspace
    names, watched = asked.names, watched_keys(waivers)
    question = {
        "levels": asked.levels,
        "sample": asked.share,
        "all_findings": asked.kept is not None,
        "watched": sorted([name, sorted(keys)] for name, keys in watched.items()),
    }
    with (
        build_proofs(session, target, names, datetime.now(UTC), asked.sample) as proofs,
        journal_of(session, target, question, resume=asked.resume) as journal,
    ):
        verdict = judge(
            proofs.mappings, asked.levels, target=proofs.target, kept=asked.kept, watched=watched, sample=asked.share,
            journal=journal,
        )  # fmt: skip
        facts = [proof.facts for proof in proofs.mappings]
    meanings = {each.mapping: each.meaning for each in facts}
    terms = Terms(today(), signed_only=session.workspace.production)
    verdict = with_waivers(verdict, waivers, meanings, terms)
    context = replace(context, reconciled_at=datetime.now(_ZONE))
    if set(names) == set(session.files):
        note_verdict(workspace, target, context.run, verdict, time.perf_counter() - started)
    trend = last_runs(workspace, context.run, context.run_started)
    anew = () if journal is None else tuple(dict.fromkeys(journal.unpromised))
    return build_report(verdict, facts, context, trend=trend, waves=wave_lines(workspace)), anew


def _context(session: Session, target: Target) -> ReportContext:
    workspace = session.workspace
    with target.engine.connect() as connection:
        run = table(connection, "run")
        stands = sa.select(run).where(run.c.state != ROLLED_BACK).order_by(run.c.id.desc()).limit(1)
        last = connection.execute(stands).mappings().first()
    return ReportContext(
        workspace=workspace.name,
        municipality=workspace.municipality,
        environment=workspace.env or "",
        reconciled_at=datetime.now(_ZONE),
        label=(last["label"] or "") if last else "",
        run=str(last["id"]) if last else "",
        run_started=_moment(last["started_at"]) if last else None,
        run_finished=_moment(last["ended_at"]) if last else None,
        as_of=date.fromisoformat(last["as_of"]) if last else None,
        program_version=__version__,
        machine=socket.gethostname(),
        target=target.name,
        user=getpass.getuser(),
        namespace_fingerprint=workspace.secrets.fingerprint,
    )


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC).astimezone(_ZONE)
