"""`omnicase init`: a workspace that works as it is, or nothing at all."""

from __future__ import annotations

import resource
import stat
import subprocess
import sys


def test_a_new_workspace_is_private_and_has_a_secret_of_its_own(omnicase, tmp_path):
    answers = [omnicase("init", tmp_path / name, "--format", "json") for name in ("one", "two")]
    assert [answer.status for answer in answers] == [0, 0]
    folder = tmp_path / "one"
    files = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    assert answers[0].document["files"] == files
    assert {"workspace.yml", ".gitignore", "mappings/seed.channel.yml", "runbooks/nl/overgang.md", "runbooks/en/cutover.md"} <= set(files)
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "keys" / "namespace").stat().st_mode) == 0o600
    secrets = [(tmp_path / name / "keys" / "namespace").read_text() for name in ("one", "two")]
    assert secrets[0] != secrets[1]
    assert secrets[0].strip() not in answers[0].out + answers[0].err


def test_the_umask_of_the_machine_does_not_open_it(omnicase, tmp_path):
    command = ["bash", "-c", f"umask 000; exec {sys.executable} -P -m migrate init {tmp_path / 'w'}"]
    subprocess.run(command, env=omnicase.environment(), check=True, capture_output=True)
    loose = [file for file in [tmp_path / "w", *(tmp_path / "w").rglob("*")] if file.stat().st_mode & 0o077]
    assert loose == []


def test_an_empty_folder_is_filled(omnicase, tmp_path):
    (tmp_path / "w").mkdir()
    assert omnicase("init", tmp_path / "w").status == 0
    assert (tmp_path / "w" / "workspace.yml").is_file()


def test_a_folder_with_something_in_it_is_left_alone(omnicase, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    answer = omnicase("init", tmp_path)
    assert answer.status == 4
    assert "INI-001" in answer.err
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]


def test_a_file_of_that_name_is_left_alone(omnicase, tmp_path):
    (tmp_path / "w").write_text("mine")
    answer = omnicase("init", tmp_path / "w")
    assert (answer.status, (tmp_path / "w").read_text()) == (4, "mine")
    assert "INI-002" in answer.err


def test_a_full_disk_leaves_nothing_behind(omnicase, tmp_path):
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    done = subprocess.run([sys.executable, "-P", "-m", "migrate", "init", str(tmp_path / "w")], preexec_fn=full,
                          env=omnicase.environment({"PYTHONDONTWRITEBYTECODE": "1"}), capture_output=True, text=True)
    assert done.returncode == 5
    assert "SYS-001" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_may_not_be_written_is_one_clear_error(omnicase):
    answer = omnicase("init", "/proc/w")
    assert answer.status == 5
    assert "hint:" in answer.err
    assert "Traceback" not in answer.err


def test_a_new_workspace_passes_its_own_checks_and_loads(omnicase, tmp_path):
    folder = tmp_path / "w"
    assert omnicase("init", folder).status == 0
    check = omnicase("-C", folder, "mapping", "check", "--format", "json")
    assert (check.status, check.document["errors"]) == (0, []), check.err
    assert omnicase("-C", folder, "db", "upgrade").status == 0
    run = omnicase("-C", folder, "run", "--format", "json")
    assert run.status == 0, run.err
    assert [(each["mapping"], each["read"], each["inserted"]) for each in run.document["mappings"]] == [
        ("seed.channel", 12, 12)]
    assert omnicase("-C", folder, "doctor").status == 0


def test_the_machine_signs_from_the_first_entry_on(omnicase, tmp_path):
    keys = {"OMNICASE_KEYS": str(tmp_path / "private")}
    made = omnicase("init", tmp_path / "w", "--format", "json", env=keys).document
    (public,) = (tmp_path / "w/keys").glob("machine-*.json")
    (private,) = (tmp_path / "private").iterdir()
    assert f"keys/{public.name}" in made["files"]
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert omnicase("-C", tmp_path / "w", "db", "upgrade", env=keys).status == 0
    assert all('"signed"' in line for line in next((tmp_path / "w/evidence").glob("*.jsonl")).read_text().splitlines())
    assert omnicase("-C", tmp_path / "w", "evidence", "verify", env=keys).status == 0
    doctor = omnicase("-C", tmp_path / "w", "--format", "json", "doctor", env=keys).document
    assert {each["outcome"] for each in doctor["checks"] if each["check"] == "machine key"} == {"passed"}
    lost = omnicase("-C", tmp_path / "w", "--format", "json", "doctor", env={"OMNICASE_KEYS": str(tmp_path / "other")}).document
    assert [each["code"] for each in lost["checks"] if each["check"] == "machine key"] == ["DOC-015"]


def test_a_machine_without_a_place_for_keys_gets_none_and_says_so(omnicase, tmp_path):
    (tmp_path / "file").write_text("in the way")
    answer = omnicase("init", tmp_path / "w", env={"OMNICASE_KEYS": str(tmp_path / "file/keys")})
    assert (answer.status, "not signed" in answer.out) == (0, True)
    assert list((tmp_path / "w/keys").glob("*.json")) == []


def test_a_seal_is_a_qr_code_too_and_what_a_telephone_reads_of_it_verifies(omnicase, tmp_path):
    import json

    from runbooks import canonical

    keys = {"OMNICASE_KEYS": str(tmp_path / "private")}
    assert omnicase("init", tmp_path / "w", env=keys).status == 0
    assert omnicase("-C", tmp_path / "w", "db", "upgrade", env=keys).status == 0
    sealed = omnicase("-C", tmp_path / "w", "evidence", "seal", "--qr", env=keys)
    assert (sealed.status, sealed.out.count("█") > 500) == (0, True)
    (picture,) = (tmp_path / "w/evidence/seals").glob("*.svg")
    assert picture.read_text().startswith("<?xml") and "<script" not in picture.read_text()
    read = tmp_path / "read.json"
    read.write_bytes(canonical(json.loads(picture.with_suffix(".json").read_text())))
    assert omnicase("-C", tmp_path / "w", "evidence", "verify", "--expect-head", read, env=keys).status == 0
    read.write_text(read.read_text().replace('"count":2', '"count":3'))
    assert omnicase("-C", tmp_path / "w", "evidence", "verify", "--expect-head", read, env=keys).status == 8
