"""What a rollback has to do, and what it spares: decided once, before anything is changed, and kept in the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from casemodel import Uuid, tables, unique_keys
from connectors import as_text, id_list, record_ids
from migrate.ledger.store import table
from migrate.pipeline.batch import record_hash
from migrate.pipeline.before_images import WRITE, kept_value
from migrate.target.values import read_for_update

REMOVE, RESTORE, MAKE = "remove", "restore", "make"
ROOTS: Final = ("case_file", "customer_contact", "queue_ticket")
"""Records that are rolled back whole, with all that belongs to them, in one transaction."""

class Undo:
    """The records of one rollback, in one transaction.

    Args:
        connection: of that transaction.
        run_id: the run that is rolled back.
        page: about so many records are taken back in one transaction.
    """

    def __init__(self, connection: sa.Connection, run_id: int, page: int) -> None:
        self.connection, self.run_id, self.page = connection, run_id, page
        self.dialect = connection.dialect.name
        self.undo = table(connection, "undo")
        self.row = table(connection, "before_row")

    @property
    def mine(self) -> sa.ColumnElement[bool]:
        """The condition for what this rollback is about."""
        return self.undo.c.run_id == self.run_id

    @property
    def open(self) -> sa.ColumnElement[bool]:
        """The condition for what is neither done nor spared."""
        return sa.and_(self.mine, self.undo.c.spared.is_(None), self.undo.c.done == 0)

    def going(self, table_name: str) -> sa.Select[tuple[str]]:
        """Return the ids of records of a table that do not stay as they are."""
        other = self.undo.alias("other")
        return sa.select(other.c.target_id).where(
            other.c.run_id == self.run_id, other.c.target == table_name, other.c.spared.is_(None)
        )

    def spare(self, why: str, *where: sa.ColumnElement[bool]) -> int:
        """Spare what answers to a condition and is neither done nor spared, and return how much that is."""
        update = sa.update(self.undo).where(self.open, *where).values(spared=why)
        return int(self.connection.execute(update).rowcount)

    def value(self, table_name: str, column: str) -> sa.ColumnElement[Any]:
        """Return a column of a record as it was kept, in the type of the target."""
        return sa.cast(kept_value(self.dialect, self.row.c.row, column), tables[table_name].c[column].type)

    def kept(self, table_name: str) -> sa.ColumnElement[bool]:
        """The condition for the whole records that were kept of a table."""
        row = self.row
        return sa.and_(row.c.undo_run == self.run_id, row.c.target == table_name, row.c.kind == WRITE)


def collect(undo: Undo) -> None:
    """Write down what the run did to each record: made it, wrote over it or closed it, or removed it."""
    record, known, before = (table(undo.connection, name) for name in ("record", "mapping", "before_record"))
    row = undo.row
    of_row = sa.and_(row.c.undo_run == undo.run_id, row.c.target == known.c.target)
    kept = sa.exists().where(of_row, row.c.target_id == record.c.target_id)
    was_there = sa.exists().where(before.c.undo_run == undo.run_id, before.c.target_id == record.c.target_id)
    names = ["run_id", "target", "target_id", "action", "mapping_id", "record_key", "done"]
    by_run = (
        sa.select(
            sa.literal(undo.run_id),
            known.c.target,
            record.c.target_id,
            sa.case((kept, RESTORE), else_=REMOVE),
            record.c.mapping_id,
            record.c.record_key,
            sa.literal(0),
        )
        .join(known, known.c.id == record.c.mapping_id)
        .where(sa.or_(record.c.run_id == undo.run_id, record.c.closed == undo.run_id), sa.or_(kept, ~was_there))
    )
    undo.connection.execute(sa.insert(undo.undo).from_select(names, by_run))
    there = sa.exists().where(undo.mine, undo.undo.c.target == row.c.target, undo.undo.c.target_id == row.c.target_id)
    removed = (
        sa.select(
            sa.literal(undo.run_id),
            row.c.target,
            row.c.target_id,
            sa.literal(MAKE),
            sa.func.min(before.c.mapping_id),
            sa.func.min(before.c.record_key),
            sa.literal(0),
        )
        .join(before, sa.and_(before.c.undo_run == undo.run_id, before.c.target_id == row.c.target_id))
        .where(row.c.undo_run == undo.run_id, row.c.kind == WRITE, ~there)
        .group_by(row.c.target, row.c.target_id)
    )
    undo.connection.execute(sa.insert(undo.undo).from_select(names, removed))
    for name in tables:
        _find_roots(undo, name)


def _find_roots(undo: Undo, name: str) -> None:
    """Note to which case, contact or ticket records belong."""
    here, target = (undo.mine, undo.undo.c.target == name), tables[name]
    if name in ROOTS:
        undo.connection.execute(sa.update(undo.undo).where(*here).values(root=undo.undo.c.target_id))
        return
    links = [key.parent for key in target.foreign_keys if key.column.table.name in ROOTS]
    for link in sorted(links, key=lambda column: (bool(column.nullable), column.name)):
        same = target.c.id == sa.cast(undo.undo.c.target_id, Uuid())
        now_there = sa.select(as_text(undo.dialect, link)).where(same)
        then = sa.select(kept_value(undo.dialect, undo.row.c.row, link.name)).where(
            undo.kept(name), undo.row.c.target_id == undo.undo.c.target_id
        )
        root = sa.func.coalesce(then.scalar_subquery(), now_there.scalar_subquery())
        undo.connection.execute(sa.update(undo.undo).where(*here, undo.undo.c.root.is_(None)).values(root=root))


def spare_all(undo: Undo, hash_key: bytes) -> None:
    """Spare what people edited or settled since, what others link to, and what has no place to go back to."""
    resolution = table(undo.connection, "resolution")
    settled = sa.exists().where(
        resolution.c.target_id == undo.undo.c.target_id, resolution.c.run_id >= undo.run_id
    )
    undo.spare("settled", settled)
    for name in tables:
        after = ""
        while page := undo.connection.scalars(
            sa.select(undo.undo.c.target_id)
            .where(undo.open, undo.undo.c.target == name, undo.undo.c.target_id > after)
            .order_by(undo.undo.c.target_id)
            .limit(undo.page)
        ).all():
            spare_edited(undo, name, page, hash_key)
            after = page[-1]
    spare_linked(undo)


def spare_edited(undo: Undo, name: str, ids: Sequence[str], hash_key: bytes) -> int:
    """Spare those of some records that are no longer what the run wrote; return how many.

    A record to be made again must not be there; one to be removed that is gone has nothing left to remove.
    """
    connection, target = undo.connection, tables[name]
    record, sets = table(connection, "record"), table(connection, "column_set")
    wanted = id_list(connection, "undo_page", ids)
    in_page = undo.undo.c.target_id.in_(sa.select(wanted.c.id))
    of_record = sa.and_(record.c.mapping_id == undo.undo.c.mapping_id, record.c.record_key == undo.undo.c.record_key)
    rows = connection.execute(
        sa.select(undo.undo.c.target_id, undo.undo.c.action, record.c.record_hash, sets.c.columns)
        .select_from(undo.undo)
        .outerjoin(record, of_record)
        .outerjoin(sets, sets.c.id == record.c.column_set_id)
        .where(undo.open, undo.undo.c.target == name, in_page)
    ).all()
    edited: list[str] = []
    for columns in {row.columns for row in rows}:
        mine = {row.target_id: row for row in rows if row.columns == columns}
        names = [] if columns is None else json.loads(columns)
        listed = id_list(connection, "undo_written", mine)
        there = read_for_update(connection, name, names, target.c.id.in_(record_ids(listed)))
        now = dict(there.select("id", _hash(names, hash_key)).iter_rows())
        for key, row in mine.items():
            gone = key not in now
            same = row.action != MAKE and not gone and now[key] == row.record_hash
            if not (same or (gone and row.action != RESTORE)):
                edited.append(key)
    if not edited:
        return 0
    listed = id_list(connection, "undo_edited", edited)
    return undo.spare("edited", undo.undo.c.target == name, undo.undo.c.target_id.in_(sa.select(listed.c.id)))


def _hash(names: Sequence[str], hash_key: bytes) -> pl.Expr:
    return (record_hash(names, hash_key) if names else pl.lit(None, pl.String)).alias("hash")


def spare_linked(undo: Undo) -> int:
    """Spare, until nothing changes, what would leave or get a link to nothing; return how many in all."""
    spared = 0
    while found := sum(_spare_once(undo)):
        spared += found
    return spared


def _spare_once(undo: Undo) -> Iterator[int]:
    yield _spare_sharing(undo)
    yield _spare_parts(undo)
    for name, target in tables.items():
        for link in _links(target):
            yield _spare_linked_to(undo, name, link)
            yield _spare_without_parent(undo, name, link)
        for columns in unique_keys(name):
            yield _spare_taken(undo, name, columns)


def _links(target: sa.Table) -> Iterable[sa.ForeignKey]:
    return sorted(target.foreign_keys, key=lambda key: key.parent.name)


def _spare_linked_to(undo: Undo, name: str, link: sa.ForeignKey) -> int:
    """Spare what the run made and a record that stays links to."""
    child, key = tables[name], as_text(undo.dialect, tables[name].c.id)
    linked = sa.select(as_text(undo.dialect, link.parent)).where(
        link.parent.is_not(None), key.not_in(undo.going(name)), child.c.id != link.parent
    )
    parent = link.column.table.name
    if not _any(undo, REMOVE, parent):
        return 0
    here = (undo.undo.c.target == parent, undo.undo.c.action == REMOVE)
    return undo.spare("linked", *here, undo.undo.c.target_id.in_(linked))


def _spare_without_parent(undo: Undo, name: str, link: sa.ForeignKey) -> int:
    """Spare what linked to a record that is not there any more and is not made again."""
    if not (_any(undo, RESTORE, name) or _any(undo, MAKE, name)):
        return 0
    parent = link.column.table
    then = kept_value(undo.dialect, undo.row.c.row, link.parent.name)
    there = sa.exists().where(parent.c.id == sa.cast(then, Uuid()))
    made = undo.undo.alias("made")
    comes = sa.exists().where(
        made.c.run_id == undo.run_id,
        made.c.target == parent.name,
        made.c.target_id == then,
        made.c.action == MAKE,
        made.c.spared.is_(None),
    )
    lost = sa.select(undo.row.c.target_id).where(undo.kept(name), then.is_not(None), ~there, ~comes)
    here = (undo.undo.c.target == name, undo.undo.c.action.in_((RESTORE, MAKE)))
    return undo.spare("link-gone", *here, undo.undo.c.target_id.in_(lost))


def _spare_taken(undo: Undo, name: str, columns: Sequence[str]) -> int:
    """Spare what had a unique value that a record which stays has now."""
    if not (_any(undo, RESTORE, name) or _any(undo, MAKE, name)):
        return 0
    holder = tables[name].alias("holder")
    same = [holder.c[column] == undo.value(name, column) for column in columns]
    key = as_text(undo.dialect, holder.c.id)
    taken = sa.select(undo.row.c.target_id).where(
        undo.kept(name), *same, key != undo.row.c.target_id, key.not_in(undo.going(name))
    )
    here = (undo.undo.c.target == name, undo.undo.c.action.in_((RESTORE, MAKE)))
    return undo.spare("unique-taken", *here, undo.undo.c.target_id.in_(taken))


def _spare_parts(undo: Undo) -> int:
    """Spare what the run made of a case, contact or ticket that it made and that stays: none is left half."""
    top = undo.undo.alias("top")
    made = (top.c.run_id == undo.run_id, top.c.action == REMOVE, top.c.target.in_(ROOTS))
    stays = sa.select(top.c.target_id).where(*made, top.c.spared.is_not(None))
    return undo.spare("part", undo.undo.c.action == REMOVE, undo.undo.c.root.in_(stays))


def _spare_sharing(undo: Undo) -> int:
    """Spare what shares a source row, before the run or now, with a record that is spared."""
    id_map, before = table(undo.connection, "id_map"), table(undo.connection, "before_id_map")
    same = sa.and_(before.c.mapping_id == id_map.c.mapping_id, before.c.source_key == id_map.c.source_key)
    moved = sa.and_(same, before.c.undo_run == undo.run_id, before.c.target_id != id_map.c.target_id)
    other = undo.undo.alias("stays")
    stays = sa.select(other.c.target_id).where(other.c.run_id == undo.run_id, other.c.spared.is_not(None))
    was = sa.select(before.c.target_id).join(id_map, moved).where(id_map.c.target_id.in_(stays))
    now = sa.select(id_map.c.target_id).join(before, moved).where(before.c.target_id.in_(stays))
    here = undo.undo.c.target_id
    return undo.spare("shared", sa.or_(here.in_(was), here.in_(now)))


def _any(undo: Undo, action: str, name: str) -> bool:
    one = sa.select(undo.undo.c.target_id).where(undo.open, undo.undo.c.action == action, undo.undo.c.target == name)
    return undo.connection.scalar(one.limit(1)) is not None
