"""What is asked of the target as a whole: its form, the rules of its records, how they are divided."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import DIMENSIONS, BusinessRule, Dimension, Moment, Target, business_rules, tables
from connectors import as_text
from mappings import OwnRule, load_own_rules
from migrate.history import HISTORIES, History
from migrate.ledger.store import UNDONE
from migrate.ledger.tables import ledger_table
from migrate.pipeline.standing import form_of
from migrate.proof.actual import TargetAgain
from migrate.proof.rules import OwnRuleAsked, RuleAsked
from migrate.proof.sample import Sample
from migrate.session import Session
from migrate.target.check import Difference, differences
from reconciliation import DimensionProof, RuleProof, SchemaAnswer, SchemaDifference, SchemaProof, TargetProof


@dataclass
class TargetChecks:
    """Makes the proof of a target; what it holds open is closed with it.

    Args:
        numbers: of every mapping its number in the ledger.
        now: when the rules are asked, aware.
    """

    session: Session
    target: Target
    names: Sequence[str]
    numbers: dict[str, int]
    now: datetime
    sample: Sample | None = None
    """The records that are divided; None: all."""
    _sides: dict[str, TargetAgain] = field(default_factory=dict)

    def proof(self) -> TargetProof:
        """Return what the judge asks."""
        filled = {self.session.mapping(name).target for name in self.names}
        return TargetProof(
            schemas=(*self._targets(), *(self._source(name) for name in self.names)),
            rules=(
                *(self._rule(rule) for rule in business_rules(Moment(self.now)) if rule.table.name in filled),
                *(self._own(rule) for rule in load_own_rules(self.session.workspace.root) if rule.table in filled),
            ),
            dimensions=tuple(self._dimension(each) for each in DIMENSIONS if each.table in filled),
        )

    def close(self) -> None:
        """Remove scratch stores."""
        for side in self._sides.values():
            side.close()

    def _targets(self) -> Iterator[SchemaProof]:
        for history in HISTORIES:
            yield SchemaProof(check=f"schema.{history.name}", compare=partial(_form_of_target, self.target, history))

    def _source(self, name: str) -> SchemaProof:
        mapping = self.session.mapping(name)
        number = self.numbers.get(name, -1)

        def compare() -> SchemaAnswer:
            loaded = _form_at_load(self.target, number)
            now = form_of(self.session.source(mapping.system), mapping)
            return SchemaAnswer(0, reason="never_ran") if loaded is None else _forms_compared(loaded, now)

        return SchemaProof(
            check="schema.source", compare=compare, mapping=name, target=mapping.target, meaning=mapping.meaning
        )

    def _rule(self, rule: BusinessRule) -> RuleProof:
        asked = RuleAsked(self.target, rule, self._side(rule.table.name))
        return RuleProof(
            id=rule.id, severity=rule.severity, target=rule.table.name, dutch=rule.dutch, english=rule.english,
            count=asked.count, offenders=asked.offenders, reads=asked.reads,
        )  # fmt: skip

    def _own(self, rule: OwnRule) -> RuleProof:
        seconds = self.session.workspace.model.reconcile.rule_seconds
        asked = OwnRuleAsked(self.target, rule, self._side(rule.table), seconds)
        asked.refuse_unless_it_runs()
        return RuleProof(
            id=rule.id, severity=rule.severity, target=rule.table, dutch=rule.dutch, english=rule.english, own=True,
            count=asked.count, offenders=asked.offenders, reads=frozenset((rule.table, *rule.tables)),
        )  # fmt: skip

    def _side(self, table: str) -> TargetAgain:
        if table not in self._sides:
            self._sides[table] = TargetAgain(self.target, table, self.session.workspace.secrets.hash_key)
        return self._sides[table]

    def _dimension(self, each: Dimension) -> DimensionProof:
        return DimensionProof(
            target=each.table, by=each.by, column=each.column, length=each.length,
            counts=partial(_counts, self.target, each, self.sample),
            labels=partial(_labels, self.target, each) if each.label else None,
        )  # fmt: skip


def _counts(target: Target, each: Dimension, sample: Sample | None) -> pl.DataFrame:
    column = tables[each.table].c[each.column]
    text: sa.ColumnElement[Any] = as_text(target.dialect, column)
    value = text if each.length is None else sa.func.substr(text, 1, each.length)
    found = sa.select(value.label("value"), sa.func.count().label("n")).group_by(value)
    if sample is not None:
        found = found.where(tables[each.table].c.id < sample.below)
    return target.query(found, ("value", "n")).with_columns(pl.col("n").cast(pl.Int64))


def _labels(target: Target, each: Dimension) -> pl.DataFrame:
    """Return what the values of a link are called; actors by their department, which is nobody's name."""
    assert each.references is not None and each.label is not None
    other = tables[each.references]
    if each.label != "unit":
        return target.query(sa.select(other.c.id, other.c[each.label].label("label")), ("value", "label"))
    unit = other.alias("unit")
    name = sa.case(
        (other.c.actor_type == "organisatorische_eenheid", other.c.name),
        (unit.c.actor_type == "organisatorische_eenheid", unit.c.name),
        else_="-",
    )
    joined = other.outerjoin(unit, unit.c.id == other.c.unit_id)
    return target.query(sa.select(other.c.id, name.label("label")).select_from(joined), ("value", "label"))


def _form_of_target(target: Target, history: History) -> SchemaAnswer:
    metadata = history.metadata(target.dialect)
    compared = sum(
        1 + len(table.columns) + len(table.indexes) + len(table.constraints) for table in metadata.sorted_tables
    )
    with target.engine.connect() as connection:
        found = differences(connection, history)
    # The revision is one more: a target that is behind was refused before (DBS-003).
    return SchemaAnswer(compared + 1, tuple(_difference(each) for each in found))


def _difference(found: Difference) -> SchemaDifference:
    return SchemaDifference(
        found.table, found.name, found.what, found.kind, found.expected or None, found.found or None
    )  # fmt: skip


def _form_at_load(target: Target, number: int) -> dict[str, list[list[str]]] | None:
    """Return the columns and types of the relations of a mapping when it was last read; None: never."""
    progress = ledger_table(target.dialect, "progress")
    last = (
        sa.select(progress.c.form)
        .where(progress.c.mapping_id == number, progress.c.state != UNDONE)
        .order_by(progress.c.run_id.desc())
        .limit(1)
    )
    found = target.query(last, ("form",))
    form: dict[str, list[list[str]]] | None = json.loads(str(found["form"][0])) if found.height else None
    return form


def _forms_compared(loaded: dict[str, list[list[str]]], now: dict[str, list[list[str]]]) -> SchemaAnswer:
    """Compare what was there at the load with what is there now; new columns are a finding of `run`."""
    wrong = []
    for relation, columns in loaded.items():
        known = {name.casefold(): kind for name, kind in now.get(relation, [])}
        for name, kind in columns:
            if name.casefold() not in known:
                wrong.append(SchemaDifference(relation, name, "column", "missing", kind, None))
            elif known[name.casefold()] != kind:
                wrong.append(SchemaDifference(relation, name, "type", "differs", kind, known[name.casefold()]))
    return SchemaAnswer(sum(1 + len(columns) for columns in loaded.values()), tuple(wrong))
