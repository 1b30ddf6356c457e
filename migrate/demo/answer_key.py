"""The answer key: per mapping a Parquet file that says what every source row must become, written chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow as pa

from migrate.demo import (
    key_addresses,
    key_cases,
    key_children,
    key_complaints,
    key_contacts,
    key_counter,
    key_documents,
    key_fixed,
    key_handouts,
    key_merged,
    key_messages,
    key_parties,
    key_reach,
)
from migrate.demo.cases import case_facts, case_states
from migrate.demo.links import ParquetFile
from migrate.demo.world import World

UNREADABLE = "unreadable.csv"
"""Which physical records cannot be read: the relation, and the file with the line at which the record begins."""
_TYPES = {"issues": pa.list_(pa.string())}


class AnswerKey:
    """Takes the rows of the old systems as they are written, with the truth behind them.

    Args:
        folder: where the files go, one ``<mapping>.parquet`` each.
        codes: the workspace's folder ``codes``, whose catalogue files are a source of their own.
    """

    def __init__(self, folder: Path, codes: Path) -> None:
        self._folder = folder
        self._codes = codes
        self._stack = ExitStack()
        self._files: dict[str, ParquetFile] = {}
        self._names: set[str] = set()
        self._callers = pl.DataFrame()
        self._unreadable: list[tuple[str, str]] = []

    def __enter__(self) -> AnswerKey:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if kind is None:
            told = pl.DataFrame(self._unreadable, schema={"relation": pl.String, "place": pl.String}, orient="row")
            told.write_csv(self._folder / UNREADABLE)

    def _write(self, mapping: str, rows: pl.DataFrame) -> None:
        if mapping not in self._files:
            schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in rows.columns])
            self._files[mapping] = self._stack.enter_context(ParquetFile(self._folder / f"{mapping}.parquet", schema))
        self._files[mapping].write(rows)

    def unreadable(self, relation: str, places: Iterable[str]) -> None:
        """Take the places of records that no mapping of a relation can read: each of them has to refuse them."""
        self._unreadable += [(relation, place) for place in places]

    def fixed_tables(self) -> None:
        """Write the keys of the small tables and of the catalogue files."""
        for mapping, rows in key_fixed.fixed_keys(self._codes):
            self._write(mapping, rows)

    def customers(self, world: World, frame: pl.DataFrame, low: int, high: int) -> None:
        """Take rows of `parties.customers` for the persons from ``low`` up to ``high``."""
        for mapping, rows in key_merged.merged_keys(world, key_merged.CUSTOMER, low, high).items():
            self._write(mapping, rows)
        self._write("balie.address", key_addresses.customer_address_key(frame))

    def case_persons(self, world: World, frame: pl.DataFrame, homes: pl.DataFrame, low: int, high: int) -> None:
        """Take rows of `parties.case_persons` for the persons from ``low`` up to ``high``, and their addresses."""
        for mapping, rows in key_merged.merged_keys(world, key_merged.CASE_PERSON, low, high).items():
            self._write(mapping, rows)
        self._write("zaak.person_address", key_addresses.seat_key("zaak.person", "PERSID", frame, homes))

    def companies(self, frame: pl.DataFrame, homes: pl.DataFrame) -> None:
        """Take rows of `parties.companies`, and their addresses."""
        self._write("zaak.company", key_parties.company_key(frame))
        self._write("zaak.company_identifier", key_reach.company_number_key(frame))
        self._write("zaak.company_digital", key_reach.company_digital_key(frame))
        self._write("zaak.company_address", key_addresses.seat_key("zaak.company", "BEDRID", frame, homes))

    def cases(self, frame: pl.DataFrame) -> None:
        """Take rows of `casefile.case_rows`."""
        self._write("zaak.case", key_cases.case_key(frame))
        self._write("zaak.case_result", key_cases.result_key(frame))
        self._write("zaak.case_status_made", key_cases.made_status_key(frame))
        self._write("zaak.case_old_number", key_cases.old_number_key(frame))

    def statuses(self, frame: pl.DataFrame) -> None:
        """Take numbered rows of `history.status_rows`."""
        self._write("zaak.case_status", key_children.status_key(frame))

    def roles(self, frame: pl.DataFrame) -> None:
        """Take numbered rows of `involved.role_rows`."""
        self._write("zaak.case_role", key_children.role_key(frame))
        self._write("zaak.free_party", key_children.free_party_key(frame))

    def properties(self, frame: pl.DataFrame) -> None:
        """Take numbered rows of `properties.property_rows`."""
        self._write("zaak.case_property", key_children.property_key(frame))

    def documents(self, frame: pl.DataFrame) -> None:
        """Take numbered rows of `papers.document_rows`."""
        self._write("zaak.case_document", key_documents.document_key(frame))

    def relations(self, world: World, frame: pl.DataFrame) -> None:
        """Take rows of `papers.relation_rows`."""
        numbers = pl.concat([frame["i"], frame["other"]]).unique().sort().alias("i").to_frame()
        states = case_states(world, case_facts(world, numbers)).select("i", "state")
        others = states.select(pl.col("i").alias("other"), pl.col("state").alias("other_state"))
        frame = frame.join(states, on="i", how="left", maintain_order="left")
        frame = frame.join(others, on="other", how="left", maintain_order="left")
        self._write("zaak.case_relation", key_children.relation_key(frame))

    def complaints(self, frame: pl.DataFrame) -> None:
        """Take rows of `complaints.complaint_rows`."""
        self._write("klachten.contact", key_complaints.complaint_key(frame))

    def messages(self, frame: pl.DataFrame) -> None:
        """Take rows of `messages.case_rows`."""
        for mapping, rows in key_messages.message_keys(frame).items():
            self._write(mapping, rows)

    def appointments(self, frame: pl.DataFrame) -> None:
        """Take rows of `appointments.appointment_rows`."""
        self._write("balie.appointment", key_counter.appointment_key(frame))

    def tickets(self, frame: pl.DataFrame, totals: pl.DataFrame, cash: pl.DataFrame) -> None:
        """Take rows of `appointments.link_tickets`, in the order of time, and what was made of them."""
        counted = key_counter.with_total(key_counter.with_previous(frame), totals)
        self._write("balie.queue_ticket", key_counter.ticket_key(counted))
        self._write("balie.contact", key_counter.contact_key(key_counter.with_fee(frame, cash)))
        self._write("balie.actor_name", key_counter.typed_name_key(frame, self._names))

    def hand_outs(self, frame: pl.DataFrame) -> None:
        """Take rows of `handouts.hand_out_rows`, of all deliveries that are read."""
        self._write("uitreik.case_property", key_handouts.hand_out_key(frame))

    def callers(self, world: World, frame: pl.DataFrame) -> None:
        """Take the contacts of some months, before those of each month: who calls is worked out once for all."""
        self._callers = key_merged.party_of_number(world, frame)

    def contacts(self, frame: pl.DataFrame, *, again: pl.DataFrame) -> None:
        """Take the rows of a month's file, and those that the next file repeats."""
        frame = frame.join(self._callers, on="t", how="left", maintain_order="left")
        # Of a contact that the next file repeats, this file's row does not count (F11).
        counts = frame.filter(~pl.col("Contactnr").is_in(again["Contactnr"].implode())) if again.height else frame
        counts = counts.filter(~pl.col("unescaped"))
        self._write("kcc.contact", key_contacts.call_key(counts))
        self._write("kcc.contact_digital", key_reach.caller_digital_key(counts))
