"""Kinds of damage to a loaded target: each is one thing that goes wrong in a load or after it, and what names it.

A damage strikes records that no other one strikes, so that all of them can be looked for in one reconciliation.  It
also takes away what the ledger remembers of the record (its hash), as a loader that writes wrongly would: otherwise
the cause is `edited in target`.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

Sign = tuple[str, str, str | None, str, str | None]
"""Check, mapping, field, cause, and kind of difference."""
WRONG = "value differs"


@dataclass
class Struck:
    """A target that is being damaged, and which of its records are taken."""

    database: sqlite3.Connection
    taken: set[str] = field(default_factory=set)

    def pick(self, mapping: str, where: str = "1", *, n: int = 1) -> list[str]:
        """Return the ids of the first n untouched records that this mapping alone made and that hold a condition."""
        table = mapping_table(self.database, mapping)
        rows = self.database.execute(
            f"""SELECT t.id FROM {table} t JOIN migration_id_map i ON i.target_id = t.id
                WHERE ({where}) GROUP BY t.id
                HAVING COUNT(*) = 1 AND MIN(i.mapping_id) = (SELECT id FROM migration_mapping WHERE name = ?)
                ORDER BY t.id""",
            (mapping,),
        )
        found = [record for (record,) in rows if record not in self.taken][:n]
        assert len(found) == n, f"the demo has no {n} records of {mapping} with {where}"
        self.taken.update(found)
        return found

    def write(self, mapping: str, record: str, change: str, *values: object) -> None:
        """Change a record, and let the ledger forget what was written."""
        table = mapping_table(self.database, mapping)
        assert self.database.execute(f"UPDATE {table} SET {change} WHERE id = ?", (*values, record)).rowcount == 1
        self.forget(record)

    def remove(self, mapping: str, record: str) -> None:
        """Delete a record."""
        table = mapping_table(self.database, mapping)
        assert self.database.execute(f"DELETE FROM {table} WHERE id = ?", (record,)).rowcount == 1

    def copy(self, mapping: str, record: str, **changed: object) -> str:
        """Add a record that is a copy of another, under a new id."""
        table = mapping_table(self.database, mapping)
        cursor = self.database.execute(f"SELECT * FROM {table} WHERE id = ?", (record,))
        values = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
        values |= {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, record))} | changed
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        self.database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        return str(values["id"])

    def value(self, mapping: str, record: str, column: str) -> str:
        """Return one value of a record."""
        table = mapping_table(self.database, mapping)
        found: str = self.database.execute(f"SELECT {column} FROM {table} WHERE id = ?", (record,)).fetchone()[0]
        return found

    def forget(self, record: str) -> None:
        """Take away what the ledger says was written."""
        self.database.execute("DELETE FROM migration_record WHERE target_id = ?", (record,))


def mapping_table(database: sqlite3.Connection, mapping: str) -> str:
    """Return the target table of a mapping."""
    found = database.execute("SELECT target FROM migration_mapping WHERE name = ?", (mapping,)).fetchone()
    return str(found[0])


@dataclass(frozen=True)
class Damage:
    """One kind of damage."""

    name: str
    level: str
    """The cheapest level that finds it."""
    strike: Callable[[Struck], list[Sign]]
    """Damages the target; returns all findings that must come of it, at whatever level."""


DAMAGES: list[Damage] = []


def damage(level: str) -> Callable[[Callable[[Struck], list[Sign]]], Callable[[Struck], list[Sign]]]:
    """Add a function to the kinds of damage, under its own name in words."""

    def add(strike: Callable[[Struck], list[Sign]]) -> Callable[[Struck], list[Sign]]:
        DAMAGES.append(Damage(strike.__name__.replace("_", " "), level, strike))
        return strike

    return add


def changed(mapping: str, column: str, kind: str, sql: str, where: str, *values: object) -> Callable[[Struck], list[Sign]]:
    """Return a strike that changes one value of one record by an SQL expression."""

    def strike(target: Struck) -> list[Sign]:
        (record,) = target.pick(mapping, where)
        target.write(mapping, record, f"{column} = {sql}", *values)
        return [("fields.values", mapping, column, WRONG, kind)]

    return strike


def _values() -> Iterator[tuple[str, Callable[[Struck], list[Sign]]]]:
    """Yield the damages that change one value."""
    case, status, document, ticket = "zaak.case", "zaak.case_status", "zaak.case_document", "balie.queue_ticket"
    plain = "LENGTH(t.description) > 12 AND t.description NOT LIKE '% '"
    yield "another text", changed(case, "description", "another value", "'Iets anders'", plain)
    yield "a text cut off", changed(case, "description", "cut off", "SUBSTR(description, 1, 6)", plain)
    yield "a blank at the end", changed(case, "description", "white space", "description || ' '", plain)
    yield "capitals", changed(case, "description", "upper or lower case", "UPPER(description)", plain)
    yield "a date one day early", changed(case, "end_date", "one day earlier", "DATE(end_date, '-1 day')", "end_date > ''")
    yield "a date one day late", changed(case, "end_date", "one day later", "DATE(end_date, '+1 day')", "end_date > ''")
    swap = "SUBSTR(start_date, 1, 5) || SUBSTR(start_date, 9, 2) || '-' || SUBSTR(start_date, 6, 2)"
    yield "day and month swapped", changed(
        case, "start_date", "another date", swap,
        "CAST(SUBSTR(start_date, 9) AS INT) < 13 AND ABS(SUBSTR(start_date, 9) - SUBSTR(start_date, 6, 2)) > 2",
    )  # fmt: skip
    yield "a date of another century", changed(case, "start_date", "another date", "'19' || SUBSTR(start_date, 3)", "1")
    yield "a date lost", changed(case, "start_date", "another date", "'1900-01-01'", "1")
    yield "a value lost", changed(case, "end_date", "empty instead of a value", "NULL", "end_date > ''")
    yield "a value out of nothing", changed(case, "explanation", "a value instead of empty", "'x'", "explanation IS NULL")
    yield "a flag turned", changed(case, "suspended", "another value", "1 - suspended", "1")
    yield "a code swapped", changed(
        case, "confidentiality", "another value",
        "CASE confidentiality WHEN 'openbaar' THEN 'geheim' ELSE 'openbaar' END", "1",
    )  # fmt: skip
    yield "a leading zero lost", changed(ticket, "desk_code", "leading zero", "LTRIM(desk_code, '0')", "desk_code LIKE '0%'")
    for what, column, table in (
        ("another channel", "channel_id", "channel"), ("another handler", "handler_actor_id", "actor"),
        ("another type of case", "case_type_id", "case_type"),
    ):  # fmt: skip
        other = f"(SELECT MAX(o.id) FROM {table} o WHERE o.id <> {column})"
        yield what, changed(case, column, "another value", other, f"{column} IS NOT NULL")
    for what, kind, shift in (
        ("an hour too early", "one hour earlier", "-1 hours"), ("an hour too late", "one hour later", "+1 hours"),
        ("two hours too early", "two hours earlier", "-2 hours"), ("two hours too late", "two hours later", "+2 hours"),
        ("a moment of another year", "another moment", "+1 years"),
    ):  # fmt: skip
        sql = f"STRFTIME('%Y-%m-%d %H:%M:%S', set_at, '{shift}') || SUBSTR(set_at, 20)"
        yield what, changed(status, "set_at", kind, sql, "1")
    yield "another type of status", changed(
        status, "status_type_id", "another value", "(SELECT MAX(o.id) FROM status_type o WHERE o.id <> status_type_id)", "1"
    )
    yield "another result", changed(
        "zaak.case_result", "result_type_id", "another value",
        "(SELECT MAX(o.id) FROM result_type o WHERE o.id <> result_type_id)", "1",
    )  # fmt: skip
    yield "a document of another file", changed(document, "file_name", "another value", "'ander.pdf'", "file_name > ''")
    yield "a document unfinished", changed(document, "status", "another value", "'in_bewerking'", "status = 'definitief' AND received_on IS NULL")
    yield "digits exchanged", changed(
        "zaak.person_address", "house_number", "another value", "house_number % 10 * 10 + house_number / 10",
        "house_number BETWEEN 12 AND 98 AND house_number % 11 > 0 AND house_number % 10 > 0",
    )  # fmt: skip
    yield "a letter of the postcode", changed(
        "zaak.person_address", "postcode", "another value",
        "SUBSTR(postcode, 1, 5) || CASE SUBSTR(postcode, 6) WHEN 'A' THEN 'B' ELSE 'A' END", "LENGTH(postcode) = 6",
    )  # fmt: skip
    yield "a digit of a telephone number lost", changed(
        "balie.party_digital", "value", "cut off", "SUBSTR(value, 1, LENGTH(value) - 1)", "address_type = 'telefoonnummer'"
    )
    bsn = "SUBSTR(value, 1, 7) || SUBSTR(value, 9, 1) || SUBSTR(value, 8, 1)"
    yield "two digits of a BSN exchanged", changed(
        "zaak.person_identifier", "value", "another value", bsn,
        "id_type_code = 'bsn' AND SUBSTR(value, 8, 1) <> SUBSTR(value, 9, 1)",
    )  # fmt: skip
    accented = "first_names LIKE '%é%' OR first_names LIKE '%ë%' OR first_names LIKE '%ï%'"
    yield "accents lost", changed(
        "zaak.person", "first_names", "an accent lost",
        "REPLACE(REPLACE(REPLACE(first_names, 'é', 'e'), 'ë', 'e'), 'ï', 'i')", accented,
    )  # fmt: skip
    yield "letters in the wrong encoding", changed(
        "zaak.person", "first_names", "another value",
        "REPLACE(REPLACE(REPLACE(first_names, 'é', 'Ã©'), 'ë', 'Ã«'), 'ï', 'Ã¯')", accented,
    )  # fmt: skip
    yield "a part of a JSON value changed", changed(
        "klachten.contact", "metadata", "another value", "JSON_SET(metadata, '$.resultaat', 'anders')", "metadata LIKE '%resultaat%'"
    )


for _name, _strike in _values():
    DAMAGES.append(Damage(_name, "fields", _strike))


@damage("fields")
def values_of_two_records_exchanged(target: Struck) -> list[Sign]:
    """The names of two employees change places."""
    one, other = target.pick("zaak.actor", "name > ''", n=2)
    names = [target.value("zaak.actor", record, "name") for record in (one, other)]
    for record, name in zip((other, one), names, strict=True):
        target.write("zaak.actor", record, "name = ?", name)
    return [("fields.values", "zaak.actor", "name", WRONG, "another value")] * 2


@damage("fields")
def edited_by_people(target: Struck) -> list[Sign]:
    """A record that somebody edited in the new system: the ledger still knows what was written."""
    (record,) = target.pick("zaak.case", "LENGTH(t.description) > 12")
    target.database.execute("UPDATE case_file SET description = 'Aangepast aan de balie' WHERE id = ?", (record,))
    return [("fields.values", "zaak.case", "description", "edited in target", "another value")]


@damage("controls")
def a_number_in_a_total(target: Struck) -> list[Sign]:
    """A ticket was called once more."""
    ticket = "balie.queue_ticket"
    (record,) = target.pick(ticket, "call_count > 0")
    target.write(ticket, record, "call_count = call_count + 1")
    total = ("controls.totals", ticket, None, "total differs", "aantal keren omgeroepen")
    return [total, ("fields.values", ticket, "call_count", WRONG, "another value")]


@damage("controls")
def a_record_counted_elsewhere(target: Struck) -> list[Sign]:
    """A ticket of another counter."""
    ticket = "balie.queue_ticket"
    (record,) = target.pick(ticket, "location_code = 'STKTR1'")
    target.write(ticket, record, "location_code = 'ELDERS'")
    name = "bonnen per locatie en jaar, zonder testbonnen"
    return [
        ("controls.totals", ticket, None, "total differs", name),
        ("controls.totals", ticket, None, "group too many", name),
        ("fields.values", ticket, "location_code", WRONG, "another value"),
    ]


@damage("keys")
def a_record_lost(target: Struck) -> list[Sign]:
    """A record that a source row has is not there."""
    (record,) = target.pick("zaak.case_document")
    target.remove("zaak.case_document", record)
    return [("keys.source_to_target", "zaak.case_document", None, "record missing", "record / loaded")]


@damage("keys")
def a_child_lost(target: Struck) -> list[Sign]:
    """A case has a status less."""
    (record,) = target.pick("zaak.case_status")
    target.remove("zaak.case_status", record)
    return [
        ("keys.source_to_target", "zaak.case_status", None, "record missing", "record / loaded"),
        ("children.records", "zaak.case", None, "child missing", "zaak.case_status"),
    ]


@damage("keys")
def a_record_doubled(target: Struck) -> list[Sign]:
    """The same property twice, the second under another id."""
    (record,) = target.pick("uitreik.case_property")
    target.copy("uitreik.case_property", record)
    return [("keys.target_to_source", "TABLE case_property", None, "made in target", None)]


@damage("keys")
def a_record_under_another_id(target: Struck) -> list[Sign]:
    """An appointment with another id."""
    (record,) = target.pick("balie.appointment", "t.id NOT IN (SELECT appointment_id FROM queue_ticket WHERE appointment_id > '')")
    target.copy("balie.appointment", record, appointment_number="anders")
    target.remove("balie.appointment", record)
    return [
        ("keys.source_to_target", "balie.appointment", None, "record missing", "record / loaded"),
        ("keys.target_to_source", "balie.appointment", None, "made in target", None),
    ]


@damage("accounting")
def lost_and_the_ledger_forgot_it(target: Struck) -> list[Sign]:
    """Target and ledger agree that there never was such a row; the source does not."""
    (record,) = target.pick("oudwmo.case_role")
    target.remove("oudwmo.case_role", record)
    target.forget(record)
    target.database.execute("DELETE FROM migration_id_map WHERE target_id = ?", (record,))
    return [
        ("accounting.stock", "oudwmo.case_role", None, "stock short", None),
        ("keys.source_to_target", "oudwmo.case_role", None, "not loaded", "record / unknown"),
    ]


@damage("keys")
def lost_and_the_ledger_says_rejected(target: Struck) -> list[Sign]:
    """Target and ledger agree that the row was refused; mapped again it is a record."""
    (record,) = target.pick("zaak.company_identifier", "t.id NOT IN (SELECT parent_identifier_id FROM party_identifier WHERE parent_identifier_id > '')")
    target.remove("zaak.company_identifier", record)
    target.forget(record)
    target.database.execute(
        "UPDATE migration_id_map SET state = 'rejected', reason = 'value-invalid' WHERE target_id = ?", (record,)
    )
    return [("keys.source_to_target", "zaak.company_identifier", None, "should have loaded", "record / rejected")]


@damage("keys")
def two_people_merged_wrongly(target: Struck) -> list[Sign]:
    """One person's record is gone, and the address hangs under another person."""
    gone, other = target.pick("balie.party", n=2)
    target.remove("balie.party", gone)
    moved = [row for (row,) in target.database.execute("SELECT id FROM address WHERE party_id = ?", (gone,))]
    target.taken.update(moved)
    for record in moved:
        target.write("balie.address", record, "party_id = ?", other)
    return [
        ("keys.source_to_target", "balie.party", None, "record missing", "record / loaded"),
        *[("fields.values", "balie.address", "party_id", WRONG, "another value")] * len(moved),
    ]


@damage("keys")
def one_person_split_in_two(target: Struck) -> list[Sign]:
    """A second record of a person, which holds a telephone number of the first."""
    (number,) = target.pick("zaak.person_digital")
    person = target.value("zaak.person_digital", number, "party_id")
    target.taken.add(person)
    target.write("zaak.person_digital", number, "party_id = ?", target.copy("zaak.person", person))
    return [
        ("keys.target_to_source", "TABLE party", None, "made in target", None),
        ("fields.values", "zaak.person_digital", "party_id", WRONG, "another value"),
    ]


@damage("keys")
def an_orphan(target: Struck) -> list[Sign]:
    """A contact's person is gone, and what hangs under it points to nothing."""
    (contact,) = target.pick(
        "kcc.contact", "t.id IN (SELECT contact_id FROM digital_address) AND t.id NOT IN (SELECT contact_id FROM queue_ticket WHERE contact_id > '')"
    )
    target.remove("kcc.contact", contact)
    return [("keys.source_to_target", "kcc.contact", None, "record missing", "record / loaded")]


@damage("fields")
def moved_to_another_parent(target: Struck) -> list[Sign]:
    """A status of one case stands under another."""
    (record,) = target.pick("zaak.case_status")
    own = target.value("zaak.case_status", record, "case_id")
    (other,) = target.pick("zaak.case", f"t.id <> '{own}'")
    target.write("zaak.case_status", record, "case_id = ?", other)
    return [
        ("fields.values", "zaak.case_status", "case_id", WRONG, "another value"),
        ("children.records", "zaak.case", None, "child missing", "zaak.case_status"),
        ("children.records", "zaak.case", None, "child too many", "zaak.case_status"),
    ]


@damage("accounting")
def a_count_of_the_books(target: Struck) -> list[Sign]:
    """The books of the last run say one row more than they add up to."""
    target.database.execute(
        "UPDATE migration_batch SET read = read + 1 WHERE id = (SELECT MIN(id) FROM migration_batch WHERE mapping_id ="
        " (SELECT id FROM migration_mapping WHERE name = 'zaak.unit'))"
    )
    return [("accounting.flow", "zaak.unit", None, "books do not balance", None)]


@damage("schema")
def an_index_lost(target: Struck) -> list[Sign]:
    """What keeps an identifier unique is gone."""
    target.database.execute("DROP INDEX ux_party_identifier_value_id_type_code_object_type_code")
    return [("schema.model", "", None, "form missing", "index")]


@damage("schema")
def a_column_more(target: Struck) -> list[Sign]:
    """Somebody added a column."""
    target.database.execute("ALTER TABLE internal_task ADD COLUMN extra TEXT")
    return [("schema.model", "", None, "form unexpected", "column")]


def open_target(workspace: Path) -> closing[sqlite3.Connection]:
    """Open the target of a workspace for damage: no foreign key stands in the way."""
    return closing(sqlite3.connect(workspace / "target.db"))
