"""Evidence as commands leave it: in the ledger's transactions, in the file, on both databases, whatever crashes."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import jsonschema
import psycopg
import pytest
import sqlalchemy as sa
from command_line import CommandLine
from key_circle import countersign_all
from made_once import made_once
from tiny_workspace import make_workspace

from connectors import open_target
from migrate.evidence.outbox import append
from migrate.evidence.recorder import Recorder
from migrate.evidence.schemas import verify_schema
from migrate.workspace import load_workspace
from runbooks import Happening


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace, upgraded, with a machine's key, loaded once and reconciled."""

    def make(folder: Path) -> None:
        workspace = folder / "workspace"
        workspace.mkdir(parents=True)
        make_workspace(workspace)
        run = CommandLine()
        env = private(folder)
        assert run("-C", workspace, "key", "new", "--machine", env=env).status == 0
        assert run("-C", workspace, "db", "upgrade", env=env).status == 0
        assert run("-C", workspace, "run", env=env).status in (0, 3)
        assert run("-C", workspace, "reconcile", env=env).status in (0, 3)

    return made_once(tmp_path_factory, "evidence", make)


def private(folder: Path) -> dict[str, str]:
    return {"OMNICASE_KEYS": str(folder / "private"), "OMNICASE_PASSPHRASE": "vier woorden en een"}


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


class At:
    """The command line in a workspace with its keys."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self.workspace, self.env = folder / "workspace", private(folder) | (env or {})
        self.file = self.workspace / "evidence/target.jsonl"

    def __call__(self, *words: str, env: dict[str, str] | None = None):
        return CommandLine()("-C", self.workspace, *words, env=self.env | (env or {}))

    def verified(self, *words: str):
        answer = self("--format", "json", "evidence", "verify", *words)
        jsonschema.validate(answer.document, verify_schema(), cls=jsonschema.Draft202012Validator)
        return answer.status, answer.document

    def entries(self) -> list[dict]:
        return [json.loads(line) for line in self.file.read_bytes().splitlines()]


def kinds(at: At) -> list[str]:
    return [entry["kind"] for entry in at.entries()]


def assert_valid(at: At) -> dict:
    status, found = at.verified()
    assert (status, found["valid"], found["problems"]) == (0, True, []), found
    return found


def test_every_command_that_changes_or_judges_leaves_its_entries(home: Path) -> None:
    at = At(home)
    assert_valid(at)
    found = at.entries()
    told = [entry["what"]["command"][0] for entry in found if entry["kind"] == "command"]
    assert told == ["key", "db", "run", "reconcile"]
    assert {"genesis", "key", "run", "batch", "run-ended", "verdict"} <= set(kinds(at))
    run = next(entry for entry in found if entry["kind"] == "command" and entry["what"]["command"] == ["run"])
    assert {"status", "program_sha256", "workspace_sha256", "mappings_sha256", "output_sha256"} <= run["what"].keys()
    assert (run["who"]["user"] != "", run["where"]["target"], "signed" in run) == (True, "target", True)
    begun = next(entry for entry in found if entry["kind"] == "run")["what"]
    assert begun["sources"].keys() == {"oud.MEDEW", "kcc.CONTACT", "seed.channel"}
    batches = [entry["what"] for entry in found if entry["kind"] == "batch"]
    with closing(sqlite3.connect(home / "workspace/target.db")) as target:
        assert len(batches) == target.execute("SELECT COUNT(*) FROM migration_batch").fetchone()[0]
    assert at("rollback", "last").status == 0
    assert kinds(at)[-3:] == ["rollback", "rolled-back", "command"]
    assert at("purge", "--before", "2099-01-01", "--yes").status == 0
    assert at("wave", "live", "nergens").status == 2
    assert at.entries()[-1]["what"] | {} == at.entries()[-1]["what"]
    assert (at.entries()[-1]["what"]["status"], at.entries()[-1]["what"]["error"]) == (2, "WAV-001")
    assert_valid(at)


def test_what_only_shows_leaves_none_and_verifying_neither(home: Path) -> None:
    at = At(home)
    before = at.file.read_bytes()
    for words in (("status",), ("rejects", "list"), ("key", "list"), ("plan",), ("evidence", "verify"), ("evidence", "head")):
        at(*words)
    assert at.file.read_bytes() == before


def test_keys_of_rows_are_tokens_and_numbers_in_reasons_too(home: Path) -> None:
    at = At(home)
    for bsn in ("999993653", "9999.93.653", "999 993 653"):
        refused = at("explain", "oud.actor", "M1", "--unmasked", "--reason", f"vraag van {bsn}")
        assert refused.status == 2 and "may be a BSN" in refused.err and bsn not in refused.err
    at("explain", "oud.actor", "M1", "--unmasked", "--reason", "vraag van 123456789, zaak 12")
    verb, *words = at.entries()[-1]["what"]["command"]
    assert verb == "explain" and "oud.actor" in words and "--unmasked" in words
    assert "M1" not in words and any(word.startswith("#") for word in words)
    assert "123456789" not in at.file.read_text() and "99999" not in at.file.read_text()
    assert "zaak 12" in at.file.read_text()
    assert "M1" not in json.dumps([e["what"].get("command") for e in at.entries()])


def test_e20_files_and_keys_are_enough(home: Path, tmp_path: Path) -> None:
    at = At(home)
    away = tmp_path / "away"
    away.mkdir()
    shutil.copy(at.file, away / "log.jsonl")
    shutil.copytree(at.workspace / "keys", away / "keys")
    words = ("--format", "json", "evidence", "verify", str(away / "log.jsonl"), "--keys", str(away / "keys"))
    found = CommandLine()("-C", tmp_path, *words)
    assert (found.status, found.document["valid"]) == (0, True), found.err
    script = [sys.executable, str(Path(__file__).parents[2] / "docs/verify_evidence.py"), "log.jsonl", "keys"]
    twin = subprocess.run(script, cwd=away, capture_output=True, text=True)
    assert (twin.returncode, json.loads(twin.stdout)["head"]) == (0, found.document["head"])


def test_a_seal_finds_what_is_cut_off_afterwards(home: Path) -> None:
    at = At(home)
    sealed = at("--format", "json", "evidence", "seal").document
    seal = str(next((at.workspace / "evidence/seals").glob("*.json")))
    assert at.verified("--expect-head", seal)[0] == at.verified("--expect-head", sealed["code"])[0] == 0
    short = at.file.read_bytes().splitlines(keepends=True)[: sealed["seq"] - 3]
    cut = at.workspace.parent / "cut.jsonl"
    cut.write_bytes(b"".join(short))
    keys = ("--keys", str(at.workspace / "keys"))
    status, found = at.verified(str(cut), *keys)
    assert status == 0 and any("cut off" in each for each in found["unproven"])
    for head in (seal, sealed["code"], sealed["head"]):
        status, found = at.verified(str(cut), *keys, "--expect-head", head)
        assert (status, found["problems"][0]["kind"]) == (8, "cut-off")


def test_evidence_that_is_gone_is_not_valid_and_not_sealed(home: Path) -> None:
    at = At(home)
    assert at("evidence", "seal").status == 0
    (at.workspace / "target.db").rename(home / "elsewhere.db")
    at.file.unlink()
    for verb in ("seal", "head"):
        answer = at("--format", "json", "evidence", verb)
        assert (answer.status, answer.document["code"]) == (8, "EVI-011"), "a seal was kept of what is gone"
    assert at.verified()[1]["problems"][0]["kind"] == "missing"
    # The outbox still has it all.
    (home / "elsewhere.db").rename(at.workspace / "target.db")
    assert_valid(at)


def test_before_the_first_entry_nothing_is_broken(target_url: str, tmp_path: Path) -> None:
    """What needs a head is refused as every verb without a target is; what judges says that there is nothing (exit 8)."""
    (tmp_path / "workspace").mkdir()
    make_workspace(tmp_path / "workspace")
    at = At(tmp_path, {"OMNICASE_TARGET_URL": target_url})
    ids = [
        at("--format", "json", "key", "new", "--person", person, "--role", "owner").document["key"]["key"]
        for person in ("an", "bea")
    ]
    wanted = (5, "TGT-023") if target_url.startswith("sqlite") else (6, "DBS-003")
    for words in (("evidence", "seal"), ("evidence", "head"), ("evidence", "export", str(tmp_path / "bag")),
                  ("key", "countersign", ids[0], "--by", "bea")):  # fmt: skip
        answer = at("--format", "json", *words)
        assert (answer.status, answer.document["code"]) == wanted, (words, answer.out + answer.err)
        assert "omnicase db upgrade" in answer.document["hint"]
    assert not (tmp_path / "bag").exists() and not (at.workspace / "evidence/seals").exists()
    status, found = at.verified()
    assert (status, found["problems"][0]["kind"]) == (8, "missing")
    assert "omnicase db upgrade" in at("evidence", "verify").out
    assert not list(tmp_path.glob("target.db*")), "looking makes no target"
    away = {"OMNICASE_TARGET_URL": "postgresql://nobody@127.0.0.1:1/nowhere"}
    assert at("evidence", "head", env=away).status == 5
    assert at("db", "upgrade").status == 0
    countersign_all(at)
    assert_valid(at)


@pytest.mark.parametrize("torn", ["at any byte", "a stranger's"])
def test_r06_a_last_line_that_a_crash_tore_is_made_whole(torn: str, home: Path) -> None:
    at = At(home)
    whole = at.file.read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    if torn == "at any byte":
        from migrate.evidence.invocation import bring_up_to_date

        recorder = Recorder(load_workspace(at.workspace))
        for end in range(last - 20, len(whole), 23):
            at.file.write_bytes(whole[:end])
            assert bring_up_to_date(recorder) is True
            assert at.file.read_bytes() == whole, end
        return
    at.file.write_bytes(whole[:last] + b"\x00" * 17)
    assert_valid(at)
    assert at.file.read_bytes() == whole
    assert at("unlock", "--reason", "proef").status == 0
    cut = [entry for entry in at.entries() if entry["kind"] == "torn"]
    assert [entry["what"]["bytes"] for entry in cut] == [17], "what was cut is told of"
    assert_valid(at)


def test_a_file_that_somebody_changed_stops_no_command_and_is_told_of(home: Path) -> None:
    at = At(home)
    lines = at.file.read_bytes().splitlines(keepends=True)
    at.file.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b'"status":', b'"status":7')]))
    answer = at("run")
    assert answer.status in (0, 3)
    assert "is not what the ledger holds" in answer.err
    status, found = at.verified()
    assert (status, found["current"]) == (8, False)
    at.file.rename(home / "kept.jsonl")
    assert_valid(at)


def test_what_happens_while_the_target_is_away_is_chained_late(home: Path) -> None:
    at = At(home)
    (at.workspace / "target.db").rename(home / "elsewhere.db")
    assert at("key", "new", "--person", "p.eigenaar", "--role", "owner").status == 0
    status, found = at.verified()
    assert (status, found["current"], found["waiting"]) == (8, None, 2), "the key is in the folder, and no entry tells of it"
    (home / "elsewhere.db").rename(at.workspace / "target.db")
    assert at("key", "new", "--person", "f.beheer", "--role", "administrator").status == 0
    countersign_all(at)
    found = assert_valid(at)
    assert found["waiting"] == 0
    late = [entry for entry in at.entries() if "late" in entry]
    assert [entry["kind"] for entry in late][-2:] == ["key", "command"]
    assert late[-1]["late"]["happened"] < late[-1]["at"]


def test_a_new_target_goes_on_with_the_chain(home: Path) -> None:
    at = At(home)
    count = len(at.entries())
    (at.workspace / "target.db").unlink()
    assert at("db", "upgrade").status == 0
    assert_valid(at)
    genesis = at.entries()[count]
    assert (genesis["kind"], genesis["seq"], genesis["what"]["previous"]["seq"]) == ("genesis", count + 1, count)


def test_a_target_that_was_set_back_goes_on_behind_what_was_seen(home: Path) -> None:
    at = At(home)
    with closing(sqlite3.connect(at.workspace / "target.db")) as target:
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(at.workspace / "target.db", home / "backup.db")
    assert at("run").status in (0, 3)
    seen = len(at.entries())
    for each in at.workspace.glob("target.db*"):
        each.unlink()
    shutil.copy(home / "backup.db", at.workspace / "target.db")
    assert at("run").status in (0, 3)
    assert any("1 times the target stood" in each for each in assert_valid(at)["notes"])
    assert at.entries()[seen]["kind"] == "set-back"


def _connect(url: str):
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return sqlite3.connect(str(parsed.database))
    return psycopg.connect(parsed.set(drivername="postgresql").render_as_string(hide_password=False))


def _tiny(folder: Path, url: str) -> At:
    workspace = folder / "workspace"
    workspace.mkdir(parents=True)
    make_workspace(workspace)
    at = At(folder, {"OMNICASE_TARGET_URL": url})
    assert at("db", "upgrade").status == 0
    at.file = next((workspace / "evidence").glob("*.jsonl"))
    return at


def test_the_outbox_is_only_added_to(target_url: str, tmp_path: Path) -> None:
    _tiny(tmp_path, target_url)
    name = "migration_evidence" if target_url.startswith("sqlite") else "migration.evidence"
    deeds = [f"UPDATE {name} SET line = 'x'", f"DELETE FROM {name}"]
    replace = f"INSERT OR REPLACE INTO {name} SELECT seq, entry_id, kind, hash, 'x' FROM {name}"
    for sql in [*deeds, replace] if target_url.startswith("sqlite") else [*deeds, f"TRUNCATE {name}"]:
        with closing(_connect(target_url)) as connection, pytest.raises((sqlite3.DatabaseError, psycopg.Error)):
            connection.execute(sql)


def test_processes_at_once_never_fork_the_chain(target_url: str, tmp_path: Path) -> None:
    """Three commands and a run start together, in processes of their own, each adding several entries."""
    at = _tiny(tmp_path, target_url)
    command = [sys.executable, "-P", "-m", "migrate", "-C", str(at.workspace)]
    env = CommandLine.environment(at.env)
    verbs = [["run"], *(["key", "new", "--person", f"p{number}", "--role", "owner"] for number in range(3))]
    running = [subprocess.Popen(command + verb, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for verb in verbs]
    for process in running:
        _, err = process.communicate(timeout=120)
        assert process.returncode in (0, 3), err
    found = at.entries()
    countersign_all(at)
    assert_valid(at)
    assert [entry["seq"] for entry in found] == list(range(1, len(found) + 1))
    assert sorted(entry["what"]["command"][0] for entry in found if entry["kind"] == "command") == ["db", *["key"] * 3, "run"]
    invocations = [entry["what"]["invocation"] for entry in found if entry["kind"] != "genesis"]
    assert len(set(invocations)) == 5


@pytest.mark.sample(2)
@pytest.mark.parametrize("place", ["before-start-commit:1", "after-start:1", "after-ledger:1", "before-commit:2", "after-commit:2",
                                   "before-done-commit:1", "before-end-commit:1", "after-end:1"])
def test_a_run_that_is_killed_leaves_a_chain_that_verifies(place: str, target_url: str, tmp_path: Path) -> None:
    at = _tiny(tmp_path, target_url)
    killed = CommandLine().spawn("-C", at.workspace, "run", env=at.env | {"OMNICASE_FAILPOINT": place})
    assert killed.status == -9, killed.err
    assert_valid(at)
    with closing(_connect(target_url)) as connection:
        prefix = "migration_" if target_url.startswith("sqlite") else "migration."
        batches = connection.execute(f"SELECT COUNT(*) FROM {prefix}batch").fetchone()[0]
    assert kinds(at).count("batch") == batches, "a batch and its entry commit together"
    assert at("run").status in (0, 3)
    assert_valid(at)




def test_a_workspace_that_gets_its_namespace_later_has_one_chain(tmp_path: Path) -> None:
    at = _tiny(tmp_path, f"sqlite:///{tmp_path}/target.db")
    settings = at.workspace / "workspace.yml"
    settings.write_text(settings.read_text().replace("tiny tests", "another").replace("workspace: tiny", "workspace: groot"))
    assert at("run").status in (0, 3)
    assert_valid(at)
    assert len({entry["project"] for entry in at.entries()}) == 1


def test_what_somebody_wrote_among_what_waits_holds_up_nothing(home: Path) -> None:
    at = At(home)
    lines = ["geen JSON", '{"id": 7}', json.dumps({"id": "x' OR 1=1 --", "kind": "a", "at": "", "what": {}, "who": {}, "where": {}}),
             json.dumps({"id": "a" * 32, "kind": "NO KIND", "at": "", "what": {}, "who": {}, "where": {}}),
             json.dumps({"id": "b" * 32, "kind": "batch", "at": "x", "what": {"n": 1e-7}, "who": {}, "where": {}}),
             json.dumps({"id": "c" * 32, "kind": "batch", "at": "x", "what": {"n": "\\ud800"}, "who": {}, "where": {}}).replace("\\\\", "\\")]
    (at.workspace / "evidence/target.pending").write_text("\n".join(lines) + "\n{\"id\":")
    assert at("unlock", "--reason", "proef").status == 0
    assert assert_valid(at)["waiting"] == 0
    assert kinds(at)[-8:] == ["torn"] * 7 + ["command"]


def test_a_file_behind_a_link_is_not_written(home: Path) -> None:
    at = At(home)
    (home / "elsewhere.jsonl").write_bytes(at.file.read_bytes())
    before = at.file.read_bytes()
    at.file.unlink()
    at.file.symlink_to(home / "elsewhere.jsonl")
    answer = at("unlock", "--reason", "proef")
    assert answer.status == 0
    assert "evidence" in answer.err
    assert (home / "elsewhere.jsonl").read_bytes() == before
    at.file.unlink()
    assert_valid(at)
    assert kinds(at)[-1] == "command"


def test_who_appends_waits_for_who_appended_before(target_url: str, tmp_path: Path) -> None:
    """A transaction that appended holds the head; another one gets the next number when it commits, and none fails."""
    at = _tiny(tmp_path, target_url)
    started, heads = threading.Event(), {}

    def add(name: str, wait: bool) -> None:
        with closing(open_target(target_url)) as target, target.transaction() as connection:
            heads[name] = append(connection, Recorder(load_workspace(at.workspace)), Happening("batch", {"by": name})).seq
            if wait:
                started.set()
                time.sleep(0.5)

    first = threading.Thread(target=add, args=("first", True))
    first.start()
    assert started.wait(30)
    add("second", False)
    first.join(30)
    assert heads["second"] == heads["first"] + 1
    assert_valid(at)


def test_what_somebody_else_writes_among_what_waits_is_not_chained_as_told(home: Path) -> None:
    """Who can write the workspace, and not read the machine's key, would name runners and revoke keys there."""
    at = At(home)
    (at.workspace / "target.db").rename(home / "elsewhere.db")
    assert at("key", "new", "--person", "p.eigenaar", "--role", "owner").status == 0
    pending = at.workspace / "evidence/target.pending"
    lines = [json.loads(line) for line in pending.read_text().splitlines() if line]
    assert [line["kind"] for line in lines] == ["key", "command"]
    forged = {**lines[1], "id": "e" * 32, "kind": "runbook", "what": {"type": "run-started", "run": "switch-1", "person": "p.eigenaar"}}
    bent = {**lines[0], "id": "d" * 32}
    bare = {name: value for name, value in forged.items() if name != "signed"} | {"id": "c" * 32}
    with pending.open("a") as more:
        more.writelines(f"{json.dumps(each)}\n" for each in (forged, bent, bare))
    (home / "elsewhere.db").rename(at.workspace / "target.db")
    assert at("unlock", "--reason", "the target is back").status in (0, 6)
    told = at.entries()
    assert {"e" * 32, "d" * 32, "c" * 32}.isdisjoint(entry["id"] for entry in told)
    assert [entry["kind"] for entry in told if "late" in entry][-5:] == ["key", "command", "torn", "torn", "torn"]
    # whoever died between its commit and emptying the file left there what is chained already
    pending.write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    assert at("unlock", "--reason", "again").status in (0, 6)
    assert [entry for entry in at.entries() if "late" in entry] == [entry for entry in told if "late" in entry]
