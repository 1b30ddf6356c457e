"""The history of rehearsals: side by side, also when the target was dropped in between."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from command_line import in_process
from tiny_workspace import contact, make_workspace, write_contacts

from migrate.status.schemas import history_schema, status_schema


def run(folder: Path, *words: str, status: int) -> str:
    if not (folder / "target.db").exists():
        assert in_process("-C", folder, "db", "upgrade").status == 0
    answer = in_process("-C", folder, "run", *words)
    assert answer.status == status, answer.err
    return answer.err


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with two wrong contacts."""
    folder = make_workspace(tmp_path / "w")
    write_contacts(folder, [contact(number, WANNEER="gisteren") if number < 3 else contact(number) for number in range(1, 21)])
    return folder


def test_progress_shows_over_targets_that_were_dropped(workspace: Path) -> None:
    assert in_process("-C", workspace, "status", "--history").out.startswith("Er is nog geen proef geweest")
    run(workspace, "--label", "proef 1", "--reason", "Jansen vroeg erom", status=3)
    (workspace / "target.db").unlink()
    write_contacts(workspace, [contact(1, WANNEER="gisteren"), *(contact(number) for number in range(2, 21))])
    run(workspace, "--label", "proef 2", status=3)
    run(workspace, "--limit", "7", status=3)
    assert in_process("-C", workspace, "plan").status == 3
    (workspace / "target.db").unlink()
    answer = in_process("-C", workspace, "--format", "json", "status", "--history")
    jsonschema.validate(answer.document, history_schema(), cls=jsonschema.Draft202012Validator)
    history = answer.document["history"]
    assert [(each["run"], each["label"], each["part"]) for each in history] == [
        (1, "proef 1", None), (1, "proef 2", None), (2, None, "--limit 7")
    ]
    assert history[0]["target"] != history[1]["target"] == history[2]["target"]
    wrong = {"mapping": "kcc.contact", "code": "datetime-invalid", "field": "occurred_at"}
    assert [each["rejects"] for each in history] == [[wrong | {"rows": rows}] for rows in (2, 1, 1)]
    for file in (workspace / "reports/history").iterdir():
        assert "Jansen" not in file.read_text()
        assert file.stat().st_mode & 0o077 == 0
    text = in_process("-C", workspace, "status", "--history").out.splitlines()
    assert max(map(len, text)) <= 100
    lines = {line[:38].strip(): line[38:].split() for line in text}
    assert lines["doel"] == ["A", "B", "B"]
    assert lines["uitval"] == lines["kcc.contact"] == ["2", "1", "1"]
    assert lines["rijen gelezen"] == ["27", "27", "14"]
    newest = max((workspace / "reports/history").iterdir())
    whole = json.loads(newest.read_text())
    for broken in ({}, whole | {"started_at": "gisteren"}):
        newest.write_text(json.dumps(broken))
        answer = in_process("-C", workspace, "status", "--history", "--lang", "en")
        assert "From run 1 to run 1: 1 fewer rejected." in answer.out
        assert "cannot be read and are left out: 1." in answer.out


def test_a_history_that_cannot_be_written_is_a_warning(workspace: Path) -> None:
    (workspace / "reports").mkdir(exist_ok=True)
    (workspace / "reports/history").write_text("a file")
    said = run(workspace, status=3)
    assert "The history of rehearsals could not be written" in said
    assert (workspace / "reports/history").read_text() == "a file"


def test_a_stopped_run_is_remembered_too(workspace: Path) -> None:
    write_contacts(workspace, [contact(number, WANNEER="gisteren") for number in range(1, 1101)])
    run(workspace, "--max-rejects", "1%", status=6)
    (file,) = (workspace / "reports/history").iterdir()
    assert json.loads(file.read_text())["state"] == "stopped"
    document = in_process("-C", workspace, "--format", "json", "status").document
    jsonschema.validate(document, status_schema(), cls=jsonschema.Draft202012Validator)
    (pace,) = [each for each in document["pace"] if each["mapping"] == "kcc.contact"]
    assert (pace["state"], pace["batches"], pace["rows"], pace["expected_rows"]) == ("reading", 20, 1000, 1100)
    assert (document["lock"], document["remaining_seconds"]) == (None, None)


def test_a_run_that_was_rolled_back_is_not_shown_as_completed(workspace: Path) -> None:
    run(workspace, status=3)
    assert in_process("-C", workspace, "rollback", "last").status == 0
    answer = in_process("-C", workspace, "--format", "json", "status", "--history")
    jsonschema.validate(answer.document, history_schema(), cls=jsonschema.Draft202012Validator)
    assert [each["state"] for each in answer.document["history"]] == ["rolled_back"]
    assert "teruggezet" in in_process("-C", workspace, "status", "--history").out
    (workspace / "reports/history").rename(workspace / "reports/gone")
    run(workspace, status=3)
    (workspace / "reports/history").rename(workspace / "reports/gone too")
    assert in_process("-C", workspace, "rollback", "last").status == 0


def test_a_name_stands_on_one_line(workspace: Path) -> None:
    """It stands in tables: signs that move the cursor, and names longer than a line, are refused before anything is done."""
    for name in ("a\x1b[2J", "x" * 101):
        answer = in_process("-C", workspace, "--format", "json", "run", "--label", name)
        assert (answer.status, answer.document["code"]) == (2, "CLI-001")
    run(workspace, "--label", " proef\n\t 1 ", status=3)
    assert in_process("-C", workspace, "--format", "json", "status").document["label"] == "proef 1"
    both = in_process("-C", workspace, "--format", "json", "run", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert (both.status, both.document["code"]) == (2, "CLI-001")
