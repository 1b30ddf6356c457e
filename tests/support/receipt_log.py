"""What the receipt log says, read without any of our code: csv, datetime and zoneinfo only."""

from __future__ import annotations

import csv
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "receipt"
SMALL = EXAMPLE / "log" / "receipt_small.csv"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CHANNELS = {"Internet": "webformulier", "Desk": "balie", "Post": "post", "e-mail": "email", "Intern": "onbekend"}


def real_log() -> Path | None:
    """Return where the real log lies: OMNICASE_RECEIPT_FILE, or beside the clone; None when it is nowhere."""
    named = os.environ.get("OMNICASE_RECEIPT_FILE")
    places = [Path(named)] if named else [folder / "shared" / "data" / "receipt.csv" for folder in ROOT.parents]
    return next((place for place in places if place.is_file()), None)


def logs() -> list[Path]:
    """Return the logs to test on: the small one always, the real one where it is found."""
    real = real_log()
    return [SMALL, real] if real else [SMALL]


def instant(text: str) -> datetime | None:
    """Read a moment of the log as an instant in UTC; nothing is None."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def local_day(text: str) -> date | None:
    """Return the day of a moment as the town hall's calendar had it."""
    moment = instant(text)
    return moment.astimezone(AMSTERDAM).date() if moment else None


def only_the_day_is_known(text: str) -> bool:
    """Whether the time of day is one of those that stand for "no time": midnight and 4,000 seconds past it, UTC or local."""
    return text[11:19] in ("00:00:00", "01:06:40", "02:06:40")


def without_leak(moment: datetime, text: str) -> datetime:
    """Take the offset of the time zone out of the milliseconds, where it leaked into them."""
    return moment.replace(microsecond=0) if text[19:27] in (".010000+", ".020000+") else moment


def is_test(name: str) -> bool:
    """Whether a name is one of the test users."""
    return name.lower() == "test"


@dataclass(frozen=True)
class Log:
    """The events of a log, and what must be true of their migration."""

    events: list[dict[str, str]]

    @classmethod
    def read(cls, path: Path) -> Log:
        """Read a log."""
        with path.open(encoding="ascii", newline="") as file:
            return cls(list(csv.DictReader(file)))

    def cases(self) -> Iterator[tuple[str, list[dict[str, str]]]]:
        """Yield each case with its events in the order of time."""
        by_case: dict[str, list[dict[str, str]]] = {}
        for event in self.events:
            by_case.setdefault(event["case:concept:name"], []).append(event)
        for name, events in by_case.items():
            yield name, sorted(events, key=lambda event: (datetime.fromisoformat(event["time:timestamp"]), event["concept:instance"]))

    def slots(self, *columns: str) -> list[str]:
        """Return the values of columns, one after the other: what an unpivot of them reads."""
        return [event[column] for event in self.events for column in columns]

    def case_records(self) -> set[tuple[object, ...]]:
        """Return what each case must be: number, registered, started, ended, planned, latest, channel, handler, last moment."""
        found: set[tuple[object, ...]] = set()
        for name, events in self.cases():
            first = events[0]
            days = ("case:startdate", "case:startdate", "case:enddate", "case:enddate_planned", "case:deadline")
            handler = first["case:responsible"]
            found.add((
                name, *(local_day(first[column]) for column in days), CHANNELS[first["case:channel"]],
                None if is_test(handler) else handler,
                max(moment for event in events if (moment := instant(event["time:timestamp"]))),
            ))
        return found

    def books(self) -> dict[str, dict[str, int]]:
        """Return the books that each mapping of the log must show; figures not named are 0."""
        events, cases = len(self.events), len(list(self.cases()))
        per_case = {"read": events, "inserted": cases, "merged": events - cases}
        people = self.slots("case:responsible", "org:resource")
        units = self.slots("case:department", "case:group", "org:group")
        parts = self.slots("case:responsible", "case:department", "case:group")
        named = {(event["case:concept:name"], column, event[column]) for event in self.events
                 for column in ("case:responsible", "case:department", "case:group")}
        roles = [part for part in named if part[2] and not (part[1] == "case:responsible" and is_test(part[2]))]
        parts_out = sum(not part for part in parts) + sum(is_test(event["case:responsible"]) for event in self.events)
        return {
            "receipt.case": per_case,
            "receipt.contact": per_case,
            "receipt.journey_link": per_case,
            "receipt.status": {"read": events, "inserted": events},
            "receipt.actor": _books(people, {name for name in people if name and not is_test(name)},
                                    sum(not name or is_test(name) for name in people)),
            "receipt.unit": _books(units, {unit for unit in units if unit not in ("", "EMPTY")},
                                   sum(unit in ("", "EMPTY") for unit in units)),
            "receipt.case_role": _books(parts, set(roles), parts_out),
        }

    def findings(self) -> Counter[tuple[str, str]]:
        """Return how often each oddity must show as a warning: by mapping, and by rule or field and code."""
        found: Counter[tuple[str, str]] = Counter()
        for _, events in self.cases():
            self._case_findings(events, found)
        return +found

    def _case_findings(self, events: list[dict[str, str]], found: Counter[tuple[str, str]]) -> None:
        first = events[0]
        start, end = instant(first["case:startdate"]), instant(first["case:enddate"])
        assert start is not None
        found["receipt.case", "the end is not before the start"] += end is not None and end < start
        found["receipt.case", "the planned end is the deadline"] += (
            local_day(first["case:enddate_planned"]) != local_day(first["case:deadline"])
        )
        found["receipt.case", "handler_actor_id link-out-of-scope"] += is_test(first["case:responsible"])
        found["receipt.contact", "actor_id link-out-of-scope"] += is_test(first["case:responsible"])
        found["receipt.contact", "occurred_at warn-if"] += only_the_day_is_known(first["case:startdate"])
        seen: set[str] = set()
        for event in events:
            moment = instant(event["time:timestamp"])
            assert moment is not None
            found["receipt.status", "not before the start of the case"] += moment < start
            found["receipt.status", "not after the end of the case"] += end is not None and moment > end
            found["receipt.status", "done for the first time"] += event["concept:name"] in seen
            found["receipt.status", "not done by a test user"] += is_test(event["org:resource"])
            seen.add(event["concept:name"])


def case_records_of(target: Path) -> set[tuple[object, ...]]:
    """Return the cases of a migrated target in the form of `Log.case_records`."""
    with closing(sqlite3.connect(f"file:{target}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT c.identification, c.registration_date, c.start_date, c.end_date, c.planned_end_date, c.latest_end_date,"
            " k.code, a.name, c.last_modified_at FROM case_file c LEFT JOIN channel k ON k.id = c.channel_id"
            " LEFT JOIN actor a ON a.id = c.handler_actor_id"
        ).fetchall()
    return {
        (row[0], *(None if day is None else date.fromisoformat(day) for day in row[1:6]), *row[6:8], utc(row[8])) for row in rows
    }


def utc(text: str) -> datetime:
    """Read a moment as the SQLite target stores it."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _books(read: list[str], inserted: set[object] | set[str], out_of_scope: int) -> dict[str, int]:
    return {"read": len(read), "inserted": len(inserted), "out_of_scope": out_of_scope,
            "merged": len(read) - len(inserted) - out_of_scope}
