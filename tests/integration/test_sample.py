"""A sample is the same records on both sides, in every run and for every way in which rows become records."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from command_line import in_process
from polars.testing import assert_frame_equal
from small_demo import loaded_demo

from casemodel import UsageError
from migrate.opening import open_session
from migrate.proof import Sample, build_proofs, sample_of
from migrate.running.run import as_of_date
from migrate.target.opened import workspace_target
from migrate.workspace import load_workspace

WAYS = ["zaak.case", "zaak.person", "zaak.person_digital", "zaak.case_status_made", "kcc.contact", "balie.actor_name"]
"""A row a record; several systems; one row into many; one out of many rows; files; links by another key."""


def _both(folder: Path, sample: Sample | None) -> dict[str, tuple[pl.DataFrame, list[str], pl.Series]]:
    """Return by mapping what the source gives, which ids the target holds, and the keys beyond the sample."""
    found = {}
    with open_session(load_workspace(folder), as_of_date(None)) as session:
        target = workspace_target(session.workspace)
        try:
            with build_proofs(session, target, WAYS, datetime.now(UTC), sample) as proofs:
                for proof in proofs.mappings:
                    batches = list(proof.expected.batches(values=True))
                    ids = [each for page in proof.actual.ids() for each in page["id"]]
                    beyond = pl.concat([batch.beyond for batch in batches])
                    found[proof.facts.mapping] = (pl.concat([batch.frame for batch in batches]), ids, beyond)
        finally:
            target.close()
    return found


def test_both_sides_are_limited_alike_and_every_row_is_counted(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, sample = loaded_demo(tmp_path_factory), Sample(0.3)
    whole, drawn = _both(folder, None), _both(folder, sample)
    shares = []
    for name, (frame, ids, beyond) in drawn.items():
        all_rows, all_ids, _ = whole[name]
        # A record that cannot be read has no key to be drawn by: it is told in every sample.
        unreadable = pl.col("reason") == "record-unparsable"
        expected = all_rows.filter((pl.col("id") < sample.below).fill_null(False) | unreadable.fill_null(False))
        assert_frame_equal(frame, expected, check_row_order=False)
        assert ids == [each for each in all_ids if each < sample.below], name
        assert frame.height + beyond.len() == all_rows.height, name
        shares.append(len(ids) / max(1, len(all_ids)))
    assert 0.1 < sum(shares) / len(shares) < 0.5


def test_a_sample_says_that_it_is_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = loaded_demo(tmp_path_factory)
    asked = ("reconcile", "balie.queue_ticket", "--level", "accounting,keys,fields,distribution", "--sample", "25%")
    found = in_process("-C", folder, "--format", "json", *asked)
    assert (found.status, found.document["verdict"], found.document["sample"]) == (0, "in_balance", 0.25)
    shares = {check["level"]: check["share"] for check in found.document["checks"]}
    assert shares == {"accounting": 1, "keys": 0.25, "fields": 0.25, "distribution": 0.25}
    counts = {check["level"]: check["compared_source"] for check in found.document["checks"]}
    assert 0 < counts["distribution"] <= counts["fields"] < counts["accounting"]
    said = in_process("-C", folder, *asked).out
    assert "IN BALANS – STEEKPROEF VAN 25" in said and "Dit is een steekproef" in said


@pytest.mark.parametrize("text", ["0%", "100%", "101%", "1", "een%", "-1%", "nan%", "inf%", "%", ""])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        sample_of(text)
    assert caught.value.code == "REC-040"


def test_a_share_is_written_with_a_point_or_a_comma() -> None:
    assert sample_of("0,5%") == sample_of("0.5%") == Sample(0.005)
    assert sample_of(None) is None
