"""The slices of the demo that faults strike, made once for each kind of target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_rig import Rig, Trial
from fork_server import ForkServer, fork_server
from small_demo import fresh_demo


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """Starts real processes of the command line."""
    with fork_server(tmp_path_factory.mktemp("processes") / "said") as started:
        yield started


@pytest.fixture(scope="session")
def rig(server: ForkServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Rig]:
    """A function that returns the rig of a kind of target."""
    rigs: dict[str, Rig] = {}

    def of_kind(kind: str) -> Rig:
        if kind not in rigs:
            # Only who asks for PostgreSQL starts it.
            new = request.getfixturevalue("new_postgres_database") if kind == "postgresql" else _no_database
            rigs[kind] = Rig(kind, fresh_demo(tmp_path_factory), tmp_path_factory.mktemp(f"rig-{kind}"), server, new)
        return rigs[kind]

    return of_kind


def _no_database(_template: str) -> str:
    raise AssertionError("SQLite needs none")


@pytest.fixture
def trial(rig: Callable[[str], Rig], tmp_path: Path) -> Callable[[str, str], Trial]:
    """A function that returns a copy of a state of a kind of target, for faults to strike."""
    return lambda kind, state: rig(kind).trial(state, tmp_path / "struck")
