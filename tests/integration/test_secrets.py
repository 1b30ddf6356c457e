"""Passwords come from the environment, a private file or the keyring, and are nowhere to be seen (S3, S5, C12)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import keyring
import keyring.backend
import psycopg
import pytest
from command_line import Answer, CommandLine, in_process
from postgres_system import execute, plain_url
from targets import upgrade

from casemodel import OmnicaseError
from connectors import SystemConfig, open_source
from connectors.credentials import with_credentials

PASSWORD = "Geh3im/:@ß"
QUOTED = "Geh3im%2F%3A%40%C3%9F"
WORKSPACE = """
workspace: secret
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: 20}
systems: {old: {kind: %s, url: "%s", password: {file: keys/old}}}
"""
ACTOR = """
mapping: old.actor
owner: test
target: actor
source: {relation: actor, key: [nr]}
fields:
  actor_type: {const: medewerker}
  name: {from: name}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, email, phone, job_title, unit_id], reason: not in the old system}]
"""


def secret(folder: Path, text: str = PASSWORD, mode: int = 0o600) -> Path:
    (folder / "keys").mkdir(exist_ok=True)
    path = folder / "keys" / "old"
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


def asked(folder: Path, **options: object) -> str | None:
    return with_credentials(SystemConfig("old", "sql", options, folder)).url


def test_a_private_file_holds_a_password_or_a_whole_url(tmp_path: Path) -> None:
    path = secret(tmp_path)
    url = "mysql+pymysql://ik@host:3306/db?charset=utf8mb4"
    assert asked(tmp_path, url=url, password={"file": "keys/old"}) == url.replace("ik@", f"ik:{QUOTED}@")
    path.write_text("postgresql://ik:pw@host/db\n")
    assert asked(tmp_path, url={"file": "keys/old"}) == "postgresql://ik:pw@host/db"
    given = SystemConfig("old", "sql", {"password": {"file": "keys/old"}}, tmp_path, url="mysql://ik:x@host/db")
    assert with_credentials(given).url == "mysql://ik:x@host/db", "the environment comes first"
    assert PASSWORD not in repr(with_credentials(given)) and ":x@" not in repr(with_credentials(given))


@pytest.mark.parametrize(
    ("mode", "text", "code", "status"),
    [(0o640, "x", "CON-095", 6), (0o604, "x", "CON-095", 6), (0o600, "", "CON-096", 4), (0o600, "a\nb", "CON-096", 4)],
)
def test_c12_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int, text: str, code: str, status: int) -> None:
    secret(tmp_path, text, mode)
    with pytest.raises(OmnicaseError) as caught:
        open_source(SystemConfig("old", "sql", {"url": "mysql://ik@host/db", "password": {"file": "keys/old"}}, tmp_path))
    assert (caught.value.code, caught.value.exit_status) == (code, status)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"url": "mysql://ik@host/db", "password": {"file": "keys/none"}}, "CON-096"),
        ({"url": "mysql://ik@host/db", "password": {"file": "keys"}}, "CON-096"),
        ({"url": "mysql://ik@host/db", "password": {"fiel": "keys/old"}}, "CON-003"),
        ({"url": "mysql://ik@host/db", "password": {"file": "a", "keyring": "b/c"}}, "CON-003"),
        ({"url": "mysql://ik@host/db", "password": {"keyring": "oud"}}, "CON-003"),
        ({"url": "mysql://host/db", "password": {"file": "keys/old"}}, "CON-003"),
        ({"url": "mysql://ik@host/db", "password": "geheim"}, "CON-002"),
    ],
)
def test_settings_that_name_no_secret_are_refused(tmp_path: Path, options: dict[str, object], code: str) -> None:
    secret(tmp_path)
    with pytest.raises(OmnicaseError) as caught:
        open_source(SystemConfig("old", "sql", options, tmp_path))
    assert (caught.value.code, caught.value.exit_status) == (code, 4)
    assert "geheim" not in str(caught.value.as_dict())


class Ring(keyring.backend.KeyringBackend):
    """A keyring with one entry."""

    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        return PASSWORD if (service, username) == ("gemeente/oud", "ik") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


def test_the_keyring_holds_a_password(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        url = "mysql://ik@host/db"
        assert asked(tmp_path, url=url, password={"keyring": "gemeente/oud/ik"}) == url.replace("ik@", f"ik:{QUOTED}@")
        with pytest.raises(OmnicaseError, match="no entry gemeente/oud/jij") as caught:
            asked(tmp_path, url=url, password={"keyring": "gemeente/oud/jij"})
        assert (caught.value.code, caught.value.exit_status) == ("CON-096", 4)
    finally:
        keyring.set_keyring(before)


@pytest.fixture(scope="module")
def url(new_postgres_database: Callable[[], str]) -> str:
    return new_postgres_database()


def with_role(url: str, role: str) -> str:
    """Return a URL of a test's server for a role, without a password."""
    parts = urlsplit(plain_url(url))
    return urlunsplit(parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}"))


def make(folder: Path, kind: str, url: str) -> Path:
    (folder / "mappings").mkdir()
    (folder / "workspace.yml").write_text(WORKSPACE % (kind, url))
    (folder / "mappings/old.actor.yml").write_text(ACTOR)
    secret(folder)
    upgrade(folder)
    return folder


def leaks(folder: Path, answer: Answer) -> list[str]:
    """Return where the password stands besides the file that it belongs in."""
    found = [name for name, text in (("stdout", answer.out), ("stderr", answer.err)) if shown(text.encode())]
    return found + [
        str(path) for path in folder.rglob("*") if path.is_file() and path.parent.name != "keys" and shown(path.read_bytes())
    ]


def shown(text: bytes) -> bool:
    return any(form in text for form in (PASSWORD.encode(), QUOTED.encode(), b"Geh3im"))


def test_s3_no_process_of_a_run_with_workers_shows_the_password(tmp_path: Path, url: str, omnicase: CommandLine) -> None:
    folder = make(tmp_path, "postgresql", with_role(url, urlsplit(plain_url(url)).username or "postgres"))
    execute(
        url,
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        "CREATE TABLE actor (nr bigint PRIMARY KEY, name text)",
        "INSERT INTO actor SELECT i, 'A' || i FROM generate_series(1, 60) AS i",
    )
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    continue
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        answer = omnicase.spawn("-C", folder, "--format", "json", "run", "--workers", "2")
    finally:
        done.set()
        watcher.join()
    assert answer.status == 0, answer.err
    assert any(b"multiprocessing" in line for line in seen), "workers were seen"
    assert not any(shown(line) for line in seen)
    assert leaks(folder, answer) == []
    with closing(sqlite3.connect(folder / "target.db")) as target:
        assert target.execute("SELECT COUNT(*) FROM actor").fetchone() == (60,)


@pytest.mark.parametrize("kind", ["postgresql", "sql"])
def test_s5_a_wrong_password_or_host_shows_neither_url_nor_role(tmp_path: Path, kind: str) -> None:
    scheme = "postgresql+psycopg" if kind == "sql" else "postgresql"
    folder = make(tmp_path, kind, f"{scheme}://gebruiker7@127.0.0.1:1/oud")
    answer = in_process("-C", folder, "--format", "json", "doctor")
    assert answer.status == 5
    for text in (answer.out, answer.err):
        assert "CON-060" in answer.out and "gebruiker7" not in text and "://" not in text.replace("sqlite://", "")
    assert leaks(folder, answer) == []


def test_s5_a_role_that_may_not_log_in_is_not_named(tmp_path: Path, url: str) -> None:
    folder = make(tmp_path, "postgresql", with_role(url, "geen_rol_7"))
    answer = in_process("-C", folder, "--format", "json", "run")
    assert answer.status == 5 and '"CON-060"' in answer.err + answer.out
    assert "geen_rol_7" not in answer.err + answer.out
    assert leaks(folder, answer) == []
    with pytest.raises(psycopg.OperationalError, match="geen_rol_7"):
        psycopg.connect(with_role(url, "geen_rol_7"))


def test_urls_in_files_that_the_environment_names(tmp_path: Path) -> None:
    folder = make(tmp_path, "sql", "sqlite:///nowhere.db")
    with closing(sqlite3.connect(folder / "old.db")) as old:
        old.executescript("CREATE TABLE actor (nr integer primary key, name text); INSERT INTO actor VALUES (1, 'A')")
    given = {name: str(folder / f"{name}.url") for name in ("OMNICASE_OLD_URL_FILE", "OMNICASE_TARGET_URL_FILE")}
    for path, text in zip(given.values(), ("sqlite:///old.db", "sqlite:///target.db"), strict=True):
        Path(path).write_text(text)
        Path(path).chmod(0o600)
    (folder / "workspace.yml").write_text((folder / "workspace.yml").read_text().replace("target.db", "nowhere/t.db"))
    answer = in_process("-C", folder, "--format", "json", "run", env=given)
    assert answer.status == 0, answer.err
    Path(given["OMNICASE_TARGET_URL_FILE"]).chmod(0o644)
    answer = in_process("-C", folder, "--format", "json", "run", env=given)
    assert answer.status == 6 and "CON-095" in answer.err + answer.out


def test_without_the_keyring_library_it_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['keyring'] = None\nfrom pathlib import Path\nfrom connectors import *\n"
        "try: open_source(SystemConfig('old', 'sql', {'url': 'mysql://ik@h/d', 'password': {'keyring': 'a/b'}}, Path('.')))\n"
        "except Exception as e: print(e.code, e.hint)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found == "CON-004 Install omnicase[keyring].\n"
