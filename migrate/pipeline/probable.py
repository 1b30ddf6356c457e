"""Records that are probably one: rows that have the last alternative of their identity in common, and no record."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import sqlalchemy as sa

from migrate.ledger.store import table
from migrate.pipeline.context import LoadContext, Shared
from migrate.pipeline.identity import DECIDED

PROBABLE = "identity-probable"
TOUCHED, PARTED = "shared_probable", "shared_parted"


def frames_of(before: pl.DataFrame, given: pl.DataFrame, shared: Shared) -> dict[str, pl.DataFrame]:
    """Return what is to be staged: ids by the last alternative of rows now and before, and who is not the same."""
    numbers = {name: number for number, name in shared.mappings.items()}
    parted = [(each.left, each.right) for each in shared.decisions if not each.same]
    pairs = [
        (numbers[one[0]], one[1], numbers[two[0]], two[1])
        for left, right in parted
        for one, two in ((left, right), (right, left))
        if one[0] in numbers and two[0] in numbers
    ]
    schema = {"mapping_id": pl.Int64, "key": pl.String, "other_id": pl.Int64, "other_key": pl.String}
    touched = pl.concat([before["probable"], given["probable"]]).drop_nulls().unique()
    return {TOUCHED: touched.to_frame("id"), PARTED: pl.DataFrame(pairs, schema=schema, orient="row")}


def note_probable(
    connection: sa.Connection, context: LoadContext, shared: Shared, stages: Mapping[str, sa.TableClause]
) -> None:
    """Write the warnings of all rows that share what a batch touched anew.

    Args:
        stages: what was staged of `frames_of`, where it had rows.
    """
    if TOUCHED not in stages:
        return
    touched = stages[TOUCHED]
    kept, issue = table(connection, "contribution"), table(connection, "issue")
    wanted = sa.select(touched.c.id)
    for number in sorted(shared.mappings):
        keys = sa.select(kept.c.lead_key).where(kept.c.mapping_id == number, kept.c.probable.in_(wanted))
        mine = sa.and_(issue.c.mapping_id == number, issue.c.code == PROBABLE, issue.c.source_key.in_(keys))
        connection.execute(sa.delete(issue).where(mine))
    other = kept.alias("other")
    twice = sa.and_(other.c.probable == kept.c.probable, other.c.target_id != kept.c.target_id)
    open_ones = [sa.and_(each.c.problem.is_(None), each.c.apart.is_distinct_from(DECIDED)) for each in (kept, other)]
    if PARTED in stages:
        parted = stages[PARTED]
        one = sa.and_(parted.c.mapping_id == kept.c.mapping_id, parted.c.key == kept.c.source_key)
        two = sa.and_(parted.c.other_id == other.c.mapping_id, parted.c.other_key == other.c.source_key)
        open_ones.append(~sa.exists().where(one, two))
    select = (
        sa.select(
            kept.c.mapping_id,
            sa.literal(context.run_id),
            kept.c.lead_key,
            kept.c.row_ref,
            sa.literal("identity"),
            sa.literal(PROBABLE),
            sa.literal("warning"),
        )
        .select_from(kept.join(other, twice))
        .where(kept.c.probable.in_(wanted), *open_ones)
        .distinct()
        .order_by(kept.c.mapping_id, kept.c.lead_key)
    )
    names = ["mapping_id", "run_id", "source_key", "row_ref", "field", "code", "severity"]
    connection.execute(sa.insert(issue).from_select(names, select))
