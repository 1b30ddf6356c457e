"""Folding a log into tickets against a slow reference: one line at a time, through the state machine."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemodel import Partition
from connectors import SystemConfig, open_source, store
from connectors.sources.tickets import files as ticket_files

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

NAMES = {"P": "printed", "C": "called", "R": "recalled", "S": "started", "T": "transferred", "E": "ended", "X": "cancelled"}
MACHINE = {
    "printed": ({"new"}, "waiting"),
    "called": ({"waiting"}, "called"),
    "recalled": ({"called"}, "called"),
    "started": ({"called"}, "serving"),
    "transferred": ({"called", "serving"}, "waiting"),
    "ended": ({"serving"}, "ended"),
    "cancelled": ({"waiting", "called"}, "cancelled"),
}
LINES = st.lists(
    st.tuples(
        st.sampled_from(["A1", "A2", "B1", ""]),
        st.sampled_from(["P", "P", "C", "R", "S", "T", "E", "X", "?", "L"]),
        st.sampled_from(["20190401090000", "20190401090001", "20190401090002", "20190402090000", "20190230090000", ""]),
        st.sampled_from(["", "01", "02"]),
    ),
    max_size=40,
)


def reference(lines: list[tuple[str, str, str, str]]) -> tuple[dict[tuple[str, str, str], tuple[str, ...]], int]:
    """Return state, number of events, wrong orders and desk by ticket, day and series; and how many lines are unreadable."""
    tickets: dict[tuple[str, str], list[tuple[str, int, str, str]]] = {}
    wrong = 0
    for number, (ticket, event, moment, desk) in enumerate(lines):
        if event == "L":
            continue
        if event not in NAMES or moment in ("", "20190230090000") or not ticket:
            wrong += 1
            continue
        day = f"{moment[:4]}-{moment[4:6]}-{moment[6:8]}"
        tickets.setdefault((ticket, day), []).append((moment, number, NAMES[event], desk))
    found = {}
    for (ticket, day), events in tickets.items():
        series = -1
        for _, _, event, desk in sorted(events):
            series += event == "printed"
            key = (ticket, day, str(max(series, 0)))
            if key not in found or (event == "printed" and series > 0):
                state, count, said, last, before = "new", 0, [], "", "nothing"
            else:
                state, count, said, last, before = found[key]
            states, leads = MACHINE[event]
            code = f"{event}-after-{before}"
            if state not in states and code not in said:
                said = [*said, code]
            found[key] = (leads, count + 1, said, desk or last, event)
    return {key: (state, str(n), ", ".join(said), desk) for key, (state, n, said, desk, _) in found.items()}, wrong


@settings(max_examples=60, deadline=None)
@given(LINES, st.sampled_from([2, 7, 50_000]))
def test_folds_what_the_machine_says(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str, str, str]], rows: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    (folder / "R.CSV").write_text("BON;ACTIE;TIJD;BALIE\n" + "".join(";".join(line) + "\n" for line in lines))
    before = ticket_files._ROWS, store.BUCKET_BYTES
    ticket_files._ROWS, store.BUCKET_BYTES = rows, 1
    try:
        found, wrong = read(folder)
    finally:
        ticket_files._ROWS, store.BUCKET_BYTES = before
    assert (found, wrong) == reference(lines)


def read(folder: Path) -> tuple[dict[tuple[str, str, str], tuple[str, ...]], int]:
    log = {
        "ticket": ["BON"],
        "per_day": "true",
        "restart": "printed",
        "event": "ACTIE",
        "moment": {"column": "TIJD", "format": "YYYYMMDDHHmmss"},
        "events": NAMES,
        "skip": {"L": "no event of a ticket"},
        "keep": {"BALIE": "last"},
    }
    relation = {"files": "R.CSV", "allow_empty": "true", "log": log}
    config = SystemConfig("s", "ticketlog", {"delimiter": ";", "relations": {"R": relation}}, folder)
    with closing(open_source(config)) as source:
        extracts = list(source.extract(Partition("R", 5)))
        wrong = sum(e.unreadable.height for e in extracts if e.unreadable is not None)
        told = {
            row[:3]: row[3:]
            for e in extracts
            for row in e.frame.select("BON", "day", "series", "state", "events", "order_issues", "BALIE").rows()
        }
        assert source.count("R") == len(told) + wrong
        return told, wrong
