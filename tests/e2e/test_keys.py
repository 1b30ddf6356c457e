"""Keys: whose signatures count, in which roles, from when until when (faults E9, E10, E12, E13, E14, E17)."""

from __future__ import annotations

import base64
import json
import shutil
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import CommandLine
from tiny_workspace import edit, make_workspace

from casemodel import GuardError
from runbooks import Trust, load_trust, make_private, moment, new_key, require_persons, revoked_key

PASSPHRASE = "vier woorden en nog een"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
AT = moment(NOW)
WAIVER = {"check": "keys.oud.actor", "until": "2027-01-01"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    make_workspace(folder)
    return folder


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"OMNICASE_KEYS": str(tmp_path / "private"), "OMNICASE_PASSPHRASE": PASSPHRASE}


def person(name: str, *roles: str, start: datetime = NOW, end: datetime | None = None):
    private = make_private(name)
    return private, new_key(private.public, name, roles or ("owner",), start, end)


def trusted(*keys) -> Trust:
    return Trust({key.id: key for key in keys})


def code_of(trust: Trust, signed: dict[str, str], *, at: str = AT, document=WAIVER, roles=None) -> str:
    with pytest.raises(GuardError) as caught:
        trust.check("waiver", document, signed, at=at, roles=roles)
    assert caught.value.exit_status == 6
    return caught.value.code


def test_a_key_is_made_listed_and_revoked(omnicase: CommandLine, workspace: Path, env: dict[str, str]) -> None:
    made = omnicase("-C", workspace, "--format", "json", "key", "new", "--person", "p.eigenaar", "--role", "owner", env=env)
    assert made.status == 0, made.err
    key = made.document["key"]
    private = Path(made.document["private"])
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in private.read_bytes()
    public = (workspace / f"keys/p.eigenaar-{key['key']}.json").read_text()
    assert json.loads(public)["roles"] == ["owner"]
    assert PASSPHRASE not in public
    told = omnicase("-C", workspace, "key", "list", env=env)
    assert key["key"] in told.out and "geldig" in told.out
    assert "valid" in omnicase("-C", workspace, "key", "list", "--lang", "en", env=env).out
    gone = omnicase("-C", workspace, "key", "revoke", key["key"], "--reason", "laptop lost", env=env)
    assert gone.status == 0, gone.err
    assert "ingetrokken" in omnicase("-C", workspace, "key", "list", env=env).out
    again = omnicase("-C", workspace, "key", "revoke", key["key"], "--reason", "again", env=env)
    assert (again.status, "KEY-017" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (["--person", "P. Eigenaar", "--role", "owner"], "KEY-012", 2),
        (["--person", "../../p", "--role", "owner"], "KEY-012", 2),
        (["--person", "p", "--role", "Own er"], "KEY-012", 2),
        (["--person", "p", "--role", "machine", "--role", "owner"], "KEY-012", 2),
        (["--person", "p", "--role", "owner", "--until", "2020-01-01"], "KEY-012", 2),
        (["--person", "p", "--role", "owner", "--until", "soon"], "CLI-001", 2),
        (["--person", "p"], "CLI-001", 2),
        (["--machine", "--role", "owner"], "CLI-001", 2),
        ([], "CLI-001", 2),
    ],
)
def test_a_key_that_cannot_be_is_refused(omnicase, workspace, env, words, code, status) -> None:
    answer = omnicase("-C", workspace, "key", "new", *words, env=env)
    assert (answer.status, code in answer.err) == (status, True), answer.err
    assert not (workspace / "keys").exists()


def test_a_passphrase_is_long_and_asked_of_somebody(omnicase, workspace, env) -> None:
    words = ("-C", workspace, "key", "new", "--person", "p", "--role", "owner")
    assert "KEY-013" in omnicase(*words, env=env | {"OMNICASE_PASSPHRASE": "kort"}).err
    assert "KEY-015" in omnicase.spawn(*map(str, words), env={"OMNICASE_KEYS": env["OMNICASE_KEYS"]}).err
    assert not (workspace / "keys").exists()


def test_the_machines_key_bears_its_name_and_no_passphrase(omnicase, workspace, env) -> None:
    made = omnicase("-C", workspace, "--format", "json", "key", "new", "--machine", env={"OMNICASE_KEYS": env["OMNICASE_KEYS"]})
    assert made.status == 0, made.err
    assert made.document["key"]["roles"] == ["machine"]


def test_e17_a_private_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    from runbooks import open_private, save_private

    private, key = person("p")
    file = save_private(tmp_path, private, PASSPHRASE)
    assert open_private(tmp_path, key, PASSPHRASE).id == key.id
    for mode in (0o644, 0o640, 0o604):
        file.chmod(mode)
        with pytest.raises(GuardError) as caught:
            open_private(tmp_path, key, PASSPHRASE)
        assert (caught.value.code, caught.value.exit_status) == ("KEY-003", 6)


def test_a_wrong_passphrase_or_another_key_does_not_open(tmp_path: Path) -> None:
    from runbooks import open_private, private_file, save_private

    private, key = person("p")
    file = save_private(tmp_path, private, PASSPHRASE)
    for wrong in ("een andere zin", None):
        with pytest.raises(GuardError) as caught:
            open_private(tmp_path, key, wrong)
        assert caught.value.code == "KEY-015"
    _, other_key = person("p")
    file.rename(private_file(tmp_path, other_key.id))
    with pytest.raises(GuardError) as caught:
        open_private(tmp_path, other_key, PASSPHRASE)
    assert caught.value.code == "KEY-015"
    with pytest.raises(GuardError) as caught:
        open_private(tmp_path, key, PASSPHRASE)
    assert caught.value.code == "KEY-004"


def test_a_signature_that_holds_names_its_key() -> None:
    private, key = person("p", "owner")
    signed = private.sign("waiver", WAIVER)
    assert trusted(key).check("waiver", WAIVER, signed, at=AT, roles=["owner", "administrator"]) == key


def test_e12_revoked_expired_and_not_yet_valid() -> None:
    private, key = person("p", end=NOW + timedelta(days=1))
    signed = private.sign("waiver", WAIVER)
    assert code_of(trusted(key), signed, at=moment(NOW - timedelta(seconds=1))) == "KEY-007"
    assert code_of(trusted(key), signed, at=moment(NOW + timedelta(days=1))) == "KEY-006"
    gone = trusted(revoked_key(key, NOW + timedelta(hours=1), "lost"))
    assert code_of(gone, signed, at=moment(NOW + timedelta(hours=1))) == "KEY-005"
    assert gone.check("waiver", WAIVER, signed, at=AT).person == "p"


def test_e13_unknown_key_bad_base64_empty_signature_wrong_algorithm(tmp_path: Path) -> None:
    private, key = person("p")
    stranger, _ = person("p")
    trust, signed = trusted(key), private.sign("waiver", WAIVER)
    assert code_of(trust, stranger.sign("waiver", WAIVER)) == "KEY-008"
    assert code_of(trust, {}) == "KEY-008"
    raw = base64.b64decode(signed["signature"])
    for wrong in ("", "===", "¡no!", signed["signature"] + "\n", signed["signature"][:-4], None, 7,
                  base64.b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode(), base64.b64encode(bytes(64)).decode()):
        assert code_of(trust, signed | {"signature": wrong}) == "KEY-009", wrong
    assert code_of(trust, private.sign("approval", WAIVER)) == "KEY-009"
    assert code_of(trust, signed, document=WAIVER | {"until": "2099-01-01"}) == "KEY-009"


@pytest.mark.parametrize(
    "change",
    [{"algorithm": "RSA"}, {"algorithm": "none"}, {"key": "0" * 16}, {"public": "AAAA"}, {"roles": []}, {"person": "P P"},
     {"from": "2026-11-30"}, {"revoked": "ooit"}, {"form": "omnicase key 2"}, {"extra": 1}, {"roles": "owner"}],
    ids=lambda change: next(iter(change)),
)
def test_e13_a_file_in_keys_that_is_no_key_is_refused(omnicase, workspace: Path, change) -> None:
    _, key = person("p")
    (workspace / "keys").mkdir()
    (workspace / "keys/p.json").write_text(json.dumps(key.as_dict() | change))
    answer = omnicase("-C", workspace, "key", "list")
    assert (answer.status, "KEY-001" in answer.err) == (4, True)


def test_a_key_that_says_something_twice_is_refused(omnicase, workspace: Path) -> None:
    _, key = person("p")
    (workspace / "keys").mkdir()
    text = json.dumps(key.as_dict())
    (workspace / "keys/p.json").write_text(text[:-1] + ', "roles": ["owner", "administrator"]}')
    assert "KEY-001" in omnicase("-C", workspace, "key", "list").err


def test_e14_without_the_role() -> None:
    private, key = person("p", "engineer")
    signed = private.sign("waiver", WAIVER)
    assert code_of(trusted(key), signed, roles=["owner"]) == "KEY-010"
    machine, machine_key = person("machine-vm", "machine")
    assert code_of(trusted(machine_key), machine.sign("waiver", WAIVER)) == "KEY-010"


def test_e9_e10_four_eyes_are_two_persons() -> None:
    _, first = person("p")
    _, second = person("p")
    _, other = person("q")
    assert require_persons([first, other], at_least=2) == ["p", "q"]
    for keys, never in (([first, second], ()), ([first, other], ("q",)), ([first], ())):
        with pytest.raises(GuardError) as caught:
            require_persons(keys, at_least=2, never=never)
        assert (caught.value.code, caught.value.exit_status) == ("KEY-011", 6)


def test_a_folder_without_keys_trusts_nobody(tmp_path: Path) -> None:
    assert load_trust(tmp_path / "keys").keys == {}


def test_a_demo_keeps_its_private_keys_and_gives_them_to_nobody(omnicase, workspace: Path, tmp_path: Path) -> None:
    """They go when the demo goes; git and bags leave them out; a workspace that is no demo has none within."""
    home = {"XDG_CONFIG_HOME": str(tmp_path / "home"), "OMNICASE_PASSPHRASE": PASSPHRASE, "NAMESPACE": "een geheim van ons"}
    made = omnicase("demo", tmp_path / "demo", "--cases", "10", "--no-answer-key", env=home)
    assert made.status == 0, made.err
    own = tmp_path / "demo/keys/private"
    (file,) = own.glob("*.pem")
    assert str(file) in made.out and not (tmp_path / "home").exists()
    assert (stat.S_IMODE(own.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)

    shutil.copytree(own, workspace / "keys/private")
    assert omnicase("-C", workspace, "key", "new", "--person", "p", "--role", "owner", env=home).status == 0
    assert len(list((workspace / "keys/private").glob("*.pem"))) == 2 and not (tmp_path / "home").exists()
    assert omnicase("-C", workspace, "db", "upgrade", env=home).status == 0
    assert omnicase("-C", workspace, "evidence", "export", tmp_path / "bag", env=home).status in (0, 3)
    inside = [each for each in (tmp_path / "bag").rglob("*") if each.is_file()]
    assert not [each for each in inside if each.suffix == ".pem" or b"PRIVATE KEY" in each.read_bytes()]
    if shutil.which("git"):
        git = ["git", "-C", str(workspace)]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "-A"], check=True)
        kept = subprocess.run([*git, "ls-files", "keys"], check=True, capture_output=True, text=True).stdout
        assert kept.splitlines() == [f"keys/{each.name}" for each in (workspace / "keys").glob("*.json")]

    edit(workspace / "workspace.yml", '{public: "tiny tests"}', "{env: NAMESPACE}")
    assert omnicase("-C", workspace, "key", "new", "--person", "q", "--role", "owner", env=home).status == 0
    assert len(list((tmp_path / "home/omnicase/keys").glob("*.pem"))) == 1, "not a demo"
