"""Cases of faults.md that need one fault each, by their numbers; docs/faults.md says where all the others are."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from command_line import in_process
from fault_rig import Rig, Trial
from target_content import content

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

Trials = Callable[[str, str], Trial]
EACH = pytest.mark.parametrize("target", ["sqlite", "postgresql"])
WHOLE_ONLY = pytest.mark.sample(0)


def ledger(found: Trial, name: str) -> str:
    """Return the name of a table of the ledger in SQL."""
    return f"migration_{name}" if found.rig.kind == "sqlite" else f"migration.{name}"


@WHOLE_ONLY
@EACH
def test_r13_r14_a_target_of_an_earlier_moment_is_loaded_on(target: str, rig: Callable[[str], Rig], trial: Trials, tmp_path: Path) -> None:
    """A replica or a backup lacks the last batches: its checkpoint lacks them too, so they are loaded again."""
    found = trial(target, "first")
    assert found.run(failpoint="after-commit:9").status == -signal.SIGKILL
    backup = tmp_path / "backup"
    shutil.copytree(found.folder, backup)
    restored = Trial(found.rig, "first", backup, found.rig._copied(found.url, backup))
    found.finish()
    restored.finish()


@WHOLE_ONLY
def test_r15_a_deadlock_is_tried_again(trial: Trials) -> None:
    """Another session locks a record, and wants the row of the lock that the run holds: the run gives way, and goes on."""
    found = trial("postgresql", "second")
    with found.rig.connection(found.url) as other:
        other.execute("SET deadlock_timeout = '60s'")    # so that it is the run that finds it
        changed = "SELECT id FROM case_file WHERE identification NOT LIKE '%3' FOR UPDATE"
        assert len(other.execute(changed).fetchall()) > 10
        running = found.start()
        with found.rig.connection(found.url) as look:
            waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            for _ in range(6000):
                if look.execute(waits).fetchone():
                    break
                look.rollback()
                time.sleep(0.01)
        other.execute("UPDATE migration.lock SET epoch = epoch")
        other.commit()
    answer = running.answer()
    assert answer.status == 3, f"{answer.status}: {answer.err}"
    assert answer.err.count("TGT-034") == 1
    found.assert_undisturbed()


@WHOLE_ONLY
@pytest.mark.parametrize("frees", [True, False])
def test_r16_a_statement_that_takes_too_long_is_tried_again_and_given_up(frees: bool, trial: Trials) -> None:
    """Another session holds records: until the run has waited too long once, or for good."""
    found = trial("postgresql", "second")
    with found.rig.connection(found.url) as other:
        other.execute(f"ALTER DATABASE {sa.make_url(found.url).database} SET statement_timeout = '3s'")
        other.commit()
        other.execute("SELECT id FROM case_file FOR UPDATE")
        running = found.start()
        running.told("trying again")
        if not frees:
            answer = running.answer()
        other.rollback()
        other.execute(f"ALTER DATABASE {sa.make_url(found.url).database} RESET statement_timeout")
        other.commit()
        if frees:
            answer = running.answer()
    assert "TGT-033" in answer.err
    assert "SQLSTATE 57014" in answer.err
    assert "FOR UPDATE" not in answer.err
    if frees:
        assert answer.status == 3, answer.err
        found.assert_undisturbed()
    else:
        assert (answer.status, answer.err.count("trying again")) == (5, 3), answer.err
        found.finish()


@WHOLE_ONLY
@EACH
def test_r19_the_source_disappears(target: str, trial: Trials) -> None:
    """Its file is taken away while it is read: the run ends, and goes on when the file is there again."""
    found = trial(target, "first")
    running = found.start(failpoint="after-read:14:stop")
    assert running.stopped()
    file, away = found.folder / "systems/zaak.db", found.folder / "away.db"
    file.rename(away)
    running.go_on()
    answer = running.answer()
    assert answer.status == 5, f"{answer.status}: {answer.err}"
    status = in_process("-C", found.folder, "--format", "json", "status", env={"OMNICASE_TARGET_URL": found.url}).document
    assert (status["state"], status["balanced"]) == ("failed", True)
    assert sum(books["inserted"] for books in status["mappings"]) > 0
    away.rename(file)
    found.finish()


@WHOLE_ONLY
@EACH
@pytest.mark.parametrize("sql", ["ALTER TABLE ZKN_KENMERK RENAME COLUMN WAARDE TO WAARDEN", "DROP TABLE ZKN_KENMERK"])
def test_r21_the_schema_of_the_source_changes_during_the_run(target: str, sql: str, trial: Trials, tmp_path: Path) -> None:
    """What is committed stays, the run ends with exit 5, and goes on from the old schema to the same target."""
    found = trial(target, "first")
    kept = shutil.copy2(found.folder / "systems/zaak.db", tmp_path / "kept.db")
    running = found.start(failpoint="after-read:14:stop")
    assert running.stopped()
    with closing(sqlite3.connect(found.folder / "systems/zaak.db")) as source:
        source.execute(sql)
        source.commit()
    running.go_on()
    answer = running.answer()
    assert answer.status == 5, f"{answer.status}: {answer.err}"
    assert "Traceback" not in answer.err
    shutil.copy2(kept, found.folder / "systems/zaak.db")
    again = found.run()
    assert again.status == 3, again.err
    found.assert_undisturbed(runs=False)


@WHOLE_ONLY
@EACH
def test_r22_a_new_column_of_the_source_is_told(target: str, trial: Trials) -> None:
    found = trial(target, "first")
    with closing(sqlite3.connect(found.folder / "systems/zaak.db")) as source:
        source.execute("ALTER TABLE ZKN_KENMERK ADD COLUMN HERKOMST VARCHAR(10)")
        source.commit()
    answer = found.run()
    assert answer.status == 3
    assert "no mapping uses the column HERKOMST of ZKN_KENMERK" in answer.err
    there, wanted = content(found.url), found.rig.undisturbed("first")
    # What is kept of rejected rows has the new column, too.
    assert {name: rows for name, rows in there.items() if name.startswith("model.")} == {
        name: rows for name, rows in wanted.items() if name.startswith("model.")}


@WHOLE_ONLY
@EACH
def test_r28_of_two_runs_that_start_at_once_one_is_refused(target: str, trial: Trials) -> None:
    found = trial(target, "first")
    both = [found.start(failpoint="after-commit:2:stop") for _ in range(2)]
    # One gets as far as its second batch; the other is told who holds the target.
    ends = [each for each in both if not each.stopped()]
    assert len(ends) == 1
    refused = ends[0].answer()
    holder = next(each for each in both if each is not ends[0])
    assert refused.status == 7, refused.err
    assert f"process {holder.pid} on " in refused.err
    holder.go_on()
    assert holder.answer().status == 3
    found.assert_undisturbed()


@WHOLE_ONLY
@EACH
def test_r29_who_slept_while_another_took_over_writes_nothing(target: str, trial: Trials) -> None:
    """A laptop that slept wakes with an old epoch."""
    found = trial(target, "first")
    sleeper = found.start(failpoint="before-transaction:5:stop")
    assert sleeper.stopped()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    found.execute(f"UPDATE {ledger(found, 'lock')} SET pid = {dead.pid}")
    found.finish()
    sleeper.go_on()
    answer = sleeper.answer()
    assert (answer.status, "LED-007" in answer.err) == (7, True), f"{answer.status}: {answer.err}"
    found.assert_undisturbed()


@WHOLE_ONLY
@EACH
def test_r30_a_clock_that_goes_back_changes_nothing(target: str, trial: Trials) -> None:
    """What the killed run wrote is of the future now; order is by number, never by time."""
    found = trial(target, "first")
    assert found.run(failpoint="after-commit:9").status == -signal.SIGKILL
    found.execute(f"UPDATE {ledger(found, 'run')} SET started_at = '2099-01-01 00:00:00.000000'")
    found.execute(f"UPDATE {ledger(found, 'batch')} SET committed_at = '2099-01-01 00:00:00.000000'")
    assert "was resumed" in found.finish().err


@WHOLE_ONLY
@EACH
@pytest.mark.parametrize("sql", ["DELETE FROM {batch} WHERE phase = 'main' AND seq = 1",
                                 "DELETE FROM {batch} WHERE phase = 'main'"])
def test_r31_a_broken_checkpoint_is_refused(target: str, sql: str, trial: Trials) -> None:
    """A batch in the midst is missing, or all of those before a position."""
    found = trial(target, "first")
    assert found.run(failpoint="after-commit:18").status == -signal.SIGKILL
    found.execute(sql.format(batch=ledger(found, "batch")))
    answer = found.run()
    assert (answer.status, "RUN-024" in answer.err) == (8, True), f"{answer.status}: {answer.err}"
    assert "zaak." in answer.err or "balie." in answer.err


@WHOLE_ONLY
@EACH
def test_r32_a_run_of_other_mappings_is_not_resumed(target: str, trial: Trials) -> None:
    found = trial(target, "first")
    assert found.run(failpoint="after-commit:9").status == -signal.SIGKILL
    case = found.folder / "mappings/zaak.case.yml"
    case.write_text("# a remark\n" + case.read_text())
    refused = in_process("-C", found.folder, "run", "--resume", env={"OMNICASE_TARGET_URL": found.url})
    assert (refused.status, refused.err[:7]) == (6, "RUN-021")
    anew = found.run()
    assert anew.status == 3
    assert "Run 1 was given up" in anew.err
    found.assert_undisturbed(runs=False)


@WHOLE_ONLY
@EACH
def test_r33_a_mapping_that_is_edited_during_the_run_is_not_looked_at(target: str, trial: Trials) -> None:
    found = trial(target, "first")
    running = found.start(failpoint="after-commit:2:stop")
    assert running.stopped()
    (found.folder / "mappings/zaak.case.yml").write_text("mapping: [")
    running.go_on()
    assert running.answer().status == 3
    found.assert_undisturbed()


@WHOLE_ONLY
def test_r40_a_second_writer_of_sqlite_ends_the_run(trial: Trials) -> None:
    found = trial("sqlite", "first")
    with found.rig.connection(found.url) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = found.run()
    assert (answer.status, "SQLITE_BUSY" in answer.err) == (5, True), f"{answer.status}: {answer.err}"
    found.finish()


@WHOLE_ONLY
@EACH
def test_r42_without_a_terminal_there_are_plain_lines(target: str, trial: Trials) -> None:
    answer = trial(target, "first").run()
    assert answer.status == 3
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", answer.out + answer.err)
