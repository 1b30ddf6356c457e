"""Runs of runbooks that fail, hang, die and are taken back; what they leave behind.

The dearest are no part of `make test`: each command of a step is a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import pty
import resource
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from command_line import CommandLine
from runbook_workspace import RUNBOOK, People, code, people, write

from runbooks import Journal
from runbooks.mask import Mask

LOAD = """\
---
runbook: switch
title: Load a wave
version: 1
wave: a
roles:
  engineer: []
---

```console id=load owner=engineer timeout=TIMEOUT expect=0,3 rollback=undo
omnicase run --wave a
```
```console id=fails owner=engineer timeout=5m expect=0
omnicase status 99
```
```console id=undo owner=engineer timeout=5m expect=0,3
omnicase rollback last
```
"""


@pytest.fixture
def team(tmp_path: Path) -> People:
    """A workspace with a runbook whose first step loads and whose second one always fails."""
    return people(tmp_path, LOAD.replace("TIMEOUT", "5m"))


def runs(team: People) -> dict[int, str]:
    answer = team("--format", "json", "status")
    return {each["id"]: each["state"] for each in answer.document["runs"]}


@pytest.mark.sample(0)
def test_only_the_runs_of_the_step_are_taken_back(team: People):
    assert team("run", "--wave", "b").status in (0, 3)
    failed = team.run()
    assert (failed.status, code(failed)) == (6, "RBK-021")
    assert "`omnicase status 99` ended with 2, and 0 was expected" in failed.document["message"]
    assert runs(team) == {1: "completed", 2: "completed"}
    ended = team.run("switch", "m.engineer", "--rollback")
    assert (ended.status, ended.document["state"]) == (0, "rolled back")
    assert runs(team) == {1: "completed", 2: "rolled_back"}
    assert code(team.run("switch", "m.engineer", "--rollback")) == "RBK-025"


@pytest.mark.sample(0)
def test_a_run_that_somebody_made_after_the_step_is_not_taken_back_unasked(team: People):
    """Only the newest run can be taken back, so the colleague is asked first."""
    assert code(team.run()) == "RBK-021"
    assert team("run", "--wave", "b").status in (0, 3)
    refused = team.run("switch", "m.engineer", "--rollback")
    assert code(refused) == "RBK-021"
    assert runs(team) == {1: "completed", 2: "completed"}
    assert team("rollback", "last", "--reason", "agreed with the colleague").status == 0
    assert team.run("switch", "m.engineer", "--rollback").document["state"] == "rolled back"
    assert runs(team) == {1: "rolled_back", 2: "rolled_back"}


def test_a_step_that_made_no_run_has_nothing_to_take_back(team: People):
    """`rollback last` in a runbook never means the run of somebody else."""
    assert team("run", "--wave", "b").status in (0, 3)
    (team.folder / "old.db").rename(team.folder / "away.db")
    assert code(team.run()) == "RBK-021"
    assert team.run("switch", "m.engineer", "--rollback").status == 0
    assert runs(team) == {1: "completed"}
    assert "nothing to take back" in (team.journal("switch-1").parent / "undo.log").read_text()


@pytest.mark.sample(0)
def test_what_a_step_printed_is_kept_private_masked_and_hashed(team: People):
    secret = "zeer-geheim-woord"
    write(team.folder, LOAD.replace("TIMEOUT", "5m").replace("omnicase run --wave a", f'omnicase unlock --reason "{secret}"'))
    team.run("switch", "root")
    step = team.status()["steps"][0]
    log = team.journal("switch-1").parent / step["log"]
    assert log.stat().st_mode & 0o777 == 0o600 and team.journal("switch-1").stat().st_mode & 0o777 == 0o600
    assert hashlib.sha256(log.read_bytes()).hexdigest() == step["log_sha256"]
    assert secret in log.read_text()
    env = {"OMNICASE_TOKEN": secret}
    assert team("runbook", "end", "last", "--by", "root", "--reason", "begin anew").status == 0
    shown = team("runbook", "run", "switch", "--by", "root", env=env).err
    again = (team.journal("switch-2").parent / "load.log").read_text()
    assert "unlock --reason ‹secret›" in again and secret not in again and "| $ omnicase unlock --reason ‹secret›" in shown


def test_a_wave_that_never_went_live_has_no_way_back_to_go(tmp_path: Path):
    text = LOAD.replace("omnicase run --wave a", "omnicase wave live a").replace("omnicase rollback last", "omnicase wave back a --reason rolled-back")
    team = people(tmp_path, text.replace("TIMEOUT", "5m"))
    assert code(team.run()) == "RBK-021"
    assert team.run("switch", "m.engineer", "--rollback").status == 0
    assert "nothing to take back" in (team.journal("switch-1").parent / "undo.log").read_text()


def test_masks():
    mask = Mask(["hunter2", "abc", ""])
    assert mask.line("password hunter2 abc") == "password ‹secret› abc"
    assert mask.line("postgresql://loader:x%40y@db/target") == "postgresql://loader:‹secret›@db/target"
    assert mask.line("BSN 999993653, case 999993654, id 1999993653") == "BSN ‹bsn›, case 999993654, id 1999993653"
    assert mask.line("9999.93.653 999 993 653 bsn-999993653 000000000") == "‹bsn› ‹bsn› bsn-‹bsn› 000000000"
    assert mask.line("a\x1b[2Jb\tc\u202e") == "a\\x1b[2Jb\tc\\u202e"


def spawned(team: People, *words: str, point: str) -> subprocess.Popen[bytes]:
    env = CommandLine.environment({"OMNICASE_FAILPOINT": point})
    command = [sys.executable, "-P", "-m", "migrate", "-C", str(team.folder), *words]
    return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def stopped_child(team: People) -> int:
    """Wait until the command of the step is stopped at its failpoint, and return its process."""
    for _ in range(1_200):
        time.sleep(0.1)
        with suppress(OSError, IndexError, ValueError):
            pid = team.entries("switch-1", "command-started")[-1]["pid"]
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
                return int(pid)
    raise AssertionError("the command was never stopped")


@pytest.mark.sample(0)
def test_killed_in_the_midst_of_a_step(team: People):
    """kill -9: the step is known as interrupted and done again, never beside a command that still runs."""
    runner = spawned(team, "runbook", "run", "switch", "--by", "m.engineer", point="before-commit:1:stop")
    pid = stopped_child(team)
    assert code(team.run()) == "RBK-032"
    runner.kill()
    runner.wait()
    assert team.steps()["load"] == "running"
    answer = team.run()
    assert (answer.status, code(answer)) == (7, "RBK-033")
    os.killpg(pid, signal.SIGKILL)
    time.sleep(0.3)
    assert code(team.run()) == "RBK-021"
    assert team.steps() == {"load": "done", "fails": "failed"}
    ends = [(each["step"], each["status"]) for each in team.entries("switch-1", "step-ended")]
    assert ends == [("load", "interrupted"), ("load", "done"), ("fails", "failed")]
    assert team.run("switch", "m.engineer", "--rollback").status == 0
    assert set(runs(team).values()) == {"rolled_back"}


def test_a_step_that_takes_too_long_is_stopped_with_all_its_processes(team: People):
    write(team.folder, LOAD.replace("TIMEOUT", "15s"))
    runner = spawned(team, "runbook", "run", "switch", "--by", "m.engineer", point="before-commit:1:stop")
    assert runner.wait(120) == 6
    step = team.status()["steps"][0]
    assert (step["status"], step["exits"]) == ("failed", [124]) and "longer than its 15 seconds" in step["why"]
    pid = team.entries("switch-1", "command-started")[-1]["pid"]
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_a_disk_that_takes_half_a_line_leaves_a_journal_that_goes_on(tmp_path: Path):
    journal = Journal(tmp_path)
    journal.add("run-resumed", {}, "m.engineer")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "journal.jsonl").stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(OSError):
            journal.add("run-resumed", {}, "f.beheer")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [each.person for each in journal.entries()] == ["m.engineer"]
    journal.add("run-resumed", {}, "g.beheer")
    assert [each.person for each in journal.entries()] == ["m.engineer", "g.beheer"]


def test_two_do_not_run_the_same_run_at_once(tmp_path: Path):
    team = people(tmp_path)
    assert code(team.run()) == "RBK-020"
    with Journal(team.journal("switch-1").parent).running():
        answer = team.run()
    assert (answer.status, code(answer)) == (7, "RBK-032")


def test_on_a_terminal_it_asks(tmp_path: Path):
    """A manual step that failed, again, then done; the console step; nothing runs unasked."""
    team = people(tmp_path)
    write(team.folder, (team.folder / "runbooks/switch.md").read_text().replace("[f.beheer, g.beheer]", "[m.engineer]")
          .replace("approvals=2 roles=administrator,owner", "approvals=1 roles=owner"))
    seen = typed(team, {"Gedaan door m.engineer?": "n", "is mislukt.": "a", "2Gedaan door m.engineer?": "y", "De poort is dicht.": "s"})
    assert "RBK-023" in seen and "Opnieuw uitvoeren?" not in seen
    assert team.steps() == {"tell": "done", "go": "waiting", "live": "waiting"}


def typed(team: People, answers: dict[str, str]) -> str:
    """Run the runbook on a terminal, answering each question when it comes; return all that was shown."""
    master, slave = pty.openpty()
    command = [sys.executable, "-P", "-m", "migrate", "-C", str(team.folder), "runbook", "run", "switch", "--by", "m.engineer"]
    process = subprocess.Popen(command, env=CommandLine.environment({}), stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen, left = "", list(answers.items())
    deadline = time.monotonic() + 120
    fresh = ""
    while time.monotonic() < deadline:
        if select.select([master], [], [], 1)[0]:
            try:
                fresh += os.read(master, 65536).decode(errors="replace")
            except OSError:
                break
        if left and left[0][0].lstrip("2") in fresh:
            seen, fresh = seen + fresh, ""
            os.write(master, left.pop(0)[1].encode() + b"\n")
    process.wait(30)
    os.close(master)
    assert left == []
    return seen + fresh


def test_who_says_again_at_the_terminal_is_not_asked_a_second_time(tmp_path: Path):
    """A step that fails each time: done, done again when asked for, and then stopped, with three answers."""
    text = RUNBOOK[: RUNBOOK.index("## Tell")] + "## Try\n```console id=try owner=engineer timeout=5m rollback=no\nomnicase rollback last\n```\n"
    text += "## Back\n```manual id=no owner=administrator timeout=5m\nNothing.\n```\n"
    team = people(tmp_path, text)
    command = [sys.executable, "-P", "-m", "migrate", "-C", str(team.folder), "runbook", "run", "switch", "--by", "m.engineer"]
    ours, theirs = pty.openpty()
    os.write(ours, b"y\na\ns\n")
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, env=CommandLine.environment(), timeout=120)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 6, done.stderr
    assert [each["status"] for each in team.entries("switch-1", "step-ended")] == ["failed", "failed"]
    assert done.stderr.count("Uitvoeren?") == 1
    assert "Opnieuw uitvoeren?" not in done.stderr
