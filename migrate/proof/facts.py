"""The facts of a mapping for the report: what the ledger and the workspace say.  They are shown, never proof."""

from __future__ import annotations

import json

import sqlalchemy as sa

from casemodel import Source, Target, column_info, tables
from mappings import CompiledMapping
from migrate.ledger.store import UNDONE, table
from migrate.session import Session
from migrate.shown import Shown
from migrate.status.books import run_books
from reconciliation import Facts, IssueCount, SampleRow

SAMPLES = 5
"""Masked rows shown per issue."""


_MOST_EXAMPLES = 3


def mapping_facts(
    session: Session, target: Target, mapping: CompiledMapping, source: Source, number: int, shown: Shown
) -> Facts:
    """Read the facts of one mapping."""
    with target.engine.connect() as connection:
        progress, known = table(connection, "progress"), table(connection, "mapping")
        last = connection.execute(
            sa.select(progress.c.run_id, progress.c.full_read)
            .where(progress.c.mapping_id == number, progress.c.state != UNDONE)
            .order_by(progress.c.run_id.desc())
            .limit(1)
        ).first()
        meaning = connection.scalar(sa.select(known.c.meaning).where(known.c.id == number))
        part_read = _part_read(connection, last.run_id) if last else "the mapping was never run"
        states = _states(connection, number)
        issues = _issues(connection, number)
        samples = tuple(_samples(connection, number, mapping, shown, issues))
        scope, (repaired, examples) = _scope_reasons(connection, number), _repaired(connection, number)
    books = (
        next((each for each in run_books(target, last.run_id).mappings if each.mapping == mapping.name), None)
        if last
        else None
    )
    model = tables[mapping.target]
    full = bool(last and last.full_read)
    return Facts(
        mapping=mapping.name,
        system=mapping.system,
        relation=mapping.relation,
        target=mapping.target,
        target_label=(model.comment or "").partition(" · ")[0],
        labels={name: column_info(mapping.target, name)["dutch"] for name in mapping.fields},
        owner=mapping.owner or "",
        mapping_digest=mapping.file_digest,
        meaning=mapping.meaning,
        loaded_meaning=meaning if last else None,
        run=str(last.run_id) if last else None,
        tally=books.tally.as_dict() if books else {},
        gone=dict(books.gone) if books else {},
        states=states,
        full_read=full,
        stock_reason="" if full else part_read,
        source_rows_now=source.count(mapping.relation),
        from_rows=books.source_rows if books else None,
        fingerprint=source.fingerprint(mapping.relation),
        issues=issues,
        samples=samples,
        scope_reasons=scope,
        repaired=repaired,
        repair_examples=examples,
        ignored=tuple(mapping.ignored),
        unfilled=tuple(mapping.unfilled),
    )


def _part_read(connection: sa.Connection, run_id: int) -> str:
    """Say why a run did not read all of its relations."""
    run = table(connection, "run")
    command = json.loads(connection.scalar(sa.select(run.c.command).where(run.c.id == run_id)) or "{}")
    if "limit" in command:
        return f"the last run read at most {command['limit']:,} rows of the relation (--limit)"
    if "keys" in command:
        return f"the last run read only {command['keys']:,} keys of the relation (--keys)"
    return "the relation was not read in full by the last run"


def _states(connection: sa.Connection, number: int) -> dict[str, int]:
    id_map = table(connection, "id_map")
    rows = connection.execute(
        sa.select(id_map.c.state, sa.func.count()).where(id_map.c.mapping_id == number).group_by(id_map.c.state)
    )
    return {state: int(count) for state, count in rows}


def _issues(connection: sa.Connection, number: int) -> tuple[IssueCount, ...]:
    issue = table(connection, "issue")
    count = sa.func.count()
    rows = connection.execute(
        sa.select(issue.c.code, issue.c.field, issue.c.severity, count)
        .where(issue.c.mapping_id == number)
        .group_by(issue.c.code, issue.c.field, issue.c.severity)
        .order_by(count.desc(), issue.c.code, issue.c.field)
    )
    return tuple(IssueCount(code, field, severity, int(found)) for code, field, severity, found in rows)


def _samples(
    connection: sa.Connection, number: int, mapping: CompiledMapping, shown: Shown, issues: tuple[IssueCount, ...]
) -> list[SampleRow]:
    """Return a few masked rows per kind of issue, the first by key."""
    issue, reject, id_map = (table(connection, name) for name in ("issue", "reject", "id_map"))
    samples = []
    for kind in issues:
        row_of = (
            sa.select(reject.c.row)
            .where(reject.c.mapping_id == number, reject.c.row_ref == issue.c.row_ref)
            .limit(1)
            .scalar_subquery()
        )
        state = (
            sa.select(id_map.c.state)
            .where(id_map.c.mapping_id == number, id_map.c.source_key == issue.c.source_key)
            .scalar_subquery()
        )
        rows = connection.execute(
            sa.select(issue.c.source_key, row_of.label("row"), state.label("state"))
            .where(
                issue.c.mapping_id == number,
                issue.c.code == kind.code,
                issue.c.field == kind.field,
                issue.c.severity == kind.severity,
            )
            .order_by(issue.c.source_key)
            .limit(SAMPLES)
        ).all()
        for key, row, found_state in rows:
            samples.append(
                SampleRow(
                    code=kind.code,
                    field=kind.field,
                    key=shown.key(mapping, key),
                    values=shown.row(mapping, row, kind.field),
                    outcome=found_state or "rejected",
                )
            )
    return samples


def _scope_reasons(connection: sa.Connection, number: int) -> dict[str, int]:
    """Count the rows that are out of scope now, by reason."""
    id_map = table(connection, "id_map")
    rows = connection.execute(
        sa.select(sa.func.coalesce(id_map.c.reason, ""), sa.func.count())
        .where(id_map.c.mapping_id == number, id_map.c.state == "out_of_scope")
        .group_by(id_map.c.reason)
    )
    return {reason: int(count) for reason, count in rows}


def _repaired(
    connection: sa.Connection, number: int
) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[tuple[str, str], ...]]]:
    """Add up what steps repaired in the last run that mapped most of the rows: later runs map only what changed.

    Returns:
        Per field how many values of how many; and a few of them, masked, as they were and as they are.
    """
    batch = table(connection, "batch")
    rows = connection.execute(
        sa.select(batch.c.run_id, batch.c.counters)
        .where(batch.c.mapping_id == number, batch.c.phase == "main")
        .order_by(batch.c.id)
    )
    runs: dict[int, dict[str, tuple[int, int]]] = {}
    shown: dict[int, dict[str, dict[tuple[str, str], None]]] = {}
    for run_id, text in rows:
        counters = json.loads(text)
        repaired, examples = runs.setdefault(run_id, {}), shown.setdefault(run_id, {})
        for name, (done, total) in counters.get("repaired", {}).items():
            before = repaired.get(name, (0, 0))
            repaired[name] = (before[0] + done, before[1] + total)
        for name, pairs in counters.get("examples", {}).items():
            for old, new in pairs:
                examples.setdefault(name, {})[(old, new)] = None
    if not runs:
        return {}, {}
    most = max(runs, key=lambda run_id: sum(total for _, total in runs[run_id].values()))
    return runs[most], {name: tuple(pairs)[:_MOST_EXAMPLES] for name, pairs in shown[most].items()}
