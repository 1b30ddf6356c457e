"""The receipt workspace, driven as a person would: every event of the log is accounted for, every oddity shows.

It runs on the small log of the example and, where it is found (OMNICASE_RECEIPT_FILE, or shared/data beside the clone), on
the real one. What must come out is read from the log without any of our code (tests/support/receipt_log.py).
"""

from __future__ import annotations

import shutil
import sqlite3
import warnings
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from command_line import Answer, CommandLine
from receipt_log import (
    CHANNELS,
    EXAMPLE,
    SMALL,
    Log,
    case_records_of,
    instant,
    is_test,
    logs,
    real_log,
    utc,
    without_leak,
)

OUTCOMES = ("out_of_scope", "deferred", "late", "inserted", "updated", "unchanged", "rejected", "parked", "conflict", "merged")


@dataclass(frozen=True)
class Migrated:
    """A log, migrated once, and what the command line said on the way."""

    log: Log
    workspace: Path
    env: dict[str, str]
    answers: dict[str, Answer] = field(default_factory=dict)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the new database."""
        with closing(sqlite3.connect(f"file:{self.workspace / 'target.db'}?mode=ro", uri=True)) as target:
            return target.execute(sql).fetchall()


@pytest.fixture(scope="module", params=logs(), ids=lambda path: "small log" if path == SMALL else "real log")
def migrated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, omnicase: CommandLine) -> Migrated:
    workspace = tmp_path_factory.mktemp("receipt") / "workspace"
    shutil.copytree(EXAMPLE, workspace, ignore=shutil.ignore_patterns("target.db*", "reports", "evidence"))
    env = {} if request.param == SMALL else {"OMNICASE_RECEIPT_FILE": str(request.param)}
    result = Migrated(Log.read(request.param), workspace, env)
    steps = (("upgrade", ("db", "upgrade")), ("check", ("mapping", "check")), ("plan", ("plan",)), ("run", ("run",)),
             ("again", ("run",)), ("reconcile", ("reconcile",)))
    for name, verb in steps:
        result.answers[name] = omnicase("-C", workspace, "--format", "json", *verb, env=env)
    return result


def books(answer: Answer) -> dict[str, dict[str, int]]:
    return {entry["mapping"]: entry for entry in answer.document["mappings"]}


def test_it_says_which_logs_it_ran_on() -> None:
    if real_log() is None:
        warnings.warn("the real receipt log was not found: tested on the small log only", stacklevel=1)
    assert logs()[0] == SMALL


def test_the_small_log_is_ours(project_root: Path) -> None:
    real = real_log()
    if real is None:
        return
    small, theirs = SMALL.read_text().splitlines(), set(real.read_text().splitlines())
    assert small[0] in theirs
    assert not theirs.intersection(small[1:])


def test_the_workspace_is_in_order(migrated: Migrated) -> None:
    assert migrated.answers["upgrade"].status == 0, migrated.answers["upgrade"].err
    assert migrated.answers["check"].document["errors"] == []


def test_every_event_is_accounted_for(migrated: Migrated) -> None:
    assert migrated.answers["run"].status == 3, migrated.answers["run"].err
    found = books(migrated.answers["run"])
    for mapping, expected in migrated.log.books().items():
        entry = found[mapping]
        assert {name: entry[name] for name in ("read", *OUTCOMES)} == {"read": 0, **dict.fromkeys(OUTCOMES, 0)} | expected, mapping
    assert all(entry["read"] == sum(entry[name] for name in OUTCOMES) for entry in found.values())
    assert migrated.answers["run"].document["balanced"] is True


def test_the_plan_said_so_before(migrated: Migrated) -> None:
    planned, done = books(migrated.answers["plan"]), books(migrated.answers["run"])
    for mapping, entry in done.items():
        assert {name: planned[mapping][name] for name in ("read", *OUTCOMES)} == {name: entry[name] for name in ("read", *OUTCOMES)}


def test_a_second_run_writes_nothing(migrated: Migrated) -> None:
    for mapping, entry in books(migrated.answers["again"]).items():
        first = books(migrated.answers["run"])[mapping]
        assert entry["inserted"] == entry["updated"] == entry["merged"] == 0, mapping
        assert entry["unchanged"] == first["inserted"] + first["merged"], mapping
        assert entry["out_of_scope"] == first["out_of_scope"], mapping


def test_reconciliation_finds_both_sides_equal(migrated: Migrated) -> None:
    document = migrated.answers["reconcile"].document
    failed = [(check["check"], check["mapping"], check["findings"]) for check in document["checks"] if check["outcome"] == "failed"]
    assert failed == []
    assert document["verdict"] == "in_balance"
    fields = {check["mapping"]: check for check in document["checks"] if check["level"] == "fields"}
    assert fields["receipt.case"]["compared_target"] == len(list(migrated.log.cases()))


def test_cases(migrated: Migrated) -> None:
    assert case_records_of(migrated.workspace / "target.db") == migrated.log.case_records()


def test_statuses_hold_every_event_rework_too(migrated: Migrated) -> None:
    spelled = {"T18 Adjust report Y to stop indicition": "T18 Adjust report Y to stop indication"}
    expected = Counter(
        (event["case:concept:name"], spelled.get(event["concept:name"], event["concept:name"]), instant(event["time:timestamp"]),
         event["org:resource"] if event["org:group"] in ("", "EMPTY") else f"{event['org:group']}, {event['org:resource']}")
        for event in migrated.log.events
    )
    found = Counter((case, status, utc(set_at), text) for case, status, set_at, text in migrated.rows(
        "SELECT c.identification, t.description, s.set_at, s.explanation FROM case_status s"
        " JOIN case_file c ON c.id = s.case_id JOIN status_type t ON t.id = s.status_type_id"
    ))
    assert found == expected


def test_contacts_open_their_cases(migrated: Migrated) -> None:
    expected = set()
    for name, events in migrated.log.cases():
        text = events[0]["case:startdate"]
        moment = instant(text)
        assert moment is not None
        expected.add((name, CHANNELS[events[0]["case:channel"]], without_leak(moment, text)))
    found = {(case, channel, utc(occurred_at)) for case, channel, occurred_at in migrated.rows(
        "SELECT c.identification, k.code, o.occurred_at FROM journey_link j JOIN customer_contact o ON o.id = j.contact_id"
        " JOIN channel k ON k.id = o.channel_id JOIN case_file c ON c.id = j.case_id WHERE j.step_type = 'aanleiding'"
    )}
    assert found == expected


def test_employees_units_and_roles(migrated: Migrated) -> None:
    events = migrated.log.events
    people = {event[column] for event in events for column in ("case:responsible", "org:resource")}
    units = {event[column] for event in events for column in ("case:department", "case:group", "org:group")}
    expected = {(name, "geautomatiseerde_actor" if name.startswith("admin") else "medewerker") for name in people if not is_test(name)}
    expected |= {(unit, "organisatorische_eenheid") for unit in units if unit not in ("", "EMPTY")}
    assert set(migrated.rows("SELECT name, actor_type FROM actor")) == expected

    parts = {"case:responsible": "Behandelaar", "case:department": "Behandelende afdeling", "case:group": "Behandelende groep"}
    roles = {(event["case:concept:name"], description, event[column]) for event in events for column, description in parts.items()
             if event[column] and not (column == "case:responsible" and is_test(event[column]))}
    assert sorted(migrated.rows(
        "SELECT c.identification, t.description, a.name FROM case_role r JOIN case_file c ON c.id = r.case_id"
        " JOIN role_type t ON t.id = r.role_type_id JOIN actor a ON a.id = r.actor_id"
    )) == sorted(roles)


def test_every_oddity_shows(migrated: Migrated) -> None:
    found = Counter[tuple[str, str]]()
    for mapping, name, code, count in migrated.rows(
        "SELECT m.name, i.field, i.code, COUNT(*) FROM migration_issue i JOIN migration_mapping m ON m.id = i.mapping_id"
        " GROUP BY 1, 2, 3"
    ):
        found[mapping, name if code == "rule-failed" else f"{name} {code}"] += count
    assert found == migrated.log.findings()


def test_the_log_is_as_it_was(migrated: Migrated) -> None:
    assert Log.read(Path(migrated.env.get("OMNICASE_RECEIPT_FILE", SMALL))) == migrated.log
    names = {path.name for path in (migrated.workspace / "log").iterdir()}
    assert names == {"receipt_small.csv"}

