"""The facts that gates of runbooks ask for: out of the ledger of this target, and nowhere else.

What is not known is None, and makes no condition true: no run, a run over a part, a reconciliation that a later run or
rollback has outdated.
"""

from __future__ import annotations

import json
from decimal import ROUND_CEILING, Decimal

import sqlalchemy as sa

from casemodel import Target
from migrate.ledger.store import table
from migrate.ledger.undo import ROLLED_BACK
from migrate.status.books import run_books
from migrate.status.rehearsals import part_of
from migrate.target.opened import workspace_target
from migrate.verdicts import last_verdict
from migrate.waves.status import read_journey
from migrate.workspace import Workspace
from runbooks import FactValue, fact_names

_MILLIONTH = Decimal("0.000001")


def gate_facts(workspace: Workspace) -> dict[str, FactValue]:
    """Return every fact by its name.

    Raises:
        GuardError: DBS-003 the target is not upgraded (exit 6).
        SystemFailure: the target cannot be read.
    """
    found: dict[str, FactValue] = dict.fromkeys(fact_names(workspace.model.waves))
    target = workspace_target(workspace)
    try:
        found |= _of_run(target)
        found |= _of_reconciliation(target)
    finally:
        target.close()
    return found | _of_waves(workspace)


def _of_run(target: Target) -> dict[str, FactValue]:
    with target.engine.connect() as connection:
        run = table(connection, "run")
        last = connection.execute(
            sa.select(run.c.id, run.c.state, run.c.command)
            .where(run.c.state != ROLLED_BACK)
            .order_by(run.c.id.desc())
            .limit(1)
        ).one_or_none()
    if last is None:
        return {}
    facts: dict[str, FactValue] = {"run.last": int(last.id), "run.finished": last.state == "completed"}
    command = json.loads(last.command)
    if command.get("mappings") or part_of(command) is not None:
        # Books of some mappings or rows say nothing of the others.
        return facts
    books = run_books(target, int(last.id))
    tallies = [each.tally for each in books.mappings]
    read, rejected = sum(each.read for each in tallies), sum(each.rejected for each in tallies)
    rate = (Decimal(rejected) / read).quantize(_MILLIONTH, ROUND_CEILING) if read else None
    return facts | {
        "books.balanced": books.balanced,
        "rejects.count": rejected,
        "rejects.rate": rate,
        "parked.count": sum(each.parked for each in tallies),
        "conflicts.count": sum(each.conflict for each in tallies),
        "late.count": sum(each.late for each in tallies),
    }


def _of_reconciliation(target: Target) -> dict[str, FactValue]:
    with target.engine.connect() as connection:
        verdict = last_verdict(connection)
    if verdict is None or verdict.outdated is not None or not verdict.whole:
        return {}
    waived = sum(check["findings"] for check in verdict.checks if check["outcome"] == "waived")
    return {
        "reconcile.in_balance": verdict.verdict == "in_balance",
        "reconcile.findings": sum(check["findings"] for check in verdict.checks if check["outcome"] == "failed"),
        "reconcile.waived": waived,
        "reconcile.moved_on": sum(check["moved_on"] for check in verdict.checks),
    }


def _of_waves(workspace: Workspace) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {}
    waves = read_journey(workspace).waves
    for each in waves:
        facts[f"wave.{each.name}.live"] = each.state == "live"
        facts[f"wave.{each.name}.closed"] = each.state == "closed"
        if each.by_mapping:
            facts |= {f"wave.{each.name}.{name}": count for name, count in each.stand.as_dict().items()}
    return facts | {"waves.open": sum(each.state != "closed" for each in waves)}


def standing_runs(workspace: Workspace, after: int) -> list[int]:
    """Return the runs after one that were not rolled back, the newest first."""
    target = workspace_target(workspace)
    try:
        with target.engine.connect() as connection:
            run = table(connection, "run")
            newer = sa.select(run.c.id).where(run.c.id > after, run.c.state != ROLLED_BACK).order_by(run.c.id.desc())
            return [int(each) for each in connection.scalars(newer)]
    finally:
        target.close()


def newest_run(workspace: Workspace) -> int:
    """Return the number of the newest run of the target, rolled back or not; 0 when it has none."""
    target = workspace_target(workspace)
    try:
        with target.engine.connect() as connection:
            run = table(connection, "run")
            return int(connection.scalar(sa.select(sa.func.max(run.c.id))) or 0)
    finally:
        target.close()
