"""The levels schema, rules and distribution: an undamaged target passes, and each finds what was broken for it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from command_line import in_process
from rule_key import foretold
from small_demo import keyed_demo, loaded_demo
from targets import copy_workspace
from tiny_workspace import contact, edit, make_workspace, write_contacts

from reconciliation import reconcile_schema

pytestmark = pytest.mark.no_cover


def reconcile(folder: Path, *words: str):
    return in_process("-C", folder, "--format", "json", "reconcile", *words)


def damage(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "target.db")) as target:
        for sql in statements:
            assert target.execute(sql).rowcount != 0, sql
        target.commit()


@pytest.fixture
def demo(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_workspace(loaded_demo(tmp_path_factory), tmp_path / "demo")


def test_the_rule_findings_are_those_that_the_answer_key_foretells(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Rule by rule and mapping by mapping; no rule of the severity error is broken."""
    folder = copy_workspace(keyed_demo(tmp_path_factory), tmp_path / "demo")
    answer = reconcile(folder, "--level", "rules")
    assert answer.status == 0, answer.err
    document = answer.document
    found = Counter({(each["difference"], each["mapping"]): each["count"] for each in document["signals"]})
    expected = foretold(folder, datetime.now(ZoneInfo("Europe/Amsterdam")).date())
    assert found == +expected
    assert len({rule for rule, _ in found}) >= 12 and sum(found.values()) > 500
    assert document["findings"] == [] and all(not each["broken"] for each in document["rules"] if each["severity"] == "error")


def test_broken_rules_are_found_each_in_its_own_words(demo: Path) -> None:
    before = reconcile(demo, "--level", "rules").document
    assert before["findings"] == []
    damage(
        demo,
        "UPDATE case_status SET case_id = '11111111-1111-5111-8111-111111111111' WHERE id = (SELECT MIN(id) FROM case_status)",
        "UPDATE party_identifier SET value = '123456789' WHERE id = (SELECT MIN(id) FROM party_identifier WHERE id_type_code = 'bsn')",
        "UPDATE case_status SET set_at = '2990-01-01 12:00:00.000000' WHERE id = (SELECT MAX(id) FROM case_status)",
        "UPDATE case_file SET source_org = '123456789' WHERE id = (SELECT MIN(id) FROM case_file)",
        "UPDATE queue_ticket SET status = 'wachtend' WHERE id = (SELECT MIN(id) FROM queue_ticket)",
        "UPDATE case_file SET end_date = NULL WHERE id = (SELECT MAX(f.id) FROM case_file f JOIN case_status s ON s.case_id = f.id"
        " JOIN status_type t ON t.id = s.status_type_id WHERE t.is_final AND f.archive_action_date > '')",
        "UPDATE case_file SET start_date = '2999-01-01' WHERE id = (SELECT MAX(id) FROM case_file WHERE end_date > '')",
    )
    answer = reconcile(demo, "--level", "rules")
    assert answer.status == 3
    found = Counter(each["difference"] for each in answer.document["findings"])
    assert found == {
        "XX-01 case_status.case_id": 1, "ID-01 bsn": 1, "CA-08 status": 1, "ID-02 rsin of a case": 1,
    }  # fmt: skip
    signals = {each["difference"] for each in answer.document["signals"]}
    assert {"CA-03 end", "CA-02 type valid", "QT-02 left waiting", "CA-09 reopened"} <= signals
    assert "123456789" not in answer.out
    told = in_process("-C", demo, "reconcile", "--level", "rules", "--lang", "en")
    assert "ID-01 bsn — A BSN has nine digits and passes the test of eleven" in told.out
    assert max(map(len, told.out.splitlines())) <= 100


def test_a_form_that_is_another_is_found_and_a_table_that_lacks_a_column_is_not_read(demo: Path) -> None:
    clean = reconcile(demo, "zaak.case_result", "uitreik.case_property", "--level", "schema")
    assert clean.status == 0, clean.err
    assert {(each["check"], each["outcome"]) for each in clean.document["checks"]} == {
        ("schema.model", "passed"), ("schema.ledger", "passed"), ("schema.source", "passed"),
    }  # fmt: skip
    assert all(each["compared_target"] > 10 for each in clean.document["checks"])
    with closing(sqlite3.connect(demo / "target.db")) as target:
        target.execute("DROP INDEX ix_case_property_case_id")
        target.execute("ALTER TABLE case_result RENAME COLUMN explanation TO remarks")
        (form,) = target.execute(
            "SELECT form FROM migration_progress p JOIN migration_mapping m ON m.id = p.mapping_id"
            " WHERE m.name = 'zaak.case_result'"
        ).fetchone()
        known = json.loads(form)
        known["ZKN_ZAAK"] += [["VERDWENEN", "TEXT"]]
        known["ZKN_ZAAK"][0][1] = "GEOMETRY"
        target.execute(
            "UPDATE migration_progress SET form = ? WHERE mapping_id = (SELECT id FROM migration_mapping"
            " WHERE name = 'zaak.case_result')", (json.dumps(known),),
        )  # fmt: skip
        target.commit()
    answer = reconcile(demo, "zaak.case_result", "uitreik.case_property", "--level", "schema,accounting,keys,fields")
    assert answer.status == 3, answer.err
    found = {(each["check"], tuple(each["key"]), each["difference"], each["cause"]) for each in answer.document["findings"]}
    column = known["ZKN_ZAAK"][0][0]
    assert found == {
        ("schema.model", ("case_property", "ix_case_property_case_id"), "index", "form missing"),
        ("schema.model", ("case_result", "explanation"), "column", "form missing"),
        ("schema.model", ("case_result", "remarks"), "column", "form unexpected"),
        ("schema.model", ("case_result", "ck_case_result_explanation_length"), "check", "form differs"),
        ("schema.source", ("ZKN_ZAAK", "VERDWENEN"), "column", "form missing"),
        ("schema.source", ("ZKN_ZAAK", column), "type", "form differs"),
    }
    unread = [each for each in answer.document["checks"] if each["target"] == "case_result" and each["level"] != "schema"]
    assert {(each["outcome"], each["reason"]) for each in unread} == {("not_applicable", "table_differs")}
    assert {each["outcome"] for each in answer.document["checks"] if each["mapping"] == "uitreik.case_property"} == {"passed"}


def test_a_row_that_the_load_refused_is_not_missed_in_the_distribution(tmp_path: Path) -> None:
    """Its mapping gives a record, and only the target knows that its number was taken."""
    folder = make_workspace(tmp_path / "w")
    edit(folder / "mappings/kcc.contact.yml", "{from: NR}", "{from: NR, do: [{remove: x}]}")
    write_contacts(folder, [contact(number) for number in (*range(1, 8), "3x")])
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert [each["rejected"] for each in in_process("-C", folder, "--format", "json", "run").document["mappings"]] == [0, 0, 1]
    answer = reconcile(folder, "kcc.contact", "--level", "distribution")
    assert {(each["outcome"], each["compared_source"]) for each in answer.document["checks"]} == {("passed", 7)}


def test_a_gap_shows_in_the_distribution_and_small_groups_stay_together(demo: Path) -> None:
    asked = ("balie.queue_ticket", "balie.appointment", "zaak.case")
    clean = reconcile(demo, *asked, "--level", "distribution").document
    assert clean["findings"] == []
    assert {(each["target"], each["outcome"], each["reason"]) for each in clean["checks"]} == {
        ("queue_ticket", "passed", None), ("appointment", "passed", None),
        ("case_file", "not_applicable", "other_mappings"),
    }  # fmt: skip
    assert len(clean["distributions"]) == 11 and all(not each["differing"] for each in clean["distributions"])
    for each in clean["distributions"]:
        assert all(max(group["expected"], group["found"]) >= 5 for group in each["groups"])
    damage(
        demo,
        "UPDATE queue_ticket SET status = 'geannuleerd' WHERE id IN"
        " (SELECT id FROM queue_ticket WHERE status = 'afgehandeld' ORDER BY id LIMIT 7)",
    )
    answer = reconcile(demo, "balie.queue_ticket", "--level", "accounting,distribution", "--report", "json,html,txt,xlsx")
    assert answer.status == 3, answer.err
    (written,) = [path for path in answer.document["reports"] if path.endswith("json")]
    whole = json.loads(Path(written).read_text())
    jsonschema.validate(whole, reconcile_schema())
    (status,) = [each for each in whole["distributions"] if each["differing"]]
    assert (status["target"], status["by"], status["differing"]) == ("queue_ticket", "status", 2)
    done = next(group for group in status["groups"] if group["value"] == "afgehandeld")
    assert done["found"] == done["expected"] - 7
    assert {(each["check"], each["difference"], each["cause"]) for each in answer.document["findings"]} == {
        ("distribution.groups", "status", "count differs")
    }
