"""What all tests share: the command line as a person runs it, and the seeded sample of expensive tests.

`make test` runs a sample of the expensive tests, drawn by a seed (OMNICASE_SEED; see `support/sampled.py`), and says which
it left out; ``--whole`` runs all.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from command_line import ROOT, CommandLine
from sampled import leave_out, read_costs, write_costs
from struck import FILE, RESULT, by_test, counted

# Each worker of pytest has one core; Polars reads this when it is first imported. What tests spawn may use all.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

_LEFT_OUT = pytest.StashKey[dict[str, list[str]]]()


@pytest.fixture(scope="session")
def omnicase() -> CommandLine:
    """The command line: ``omnicase("-C", folder, "run")`` gives status, out, err and document."""
    return CommandLine()


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of the clone."""
    return ROOT


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server on which databases may be made: OMNICASE_TEST_POSTGRES_URL, or one of our own."""
    given = os.environ.get("OMNICASE_TEST_POSTGRES_URL")
    if given:
        yield sa.make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")    # it says where its sockets lie
        import pgserver

    # Not in pytest's own folder: as root the server runs as another user, who must get there.
    server = pgserver.get_server(tempfile.mkdtemp(prefix="omnicase-pg-"), cleanup_mode="delete")
    try:
        # The server does not outlive the tests: it need not survive a power cut.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off; SELECT pg_reload_conf();")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def new_postgres_database(postgres_url: str) -> Iterator[Callable[..., str]]:
    """A function that makes a PostgreSQL database, empty or a copy of one, and returns its URL; all are dropped at the end."""
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    names: list[str] = []

    def make(template: str = "template0") -> str:
        name = f"omnicase_test_{uuid.uuid4().hex[:12]}"
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        names.append(name)
        return sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)

    yield make
    with server.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_database(new_postgres_database: Callable[[], str]) -> str:
    """The URL of an empty PostgreSQL database of the test's own."""
    return new_postgres_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty target: once a SQLite file that does not exist yet, once a PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'target.db'}"
    return str(request.getfixturevalue("postgres_database"))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        descriptor, os.environ[FILE] = tempfile.mkstemp(prefix="omnicase-faults-")
        os.close(descriptor)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        Path(os.environ[FILE]).unlink(missing_ok=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="run all of the expensive tests of which a sample is the rule")
    parser.addoption("--write-costs", action="store_true", help="keep what each test takes in tests/costs.json")


_DEAREST = ("test_shown_output.py", "test_promises.py", "test_demo_answer_key.py", "test_machine_faults.py",
            "test_identity_order.py", "test_demo_clean_up.py", "test_any_surroundings.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    costs = read_costs()
    for item in items:
        if item.nodeid in costs:
            item.add_marker("costly")
    # What takes longest begins first: else one worker waits at the end for the other one's last test.
    items.sort(key=lambda item: item.path.name not in _DEAREST)
    left_out: dict[str, list[str]] = {}
    if not config.getoption("--whole"):
        dropped, left_out = leave_out(items, os.environ.get("OMNICASE_SEED", "1"))
        gone = set(dropped)
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=dropped)
    config.stash[_LEFT_OUT] = left_out
    worker = getattr(config, "workeroutput", None)
    if worker is not None:
        worker["left_out"] = left_out


_SECONDS: dict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _SECONDS[report.nodeid] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--write-costs") and not hasattr(session.config, "workerinput"):
        write_costs(_SECONDS)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    of_tests = by_test(Path(os.environ[FILE]))
    found = counted(of_tests)
    if found:
        terminalreporter.section("faults that really struck, each followed by a comparison of the whole target and ledger")
        for family, by_database in sorted(found.items()):
            numbers = ", ".join(f"{name} {number}" for name, number in sorted(by_database.items()))
            terminalreporter.write_line(f"{family}: {numbers}")
        total = sum(found.values(), Counter[str]())
        terminalreporter.write_line(f"in all: {', '.join(f'{name} {number}' for name, number in sorted(total.items()))}")
        if config.getoption("--whole"):
            kept = ROOT / RESULT
            before = json.loads(kept.read_text()) if kept.exists() else {}
            kept.write_text(json.dumps(before | of_tests, indent=1, sort_keys=True) + "\n")
    left_out = config.stash.get(_LEFT_OUT, {})
    if left_out:
        seed = os.environ.get("OMNICASE_SEED", "1")
        terminalreporter.section(f"not run: left out of the sample by seed {seed}; `make test-faults`, `make test-browser` run all")
        for family, names in sorted(left_out.items()):
            terminalreporter.write_line(f"{family}: {len(names)} left out: {', '.join(names)}")
