"""Bad deliveries, a folder each under tests/cases_bad/KIND: the files, the settings, and what must come of them."""

from __future__ import annotations

import json
import shutil
import zipfile
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from workbook_parts import write_workbook

from casemodel import OmnicaseError, Partition, TellsOddities
from connectors import SystemConfig, open_source
from connectors.sources.files import bytes as file_bytes

_BAD = Path(__file__).parents[1] / "cases_bad"
KINDS = ("csv", "excel", "fixed", "json", "ticketlog", "xml")
CASES = sorted(path.parent for kind in KINDS for path in (_BAD / kind).glob("*/case.json"))


@pytest.mark.parametrize("chunk", [7, 1 << 22], ids=["small chunks", "one chunk"])
@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_case(case: Path, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = json.loads((case / "case.json").read_text())
    if chunk == 7 and wanted["expected"].get("error") != "CON-038":
        # A header must fit the first block, which in life is far larger than any header.
        monkeypatch.setattr(file_bytes, "CHUNK", 64)
    for path in case.iterdir():
        if path.name != "case.json":
            shutil.copy(path, tmp_path)
    for name, said in wanted.get("workbooks", {}).items():
        archive, _, member = name.rpartition("!")
        write_workbook(tmp_path / member.replace("/", "-"), said)
        if archive:
            with zipfile.ZipFile(tmp_path / archive, "a", zipfile.ZIP_DEFLATED) as into:
                into.write(tmp_path / member.replace("/", "-"), member)
            (tmp_path / member.replace("/", "-")).unlink()
    config = SystemConfig("kcc", case.parent.name, wanted["settings"], tmp_path)
    expected = wanted["expected"]
    if "error" in expected:
        with pytest.raises(OmnicaseError) as caught:
            read(config)
        found = caught.value
        assert (found.code, found.exit_status) == (expected["error"], expected["exit"])
        assert expected.get("where", "") in str(found.place)
        for text in expected["says"]:
            assert text in found.message + found.hint
        assert "999993653" not in str(found.as_dict())
        return
    frame, unreadable, count = read(config)
    if "oddities" in expected:
        with closing(open_source(config)) as source:
            assert isinstance(source, TellsOddities)
            assert [each.message for each in source.oddities("R")] == expected["oddities"]
    columns = expected.get("columns", [name for name in frame.columns if not name.startswith("_")])
    assert frame.select(columns).rows() == [tuple(row) for row in expected["rows"]]
    assert unreadable.select("_ref", "place", "code").rows() == [tuple(row) for row in expected["unreadable"]]
    assert count == frame.height + unreadable.height, "nothing is lost"
    if "files" in expected:
        assert frame["_file"].unique(maintain_order=True).to_list() == expected["files"]


def read(config: SystemConfig) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    with closing(open_source(config)) as source:
        relation = source.relation("R")
        extracts = list(source.extract(Partition("R", 2)))
        empty = pl.DataFrame(schema=dict.fromkeys([c.name for c in relation.columns], pl.String))
        frame = pl.concat([empty, *(e.frame.drop("_ref") for e in extracts)])
        bad = [e.unreadable for e in extracts if e.unreadable is not None]
        assert all(raw for part in bad for raw in part["raw"]), "what cannot be read is kept"
        none = pl.DataFrame(schema=dict.fromkeys(["_ref", "place", "code", "raw"], pl.String))
        return frame, pl.concat([none, *bad]), source.count("R")


def test_every_case_is_collected() -> None:
    assert len(CASES) >= 74
