"""Taking records of the target back, page by page; each page is one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from casemodel import Uuid, metadata, tables
from connectors import id_list, record_ids
from migrate.ledger.store import table
from migrate.pipeline.before_images import CLOSE, kept_value
from migrate.rollback.plan import MAKE, REMOVE, RESTORE, Undo, spare_edited, spare_linked

_RECORDS_OF_A_CASE = 10
"""About so many; a page of cases holds about as many records as any other."""
PARENTS_FIRST = [each.name for each in metadata.sorted_tables]


def _make_parents(undo: Undo, hash_key: bytes) -> bool:
    return _page(undo, MAKE, PARENTS_FIRST, hash_key)


def _restore_parents(undo: Undo, hash_key: bytes) -> bool:
    return _page(undo, RESTORE, PARENTS_FIRST, hash_key)


def _remove_parents(undo: Undo, hash_key: bytes) -> bool:
    return _page(undo, REMOVE, PARENTS_FIRST[::-1], hash_key)


def _page(undo: Undo, action: str, order: Sequence[str], hash_key: bytes) -> bool:
    """Do one thing to records of one table that belong to no case, with those of the table that they are linked to."""
    kept = undo.undo
    here = (undo.open, kept.c.root.is_(None), kept.c.action == action)
    left = set(undo.connection.scalars(sa.select(kept.c.target).distinct().where(*here)))
    if not left:
        return False
    name = next(each for each in order if each in left)
    some = sa.select(kept.c.target_id).where(*here, kept.c.target == name).order_by(kept.c.target_id).limit(undo.page)
    ids = set(undo.connection.scalars(some))
    more = ids
    while more:
        linked = list(_linked(undo, {(action, name): sorted(more)}))
        more = {key for root, other, key in linked if other == name and root is None} - ids
        ids |= more
    _take_back(undo, {(action, name): sorted(ids)}, hash_key)
    return True


def _take_back_roots(undo: Undo, hash_key: bytes) -> bool:
    """Take cases, contacts and tickets back, each with all that belongs to it and with those that it is linked to."""
    kept = undo.undo
    some = sa.select(kept.c.root).distinct().where(undo.open, kept.c.root.is_not(None)).order_by(kept.c.root)
    more = set(undo.connection.scalars(some.limit(max(1, undo.page // _RECORDS_OF_A_CASE))))
    roots, found = set(more), _of_roots(undo, more)
    if not more:
        return False
    page = found
    while more:
        more = {root for root, _, _ in _linked(undo, found) if root} - roots
        roots |= more
        found = _of_roots(undo, more)
        for each, ids in found.items():
            page.setdefault(each, []).extend(ids)
    _take_back(undo, page, hash_key)
    return True


def _of_roots(undo: Undo, roots: Collection[str]) -> dict[tuple[str, str], list[str]]:
    """Return what belongs to cases, contacts or tickets, by action and table."""
    kept, found = undo.undo, dict[tuple[str, str], list[str]]()
    if not roots:
        return found
    wanted = id_list(undo.connection, "undo_roots", sorted(roots))
    rows = sa.select(kept.c.action, kept.c.target, kept.c.target_id).where(
        undo.open, kept.c.root.in_(sa.select(wanted.c.id))
    )
    for action, name, key in undo.connection.execute(rows.order_by(kept.c.target_id)):
        found.setdefault((action, name), []).append(key)
    return found


def _linked(undo: Undo, found: Mapping[tuple[str, str], Sequence[str]]) -> Iterator[tuple[str | None, str, str]]:
    """Yield root, table and id of what must go back in the same transaction.

    That is what links to a record that is to be removed, and what is to be made again and was linked to.
    """
    kept = undo.undo
    for (action, name), ids in found.items():
        wanted = id_list(undo.connection, "undo_linked", ids)
        rows = sa.select(kept.c.root, kept.c.target, kept.c.target_id)
        if action == REMOVE:
            for child, link in _links_to(name):
                same = child.c.id == sa.cast(kept.c.target_id, Uuid())
                links = (kept.c.target == child.name, link.in_(record_ids(wanted)))
                yield from _rows(undo, rows.join(child, same).where(undo.open, *links))
            continue
        for key in tables[name].foreign_keys:
            then = kept_value(undo.dialect, undo.row.c.row, key.parent.name)
            mine = (undo.kept(name), undo.row.c.target_id.in_(sa.select(wanted.c.id)))
            here = (undo.open, kept.c.action == MAKE, kept.c.target == key.column.table.name)
            yield from _rows(undo, rows.join(undo.row, then == kept.c.target_id).where(*mine, *here))


def _rows(undo: Undo, select: sa.Select[Any]) -> list[tuple[str | None, str, str]]:
    return [tuple(row) for row in undo.connection.execute(select)]


def _links_to(name: str) -> list[tuple[sa.Table, sa.Column[Any]]]:
    """Return every column that links to a table, with its table."""
    return [
        (child, key.parent)
        for child in tables.values()
        for key in child.foreign_keys
        if key.column.table.name == name
    ]


def _take_back(undo: Undo, found: dict[tuple[str, str], list[str]], hash_key: bytes) -> None:
    """Look once more that nobody edited them, then make, restore and remove records, and mark them as done."""
    names = {name for _, name in found}
    edited = sum(spare_edited(undo, name, _of_table(found, name), hash_key) for name in sorted(names))
    if edited:
        spare_linked(undo)
    for action, step, order in (
        (MAKE, _make, PARENTS_FIRST),
        (RESTORE, _restore, PARENTS_FIRST),
        (REMOVE, _remove, PARENTS_FIRST[::-1]),
    ):
        for name in order:
            ids = _still_open(undo, name, found.get((action, name), []))
            if ids:
                step(undo, name, ids)
                wanted = id_list(undo.connection, "undo_done", ids)
                mine = (undo.mine, undo.undo.c.target == name, undo.undo.c.target_id.in_(sa.select(wanted.c.id)))
                undo.connection.execute(sa.update(undo.undo).where(*mine).values(done=1))


def _of_table(found: dict[tuple[str, str], list[str]], name: str) -> list[str]:
    return [key for (_, each), ids in found.items() if each == name for key in ids]


def _still_open(undo: Undo, name: str, ids: Sequence[str]) -> list[str]:
    if not ids:
        return []
    wanted = id_list(undo.connection, "undo_open", ids)
    here = (undo.open, undo.undo.c.target == name, undo.undo.c.target_id.in_(sa.select(wanted.c.id)))
    return list(undo.connection.scalars(sa.select(undo.undo.c.target_id).where(*here)))


def _make(undo: Undo, name: str, ids: Sequence[str]) -> None:
    """Insert records that the run removed, as they were."""
    target, wanted = tables[name], id_list(undo.connection, "undo_making", ids)
    names = [column.name for column in target.columns]
    values = [_value(undo, target.c[column]) for column in names]
    select = sa.select(*values).where(undo.kept(name), undo.row.c.target_id.in_(sa.select(wanted.c.id)))
    undo.connection.execute(sa.insert(target).from_select(names, select))


def _restore(undo: Undo, name: str, ids: Sequence[str]) -> None:
    """Write back the columns that the run wrote over; others may have written the rest since."""
    for columns, some in _written(undo, name, ids).items():
        target, wanted = tables[name], id_list(undo.connection, "undo_restoring", some)
        here = (undo.kept(name), target.c.id == sa.cast(undo.row.c.target_id, Uuid()))
        update = sa.update(target).where(*here, undo.row.c.target_id.in_(sa.select(wanted.c.id)))
        undo.connection.execute(update.values({column: _value(undo, target.c[column]) for column in columns}))
    _open_again(undo, name, ids)


def _written(undo: Undo, name: str, ids: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """Return the records by the columns that the run wrote of them."""
    record, sets = table(undo.connection, "record"), table(undo.connection, "column_set")
    kept, wanted = undo.undo, id_list(undo.connection, "undo_written", ids)
    of_record = sa.and_(record.c.mapping_id == kept.c.mapping_id, record.c.record_key == kept.c.record_key)
    rows = undo.connection.execute(
        sa.select(kept.c.target_id, sets.c.columns)
        .select_from(kept)
        .join(record, of_record)
        .join(sets, sets.c.id == record.c.column_set_id)
        .where(undo.mine, kept.c.target == name, kept.c.target_id.in_(sa.select(wanted.c.id)))
    )
    found: dict[tuple[str, ...], list[str]] = {}
    for key, columns in rows:
        found.setdefault(tuple(json.loads(columns)), []).append(key)
    return found


def _open_again(undo: Undo, name: str, ids: Sequence[str]) -> None:
    """Write back the columns by which the run closed records."""
    target, row = tables[name], undo.row
    wanted = id_list(undo.connection, "undo_closed", ids)
    closed = (row.c.undo_run == undo.run_id, row.c.target == name, row.c.kind == CLOSE)
    of_page = row.c.target_id.in_(sa.select(wanted.c.id))
    texts = undo.connection.scalars(sa.select(row.c.row).where(*closed, of_page))
    columns = {key for text in texts for key in json.loads(text)}
    if not columns:
        return
    # What the run also wrote was kept whole before that: the earlier values hold.
    whole = row.alias("whole")
    same = sa.and_(whole.c.undo_run == undo.run_id, whole.c.target_id == row.c.target_id)
    twice = sa.exists().where(same, whole.c.kind != CLOSE)
    update = sa.update(target).where(*closed, of_page, ~twice, target.c.id == sa.cast(row.c.target_id, Uuid()))
    undo.connection.execute(update.values({column: undo.value(name, column) for column in sorted(columns)}))


def _remove(undo: Undo, name: str, ids: Sequence[str]) -> None:
    """Remove records that the run made; what linked to them went before, or goes with them."""
    target, wanted = tables[name], id_list(undo.connection, "undo_removing", ids)
    undo.connection.execute(sa.delete(target).where(target.c.id.in_(record_ids(wanted))))


def _value(undo: Undo, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a column as it was; a link to a record that is made later is set by `_link_again`."""
    value = undo.value(column.table.name, column.name)
    parents = [key.column.table for key in column.foreign_keys]
    # A link within a table is looked at when the transaction ends.
    if not parents or parents[0] is column.table or not column.nullable:
        return value
    parent = parents[0].alias("parent")
    return sa.select(parent.c.id).where(parent.c.id == value).scalar_subquery()


def _link_again(undo: Undo, _hash_key: bytes) -> bool:
    """Set the links that were left out, since the record linked to was not there yet."""
    done, kept = 0, undo.undo
    back = sa.select(kept.c.target).distinct().where(undo.mine, kept.c.action.in_((MAKE, RESTORE)), kept.c.done == 1)
    for name in undo.connection.scalars(back).all():
        target = tables[name]
        for link in target.foreign_keys:
            if not link.parent.nullable:
                continue
            column, parent = link.parent, link.column.table.alias("parent")
            value = undo.value(name, column.name)
            mine = _went_back(undo, name, column.name)
            here = (undo.kept(name), target.c.id == sa.cast(undo.row.c.target_id, Uuid()), column.is_(None))
            there = sa.exists().where(parent.c.id == value)
            update = sa.update(target).where(*here, undo.row.c.target_id.in_(mine), value.is_not(None), there)
            done += undo.connection.execute(update.values({column.name: value})).rowcount
    return done > 0


def _went_back(undo: Undo, name: str, column: str) -> sa.Select[tuple[str]]:
    """Return the records that were made again, or restored in this column too."""
    kept, record, sets = undo.undo, table(undo.connection, "record"), table(undo.connection, "column_set")
    of_record = sa.and_(record.c.mapping_id == kept.c.mapping_id, record.c.record_key == kept.c.record_key)
    return (
        sa.select(kept.c.target_id)
        .outerjoin(record, of_record)
        .outerjoin(sets, sets.c.id == record.c.column_set_id)
        .where(undo.mine, kept.c.target == name, kept.c.done == 1)
        .where(sa.or_(kept.c.action == MAKE, sa.and_(kept.c.action == RESTORE, sets.c.columns.contains(f'"{column}"'))))
    )


STEPS = (_make_parents, _take_back_roots, _restore_parents, _link_again, _remove_parents)
"""What is done to records, each until nothing is left to do: records that belong to no case come first where they are
made again and last where they are removed, since cases link to them."""
