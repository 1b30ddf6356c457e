"""The registry of connectors, their error codes, and reading one batch ahead."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import connectors
from connectors import CODES, SystemConfig, kinds, open_source
from connectors.prefetch import ahead


def test_a_kind_may_announce_itself_as_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "wachtrij-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wachtrij\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[omnicase.connectors]\nwachtrij = announced_kind:open_it\n")
    (tmp_path / "announced_kind.py").write_text("def open_it(config):\n    return (config.name, config.kind)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "wachtrij" in kinds()
    assert open_source(SystemConfig("bonnen", "wachtrij", {}, tmp_path)) == ("bonnen", "wachtrij")


_RUNS = [Path(connectors.__file__).parents[1] / "migrate" / name for name in ("deliveries.py", "session.py")]


def test_every_code_that_is_raised_is_documented_and_the_other_way_round() -> None:
    folder = Path(connectors.__file__).parent
    # Of some that are about files only a run knows enough to raise them.
    sources = [path for path in (*folder.rglob("*.py"), *_RUNS) if path.name != "codes.py" and "targets" not in path.parts]
    raised = {code for path in sources for code in re.findall(r'"(CON-\d{3})"', path.read_text(encoding="utf-8"))}
    assert raised == set(CODES)


def test_read_ahead_is_one_item_ahead_and_no_more() -> None:
    made: list[int] = []

    def produce() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            yield number

    items = ahead(produce)
    assert made == [], "nothing is read before it is asked for"
    assert next(items) == 0
    time.sleep(0.3)
    # One item waits in the queue, one is in the hand of the thread.
    assert len(made) <= 3
    assert list(items) == list(range(1, 10))


def test_read_ahead_passes_errors_on_in_their_place() -> None:
    def produce() -> Iterator[int]:
        yield 1
        raise KeyError("gone")

    items = ahead(produce)
    assert next(items) == 1
    with pytest.raises(KeyError, match="gone"):
        next(items)


def test_read_ahead_closes_what_it_reads_when_nobody_asks_any_more() -> None:
    closed = threading.Event()

    def produce() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.set()

    items = ahead(produce)
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert closed.is_set()
