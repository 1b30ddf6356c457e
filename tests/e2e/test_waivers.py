"""Waivers from the command line: two persons, their keys, and a verdict that says what was accepted."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import jsonschema
import pytest
import sqlalchemy as sa
from command_line import Answer, in_process
from key_circle import countersign_all
from tiny_workspace import edit, make_workspace

from migrate.verdicts import last_verdict
from migrate.waivers.schemas import waiver_schema, waivers_schema

REASON = "Na de conversie aangevuld door de balie"
FOR = ("--reason", REASON, "--until", "2099-12-31")


def _execute(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        for statement in statements:
            target.execute(statement)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    words = "vier woorden en nog een"
    return {"OMNICASE_KEYS": str(tmp_path / "private"), "OMNICASE_PASSPHRASE": words, "NAMESPACE": "een geheim van ons"}


@pytest.fixture
def folder(tmp_path: Path, env: dict[str, str]) -> Path:
    """Give a loaded workspace in which three contacts were edited in the target."""
    folder = make_workspace(tmp_path / "w", contacts=5)
    edit(folder / "workspace.yml", '{public: "tiny tests"}', "{env: NAMESPACE}")
    for verb in ("db upgrade", "run"):
        assert in_process("-C", folder, *verb.split(), env=env).status == 0
    _execute(folder, "UPDATE customer_contact SET subject = 'anders' WHERE contact_number IN ('1', '2', '3')")
    return folder


def _answer(folder: Path, env: dict[str, str], *arguments: str) -> Answer:
    return in_process("-C", folder, "--format", "json", *arguments, env=env)


def _group(folder: Path, env: dict[str, str]) -> str:
    found = _answer(folder, env, "reconcile", "--level", "fields")
    assert found.status == 3
    (group,) = found.document["groups"]
    return group["id"]


def _key(folder: Path, env: dict[str, str], person: str, role: str) -> None:
    assert _answer(folder, env, "key", "new", "--person", person, "--role", role).status == 0
    countersign_all(lambda *words: in_process("-C", folder, *words, env=env))


def test_two_persons_accept_a_group_and_the_reports_say_so(folder: Path, env: dict[str, str]) -> None:
    group = _group(folder, env)
    proposed = _answer(folder, env, "waiver", "propose", "--group", group, *FOR, "--by", "an")
    assert proposed.status == 0, proposed.out
    jsonschema.validate(proposed.document, waiver_schema(), cls=jsonschema.Draft202012Validator)
    assert (proposed.document["max"], proposed.document["mapping"]) == (3, "kcc.contact")
    assert _answer(folder, env, "reconcile", "--level", "fields").status == 3, "a proposal turns nothing green"

    for own in ("an", "AN", "tests"):
        refused = _answer(folder, env, "waiver", "approve", "1", "--by", own)
        assert (refused.status, refused.document["code"]) == (6, "WAI-008"), own
    edit(folder / "mappings/kcc.contact.yml", "language:         {const: nld}", "language:         {const: fry}")
    refused = _answer(folder, env, "waiver", "approve", "1", "--by", "bea")
    assert (refused.status, refused.document["code"]) == (6, "WAI-012"), "nobody approves what now means something else"
    edit(folder / "mappings/kcc.contact.yml", "{const: fry}", "{const: nld}")
    assert _answer(folder, env, "waiver", "approve", "1", "--by", "bea").status == 0
    again = _answer(folder, env, "waiver", "approve", "1", "--by", "cor")
    assert (again.status, again.document["code"]) == (6, "WAI-009")

    found = _answer(folder, env, "reconcile", "--report", "json,html,xlsx,txt")
    assert (found.status, found.document["verdict"]) == (0, "in_balance")
    outcomes = {each["mapping"]: each["outcome"] for each in found.document["checks"] if each["level"] == "fields"}
    assert outcomes["kcc.contact"] == "waived"
    reports = {Path(each).suffix: Path(each) for each in found.document["reports"]}
    assert json.loads(reports[".json"].read_text())["waivers"][0]["status"] == "counts"
    assert REASON in reports[".html"].read_text() and "telt mee: 3 van ten hoogste 3" in reports[".txt"].read_text()
    with ZipFile(reports[".xlsx"]) as book:
        assert any(REASON in book.read(name).decode() for name in book.namelist())

    _execute(folder, "UPDATE customer_contact SET subject = 'ook' WHERE contact_number = '4'")
    more = _answer(folder, env, "reconcile", "--level", "fields")
    assert (more.status, more.document["waivers"][0]["status"]) == (3, "exceeded")
    _execute(folder, "UPDATE customer_contact SET subject = 'Vraag 4' WHERE contact_number = '4'")
    assert _answer(folder, env, "reconcile", "--level", "fields").status == 0

    edit(folder / "mappings/kcc.contact.yml", "language:         {const: nld}", "language:         {const: fry}")
    changed = _answer(folder, env, "reconcile", "--level", "fields")
    assert (changed.status, changed.document["waivers"][0]["status"]) == (3, "mapping_changed")
    edit(folder / "mappings/kcc.contact.yml", "{const: fry}", "{const: nld}")

    engine = sa.create_engine(f"sqlite:///{folder / 'target.db'}")
    assert _answer(folder, env, "reconcile").status == 0
    with engine.connect() as connection:
        assert last_verdict(connection).outdated is None
    assert _answer(folder, env, "waiver", "revoke", "1", "--reason", "toch niet").status == 0
    with engine.connect() as connection:
        assert "waiver 1" in last_verdict(connection).outdated, "no gate goes by a waiver that is gone"
    engine.dispose()
    last = _answer(folder, env, "reconcile", "--level", "fields")
    assert (last.status, last.document["waivers"]) == (3, [])
    listed = _answer(folder, env, "waiver", "list")
    jsonschema.validate(listed.document, waivers_schema(), cls=jsonschema.Draft202012Validator)
    assert [each["state"] for each in listed.document["waivers"]] == ["revoked"]


def test_in_production_a_waiver_counts_when_two_keys_signed_what_stands_in_the_ledger(
    folder: Path, env: dict[str, str]
) -> None:
    strict = ("--env", "productie", "reconcile", "--level", "fields")
    group = _group(folder, env)
    only_one = ("--check", "fields.values", "--mapping", "kcc.contact", "--key", "1")
    assert _answer(folder, env, "waiver", "propose", *only_one, *FOR, "--by", "an").status == 0
    assert _answer(folder, env, "waiver", "approve", "1", "--by", "bea").status == 0
    unsigned = _answer(folder, env, *strict)
    assert (unsigned.status, unsigned.document["waivers"][0]["status"]) == (3, "unsigned")

    _key(folder, env, "an", "owner")
    _key(folder, env, "bea", "administrator")
    stranger = _answer(folder, env, "waiver", "propose", "--group", group, *FOR, "--by", "dirk")
    assert (stranger.status, stranger.document["code"]) == (6, "KEY-008")
    assert _answer(folder, env, "waiver", "propose", "--group", group, *FOR, "--by", "an").status == 0
    _key(folder, env, "cor", "engineer")
    without_role = _answer(folder, env, "waiver", "approve", "2", "--by", "cor")
    assert (without_role.status, without_role.document["code"]) == (6, "WAI-019")
    approved = _answer(folder, env, "waiver", "approve", "2", "--by", "bea")
    assert (approved.status, approved.document["signature"]) == (0, "signed")
    signed = _answer(folder, env, *strict)
    assert (signed.status, [each["status"] for each in signed.document["waivers"]]) == (0, ["unsigned", "counts"])

    edit(folder / "workspace.yml", "systems:", "waivers: {approvers: [auditor]}\nsystems:")
    other_role = _answer(folder, env, *strict)
    assert (other_role.status, other_role.document["waivers"][1]["status"]) == (3, "broken")
    edit(folder / "workspace.yml", "waivers: {approvers: [auditor]}\n", "")

    for bent in ("maximum = 99", "until = '2100-01-01'", "reason = 'iets anders'", "person = 'bea'", "signature = NULL"):
        kept = folder.parent / "kept.db"
        kept.write_bytes((folder / "target.db").read_bytes())
        _execute(folder, f"UPDATE migration_waiver SET {bent} WHERE id = 2")
        told = _answer(folder, env, *strict)
        assert (told.status, told.document["waivers"][1]["status"]) == (3, "broken"), bent
        (folder / "target.db").write_bytes(kept.read_bytes())


REFUSED = [
    (("--group", "0" * 12, *FOR), "WAI-002", 2),
    (("--check", "keys.values", "--mapping", "kcc.contact", "--key", "1", *FOR), "WAI-001", 2),
    (("--check", "fields.values", "--key", "1", *FOR), "WAI-006", 2),
    (("--group", "GROUP", "--reason", "ok", "--until", "2099-12-31"), "WAI-003", 2),
    (("--group", "GROUP", "--reason", "van 123456782 zelf", "--until", "2099-12-31"), "WAI-003", 2),
    (("--group", "GROUP", "--reason", REASON, "--until", "2020-01-01"), "WAI-004", 2),
    (("--group", "GROUP", "--reason", REASON, "--until", "morgen"), "WAI-004", 2),
    (("--group", "GROUP", "--max", "0", *FOR), "WAI-010", 2),
    (("--group", "GROUP", "--max", str(10**12), *FOR), "WAI-010", 2),
    (("--group", "GROUP", "--by", "123456782", *FOR), "WAI-018", 2),
    (("--group", "GROUP", "--by", "\x1b[31m", *FOR), "WAI-018", 2),
    (("--check", "accounting.flow", "--mapping", "kcc.contact", "--key", "1", *FOR), "WAI-005", 6),
]


def test_what_cannot_be_proposed_is_refused_and_leaves_nothing(folder: Path, env: dict[str, str]) -> None:
    group = _answer(folder, env, "reconcile").document["groups"][0]["id"]
    for arguments, code, status in REFUSED:
        refused = _answer(folder, env, "waiver", "propose", *(group if each == "GROUP" else each for each in arguments))
        assert (refused.status, refused.document["code"]) == (status, code), arguments
        assert "123456782" not in refused.out + refused.err
    assert _answer(folder, env, "waiver", "list").document == {"waivers": []}
