"""`status`: the runs of a target and the books of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from casemodel import UsageError
from migrate.books import Books, last_run, run_books
from migrate.ledger.store import table
from migrate.run import workspace_target
from migrate.workspace import Workspace


@dataclass(frozen=True)
class Status:
    """What the ledger says: the books of one run, and all runs in short."""

    books: Books | None
    runs: tuple[dict[str, Any], ...]
    causes: tuple[tuple[str, str, str, str, int], ...]
    """(mapping, severity, code, field, rows) of the issues now open, most first."""

    def as_dict(self) -> dict[str, Any]:
        """Return the document of the command-line contract, with the runs and causes beside it."""
        core = (
            self.books.as_dict()
            if self.books
            else {"run": None, "state": "never run", "balanced": True, "mappings": []}
        )
        names = ("mapping", "severity", "code", "field", "rows")
        return core | {
            "runs": list(self.runs),
            "causes": [dict(zip(names, cause, strict=True)) for cause in self.causes],
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
                dict(row)
                for row in connection.execute(
                    sa.select(
                        run.c.id, run.c.state, run.c.label, run.c.started_at, run.c.ended_at, run.c.as_of
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
        return Status(run_books(target, wanted) if wanted is not None else None, runs, causes)
    finally:
        target.close()
