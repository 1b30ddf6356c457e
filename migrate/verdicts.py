"""The verdicts of `reconcile` as the ledger keeps them: what gates, the declaration and the auditor go by.

A verdict holds counts, names and digests; nothing of a row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from casemodel import SystemFailure, Target
from migrate.evidence.record import record
from migrate.ledger.store import doer, new_id, table
from migrate.ledger.undo import ROLLED_BACK, ROLLING_BACK
from reconciliation import Report

_ZONE = ZoneInfo("Europe/Amsterdam")
_OUTDATED_BY_RUN = "run {run} loaded after it"
_OUTDATED_BY_ROLLBACK = "run {run} was rolled back after it"
_OUTDATED_BY_WAIVER = "waiver {number}, which it counts, was revoked or has expired since"
_CHECK = (
    "check", "level", "mapping", "about", "outcome", "compared_source", "compared_target", "moved_on", "findings",
    "waived", "tolerances", "tolerated",
)  # fmt: skip
_GROUP = ("id", "check", "mapping", "field", "cause", "difference", "count", "waived")


@dataclass(frozen=True, kw_only=True)
class VerdictRecord:
    """One verdict of the ledger.

    at: when it began to read, UTC, as the ledger writes moments: of what came after that it does not tell.
    run: the newest run that stood then; None: none.
    lacking: level that balance needs -> ``not_run``, ``failed`` or ``compared_nothing``.
    sample: share of the keys that was compared; None: all.
    mappings: ``mapping``, ``digest`` of its file and ``meaning`` of each.
    checks: ``check``, ``level``, ``mapping``, ``about``, ``outcome`` and counts of each.
    waived: how many of the findings waivers accept.
    groups: ``id``, ``check``, ``mapping``, ``field``, ``cause``, ``difference``, ``count`` and ``waived`` of each group
        of like findings.
    waivers: ``id`` and ``status`` of each waiver that was not revoked.
    reports: ``file`` and ``sha256`` of each.
    outdated: why it no longer tells of the target as it is; None: no run and no rollback came after it.
    """

    number: int
    at: str
    os_user: str
    host: str
    program: str
    verdict: str
    run: int | None
    environment: str | None
    levels: tuple[str, ...]
    lacking: dict[str, str]
    sample: str | None
    mappings: tuple[dict[str, str], ...]
    all_mappings: bool
    checks: tuple[dict[str, Any], ...]
    findings: int
    waived: int
    groups: tuple[dict[str, Any], ...]
    waivers: tuple[dict[str, Any], ...]
    reports: tuple[dict[str, str], ...]
    outdated: str | None = None

    @property
    def outcomes(self) -> dict[str, int]:
        """How many checks have each outcome."""
        found: dict[str, int] = {}
        for check in self.checks:
            found[check["outcome"]] = found.get(check["outcome"], 0) + 1
        return found

    @property
    def whole(self) -> bool:
        """Whether it is about all mappings and all keys, and every level that balance needs ran."""
        return self.all_mappings and self.sample is None and "not_run" not in self.lacking.values()


def record_verdict(
    target: Target, report: Report, files: Iterable[Path], *, began: str, all_mappings: bool
) -> int:
    """Keep a verdict in the ledger and return its number.

    Args:
        began: when reading began, as the ledger writes moments.

    Raises:
        SystemFailure: VRD-001 the ledger cannot be written; then the verdict counts for no gate.
    """
    verdict, context = report.verdict, report.context
    values = {
        **doer(),
        # A run that began and ended while both sides were read must outdate it, too.
        "at": began,
        "verdict": verdict.verdict,
        "run_id": int(context.run) if context.run else None,
        "environment": context.environment or None,
        "levels": _json(list(verdict.levels)),
        "lacking": _json(dict(verdict.lacking)),
        "mappings": _json(
            [
                {"mapping": each.mapping, "digest": each.mapping_digest, "meaning": each.meaning}
                for each in report.facts
            ]
        ),
        "all_mappings": int(all_mappings),
        "checks": _json([{name: getattr(check, name) for name in _CHECK} for check in verdict.checks]),
        "findings": verdict.finding_count,
        "waived": verdict.waived_count,
        "groups": _json([{name: getattr(group, name) for name in _GROUP} for group in verdict.groups]),
        "waivers": _json([{"id": use.waiver.number, "status": use.status} for use in verdict.waivers]),
        "sample": None if verdict.sample is None else str(verdict.sample),
        "reports": _json([{"file": path.name, "sha256": file_digest(path)} for path in files]),
    }
    try:
        with target.engine.begin() as connection:
            number = new_id(connection.execute(sa.insert(table(connection, "verdict")).values(**values)))
            record(connection, "verdict", {"number": number, **_told(values)})
            return number
    except sa.exc.DBAPIError:
        raise SystemFailure(
            "VRD-001",
            "the verdict could not be recorded in the ledger, so no gate and no declaration can go by it",
            hint="Look whether the target can be written, and by whom; then reconcile again.",
            place="ledger",
        ) from None


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """Return what the evidence says of a verdict: its counts and digests, and a digest of all that the ledger keeps."""
    told = {name: values[name] for name in ("verdict", "run_id", "findings", "all_mappings")}
    whole = hashlib.sha256(_json(values).encode()).hexdigest()
    return told | {"levels": json.loads(values["levels"]), "reports": json.loads(values["reports"]), "sha256": whole}


def last_verdict(connection: sa.Connection) -> VerdictRecord | None:
    """Return the newest verdict, with the reason when it no longer tells of the target as it is."""
    found = verdicts(connection, newest=1)
    return found[0] if found else None


def verdicts(connection: sa.Connection, newest: int | None = None) -> tuple[VerdictRecord, ...]:
    """Return the verdicts of the ledger, the newest first.

    Args:
        newest: how many at most.
    """
    kept = table(connection, "verdict")
    rows = connection.execute(sa.select(kept).order_by(kept.c.id.desc()).limit(newest)).mappings().all()
    return tuple(
        VerdictRecord(
            number=row["id"], at=row["at"], os_user=row["os_user"], host=row["host"], program=row["program"],
            verdict=row["verdict"], run=row["run_id"], environment=row["environment"],
            levels=tuple(json.loads(row["levels"])), lacking=json.loads(row["lacking"]), sample=row["sample"],
            mappings=tuple(json.loads(row["mappings"])), all_mappings=bool(row["all_mappings"]),
            checks=tuple(json.loads(row["checks"])), findings=row["findings"], waived=row["waived"],
            groups=tuple(json.loads(row["groups"])), waivers=tuple(json.loads(row["waivers"])),
            reports=tuple(json.loads(row["reports"])),
            outdated=_outdated(connection, row["at"]) or _without_waiver(connection, json.loads(row["waivers"])),
        )
        for row in rows
    )  # fmt: skip


def _outdated(connection: sa.Connection, at: str) -> str | None:
    """Return what changed the target since a moment: a run that was still busy then or began later, or a rollback."""
    run = table(connection, "run")
    half = run.c.state == ROLLING_BACK
    moved = sa.or_(run.c.started_at > at, run.c.ended_at > at, run.c.ended_at.is_(None), half)
    loaded = connection.scalar(sa.select(sa.func.min(run.c.id)).where(run.c.state != ROLLED_BACK, moved))
    if loaded is not None:
        return _OUTDATED_BY_RUN.format(run=loaded)
    undone = connection.scalar(sa.select(sa.func.min(run.c.id)).where(run.c.undone_at > at))
    return None if undone is None else _OUTDATED_BY_ROLLBACK.format(run=undone)


def _without_waiver(connection: sa.Connection, waivers: Iterable[dict[str, Any]]) -> str | None:
    """Return which of the waivers that a verdict counts is none any more; nothing else outdates it by itself."""
    counted = [each["id"] for each in waivers if each["status"] == "counts"]
    if not counted:
        return None
    waiver, event = table(connection, "waiver"), table(connection, "waiver_event")
    revoked = sa.exists().where(event.c.waiver_id == waiver.c.id, event.c.event == "revoked")
    gone = sa.select(sa.func.min(waiver.c.id)).where(
        waiver.c.id.in_(counted), sa.or_(revoked, waiver.c.until < datetime.now(_ZONE).date().isoformat())
    )
    number = connection.scalar(gone)
    return None if number is None else _OUTDATED_BY_WAIVER.format(number=number)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
