"""What all tests share: the command line as a person runs it, and the seeded sample of expensive tests.

A test marked ``@pytest.mark.sample(3)`` belongs to an expensive family: of its parameter sets `make test`
runs three, chosen by the seed (OMNICASE_SEED), and says which it left out; ``--whole`` runs all.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
_LEFT_OUT = pytest.StashKey[dict[str, list[str]]]()


@dataclass(frozen=True)
class Answer:
    """What one invocation of the command line gave."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, read as one JSON document."""
        return json.loads(self.out)


class CommandLine:
    """Runs ``omnicase`` in a process of its own, as a person would."""

    def __call__(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout: float = 300,
    ) -> Answer:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "migrate", *map(str, arguments)],
            cwd=cwd, env=self.environment(env), input=stdin, capture_output=True, text=True, encoding="utf-8",
            timeout=timeout,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    @staticmethod
    def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return this process's environment without settings of omnicase, with the clone on the module path."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNICASE_")}
        return kept | {"PYTHONPATH": str(ROOT)} | dict(extra or {})


@pytest.fixture
def omnicase() -> CommandLine:
    """The command line: ``omnicase("-C", folder, "run")`` gives status, out, err and document."""
    return CommandLine()


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of the clone."""
    return ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="run all of the families of which a sample is the rule")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    families: dict[str, list[pytest.Item]] = defaultdict(list)
    sizes: dict[str, int] = {}
    for item in items:
        mark = item.get_closest_marker("sample")
        if mark is not None:
            family = item.nodeid.partition("[")[0]
            families[family].append(item)
            sizes[family] = mark.args[0]
    left_out: dict[str, list[str]] = {}
    if not config.getoption("--whole"):
        seed = os.environ.get("OMNICASE_SEED", "1")
        for family, members in families.items():
            size = min(sizes[family], len(members))
            chosen = set(random.Random(f"{seed} {family}").sample(range(len(members)), size))
            rest = [member for position, member in enumerate(members) if position not in chosen]
            if rest:
                left_out[family] = [member.name.partition("[")[2].rstrip("]") for member in rest]
                for member in rest:
                    items.remove(member)
                config.hook.pytest_deselected(items=rest)
    config.stash[_LEFT_OUT] = left_out
    worker = getattr(config, "workeroutput", None)
    if worker is not None:
        worker["left_out"] = left_out


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(_LEFT_OUT, {})
    if left_out:
        seed = os.environ.get("OMNICASE_SEED", "1")
        terminalreporter.section(f"not run: left out of the sample by seed {seed}; `make test-faults` runs all")
        for family, names in sorted(left_out.items()):
            terminalreporter.write_line(f"{family}: {len(names)} left out: {', '.join(names)}")
