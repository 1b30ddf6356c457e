"""What the ledger says for the declaration: runs, books, causes, waves, and what people did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from casemodel import OUTCOMES, Target
from migrate.declaration.blanks import Blank, known
from migrate.ledger.store import UNDONE, table
from migrate.ledger.undo import ROLLED_BACK
from migrate.status.books import Books, run_books
from migrate.status.rehearsals import part_of
from migrate.verdicts import VerdictRecord, last_verdict

_COUNTS = ("compared_source", "compared_target", "moved_on", "findings")


def runs(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return all runs, the oldest first: when, what for, by whom, and whether it was taken back."""
    run, undo = table(connection, "run"), table(connection, "undo")
    per_run = sa.select(undo.c.run_id, sa.func.count()).where(undo.c.spared.is_not(None)).group_by(undo.c.run_id)
    spared = {row[0]: int(row[1]) for row in connection.execute(per_run)}
    return [
        {
            "number": row["id"],
            "state": row["state"],
            "label": row["label"],
            "reason": row["reason"],
            "started_at": row["started_at"],
            "ended_at": known(row["ended_at"], "never_ended"),
            "as_of": row["as_of"],
            "who": row["os_user"],
            "host": row["host"],
            "program": row["program"],
            "model_revision": row["model_revision"],
            "plan_digest": row["plan_digest"],
            "part": part_of(json.loads(row["command"])),
            "undone_at": row["undone_at"],
            "undone_by": row["undone_by"],
            "undone_reason": known(row["undone_reason"], "no_reason") if row["state"] == ROLLED_BACK else None,
            "spared": spared.get(row["id"], 0),
        }
        for row in connection.execute(sa.select(run).order_by(run.c.id)).mappings()
    ]


def loaded_mappings(target: Target) -> dict[str, dict[str, Any]]:
    """Return by mapping what its last run that stands left: books, digests, stock and causes."""
    with target.engine.connect() as connection:
        progress, mapping = table(connection, "progress"), table(connection, "mapping")
        last = (
            sa.select(progress.c.mapping_id, sa.func.max(progress.c.run_id).label("run_id"))
            .where(progress.c.state != UNDONE)
            .group_by(progress.c.mapping_id)
            .subquery()
        )
        rows = connection.execute(
            sa.select(mapping.c.name, mapping.c.id, mapping.c.target, progress)
            .join(last, last.c.mapping_id == mapping.c.id)
            .join(progress, sa.and_(progress.c.mapping_id == mapping.c.id, progress.c.run_id == last.c.run_id))
            .order_by(mapping.c.name)
        ).mappings().all()  # fmt: skip
        stock, causes = _stock(connection), _causes(connection)
        scope, files = _scope(connection), _files(connection, {row["run_id"] for row in rows})
    books = {run: run_books(target, run) for run in {row["run_id"] for row in rows}}
    return {
        row["name"]: {
            "run": row["run_id"],
            "target": row["target"],
            "digest": row["file_digest"],
            "meaning": row["meaning"],
            "source_digest": row["fingerprint"],
            "source_content": known(row["content"], "not_kept"),
            "read_in_full": bool(row["full_read"]),
            "files": files[row["run_id"]],
            "books": _books(books[row["run_id"]], row["name"]),
            "stock": stock.get(row["id"], {}),
            "out_of_scope": scope.get(row["id"], []),
            "rejected": [each for each in causes.get(row["id"], []) if each["severity"] == "error"],
            "losses": [each for each in causes.get(row["id"], []) if each["severity"] == "warning"],
        }
        for row in rows
    }


def _books(books: Books, name: str) -> dict[str, Any]:
    """Return the books of a mapping: what was read, each outcome, whether they add up, and what became of gone keys."""
    (mine,) = [each for each in books.mappings if each.mapping == name]
    tally = mine.tally.as_dict()
    amounts = {outcome: tally[outcome] for outcome in ("read", *OUTCOMES)}
    return {
        **amounts,
        "balanced": amounts["read"] == sum(amounts[outcome] for outcome in OUTCOMES),
        "gone": dict(mine.gone),
        "source_rows": mine.source_rows,
    }


def _stock(connection: sa.Connection) -> dict[int, dict[str, int]]:
    id_map, count = table(connection, "id_map"), sa.func.count()
    found: dict[int, dict[str, int]] = {}
    rows = sa.select(id_map.c.mapping_id, id_map.c.state, count).group_by(id_map.c.mapping_id, id_map.c.state)
    for number, state, keys in connection.execute(rows.order_by(id_map.c.mapping_id, id_map.c.state)):
        found.setdefault(number, {})[state] = int(keys)
    return found


def _scope(connection: sa.Connection) -> dict[int, list[dict[str, Any]]]:
    id_map, count = table(connection, "id_map"), sa.func.count()
    found: dict[int, list[dict[str, Any]]] = {}
    rows = (
        sa.select(id_map.c.mapping_id, id_map.c.reason, count)
        .where(id_map.c.state == "out_of_scope")
        .group_by(id_map.c.mapping_id, id_map.c.reason)
        .order_by(id_map.c.mapping_id, count.desc(), id_map.c.reason)
    )
    for number, reason, keys in connection.execute(rows):
        found.setdefault(number, []).append({"reason": known(reason, "no_reason"), "rows": int(keys)})
    return found


def _causes(connection: sa.Connection) -> dict[int, list[dict[str, Any]]]:
    issue, count = table(connection, "issue"), sa.func.count()
    kinds = (issue.c.mapping_id, issue.c.severity, issue.c.code, issue.c.field)
    found: dict[int, list[dict[str, Any]]] = {}
    rows = sa.select(*kinds, count).group_by(*kinds).order_by(issue.c.mapping_id, count.desc(), *kinds[2:])
    for number, severity, code, field, issues in connection.execute(rows):
        cause = {"severity": severity, "code": code, "field": field, "rows": int(issues)}
        found.setdefault(number, []).append(cause)
    return found


def _files(connection: sa.Connection, numbers: set[int]) -> dict[int, dict[str, Any]]:
    """Return by run the files that it read, by ``SYSTEM.RELATION``."""
    run = table(connection, "run")
    rows = connection.execute(sa.select(run.c.id, run.c.command).where(run.c.id.in_(numbers)))
    return {number: json.loads(command).get("files", {}) for number, command in rows}


def verdict(connection: sa.Connection) -> dict[str, Any] | Blank:
    """Return the newest verdict, with its checks added up by level."""
    last = last_verdict(connection)
    if last is None:
        return Blank("no_verdict")
    return {
        "number": last.number,
        "at": last.at,
        "who": last.os_user,
        "host": last.host,
        "program": last.program,
        "verdict": last.verdict,
        "run": known(last.run, "not_loaded"),
        "environment": known(last.environment, "no_environment"),
        "whole": last.whole,
        "sample": last.sample,
        "outdated": last.outdated,
        "lacking": [{"level": level, "reason": reason} for level, reason in last.lacking.items()],
        "levels": [_level(last, level) for level in last.levels],
        "outcomes": last.outcomes,
        "findings": last.findings,
        "waived": last.waived,
        "reports": list(last.reports),
    }


def _level(last: VerdictRecord, level: str) -> dict[str, Any]:
    checks = [check for check in last.checks if check["level"] == level]
    outcomes = ("passed", "failed", "waived", "not_applicable")
    return {
        "level": level,
        "checks": len(checks),
        **{outcome: sum(check["outcome"] == outcome for check in checks) for outcome in outcomes},
        **{name: sum(int(check[name]) for check in checks) for name in _COUNTS},
    }


def waves(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return the waves and where each is."""
    wave = table(connection, "wave")
    rows = connection.execute(sa.select(wave.c.name, wave.c.state, wave.c.since).order_by(wave.c.id)).mappings()
    return [dict(row) for row in rows]


def deeds(connection: sa.Connection) -> dict[str, Any]:
    """Return what people did: conflicts that were settled, values shown unmasked, releases by hand, purges."""
    resolution, disclosure, unlock, purge = (
        table(connection, name) for name in ("resolution", "disclosure", "unlock", "purge")
    )
    count = sa.func.count()
    settled = connection.execute(
        sa.select(resolution.c.code, resolution.c.choice, count)
        .group_by(resolution.c.code, resolution.c.choice)
        .order_by(resolution.c.code, resolution.c.choice)
    )
    return {
        "settled": [{"code": code, "choice": choice, "records": int(found)} for code, choice, found in settled],
        "disclosures": int(connection.scalar(sa.select(count).select_from(disclosure)) or 0),
        "unlocks": [
            {"at": row["at"], "who": row["os_user"], "run": row["run_id"], "reason": row["reason"]}
            for row in connection.execute(sa.select(unlock).order_by(unlock.c.id)).mappings()
        ],
        "purges": [_purge(row) for row in connection.execute(sa.select(purge).order_by(purge.c.id)).mappings()],
    }


def _purge(row: Mapping[Any, Any]) -> dict[str, Any]:
    removed = {name: each["rows"] for name, each in json.loads(row["removed"]).items()}
    return {
        "at": row["at"], "who": row["os_user"], "before": row["before"], "wave": row["wave"],
        "rows": sum(removed.values()),
    }  # fmt: skip
