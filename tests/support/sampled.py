"""Which tests `make test` runs: all that are cheap, and of the expensive ones a sample that a seed draws.

Two things make a test expensive.  It belongs to a family marked ``sample(n)``, of whose parameter sets n are run, or of
whose tests, where the mark names a ``family`` of several.  Or it took a second or more when the costs were last measured
(`costs.json`): of those as many are run as fit into a budget, from every file at least one, and those of the promises
always.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

COSTS = Path(__file__).parent.parent / "costs.json"
COSTLY = 1.0
"""Seconds from which a test has its place in `COSTS`."""
BUDGET = 360.0
"""Seconds for all tests in `COSTS`, over all workers, on the machine that measured them."""
ALWAYS = ("test_promises.py", "test_demo_answer_key.py", "test_damage.py", "test_ten_thousand_values.py")
"""Files that hold the promises, the truth of the demo, the damages and the privacy."""
LeftOut = dict[str, list[str]]


def read_costs() -> dict[str, float]:
    """Return the seconds of the expensive tests by their ids."""
    costs: dict[str, float] = json.loads(COSTS.read_text()) if COSTS.exists() else {}
    return costs


def write_costs(seconds: dict[str, float]) -> None:
    """Keep what tests took, beside what is known of those that did not run."""
    known = {name: cost for name, cost in read_costs().items() if name not in seconds}
    dear = {name: round(cost, 1) for name, cost in seconds.items() if cost >= COSTLY}
    COSTS.write_text(json.dumps(known | dear, indent=1, sort_keys=True) + "\n")


def leave_out(items: list[pytest.Item], seed: str) -> tuple[list[pytest.Item], LeftOut]:
    """Return the tests that are not run, and their names by family or file."""
    of_families = _families(items, seed)
    dropped = [*of_families, *_over_budget([item for item in items if item not in of_families], seed)]
    named: LeftOut = defaultdict(list)
    for item in dropped:
        mark = item.get_closest_marker("sample")
        family = item.nodeid.partition("::")[0] if mark is None else _family(item, mark)
        inside = item.nodeid.startswith(f"{family}[")
        named[family].append(item.nodeid.partition("[")[2].rstrip("]") if inside else item.name)
    return dropped, dict(named)


def _families(items: Sequence[pytest.Item], seed: str) -> set[pytest.Item]:
    families: dict[str, list[pytest.Item]] = defaultdict(list)
    sizes: dict[str, int] = {}
    for item in items:
        mark = item.get_closest_marker("sample")
        if mark is not None:
            family = _family(item, mark)
            families[family].append(item)
            sizes[family] = mark.args[0]
    dropped: set[pytest.Item] = set()
    for family, members in families.items():
        size = min(sizes[family], len(members))
        chosen = set(random.Random(f"{seed} {family}").sample(range(len(members)), size))
        dropped |= {member for position, member in enumerate(members) if position not in chosen}
    return dropped


def _family(item: pytest.Item, mark: pytest.Mark) -> str:
    return str(mark.kwargs.get("family", item.nodeid.partition("[")[0]))


def _over_budget(items: Sequence[pytest.Item], seed: str) -> list[pytest.Item]:
    costs = read_costs()
    dear = [item for item in items if item.nodeid in costs]
    left = BUDGET - sum(costs[item.nodeid] for item in dear if _always(item))
    drawn = [item for item in dear if not _always(item)]
    random.Random(f"{seed} by cost").shuffle(drawn)
    dropped = []
    for item in drawn:
        if costs[item.nodeid] <= left:
            left -= costs[item.nodeid]
        else:
            dropped.append(item)
    return dropped


def _always(item: pytest.Item) -> bool:
    return item.path.name in ALWAYS or item.get_closest_marker("sample") is not None
