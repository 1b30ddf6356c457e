"""`status`: the runs of a target and the books of one of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from casemodel import Target, UsageError
from migrate.ledger.store import table
from migrate.status.books import Books, last_run, run_books
from migrate.status.pace import Course, Holder, course, holder
from migrate.status.rehearsals import part_of
from migrate.target.opened import workspace_target
from migrate.workspace import Workspace


@dataclass(frozen=True)
class Status:
    """What the ledger says: the books of one run, and all runs in short."""

    books: Books | None
    runs: tuple[dict[str, Any], ...]
    causes: tuple[tuple[str, str, str, str, int], ...]
    """(mapping, severity, code, field, rows) of the issues now open, most first."""
    undecided: tuple[tuple[str, str, int], ...] = ()
    """(mapping, condition, rows): a NULL left the scope or a rule neither true nor false, and the row passed."""
    course: Course = field(default_factory=Course)
    """How far the run is, and how fast it goes."""
    holder: Holder | None = None
    """Who holds the target now; a run, or somebody who settles something."""

    def as_dict(self) -> dict[str, Any]:
        """Return the document of the command-line contract, with the runs and causes beside it."""
        core = (
            self.books.as_dict()
            if self.books
            else {"run": None, "state": "never run", "balanced": True, "mappings": []}
        )
        names = ("mapping", "severity", "code", "field", "rows")
        return core | {
            "reason": next((run["reason"] for run in self.runs if run["id"] == core["run"]), None),
            "lock": None if self.holder is None else self.holder.as_dict(),
            **self.course.as_dict(),
            "runs": list(self.runs),
            "causes": [dict(zip(names, cause, strict=True)) for cause in self.causes],
            "undecided": [dict(zip(("mapping", "condition", "rows"), each, strict=True)) for each in self.undecided],
        }


def read_status(workspace: Workspace, run_number: int | None) -> Status:
    """Read the status of the workspace's target.

    Raises:
        UsageError: RUN-013 there is no such run.
    """
    target = workspace_target(workspace)
    try:
        with target.engine.connect() as connection:
            run, issue, mapping = (table(connection, name) for name in ("run", "issue", "mapping"))
            runs = tuple(
                _short(dict(row))
                for row in connection.execute(
                    sa.select(
                        run.c.id,
                        run.c.state,
                        run.c.label,
                        run.c.reason,
                        run.c.started_at,
                        run.c.ended_at,
                        run.c.as_of,
                        run.c.command,
                    ).order_by(run.c.id)
                ).mappings()
            )
            count = sa.func.count()
            causes = tuple(
                (row[0], row[1], row[2], row[3], int(row[4]))
                for row in connection.execute(
                    sa.select(mapping.c.name, issue.c.severity, issue.c.code, issue.c.field, count)
                    .join(mapping, mapping.c.id == issue.c.mapping_id)
                    .group_by(mapping.c.name, issue.c.severity, issue.c.code, issue.c.field)
                    .order_by(issue.c.severity, count.desc())
                )
            )
        wanted = run_number if run_number is not None else last_run(target)
        if wanted is not None and wanted not in {row["id"] for row in runs}:
            raise UsageError(
                "RUN-013", f"there is no run {wanted}", hint="See `omnicase status` for the runs.", place="run"
            )
        if wanted is None:
            return Status(None, runs, causes)
        with target.engine.connect() as connection:
            how_far, who = course(connection, wanted), holder(connection)
        return Status(run_books(target, wanted), runs, causes, _undecided(target, wanted), how_far, who)
    finally:
        target.close()


def _short(run: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a run, of its command only the part of the relations that it read."""
    return run | {"part": part_of(json.loads(run.pop("command")))}


def _undecided(target: Target, run: int) -> tuple[tuple[str, str, int], ...]:
    """Add up the conditions of a run that passed because a value was NULL."""
    with target.engine.connect() as connection:
        batch, mapping = table(connection, "batch"), table(connection, "mapping")
        rows = connection.execute(
            sa.select(mapping.c.name, batch.c.counters)
            .join(mapping, mapping.c.id == batch.c.mapping_id)
            .where(batch.c.run_id == run, batch.c.phase == "main", batch.c.counters.contains('"unknown"'))
        ).all()
    counts: dict[tuple[str, str], int] = {}
    for name, text in rows:
        for condition, count in json.loads(text).get("unknown", {}).items():
            counts[name, condition] = counts.get((name, condition), 0) + int(count)
    return tuple((name, condition, count) for (name, condition), count in sorted(counts.items()) if count)
