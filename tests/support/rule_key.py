"""What the answer key foretells of the business rules: which records of the demo break them, by rule and mapping.

It is worked out from what the generator knows of each record, without the target and without the rules of the model:
every rule is said here a second time.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl

LEVELS = ("openbaar", "beperkt_openbaar", "intern", "zaakvertrouwelijk", "vertrouwelijk", "confidentieel", "geheim",
          "zeer_geheim")  # fmt: skip


class Key:
    """The records of the answer key by table, each with ``record`` and ``mapping``."""

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / "answer_key"
        with closing(sqlite3.connect(f"file:{workspace / 'target.db'}?mode=ro", uri=True)) as target:
            self._mappings = dict(target.execute("SELECT name, target FROM migration_mapping").fetchall())

    def table(self, name: str, *columns: str) -> pl.DataFrame:
        """Return ``record``, ``mapping`` and columns of the records of a table; NULL where no mapping fills them."""
        parts = []
        for mapping, table in self._mappings.items():
            if table != name:
                continue
            key = pl.read_parquet(self._folder / f"{mapping}.parquet").filter(outcome="loaded")
            record = pl.col("record") if "record" in key.columns else pl.lit(f"{mapping}:") + pl.col("key")
            made = [
                pl.col(f"f_{each}").alias(each) if f"f_{each}" in key.columns else pl.lit(None, pl.String).alias(each)
                for each in columns
            ]
            parts.append(key.select(record.alias("record"), pl.lit(mapping).alias("mapping"), *made))
        return pl.concat(parts)

    def looked_up(self, frame: pl.DataFrame, link: str, table: str, *columns: str) -> pl.DataFrame:
        """Add columns of the records that a link names."""
        other = self.table(table, *columns).drop("mapping").rename({"record": link} | {c: f"{link}.{c}" for c in columns})
        return frame.join(other, on=link, how="left", maintain_order="left")


def foretold(workspace: Path, today: date) -> Counter[tuple[str, str]]:
    """Count the records that break a rule, by rule and mapping."""
    key, counts = Key(workspace), Counter()
    for rule, broken in (*_cases(key, today), *_parts(key), *_counter(key)):
        counts.update({(rule, mapping): n for (mapping, n) in broken["mapping"].value_counts().iter_rows()})
    return counts


def _cases(key: Key, today: date) -> Iterator[tuple[str, pl.DataFrame]]:
    case = key.table(
        "case_file", "case_type_id", "start_date", "end_date", "planned_end_date", "latest_end_date", "confidentiality",
        "registration_date", "archive_nomination", "archive_action_date", "parent_case_id", "suspended",
        "suspension_reason", "extension_reason", "extension_period", "handler_actor_id",
    )  # fmt: skip
    case = key.looked_up(case, "case_type_id", "case_type", "confidentiality", "valid_from", "valid_to")
    start, end = pl.col("start_date"), pl.col("end_date")
    yield "CA-03 end", case.filter(start > end)
    yield "CA-03 planned end", case.filter(start > pl.col("planned_end_date"))
    yield "CA-03 latest end", case.filter(start > pl.col("latest_end_date"))
    yield "CA-03 registration", case.filter(pl.col("registration_date") > today.isoformat())
    yield "CA-15 suspension", case.filter((pl.col("suspended") == "0") & pl.col("suspension_reason").is_not_null())
    extended = (pl.col("extension_reason").is_null(), pl.col("extension_period").is_null())
    yield "CA-15 extension", case.filter(extended[0] != extended[1])
    valid = (pl.col("case_type_id.valid_from") <= start) & (
        pl.col("case_type_id.valid_to").is_null() | (pl.col("case_type_id.valid_to") >= start)
    )
    yield "CA-02 type valid", case.filter(~valid)
    rank = [pl.col(name).replace_strict({level: place for place, level in enumerate(LEVELS)}, default=None)
            for name in ("confidentiality", "case_type_id.confidentiality")]  # fmt: skip
    yield "CA-12 confidentiality", case.filter(rank[0] < rank[1])
    yield "EIG-01", case.filter(pl.col("handler_actor_id").is_null())
    yield from _ends(key, case)
    yield from _archive(key, case, today)


def _ends(key: Key, case: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    status = key.table("case_status", "case_id", "status_type_id", "set_at")
    status = key.looked_up(status, "status_type_id", "status_type", "is_final", "sequence").sort("case_id", "set_at")
    local = pl.col("set_at").str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", time_unit="us").dt.replace_time_zone("UTC")
    local = local.dt.convert_time_zone("Europe/Amsterdam")
    status = status.with_columns(local.dt.strftime("%Y-%m-%d").alias("day"), local.dt.hour().alias("hour"))
    step = pl.col("status_type_id.sequence").cast(pl.Int64)
    yield "CA-09 order", status.filter(step < step.shift().over("case_id"))
    yield "CA-16 time of day", status.filter(pl.col("hour") < 2)
    last = status.drop("record", "mapping").rename({"case_id": "record"}).group_by("record", maintain_order=True).last()
    case = case.join(last, on="record", how="left", maintain_order="left")
    final, closed = pl.col("status_type_id.is_final") == "1", pl.col("end_date").is_not_null()
    yield "CA-04 some status", case.filter(final.is_null())
    yield "CA-04 end and final status", case.filter(final.is_not_null() & (final != closed))
    yield "CA-04 end on the day of the final status", case.filter(final & closed & (pl.col("day") != pl.col("end_date")))
    ended = status.filter(pl.col("status_type_id.is_final") == "1")["case_id"].implode()
    archived = pl.col("archive_nomination").is_not_null() | pl.col("archive_action_date").is_not_null()
    yield "CA-09 reopened", case.filter(~closed & pl.col("record").is_in(ended) & archived)
    result = key.table("case_result", "case_id")["case_id"].implode()
    without = ~pl.col("record").is_in(result)
    yield "CA-05 result", case.filter(closed & without)
    unfinished = case.filter(~closed | without)["parent_case_id"].drop_nulls().implode()
    yield "CA-14 sub-cases closed", case.filter(closed & pl.col("record").is_in(unfinished))
    role = key.looked_up(key.table("case_role", "case_id", "role_type_id"), "role_type_id", "role_type",
                         "generic_description")  # fmt: skip
    initiated = role.filter(pl.col("role_type_id.generic_description") == "initiator")["case_id"].implode()
    yield "CA-10 an initiator", case.filter(~pl.col("record").is_in(initiated))


def _archive(key: Key, case: pl.DataFrame, today: date) -> Iterator[tuple[str, pl.DataFrame]]:
    result = key.table("case_result", "case_id", "result_type_id")
    result = key.looked_up(result, "result_type_id", "result_type", "archive_nomination", "archive_derivation")
    result = result.drop("record", "mapping").rename({"case_id": "record"})
    case = case.join(result, on="record", how="left", maintain_order="left")
    own, given = pl.col("archive_nomination"), pl.col("result_type_id.archive_nomination")
    closed, destroyed = pl.col("end_date").is_not_null(), pl.col("archive_nomination") == "vernietigen"
    yield "CA-17 nomination", case.filter(own != given)
    yield "AR-01 nomination on closing", case.filter(closed & own.is_null() & given.is_not_null())
    settled = pl.col("result_type_id.archive_derivation").is_in(["afgehandeld", "termijn"]) | given.is_null()
    undated = pl.col("archive_action_date").is_null()
    yield "AR-02 date of destruction", case.filter(closed & destroyed & undated & settled)
    yield "AR-04 destruction is due", case.filter(destroyed & (pl.col("archive_action_date") < today.isoformat()))


def _parts(key: Key) -> Iterator[tuple[str, pl.DataFrame]]:
    paper = key.table("case_document", "case_id", "content_ref", "file_size", "checksum_value", "usage_rights")
    paper = key.looked_up(paper, "case_id", "case_file", "end_date")
    empty = (pl.col("file_size").cast(pl.Int64).fill_null(0) == 0) | pl.col("checksum_value").is_null()
    yield "DO-05 content", paper.filter(pl.col("content_ref").is_not_null() & empty)
    yield "DO-04 usage rights", paper.filter(pl.col("case_id.end_date").is_not_null() & pl.col("usage_rights").is_null())
    yield "RE-01 related case", key.table("case_relation", "related_case_id").filter(pl.col("related_case_id").is_null())


def _counter(key: Key) -> Iterator[tuple[str, pl.DataFrame]]:
    ticket = key.table(
        "queue_ticket", "location_code", "ticket_date", "desk_code", "status", "issued_at", "called_at",
        "service_started_at", "service_ended_at", "appointment_id",
    )  # fmt: skip
    times = [pl.col(name) for name in ("issued_at", "called_at", "service_started_at", "service_ended_at")]
    pairs = [(times[i], times[j]) for i in range(4) for j in range(i + 1, 4)]
    yield "QT-01 order of times", ticket.filter(pl.any_horizontal((a > b).fill_null(False) for a, b in pairs))
    _, called, started, ended = times
    served, gone = pl.col("status") == "afgehandeld", pl.col("status") == "niet_verschenen"
    lacking = called.is_null() | started.is_null() | ended.is_null() | pl.col("desk_code").is_null()
    yield "QT-02 served", ticket.filter(served & lacking)
    yield "QT-02 not shown up", ticket.filter(gone & (called.is_null() | started.is_not_null()))
    # every day of the demo is past
    yield "QT-02 left waiting", ticket.filter(pl.col("status") == "wachtend")
    at = [each.str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", time_unit="us") for each in times]
    length = (at[3] - at[2]).dt.total_seconds()
    yield "QT-04 service", ticket.filter((ended >= started) & ~length.is_between(5, 7_200))
    yield "QT-04 wait", ticket.filter((at[1] - at[0]).dt.total_seconds() > 14_400)
    turns = ticket.filter(pl.col("desk_code").is_not_null() & started.is_not_null() & ended.is_not_null())
    place = ["location_code", "ticket_date", "desk_code"]
    turns = turns.sort(*place, "service_started_at", "service_ended_at")
    yield "QT-05 one at a time", turns.filter(started < ended.shift().over(place))
    visit = key.table("appointment", "status")
    known = ticket["appointment_id"].drop_nulls().implode()
    with_ticket = pl.col("record").is_in(known)
    yield "AP-01 completed", visit.filter((pl.col("status") == "afgerond") & ~with_ticket)
    yield "AP-01 cancelled", visit.filter((pl.col("status") == "geannuleerd") & with_ticket)
