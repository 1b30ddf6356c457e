"""`omnicase doctor` finds what would go wrong at night, says it without secrets, and changes nothing."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest
from postgres_system import execute


@pytest.fixture
def workspace(omnicase, tmp_path) -> Path:
    """A new workspace with one SQLite system and an upgraded target."""
    folder = tmp_path / "w"
    assert omnicase("init", folder).status == 0
    with sqlite3.connect(tmp_path / "zaak.db") as connection:
        connection.execute("CREATE TABLE ZAAK (ZAAKNR TEXT PRIMARY KEY)")
    connection.close()
    file = folder / "workspace.yml"
    file.write_text(file.read_text().replace("systems:\n", "systems:\n  zaak: {kind: sqlite, path: ../zaak.db}\n"))
    assert omnicase("-C", folder, "db", "upgrade").status == 0
    return folder


def findings(answer) -> dict[str, str]:
    return {check["check"]: check["code"] for check in answer.document["checks"] if check["outcome"] != "passed"}


def test_a_workspace_in_order_is_healthy_and_left_as_it_is(omnicase, workspace):
    def digests() -> dict[Path, str]:
        files = [file for file in workspace.parent.rglob("*") if file.is_file()]
        return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    before = digests()
    answer = omnicase("-C", workspace, "doctor", "--format", "json")
    assert findings(answer) == {}
    assert (answer.status, answer.document["healthy"]) == (0, True)
    assert {"packages", "versions", "limits", "workspace", "namespace", "system zaak", "system seed", "target"} <= {
        check["check"] for check in answer.document["checks"]}
    assert digests() == before


def test_all_is_said_at_once(omnicase, workspace):
    (workspace.parent / "zaak.db").unlink()
    (workspace / "keys" / "namespace").chmod(0o644)
    (workspace / "target.db").chmod(0o644)
    answer = omnicase("-C", workspace, "--format", "json", "doctor")
    assert answer.status == 4      # the first that cannot work: the secret can be read by others
    found = findings(answer)
    assert found["namespace"] == "WSP-012"
    assert found["folders"] == "DOC-011"
    assert found["system zaak"].startswith("CON-")
    assert found["target"] == "DOC-023"
    assert not (workspace.parent / "zaak.db").exists()


def test_documents_and_their_store_are_looked_at(omnicase, workspace):
    scans, file = workspace.parent / "scans", workspace / "workspace.yml"
    carries = "documents: {ZAAK: {path: ZAAKNR, folder: ../scans}}"
    file.write_text(file.read_text().replace("path: ../zaak.db}", f"path: ../zaak.db, {carries}}}"))
    answer = omnicase("-C", workspace, "--format", "json", "doctor")
    assert (answer.status, findings(answer)) == (5, {"documents zaak": "CON-078"})
    scans.mkdir()
    answer = omnicase("-C", workspace, "--format", "json", "doctor")
    assert (answer.status, findings(answer)) == (0, {})
    assert not (workspace / "documents").exists(), "looking makes nothing"
    (workspace / "documents").mkdir(mode=0o755)
    assert findings(omnicase("-C", workspace, "--format", "json", "doctor")) == {"content store": "DOC-031"}
    (workspace / "documents").rmdir()
    (workspace / "documents").write_text("a file")
    answer = omnicase("-C", workspace, "--format", "json", "doctor")
    assert (answer.status, findings(answer)) == (5, {"content store": "DOC-030"})
    file.write_text(file.read_text() + "documents: {store: 'nergens://x'}\n")
    answer = omnicase("-C", workspace, "--format", "json", "doctor")
    assert (answer.status, findings(answer)) == (4, {"content store": "CON-004"})


def test_s12_a_role_that_may_do_more_than_read_is_a_finding(omnicase, workspace, postgres_database):
    execute(
        postgres_database,
        "CREATE TABLE zaak (nr int PRIMARY KEY); CREATE TABLE soort (code text)",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC; DROP ROLE IF EXISTS omnicase_reader; CREATE ROLE omnicase_reader LOGIN",
        "GRANT USAGE ON SCHEMA public TO omnicase_reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO omnicase_reader",
    )
    file = workspace / "workspace.yml"
    file.write_text(file.read_text().replace("{kind: sqlite, path: ../zaak.db}", "{kind: postgresql, url: '${ZAAK}'}")
                    + "\nenvironments: {prod: {production: true}}\n")
    assert "'${ZAAK}'" in file.read_text()

    def rights(url: str, *options: str) -> tuple[dict[str, str], int]:
        answer = omnicase("-C", workspace, *options, "--format", "json", "doctor", env={"ZAAK": url})
        return next(c for c in answer.document["checks"] if c["check"] == "rights zaak"), answer.status

    found, status = rights(postgres_database)
    assert (found["outcome"], found["code"], status) == ("finding", "DOC-013", 3)
    assert all(text in found["message"] for text in ("superuser", "may make tables", "owns soort, zaak"))
    assert rights(postgres_database, "--env", "prod")[1] == 6
    reader = postgres_database.replace("//postgres:", "//omnicase_reader:")
    assert rights(reader)[0]["outcome"] == "passed"
    execute(postgres_database, "GRANT UPDATE (code) ON soort TO omnicase_reader")
    assert "may write to soort" in rights(reader)[0]["message"]
    execute(postgres_database, "DROP OWNED BY omnicase_reader; DROP ROLE omnicase_reader")


def test_s10_in_production_a_connection_must_be_verified(omnicase, workspace):
    file = workspace / "workspace.yml"
    file.write_text(file.read_text().replace("{kind: sqlite, path: ../zaak.db}", "{kind: postgresql, url: '${ZAAK}'}")
                    + "\nenvironments: {prod: {production: true}}\n")
    codes = {
        "postgresql://ik@db.invalid/zaak": "CON-060", "postgresql://ik@db.invalid/zaak?sslmode=require": "CON-069",
        "postgresql://ik@127.0.0.1:1/zaak?sslmode=disable": "CON-060",
    }
    for url, code in codes.items():
        answer = omnicase("-C", workspace, "--env", "prod", "--format", "json", "doctor", env={"ZAAK": url})
        assert findings(answer)["system zaak"] == code, url


def test_a_target_that_is_not_there_yet_is_a_finding(omnicase, workspace):
    (workspace / "target.db").unlink()
    answer = omnicase("-C", workspace, "doctor", "--format", "json")
    assert (answer.status, findings(answer)) == (3, {"target": "DOC-022"})
    assert not (workspace / "target.db").exists()


def test_a_system_that_cannot_be_read_is_a_system_failure(omnicase, workspace):
    (workspace.parent / "zaak.db").write_bytes(b"no database at all" * 100)
    answer = omnicase("-C", workspace, "doctor", "--format", "json")
    assert answer.status == 5
    assert set(findings(answer)) == {"system zaak"}


def test_a_password_in_a_url_is_not_shown(omnicase, workspace):
    answer = omnicase("-C", workspace, "doctor", env={"OMNICASE_TARGET_URL": "nosuch://user:geheim@host/db"})
    assert answer.status == 4
    assert "DBS-005" in answer.out
    assert "geheim" not in answer.out + answer.err


@pytest.mark.parametrize("folder", ["none", "."])
def test_a_folder_that_is_no_workspace_is_said_to_be_none(omnicase, tmp_path, folder):
    answer = omnicase("-C", tmp_path / folder, "doctor")
    assert answer.status == 4
    assert "WSP-001" in answer.out


def test_a_setting_that_does_not_exist_is_named_with_the_nearest(omnicase, workspace):
    file = workspace / "workspace.yml"
    file.write_text(file.read_text().replace("\ntarget:", "\ntaget:"))
    answer = omnicase("-C", workspace, "doctor")
    assert answer.status == 4
    assert "target" in answer.out
