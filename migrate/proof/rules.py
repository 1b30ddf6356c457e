"""Rules asked of the target by ranges of the id: those of the case model, and those of the municipality."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import polars as pl
import sqlalchemy as sa

from casemodel import BusinessRule, OmnicaseError, RefusedError, Target, tables
from connectors import as_sqlite_has_it, as_text
from mappings import OwnRule
from migrate.proof.actual import PAGE, TargetAgain


@dataclass
class RuleAsked:
    """One rule of the model, asked of the target by ranges of the id."""

    target: Target
    rule: BusinessRule
    side: TargetAgain

    @property
    def reads(self) -> frozenset[str]:
        """The tables that the rule looks at."""
        rule = self.rule
        parts = [rule.broken, *rule.columns.values(), *(() if rule.applies is None else (rule.applies,))]
        found = (node for part in parts for node in sa.sql.visitors.iterate(part))
        named = {node.table if isinstance(node, sa.Column) else node for node in found}
        originals = {getattr(each, "element", each) for each in named}
        return frozenset({rule.table.name, *(each.name for each in originals if isinstance(each, sa.Table))})

    def count(self) -> int:
        """Return how many records the rule is about."""
        table = self.rule.table
        statement = sa.select(sa.func.count().label("n")).select_from(table)
        if self.rule.applies is not None:
            statement = statement.where(self.rule.applies)
        return int(self.target.query(statement, ("n",))["n"][0])

    def offenders(self) -> Iterator[pl.DataFrame]:
        """Yield the records that break it: ``id``, ``mapping``, ``key``."""
        rule, after = self.rule, str(UUID(int=0))
        key = rule.table.c.id
        columns = [column.label(name) for name, column in rule.columns.items()]
        conditions = [rule.broken] if rule.applies is None else [rule.applies, rule.broken]
        while True:
            statement = sa.select(key, *columns).where(*conditions, key > after).order_by(key).limit(PAGE)
            page = self.target.query(statement, ("id", *rule.columns))
            if page.is_empty():
                return
            after = str(page["id"].max())
            wrong = page if rule.holds is None else page.filter(~rule.holds.fill_null(False))
            if wrong.height:
                yield self.side.explained(wrong["id"])
            if page.height < PAGE:
                return


@dataclass
class OwnRuleAsked:
    """One rule of the municipality, whose SELECT was held to reading only."""

    target: Target
    rule: OwnRule
    side: TargetAgain
    seconds: float
    """How long its SELECT may take in all."""

    def count(self) -> int:
        """Return how many records the table has."""
        statement = sa.select(sa.func.count().label("n")).select_from(tables[self.rule.table])
        return int(self.target.query(statement, ("n",))["n"][0])

    def offenders(self) -> Iterator[pl.DataFrame]:
        """Yield the records of the table that its SELECT returns: ``id``, ``mapping``, ``key``.

        Raises:
            TimeIsUp: REC-045 the database took longer.
        """
        after, spent = str(UUID(int=0)), 0.0
        while True:
            started = time.monotonic()
            page = self._page(after, PAGE, self.seconds - spent)
            spent += time.monotonic() - started
            if page.is_empty():
                return
            yield self.side.explained(page["id"])
            if page.height < PAGE:
                return
            after = str(page["id"].max())

    def refuse_unless_it_runs(self) -> None:
        """Let the database read the SELECT, without a row.

        Raises:
            RefusedError: REC-027 the database refuses it (exit 4).
        """
        try:
            self._page(str(UUID(int=0)), 0, self.seconds)
        except OmnicaseError as error:
            raise self._refused() from error
        except Exception:  # a driver's own error, whose text may quote values
            raise self._refused() from None

    def _refused(self) -> RefusedError:
        return RefusedError(
            "REC-027",
            f"the target cannot run the SELECT of the rule '{self.rule.id}'",
            hint="Run it in the database itself to see why; it is written as for SQLite.",
            place=self.rule.place,
        )

    def _page(self, after: str, most: int, seconds: float) -> pl.DataFrame:
        dialect, table = self.target.dialect, tables[self.rule.table]
        # A colon begins a parameter in SQLAlchemy's texts.
        sql = self.rule.sql[dialect].replace("\\", "\\\\").replace(":", "\\:")
        asked = sa.text(sql).columns(sa.column("id", sa.Text)).subquery()
        inner = sa.select(asked.c.id)
        if dialect != "sqlite":
            # Nested: outside of it the names are those of the tables themselves.
            plain = (as_sqlite_has_it(dialect, tables[name]).cte(name, nesting=True) for name in self.rule.tables)
            inner = inner.add_cte(*plain)
        key: sa.ColumnElement[Any] = as_text(dialect, table.c.id)
        wanted = sa.select(table.c.id).where(key.in_(inner), table.c.id > after).order_by(table.c.id).limit(most)
        return self.target.query_within(max(seconds, 0.001), wanted, ("id",))
