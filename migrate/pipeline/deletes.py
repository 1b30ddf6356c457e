"""Records whose rows left the source or the scope: removed or closed at the end of a run, where a mapping says so.

Children go before the records they belong to, so all of it comes after every mapping was loaded, in reverse order, one
transaction a mapping.  What people edited, what other records still link to, and what belongs to a live wave is held
and tried again by every run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from casemodel import GuardError, Uuid, tables
from connectors import id_list, record_ids
from mappings import CompiledMapping, DeleteRule
from migrate.ledger.lock import hold_lock
from migrate.ledger.store import now, table
from migrate.pipeline.batch import Gate, record_hash
from migrate.pipeline.batch_evidence import record_batch
from migrate.pipeline.before_images import keep_records
from migrate.pipeline.conflicts import edited_ids
from migrate.pipeline.context import LoadContext
from migrate.pipeline.failpoint import failpoint
from migrate.target.values import read_for_update

PHASE = "deletes"
HELD = "delete-held"
"""Issue of a record that is held; its detail says why: ``edited``, ``linked``, ``live`` or ``max_deletes``."""
_LEFT = ("gone", "out_of_scope")
_LOADED = ("loaded", "merged", "stale", "conflict", "deferred", "late")


def delete_gone(context: LoadContext, mappings: Sequence[CompiledMapping], rules: Mapping[str, DeleteRule]) -> None:
    """Remove or close what left, or hold all of it when one mapping has more than it allows.

    Args:
        mappings: those of this run, in loading order.
        rules: what becomes of records, by mapping; those of other mappings are kept.

    Raises:
        GuardError: RUN-022 more records would go than `max_deletes` of a mapping allows; none of any mapping is
            deleted.
    """
    ruled = [each for each in reversed(mappings) if each.name in rules and not _done(context, each)]
    excess = [found for each in ruled if (found := _excess(context, each, rules[each.name])) is not None]
    for mapping in ruled:
        failpoint("before-deletes")
        with context.target.transaction() as connection:
            hold_lock(connection, context.epoch)
            _settle(connection, context, mapping, rules[mapping.name], refused=bool(excess))
            failpoint("before-deletes-commit")
        failpoint("after-deletes")
    _forget_held(context, [each for each in mappings if each.name not in rules])
    if excess:
        raise excess[0]


def _done(context: LoadContext, mapping: CompiledMapping) -> bool:
    """Return whether this run dealt with the mapping before it was interrupted."""
    with context.target.engine.connect() as connection:
        batch = table(connection, "batch")
        mine = (batch.c.run_id == context.run_id, batch.c.mapping_id == context.mapping_ids[mapping.name])
        return connection.scalar(sa.select(batch.c.id).where(*mine, batch.c.phase == PHASE)) is not None


def _excess(context: LoadContext, mapping: CompiledMapping, rule: DeleteRule) -> GuardError | None:
    """Return the refusal when more keys would go than the mapping allows."""
    with context.target.engine.connect() as connection:
        number = context.mapping_ids[mapping.name]
        count = _count(connection, context, mapping, rule)
        id_map = table(connection, "id_map")
        loaded = count + (
            connection.scalar(
                sa.select(sa.func.count()).where(
                    id_map.c.mapping_id == number, id_map.c.state.in_(_LOADED), id_map.c.target_id.is_not(None)
                )
            )
            or 0
        )
    if count <= rule.most * loaded:
        return None
    return GuardError(
        "RUN-022",
        f"{count:,} of {loaded:,} loaded rows left the source or the scope, more than max_deletes"
        f" ({100 * rule.most:.4g}% of them) allows",
        hint="What is loaded stays and nothing was deleted. Check the source; if it is right, raise max_deletes and run"
        " again.",
        place=mapping.name,
    )


def _count(connection: sa.Connection, context: LoadContext, mapping: CompiledMapping, rule: DeleteRule) -> int:
    """Return how many keys would go; the database counts them, since they may be all of a relation."""
    left = _left(connection, context, mapping, rule)
    return int(connection.scalar(sa.select(sa.func.count()).select_from(left).where(left.c.live == 0)) or 0)


def _writers(context: LoadContext, mapping: CompiledMapping) -> list[int]:
    """Return the numbers of the mappings that write the records of a mapping: several, where they share them."""
    shared = context.shared.get(mapping.name)
    return [context.mapping_ids[mapping.name]] if shared is None else sorted(shared.mappings)


def _left(
    connection: sa.Connection, context: LoadContext, mapping: CompiledMapping, rule: DeleteRule
) -> sa.Subquery:
    """Return key, target id and run of the keys that left and whose record lives on by no other key.

    ``live`` is 1 where the record belongs to a wave that is live or closed: it stays.
    """
    id_map, record = table(connection, "id_map"), table(connection, "record")
    number, shared = context.mapping_ids[mapping.name], mapping.name in context.shared
    other = id_map.alias("other")
    key_of_record = id_map.c.target_id if shared else sa.func.coalesce(id_map.c.record_key, id_map.c.source_key)
    if shared:
        given = table(connection, "contribution")
        leads = sa.and_(other.c.mapping_id == given.c.mapping_id, other.c.source_key == given.c.lead_key)
        lives_on = (
            sa.select(sa.literal(1))
            .select_from(given.join(other, leads))
            .where(given.c.target_id == id_map.c.target_id, other.c.state.not_in(_LEFT))
            .exists()
        )
    else:
        lives_on = sa.exists().where(
            other.c.mapping_id == number, other.c.record_key == id_map.c.record_key, other.c.state.not_in(_LEFT)
        )
    of_record = sa.and_(record.c.mapping_id.in_(_writers(context, mapping)), record.c.record_key == key_of_record)
    of_live = sa.case((id_map.c.wave.in_(context.waves.frozen), 1), else_=0)
    live = sa.func.max(of_live).over(partition_by=id_map.c.target_id) if context.waves.frozen else sa.literal(0)
    return (
        sa.select(id_map.c.source_key, id_map.c.target_id, id_map.c.run_id, live.label("live"))
        .outerjoin(record, of_record)
        .where(
            id_map.c.mapping_id == number,
            id_map.c.state.in_(_LEFT),
            id_map.c.target_id.is_not(None),
            ~lives_on,
            *([record.c.closed.is_(None)] if rule.policy == "close" else []),
        )
        .subquery("left_over")
    )


def _settle(
    connection: sa.Connection, context: LoadContext, mapping: CompiledMapping, rule: DeleteRule, *, refused: bool
) -> None:
    """Delete, close or hold the records of one mapping, in the caller's transaction, and write the books."""
    number, left = context.mapping_ids[mapping.name], _left(connection, context, mapping, rule)
    _forget(connection, number)
    count, new = _hold_at_once(connection, context, number, left, refused=refused)
    keys: dict[str, list[str]] = {}
    if not refused:
        chosen = sa.select(left).where(left.c.live == 0).order_by(left.c.source_key)
        for key, target_id, run_id, _ in connection.execute(chosen):
            keys.setdefault(target_id, []).append(key)
            new += run_id == context.run_id
            count += 1
    if not count:
        return
    held = _held(connection, context, mapping, rule, keys) if keys else {}
    free = sorted(set(keys) - set(held))
    if keys and rule.policy == "remove":
        _remove(connection, context, mapping.target, _writers(context, mapping), free)
    elif keys:
        _close(connection, context, mapping, rule, free)
    _note_held(connection, context, number, {key: why for each, why in held.items() for key in keys[each]})
    done = sum(len(keys[each]) for each in free)
    _write_books(connection, context, number, (count, new), {f"gone_{rule.policy}d": done})


def _hold_at_once(
    connection: sa.Connection, context: LoadContext, number: int, left: sa.Subquery, *, refused: bool
) -> tuple[int, int]:
    """Hold what needs no look at the record, by one statement: a whole wave may leave, or the source be empty one day.

    Returns:
        How many keys those are, and how many of them left in this run.
    """
    if not refused and not context.waves.frozen:
        return 0, 0
    chosen = sa.true() if refused else left.c.live == 1
    of_this_run = sa.func.coalesce(sa.func.sum(sa.case((left.c.run_id == context.run_id, 1), else_=0)), 0)
    counted = sa.select(sa.func.count(), of_this_run).select_from(left).where(chosen)
    count, new = connection.execute(counted).one()
    issue = table(connection, "issue")
    said = {"mapping_id": number, "run_id": context.run_id, "field": "", "code": HELD, "severity": "warning"}
    why = sa.case((left.c.live == 1, "live"), else_="max_deletes")
    values = [*(sa.literal(value) for value in said.values()), left.c.source_key, why]
    held = sa.select(*values).where(chosen).order_by(left.c.source_key)
    connection.execute(sa.insert(issue).from_select([*said, "source_key", "detail"], held))
    return int(count), int(new)


def _held(
    connection: sa.Connection,
    context: LoadContext,
    mapping: CompiledMapping,
    rule: DeleteRule,
    ids: Iterable[str],
) -> dict[str, str]:
    """Return the records that must stay, and why; a record that is not there any more is held by nothing."""
    target, record, sets = tables[mapping.target], table(connection, "record"), table(connection, "column_set")
    writers = _writers(context, mapping)
    wanted = id_list(connection, "deletes_wanted", list(ids))
    there = set(connection.scalars(sa.select(target.c.id).where(target.c.id.in_(record_ids(wanted)))))
    rows = connection.execute(
        sa.select(record.c.target_id, record.c.record_hash, sets.c.columns)
        .join(sets, sets.c.id == record.c.column_set_id)
        .where(record.c.mapping_id.in_(writers), record.c.target_id.in_(sa.select(wanted.c.id)))
    )
    written = {row[0]: (row[1], row[2]) for row in rows if row[0] in there}
    gate = Gate(mapping.name, mapping.target, mapping.fields, context.secrets.hash_key)
    edited = set(edited_ids(connection, mapping.target, written, gate)) if written else set()
    # A record of which the ledger knows no hash was never written by this mapping: it is not ours to delete.
    held = dict.fromkeys(edited | (there - set(written)), "edited")
    if rule.policy == "remove":
        held |= dict.fromkeys(_linked(connection, target, there - set(held)), "linked")
    return held


def _linked(connection: sa.Connection, target: sa.Table, ids: set[str]) -> set[str]:
    """Return those of the records that others link to, which do not go with them."""
    links = [
        (other, key.parent)
        for other in tables.values()
        for key in other.foreign_keys
        if key.column.table is target and key.parent.table is other
    ]
    free = set(ids)
    while free:
        going = id_list(connection, "deletes_going", sorted(free))
        blocked: set[str] = set()
        for other, column in links:
            linked = sa.select(column).where(column.in_(record_ids(going)))
            if other is target:
                linked = linked.where(target.c.id.not_in(record_ids(going)))
            blocked |= set(connection.scalars(linked))
        if not blocked:
            break
        free -= blocked
    return ids - free


def _remove(
    connection: sa.Connection, context: LoadContext, table_name: str, writers: Sequence[int], ids: Sequence[str]
) -> None:
    """Delete the records, and what the ledger keeps of them; the keys keep their state."""
    target, id_map, record = tables[table_name], table(connection, "id_map"), table(connection, "record")
    given = table(connection, "contribution")
    going = id_list(connection, "deletes_going", ids)
    wanted = sa.select(going.c.id)
    mine = (record.c.mapping_id.in_(writers), record.c.target_id.in_(wanted), record.c.run_id != context.run_id)
    old = connection.scalars(sa.select(record.c.target_id).where(*mine)).all()
    keep_records(connection, context.run_id, table_name, old)
    connection.execute(sa.delete(target).where(target.c.id.in_(record_ids(going))))
    for kept in (record, given):
        connection.execute(sa.delete(kept).where(kept.c.mapping_id.in_(writers), kept.c.target_id.in_(wanted)))
    connection.execute(
        sa.update(id_map)
        .where(id_map.c.mapping_id.in_(writers), id_map.c.state.in_(_LEFT), id_map.c.target_id.in_(wanted))
        .values(target_id=None)
    )


def _close(
    connection: sa.Connection,
    context: LoadContext,
    mapping: CompiledMapping,
    rule: DeleteRule,
    ids: Sequence[str],
) -> None:
    """Set the closing columns, and keep the hash of what the records are then."""
    target, record, sets = tables[mapping.target], table(connection, "record"), table(connection, "column_set")
    writers = _writers(context, mapping)
    going = id_list(connection, "deletes_going", ids)
    wanted = sa.select(going.c.id)
    keep_records(connection, context.run_id, mapping.target, ids, closing=list(rule.close))
    values = {name: sa.cast(sa.literal(value, sa.Text), target.c[name].type) for name, value in rule.close.items()}
    connection.execute(sa.update(target).where(target.c.id.in_(record_ids(going))).values(values))
    mine = (record.c.mapping_id.in_(writers), record.c.target_id.in_(wanted))
    used = sa.select(record.c.column_set_id).where(*mine)
    for set_id, columns in connection.execute(sa.select(sets.c.id, sets.c.columns).where(sets.c.id.in_(used))).all():
        over = sa.select(sa.cast(record.c.target_id, Uuid())).where(*mine, record.c.column_set_id == set_id)
        names = json.loads(columns)
        if not set(names) & set(rule.close):
            continue
        now_there = read_for_update(connection, mapping.target, names, target.c.id.in_(over))
        hashed = now_there.select("id", record_hash(names, context.secrets.hash_key).alias("hash")).rows()
        for number in writers if hashed else ():
            connection.execute(
                sa.update(record)
                .where(record.c.mapping_id == number, record.c.target_id == sa.bindparam("closed_id"))
                .values(record_hash=sa.bindparam("closed_hash")),
                [{"closed_id": key, "closed_hash": found} for key, found in hashed],
            )
    connection.execute(sa.update(record).where(*mine).values(closed=context.run_id))


def _forget(connection: sa.Connection, number: int) -> None:
    issue = table(connection, "issue")
    connection.execute(sa.delete(issue).where(issue.c.mapping_id == number, issue.c.code == HELD))


def _forget_held(context: LoadContext, mappings: Sequence[CompiledMapping]) -> None:
    """Drop what was held of mappings that keep everything now."""
    numbers = [context.mapping_ids[each.name] for each in mappings]
    with context.target.engine.connect() as connection:
        issue = table(connection, "issue")
        held = connection.scalars(sa.select(issue.c.mapping_id).where(issue.c.code == HELD).distinct()).all()
    old = set(held) & set(numbers)
    if old:
        with context.target.transaction() as connection:
            hold_lock(connection, context.epoch)
            for number in sorted(old):
                _forget(connection, number)


def _note_held(connection: sa.Connection, context: LoadContext, number: int, held: Mapping[str, str]) -> None:
    if held:
        rows = [{"source_key": key, "detail": why} for key, why in sorted(held.items())]
        shared = {"mapping_id": number, "run_id": context.run_id, "field": "", "code": HELD, "severity": "warning"}
        connection.execute(sa.insert(table(connection, "issue")), [shared | row for row in rows])


def _write_books(
    connection: sa.Connection, context: LoadContext, number: int, keys: tuple[int, int], done: Mapping[str, int]
) -> None:
    """Write the phase's own batch: keys that the main pass counted as kept move to what became of them.

    Args:
        keys: how many are to go, and how many of them are new in this run.
    """
    count, new = keys
    batch = table(connection, "batch")
    figures = {column.name: 0 for column in batch.c if column.name not in ("id", "phase", "counters", "committed_at")}
    held = count - sum(done.values())
    figures |= {"run_id": context.run_id, "mapping_id": number, "gone_kept": -new, "gone_held": held, **done}
    connection.execute(sa.insert(batch).values(**figures, phase=PHASE, counters="{}", committed_at=now()))
    record_batch(connection, context, number, PHASE, 0, {"gone_held": held, **done})
