"""`mapping diff`: what changed in meaning, against a folder and against a revision."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from command_line import in_process
from tiny_workspace import edit, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A tiny workspace in a git of its own, changed since its only commit."""
    folder = make_workspace(tmp_path / "w")
    for command in (
        ("init", "-q"), ("add", "mappings", "codes", "workspace.yml"),
        ("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "first"),
    ):  # fmt: skip
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    shutil.copytree(folder, tmp_path / "old", ignore=shutil.ignore_patterns(".git"))
    edit(folder / "mappings/oud.actor.yml", 'null_if: [""]', 'null_if: ["", "-"]')
    edit(folder / "codes/kanaal.csv", "BALIE,balie,", "BALIE,telefoon,")
    edit(folder / "mappings/seed.channel.yml", "owner: tests", "owner: others  # a comment")
    return folder


@pytest.mark.parametrize("other", ["HEAD", "folder"])
def test_changes_in_meaning_are_named(workspace: Path, other: str) -> None:
    answer = in_process(
        "-C", workspace, "--format", "json", "mapping", "diff", "HEAD" if other == "HEAD" else workspace.parent / "old"
    )
    assert answer.status == 0, answer.err
    assert answer.document["changed"] == 2
    found = {each["mapping"]: each for each in answer.document["mappings"]}
    assert found["seed.channel"]["kind"] == "text"
    (null_if,) = found["oud.actor"]["changes"]
    assert null_if["path"].startswith("fields.job_title.null_if")
    (code,) = found["kcc.contact"]["changes"]
    assert (code["path"], code["old"], code["new"]) == ("fields.channel_id.codes[BALIE]", "balie", "telefoon")


def test_the_time_zone_of_a_system_has_a_meaning(workspace: Path) -> None:
    """It says on which day an instant lies that a mapping took from elsewhere, and the next run maps all rows again."""
    (workspace / "mappings/defaults.yml").write_text("oud: {timezone: Europe/Amsterdam}\n")
    answer = in_process("-C", workspace, "--format", "json", "mapping", "diff", "HEAD")
    (found,) = (each["changes"] for each in answer.document["mappings"] if each["mapping"] == "oud.actor")
    assert {"path": "timezone of the system", "old": None, "new": "Europe/Amsterdam"} in found


def test_mappings_come_and_go(workspace: Path) -> None:
    (workspace / "mappings/kcc.contact.yml").unlink()
    answer = in_process("-C", workspace, "mapping", "diff", "HEAD", "--lang", "en")
    assert "kcc.contact: removed" in answer.out


@pytest.mark.parametrize("other", ["nosuch", "--output=x", "HEAD~9", "../../etc", "a\x1b[2Jb", "systems"])
def test_what_is_no_version_is_refused(workspace: Path, other: str) -> None:
    answer = in_process("-C", workspace, "mapping", "diff", "--", workspace / other if other == "systems" else other)
    assert answer.status == 2, answer.out
    assert "DIF-001" in answer.err
    assert "\x1b" not in answer.err


def _dump(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "target.db")) as connection:
        return list(connection.iterdump())


def test_the_impact_is_counted_per_field_and_state_and_nothing_is_written(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w", contacts=5)
    shutil.copytree(folder, tmp_path / "old")
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status in (0, 3)
    with closing(sqlite3.connect(folder / "target.db")) as connection:
        actors = connection.execute("SELECT COUNT(*) FROM actor").fetchone()[0]
    edit(folder / "mappings/oud.actor.yml", "{const: medewerker}", "{const: geautomatiseerde_actor}")
    edit(folder / "mappings/oud.actor.yml", "unfilled:", "scope: {where: \"CODE <> 'm2'\", reason: left}\nunfilled:")
    before = _dump(folder)
    answer = in_process("-C", folder, "--format", "json", "mapping", "diff", tmp_path / "old", "--impact")
    assert answer.status == 0, answer.err
    (found,) = answer.document["impact"]
    assert (found["mapping"], found["records"]) == ("oud.actor", actors)
    assert found["fields"] == {"actor_type": actors - 1}
    assert (found["touched"], found["new"], found["gone"]) == (actors - 1, 0, 0)
    assert found["states"] == [{"before": "loaded", "after": "out_of_scope", "rows": 1}]
    assert _dump(folder) == before
    ran = in_process("-C", folder, "--format", "json", "run", "oud.actor").document["mappings"][0]
    assert ran["updated"] == actors - 1, "the run does what was said"
    text = in_process("-C", folder, "mapping", "diff", tmp_path / "old", "--impact").out
    assert "niets wat geladen is verandert" in text


def test_without_a_change_there_is_no_impact(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w", contacts=2)
    shutil.copytree(folder, tmp_path / "old")
    answer = in_process("-C", folder, "--format", "json", "mapping", "diff", tmp_path / "old", "--impact")
    assert answer.document["impact"] == []
