"""The rule of every link: what it leads to is there."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from casemodel.model import tables
from casemodel.rules.rule import BusinessRule, Moment


def rules(_moment: Moment) -> Iterator[BusinessRule]:
    """Yield the rules of this subject."""
    for name, table in tables.items():
        for column in table.columns:
            for key in column.foreign_keys:
                other = key.column.table.alias("other")
                yield BusinessRule(
                    code="XX-01", name=f"{name}.{column.name}", severity="error", table=table,
                    applies=column.is_not(None), broken=~sa.exists().where(other.c.id == column),
                    dutch=f"Waar {column.name} van een record van {name} naar wijst, bestaat",
                    english=f"What {column.name} of a record of {name} points to is there",
                )  # fmt: skip
