"""Both sides of controls and children, each read by itself: SQL on both databases, rows and records by their links."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import polars as pl
import sqlalchemy as sa

from casemodel import (
    LinkRequest,
    Query,
    RunsQueries,
    Source,
    SystemFailure,
    Target,
    column_info,
    key_text,
    show,
    tables,
)
from connectors import as_sqlite_has_it
from mappings import ChildSql, CompiledMapping, ControlColumn, ControlSql, controls_of
from migrate.ledger.tables import ledger_table
from migrate.pipeline.links import LedgerLinks
from migrate.proof.actual import TargetAgain
from migrate.proof.expected import SourceAgain
from migrate.proof.sample import Sample
from migrate.session import Session
from reconciliation import ChildProof, ControlProof, Tolerance

_ROWS = 50_000
_PARENT = "parent:"


def control_proofs(session: Session, target: Target, name: str) -> tuple[ControlProof, ...]:
    """Return the controls of a mapping, ready to be asked of both databases."""
    file = session.files[name]
    source = session.source(file.system)
    controls = controls_of(file)
    on_way = _tables_on_their_way(target) if controls else frozenset()
    return tuple(_control(session, target, source, control, on_way) for control in controls)


def _tables_on_their_way(target: Target) -> frozenset[str]:
    """Return the tables of which rows are not loaded, since their wave is a later one or live."""
    id_map, mapping = (ledger_table(target.dialect, name) for name in ("id_map", "mapping"))
    waiting = sa.exists().where(id_map.c.mapping_id == mapping.c.id, id_map.c.state.in_(("deferred", "late")))
    found = target.query(sa.select(mapping.c.target).where(waiting).distinct(), ("table",))
    return frozenset(found["table"])


def _control(
    session: Session, target: Target, source: Source, control: ControlSql, on_way: frozenset[str]
) -> ControlProof:
    hidden = {
        part: _is_personal(session, source, control.source_made[part]) or _in_target(control.target_made[part])
        for part in ("g", "n")
    }
    key = session.workspace.secrets.mask_key

    def shown(part: str) -> Callable[[str | None], str]:
        return lambda value: show(value, personal=hidden[part], key=key)

    return ControlProof(
        name=control.name,
        source=partial(_of_source, source, control.source),
        target=partial(_of_target, target, control),
        show_group=shown("g"),
        show_number=shown("n"),
        tolerance=None if control.tolerance is None else Tolerance(control.tolerance, Decimal(control.tolerance)),
        partial=any(not on_way.isdisjoint(made.tables) for made in control.target_made.values()),
    )


def _is_personal(session: Session, source: Source, made: ControlColumn) -> bool:
    """Return whether a result column may show something personal of the old system; unknown means it does."""
    for name in made.tables:
        relation = source.relation(name)
        for column in relation.columns:
            named = "*" in made.columns or column.name.casefold() in {each.casefold() for each in made.columns}
            if named and session.workspace.is_personal(relation, column.name):
                return True
    return False


def _in_target(made: ControlColumn) -> bool:
    columns = [(name, column.name) for name in made.tables for column in tables[name].columns if column.name != "id"]
    named = {each.casefold() for each in made.columns}
    return any(
        bool(column_info(name, column)["personal"])
        for name, column in columns
        if "*" in named or column.casefold() in named
    )


def _of_source(source: Source, query: Query) -> pl.DataFrame:
    if not isinstance(source, RunsQueries):
        raise SystemFailure(
            "CON-025",
            f"a system of the kind {source.kind} runs no queries",
            hint="Remove the control.",
            place=query.name,
        )
    source.offer(query)
    pages = list(source.columns(query.name, ("g", "n"), _ROWS))
    return pl.concat(pages) if pages else pl.DataFrame(schema={"g": pl.String, "n": pl.String})


def _of_target(target: Target, control: ControlSql) -> pl.DataFrame:
    # A colon begins a parameter in SQLAlchemy's texts.
    sql = control.target[target.dialect].replace("\\", "\\\\").replace(":", "\\:")
    asked = sa.text(sql).columns(sa.column("g"), sa.column("n")).subquery()
    wanted = sa.select(asked.c.g, asked.c.n)
    if target.dialect != "sqlite":
        names = [name for name in control.target_made["g"].tables if name in tables]
        wanted = wanted.add_cte(*(as_sqlite_has_it(target.dialect, tables[name]).cte(name) for name in names))
    return target.query(wanted, ("g", "n"))


@dataclass
class ChildrenAgain:
    """The children of one mapping: their rows, read and mapped again, and their records in the target.

    expected: reads the children's relation again, with the columns `by` carried along.
    """

    parent: CompiledMapping
    child: ChildSql
    expected: SourceAgain
    actual: TargetAgain
    links: LedgerLinks
    sample: Sample | None = None
    """The parents to compare."""

    def proof(self) -> ChildProof:
        """Return what the judge compares."""
        origins = self.actual.origins
        return ChildProof(mapping=self.child.mapping, source=self._rows, target=self._records, origins=origins)

    def _rows(self) -> Iterator[pl.DataFrame]:
        for batch in self.expected.batches(values=False):
            frame = batch.standing(batch.frame)
            key = self._key(frame)
            found = self.links.resolve(LinkRequest(self.parent.name), key)
            rows = frame.select("outcome", "id", "state", "moved_on").with_columns(
                key.alias("parent"), found["target_id"].alias("parent_id")
            )
            yield rows if self.sample is None else rows.filter(self.sample.holds(pl.col("parent_id")))

    def _key(self, frame: pl.DataFrame) -> pl.Series:
        """Return the parent's key as the raw row says it, in the form of the parent's own keys."""
        columns = [pl.col(f"{_PARENT}{name}") for name in self.expected.carried]
        if self.parent.records_by_group:
            return frame.select(key_text(columns).alias("_key"))["_key"]
        names = zip(columns, self.parent.key, strict=True)
        return self.parent.keys_only(frame.select(column.alias(name) for column, name in names))["_key"]

    def _records(self) -> Iterator[pl.DataFrame]:
        for page in self.actual.ids(self.child.link):
            rows = page.rename({self.child.link: "parent_id"})
            yield rows if self.sample is None else rows.filter(self.sample.holds(pl.col("parent_id")))
