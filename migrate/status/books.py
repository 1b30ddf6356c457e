"""The books of a run: every source row has one outcome per run and mapping (promise 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from casemodel import OUTCOMES, Counted, Target
from migrate.ledger.store import STANDING, table

GONE = ("kept", "closed", "removed", "held")


@dataclass(frozen=True)
class MappingBooks:
    """The books of one mapping in one run."""

    mapping: str
    target: str
    tally: Counted
    gone: Mapping[str, int]
    """Keys that left the source or the scope, by what became of their records (`GONE`)."""
    source_rows: int
    standing: bool = False
    """Whether the rows were counted as they stand: the relation is byte for byte what it was when it was last read."""

    def as_dict(self) -> dict[str, Any]:
        """Return the books as the contract of the command line has them."""
        return {
            "mapping": self.mapping,
            "target": self.target,
            **self.tally.as_dict(),
            "gone": dict(self.gone),
            "standing": self.standing,
        }


@dataclass(frozen=True)
class Books:
    """The books of one run, as the ledger says them."""

    run: int
    state: str
    mappings: tuple[MappingBooks, ...]
    warnings: int = 0
    """Open warnings of the mappings of this run: losses that a person should know of."""
    label: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    retries: int = 0
    """How often something was tried again since a connection was lost."""

    @property
    def balanced(self) -> bool:
        """Whether read equals the sum of the outcomes for every mapping; no batch commits otherwise."""
        return all(each.tally.read == each.tally.accounted for each in self.mappings)

    @property
    def findings(self) -> int:
        """What a person should look at: rows rejected, parked, late or in conflict, and warnings."""
        tallies = [each.tally for each in self.mappings]
        rows = sum(each.rejected + each.parked + each.conflict + each.late for each in tallies)
        return rows + self.warnings

    def as_dict(self) -> dict[str, Any]:
        """Return {run, state, balanced, mappings} of the command-line contract."""
        return {
            "run": self.run,
            "state": self.state,
            "balanced": self.balanced,
            "warnings": self.warnings,
            "label": self.label,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "retries": self.retries,
            "mappings": [each.as_dict() for each in self.mappings],
        }


def last_run(target: Target) -> int | None:
    """Return the number of the newest run, or None."""
    with target.engine.connect() as connection:
        run = table(connection, "run")
        found = connection.scalar(sa.select(sa.func.max(run.c.id)))
    return None if found is None else int(found)


def run_books(target: Target, run_id: int) -> Books:
    """Read the books of a run from its committed batches."""
    with target.engine.connect() as connection:
        run, batch, mapping, progress = (table(connection, name) for name in ("run", "batch", "mapping", "progress"))
        facts = connection.execute(sa.select(run).where(run.c.id == run_id)).mappings().one()
        sums = [
            # PostgreSQL sums whole numbers to a decimal.
            sa.cast(sa.func.coalesce(sa.func.sum(batch.c[name]), 0), sa.BigInteger).label(name)
            for name in ("read", *OUTCOMES, *(f"gone_{each}" for each in GONE), "source_rows")
        ]
        stands = sa.func.count(sa.case((batch.c.phase == STANDING, 1))).label("standing")
        mine = sa.and_(batch.c.mapping_id == mapping.c.id, batch.c.run_id == run_id)
        rows = (
            connection.execute(
                sa.select(mapping.c.name, mapping.c.target, stands, *sums)
                .select_from(progress.join(mapping, mapping.c.id == progress.c.mapping_id).outerjoin(batch, mine))
                .where(progress.c.run_id == run_id)
                .group_by(mapping.c.id)
                .order_by(mapping.c.id)
            )
            .mappings()
            .all()
        )
        issue = table(connection, "issue")
        of_run = sa.select(progress.c.mapping_id).where(progress.c.run_id == run_id)
        warnings = connection.scalar(
            sa.select(sa.func.count()).where(issue.c.severity == "warning", issue.c.mapping_id.in_(of_run))
        )
    return Books(
        run_id,
        facts["state"],
        tuple(
            MappingBooks(
                row["name"],
                row["target"],
                Counted(read=row["read"], **{name: row[name] for name in OUTCOMES}),
                {name: int(row[f"gone_{name}"]) for name in GONE},
                row["source_rows"],
                row["standing"] > 0,
            )
            for row in rows
        ),
        int(warnings or 0),
        facts["label"],
        facts["started_at"],
        facts["ended_at"],
        facts["retries"],
    )
