"""Whatever stands in a source, a mapping never stops a batch: each row has one outcome, and a rejected one says why."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from story import open_story, read_table

from casemodel import check_contract, target_contract

pytestmark = pytest.mark.no_cover  # traced line by line it takes a quarter longer

CASES = Path(__file__).parents[1] / "cases"
STORIES = sorted(path.name for path in CASES.iterdir() if (path / "mapping.yml").exists())
NASTY = (
    "",
    " ",
    "\0",
    "\n",
    "|",
    "\\",
    '"',
    "0",
    "-1",
    "1e5",
    "00000000",
    "20110230",
    "99991231",
    "2024-03-31 02:30",
    "20241027 023000",
    "𝔘",
    "e\u0301",
    "\u202e",
    "9" * 40,
    "x" * 3000,
    "NULL",
    "J",
    "{\\rtf1 x}",
    "1.234,56",
    "﷽",
)


def rows(columns: list[str], seen: dict[str, list[str]]) -> st.SearchStrategy[list[dict[str, str | None]]]:
    """Return rows whose cells are the story's own texts, nasty ones, anything, or nothing."""
    cell = {
        name: st.one_of(st.none(), st.sampled_from(seen[name] or [""]), st.sampled_from(NASTY), st.text(max_size=12))
        for name in columns
    }
    return st.lists(st.fixed_dictionaries(cell), min_size=1, max_size=12)


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", STORIES)
def test_no_cell_stops_a_batch(name: str) -> None:
    """Fuzzed sources: outcomes balance, rejects have an issue in their record, records hold the contract."""
    story = open_story(CASES / name)
    source = read_table(story.folder / "source.csv")
    seen = {column: source.get_column(column).drop_nulls().unique().to_list() for column in source.columns}
    sides = {f"{side.name}.{column}": pl.String for side in story.mapping.sides for column in side.columns} | {
        f"{side.name}.{'count' if side.take == 'count' else '_hits'}": pl.Int64 for side in story.mapping.sides
    }
    sides |= {f"{side.name}.{own}": pl.Int64 for side in story.mapping.sides if side.climb for own in ("climbed", "_cycle")}
    contract = target_contract(story.mapping.target, story.mapping.fields)

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(rows(source.columns, seen))
    def check(found: list[dict[str, str | None]]) -> None:
        frame = pl.DataFrame(found, schema=dict.fromkeys(source.columns, pl.String))
        frame = frame.with_columns(
            pl.lit("0").alias("_ref"), *(pl.lit(None, kind).alias(side) for side, kind in sides.items())
        )
        prepared = story.mapping.prepare(frame)
        keys = prepared.get_column("_key").drop_nulls()
        mapped = story.mapping.apply(prepared, story.links, keys.filter(keys.is_duplicated()).unique())
        outcomes = mapped.outcomes
        assert outcomes.get_column("_row").to_list() == prepared.get_column("_row").to_list()
        assert outcomes.get_column("outcome").null_count() == 0
        assert mapped.records.height == outcomes.filter(pl.col("outcome") == "record").height
        errors = mapped.issues.filter(pl.col("severity") == "error")
        rejected = outcomes.filter(pl.col("outcome") == "rejected")
        if not story.mapping.records_by_group:
            assert rejected.get_column("_row").is_in(errors.get_column("_row").implode()).all()
            assert errors.get_column("_row").is_in(rejected.get_column("_row").implode()).all()
        breaches = check_contract(contract, mapped.records.drop("_key"))
        assert [breach for breach in breaches if breach.check != "form"] == []

    check()
