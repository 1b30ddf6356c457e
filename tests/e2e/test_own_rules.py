"""Rules of the municipality (checks/*.yml): asked of the target, and refused with a place when they are wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process
from made_once import made_once
from targets import copy_workspace, upgrade
from tiny_workspace import edit, make_workspace

pytestmark = pytest.mark.no_cover

GOOD = 'rules:\n  - {id: E-1, nl: Er is een antwoord, en: There is an answer, severity: signal, table: customer_contact,\n     sql: "SELECT id FROM customer_contact WHERE response IS NULL AND subject <> \'12:30\'"}\n'


def _made(folder: Path) -> None:
    make_workspace(folder, contacts=6)
    upgrade(folder)
    assert in_process("-C", folder, "run").status == 0


@pytest.fixture
def tiny(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_workspace(made_once(tmp_path_factory, "tiny-own-rules", _made), tmp_path / "tiny")
    (folder / "checks").mkdir()
    return folder


def reconcile(folder: Path, text: str):
    (folder / "checks/eigen.yml").write_text(text)
    return in_process("-C", folder, "--format", "json", "reconcile", "--level", "accounting,keys,fields,rules")


def test_a_signal_points_records_out_and_fails_nothing(tiny: Path) -> None:
    answer = reconcile(tiny, GOOD)
    assert answer.status == 0, answer.err
    document = answer.document
    assert (document["verdict"], document["findings"]) == ("in_balance", [])
    (signal,) = document["signals"]
    assert (signal["check"], signal["difference"], signal["mapping"], signal["count"]) == ("rules.own", "E-1", "kcc.contact", 6)
    assert {tuple(each["key"]) for each in document["signal_records"]} == {(str(n),) for n in range(1, 7)}
    (check,) = [each for each in document["checks"] if each["check"] == "rules.own"]
    assert (check["outcome"], check["signals"], check["compared_target"]) == ("passed", 6, 6)
    told = in_process("-C", tiny, "reconcile", "--level", "rules")
    assert "6 van 6  Er is een antwoord [E-1]" in told.out


def test_a_file_that_ends_with_yaml_is_asked_too(tiny: Path) -> None:
    file = tiny / "checks/eigen.yml"
    reconcile(tiny, GOOD)
    file.rename(file.with_suffix(".yaml"))
    told = in_process("-C", tiny, "--format", "json", "reconcile", "--level", "rules").document
    assert [signal["difference"] for signal in told["signals"]] == ["E-1"]


def test_an_error_is_a_difference(tiny: Path) -> None:
    answer = reconcile(tiny, GOOD.replace("signal", "error"))
    assert answer.status == 3 and answer.document["verdict"] == "findings"
    assert {(each["cause"], each["difference"]) for each in answer.document["findings"]} == {("rule broken", "E-1")}
    assert len(answer.document["findings"]) == 6


def test_a_rule_that_nothing_breaks_passes_and_a_table_without_records_does_not(tiny: Path) -> None:
    unbroken = GOOD.replace("response IS NULL", "response IS NOT NULL")
    answer = reconcile(tiny, unbroken)
    assert answer.status == 0 and answer.document["signals"] == []
    with closing(sqlite3.connect(tiny / "target.db")) as target:
        target.execute("DELETE FROM customer_contact")
        target.commit()
    checks = reconcile(tiny, unbroken).document["checks"]
    assert {each["outcome"] for each in checks if each["check"] == "rules.own"} == {"not_applicable"}


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("rules:", "regels:", "REC-020", "checks/eigen.yml:1:1"),
        ("severity: signal, ", "", "REC-020", "checks/eigen.yml:2:5"),
        ("nl: ", "nll: ", "REC-020", "checks/eigen.yml:2:15"),
        ("id: E-1", 'id: "E 1"', "REC-021", "checks/eigen.yml:2:10"),
        ("severity: signal", "severity: S", "REC-022", "checks/eigen.yml"),
        ("table: customer_contact", "table: contact", "REC-023", "checks/eigen.yml"),
        ("SELECT id", "DELETE", "REC-024", "checks/eigen.yml:3"),
        ("SELECT id", "SELECT random() AS id", "REC-024", "checks/eigen.yml:3"),
        ("<> '12:30'", "<> ''; DROP TABLE actor", "REC-024", "checks/eigen.yml:3"),
        ("SELECT id", "SELECT id, subject", "REC-025", "checks/eigen.yml:3"),
        ("response", "respons", "REC-026", "checks/eigen.yml:3"),
        ("FROM customer_contact", "FROM migration_reject", "REC-026", "checks/eigen.yml:3"),
        ("response IS NULL", "length(id, 2) > 1", "REC-027", "checks/eigen.yml:2"),
        ("{id: E-1,", "{id: E-1, id: E-2,", "YML-003", "checks/eigen.yml:2"),
        ("rules:\n", "rules: &a\n", "YML-004", "checks/eigen.yml"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(old: str, new: str, code: str, place: str, tiny: Path) -> None:
    assert old in GOOD
    answer = reconcile(tiny, GOOD.replace(old, new, 1))
    assert answer.status == 4, answer.out
    assert f'"{code}"' in answer.out and place in answer.out, answer.out
    with closing(sqlite3.connect(tiny / "target.db")) as target:
        assert target.execute("SELECT COUNT(*) FROM actor").fetchone() == (5,)


def test_an_id_stands_once_and_a_link_to_elsewhere_is_refused(tiny: Path, tmp_path: Path) -> None:
    (tiny / "checks/a.yml").write_text(GOOD)
    twice = reconcile(tiny, GOOD)
    assert twice.status == 4 and "REC-021" in twice.out and "checks/a.yml:2:5" in twice.out
    (tiny / "checks/a.yml").unlink()
    (tmp_path / "elders.yml").write_text(GOOD)
    (tiny / "checks/a.yml").symlink_to(tmp_path / "elders.yml")
    assert "REC-020" in reconcile(tiny, GOOD.replace("E-1", "E-2")).out


SLOW = """rules:
  - {id: E-9, nl: Duurt te lang, en: Takes too long, severity: signal, table: customer_contact,
     sql: "SELECT a.id FROM customer_contact a, customer_contact b, customer_contact c, customer_contact d,
       customer_contact e, customer_contact f, customer_contact g, customer_contact h, customer_contact i,
       customer_contact j, customer_contact k WHERE a.subject || b.subject || k.subject = 'nooit'"}
"""


def test_a_rule_that_takes_too_long_is_ended_and_never_passes(tiny: Path) -> None:
    """It is a difference, whatever its severity; people may accept that nobody knows."""
    edit(tiny / "workspace.yml", "systems:", "reconcile: {rule_seconds: 1}\nsystems:")
    answer = reconcile(tiny, SLOW)
    assert answer.status == 3 and answer.document["verdict"] == "findings"
    (group,) = answer.document["groups"]
    assert (group["check"], group["cause"], group["difference"]) == ("rules.own", "rule not answered", "E-9")
    assert [each["answered"] for each in answer.document["rules"] if each["rule"] == "E-9"] == [False]
    told = in_process("-C", tiny, "reconcile", "--level", "rules").out
    assert "Een bedrijfsregel gaf geen antwoord" in told or "Duurt te lang" in told


def test_a_form_that_differs_can_be_accepted_and_a_missing_column_cannot(tiny: Path) -> None:
    """An index beside those of the model is accepted by two people; what cannot be read is nobody's to accept."""
    with closing(sqlite3.connect(tiny / "target.db")) as target:
        target.execute("ALTER TABLE customer_contact ADD COLUMN extra TEXT")
    group = in_process("-C", tiny, "--format", "json", "reconcile", "--level", "schema").document["groups"][0]
    propose = ("waiver", "propose", "--reason", "van de leverancier", "--until", "2099-12-31", "--by", "an", "--group")
    assert in_process("-C", tiny, *propose, group["id"]).status == 0
    assert in_process("-C", tiny, "waiver", "approve", "1", "--by", "bea").status == 0
    accepted = in_process("-C", tiny, "--format", "json", "reconcile")
    assert (accepted.status, accepted.document["verdict"]) == (0, "in_balance"), accepted.document["groups"]
    with closing(sqlite3.connect(tiny / "target.db")) as target:
        target.execute("ALTER TABLE customer_contact DROP COLUMN extra")
        target.execute("ALTER TABLE customer_contact RENAME COLUMN response TO answer")
    lost = in_process("-C", tiny, "--format", "json", "reconcile", "--level", "schema").document["groups"]
    missing = next(each["id"] for each in lost if each["cause"] == "form missing" and each["difference"] == "column")
    refused = in_process("-C", tiny, "--format", "json", *propose, missing)
    assert (refused.status, refused.document["code"]) == (6, "WAI-005")
