"""Rows that link to rows of their own batch load with them; what the target refuses of these is not linked to."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from command_line import CommandLine
from targets import ledger_rows, model_rows, upgrade

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

WORKSPACE = """
workspace: within
namespace: {public: test}
target: {url: "%s"}
systems: {old: {kind: sqlite, path: old.db}}
run: {batch_rows: %d}
"""
MAPPING = """
mapping: old.party
owner: test
target: party
source: {relation: PARTY, key: [NR]}
scope: {where: "NAME <> 'left'", reason: left behind}
fields:
  party_type: {const: contactpersoon}
  party_number: {from: NUMBER}
  organisation_name: {from: NAME}
  works_for_party_id: {from: ABOVE, link: old.party, missing: park}
  merged_into_id: {from: BESIDE, link: old.party, missing: park}
  is_active: {const: true}
rules:
  - {name: broken when linked, check: "NAME <> 'broken' OR merged_into_id IS NULL", otherwise: reject}
unfilled:
  - columns: [initials, first_names, surname_prefix, surname, legal_form, gender, birth_date, birth_date_text, deceased_on,
              language, is_secret, internal_note]
    reason: not in the old system
"""
PARTIES = [
    ("01", "01", "top", None, None),
    ("02", "02", "below", "01", None),
    ("03", "03", "below that", "02", "01"),
    ("04", "04", "above comes later", "09", "05"),
    ("05", "05", "beside comes later", None, "09"),
    ("06", "06", "left", None, None),
    ("07", "07", "below what is left", "06", "06"),
    ("08", "01", "same number as the top", None, None),
    ("09", "09", "below the same number", "08", "08"),
    ("10", "10", "a ring", "11", None),
    ("11", "11", "the other half", "10", None),
    ("12", "12", "broken", None, "13"),
    ("13", "13", "what the broken links to", "12", None),
    ("14", "14", "nobody is there", "99", "99"),
    *((f"{n}", f"{n}", "a long chain", f"{n - 1}" if n > 20 else None, None) for n in range(20, 30)),
]


def make(folder: Path, batch_rows: int, url: str = "sqlite:///target.db") -> Path:
    (folder / "mappings").mkdir(parents=True)
    (folder / "workspace.yml").write_text(WORKSPACE % (url, batch_rows))
    (folder / "mappings/old.party.yml").write_text(MAPPING)
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("CREATE TABLE PARTY (NR TEXT PRIMARY KEY, NUMBER TEXT, NAME TEXT, ABOVE TEXT, BESIDE TEXT)")
        old.executemany("INSERT INTO PARTY VALUES (?, ?, ?, ?, ?)", PARTIES)
    if url.startswith("sqlite"):
        upgrade(folder)
    return folder


def retries(folder: Path) -> int:
    with sqlite3.connect(folder / "target.db") as target:
        return int(target.execute("SELECT count(*) FROM migration_batch WHERE phase = 'retry'").fetchone()[0])


def books(found: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in found.items() if isinstance(count, int)}


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory, omnicase: CommandLine) -> tuple[Path, dict[str, int]]:
    """Loaded one row a batch: no link goes within a batch."""
    folder = make(tmp_path_factory.mktemp("one") / "w", 1)
    answer = omnicase("-C", folder, "--format", "json", "run")
    return folder, books(answer.document["mappings"][0])


@pytest.mark.parametrize(("batch_rows", "more"), [(4, ()), (100, ()), (100, ("--workers", "2"))])
def test_any_batch_gives_the_same_target(
    batch_rows: int, more: tuple[str, ...], one_by_one: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    folder = make(tmp_path / "w", batch_rows)
    answer = CommandLine().spawn("-C", folder, "--format", "json", "run", *more)
    assert books(answer.document["mappings"][0]) == one_by_one[1], answer.err
    assert model_rows(folder / "target.db") == model_rows(one_by_one[0] / "target.db")
    assert ledger_rows(folder / "target.db") == ledger_rows(one_by_one[0] / "target.db")


def test_what_lies_in_one_batch_is_not_tried_again(tmp_path: Path, omnicase: CommandLine) -> None:
    folder = make(tmp_path / "w", 100)
    with sqlite3.connect(folder / "old.db") as old:
        old.execute("DELETE FROM PARTY WHERE NR NOT IN ('01', '02', '03', '04', '05', '09', '20', '21', '22')")
        old.execute("UPDATE PARTY SET ABOVE = NULL, BESIDE = NULL WHERE NR = '09'")
    answer = omnicase("-C", folder, "--format", "json", "run")
    assert (answer.status, answer.document["mappings"][0]["inserted"]) == (0, 9)
    assert retries(folder) == 0
    with sqlite3.connect(folder / "target.db") as target:
        assert target.execute("SELECT count(*) FROM migration_wait").fetchone() == (0,)
        above = "SELECT c.party_number, a.party_number FROM party c JOIN party a ON a.id = c.works_for_party_id ORDER BY 1"
        assert dict(target.execute(above)) == {"02": "01", "03": "02", "04": "09", "21": "20", "22": "21"}


@pytest.mark.parametrize("strike", ["before-apart:1", "after-copy:2", "before-commit:1"])
def test_killed_when_a_record_that_others_link_to_is_refused(
    strike: str, one_by_one: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    folder, omnicase = make(tmp_path / "w", 100), CommandLine()
    killed = omnicase.spawn("-C", folder, "run", env={"OMNICASE_FAILPOINT": strike})
    assert killed.status == -signal.SIGKILL, f"{strike} was never reached: {killed.err}"
    assert omnicase("-C", folder, "run", "--resume").status == 3
    assert model_rows(folder / "target.db") == model_rows(one_by_one[0] / "target.db")
    assert ledger_rows(folder / "target.db") == ledger_rows(one_by_one[0] / "target.db")


def test_postgresql_refuses_a_record_that_others_link_to(
    one_by_one: tuple[Path, dict[str, int]], tmp_path: Path, new_postgres_database: Callable[..., str], omnicase: CommandLine
) -> None:
    url = new_postgres_database()
    folder = make(tmp_path / "w", 100, url)
    assert omnicase("-C", folder, "db", "upgrade").status == 0
    answer = omnicase("-C", folder, "--format", "json", "run")
    assert books(answer.document["mappings"][0]) == one_by_one[1], answer.err
    engine = sa.create_engine(url)
    with engine.connect() as target:
        query = "SELECT CAST(id AS TEXT), CAST(works_for_party_id AS TEXT), CAST(merged_into_id AS TEXT) FROM party"
        found = sorted(map(tuple, target.execute(sa.text(query))))
    engine.dispose()
    with sqlite3.connect(one_by_one[0] / "target.db") as target:
        assert found == sorted(target.execute("SELECT id, works_for_party_id, merged_into_id FROM party"))
