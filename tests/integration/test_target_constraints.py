"""What the database refuses, and what it must accept, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from casemodel import tables
from migrate.target.database import target_engine, upgrade

_numbers = itertools.count(1)
DAY = date(2011, 4, 5)
NOON = datetime(2011, 4, 5, 12, tzinfo=UTC)
LATER = datetime(2011, 4, 5, 13, tzinfo=UTC)


def key(number: int) -> str:
    """Return the id of a record that is there from the start."""
    return f"00000000-0000-5000-8000-{number:012d}"


PARTY, OTHER_PARTY, ACTOR, CHANNEL, TYPE, STATUS, RESULT, ROLE, CASE, CONTACT, KVK = map(key, range(1, 12))

ROWS: dict[str, dict[str, object]] = {
    "party": {"party_type": "persoon", "surname": "Jansen", "is_active": True},
    "party_identifier": {
        "party_id": PARTY, "register_code": "brp", "object_type_code": "natuurlijk_persoon", "id_type_code": "bsn",
        "value": "999990019", "is_verified": True,
    },
    "digital_address": {"party_id": PARTY, "address_type": "email", "value": "a@example.org", "is_default": False},
    "address": {"party_id": PARTY, "address_role": "bezoekadres", "address_kind": "binnenlands_adres"},
    "channel": {"code": "chat", "name": "Chat", "is_active": True},
    "actor": {"actor_type": "medewerker", "name": "Onbekend", "is_active": True},
    "customer_contact": {
        "channel_id": CHANNEL, "subject": "Baliebezoek", "further_action": False, "language": "nld",
        "is_confidential": False, "occurred_at": NOON,
    },
    "appointment": {
        "appointment_number": "A1", "location_code": "SH", "product_code": "PASAAN", "starts_at": NOON,
        "status": "gepland",
    },
    "queue_ticket": {
        "location_code": "SH", "ticket_date": DAY, "ticket_number": "B042", "series": 0, "issued_at": NOON,
        "call_count": 1, "status": "afgehandeld", "priority": 0,
    },
    "case_type": {
        "code": "BIJST", "description": "Bijstand", "confidentiality": "zaakvertrouwelijk",
        "internal_external": "extern", "processing_period": "P8W", "extension_possible": True,
        "suspension_possible": True, "valid_from": DAY,
    },
    "status_type": {
        "case_type_id": TYPE, "sequence": 2, "description": "Afgerond", "is_final": True, "inform_customer": False,
    },
    "result_type": {"case_type_id": TYPE, "description": "Afgebroken", "archive_derivation": "afgehandeld"},
    "role_type": {"case_type_id": TYPE, "description": "initiator 2", "generic_description": "initiator"},
    "case_file": {
        "identification": "2011.04568", "source_org": "002564440", "responsible_org": "002564440",
        "case_type_id": TYPE, "registration_date": DAY, "start_date": DAY, "confidentiality": "openbaar",
        "suspended": False, "archive_status": "nog_te_archiveren", "last_modified_at": NOON,
    },
    "case_role": {
        "case_id": CASE, "role_type_id": ROLE, "participant_type": "natuurlijk_persoon", "party_id": PARTY,
        "registered_at": NOON,
    },
    "case_status": {"case_id": CASE, "status_type_id": STATUS, "set_at": NOON},
    "case_result": {"case_id": CASE, "result_type_id": RESULT},
    "case_property": {"case_id": CASE, "name": "kenteken", "format": "tekst", "value": ""},
    "case_object": {"case_id": CASE, "object_type": "adres", "object_id": "0855200000000001"},
    "case_document": {
        "case_id": CASE, "identification": "ZAAK-1", "source_org": "002564440", "document_type": "Brief",
        "title": "Brief", "author": "Onbekend", "created_on": DAY, "confidentiality": "openbaar", "language": "nld",
        "version": 1, "registered_at": NOON,
    },
    "case_relation": {"case_id": CASE, "relation_type": "vervolg", "related_identification": "2010.00001"},
    "internal_task": {"task_type": "taak", "requested_action": "Bel terug", "status": "te_verwerken"},
    "journey_link": {
        "contact_id": CONTACT, "step_type": "aanleiding", "link_method": "bronsleutel", "confidence": Decimal("1.00"),
    },
}
START = [
    ("party", {"id": PARTY}), ("party", {"id": OTHER_PARTY}), ("actor", {"id": ACTOR}),
    ("channel", {"id": CHANNEL, "code": "balie"}), ("case_type", {"id": TYPE, "code": "PASP"}),
    ("status_type", {"id": STATUS, "sequence": 1}), ("result_type", {"id": RESULT, "description": "Verleend"}),
    ("role_type", {"id": ROLE, "description": "initiator"}),
    ("case_file", {"id": CASE, "identification": "2011.04567"}), ("customer_contact", {"id": CONTACT}),
    ("party_identifier", {
        "id": KVK, "register_code": "hr", "object_type_code": "niet_natuurlijk_persoon", "id_type_code": "kvk_nummer",
        "value": "12345678",
    }),
    ("queue_ticket", {"ticket_number": "A001"}),
    ("case_document", {"identification": "ZAAK-0"}),
    ("digital_address", {"address_type": "overig", "is_default": True, "reference": "werk", "value": "x"}),
    ("case_status", {"set_at": LATER}),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Connection]:
    """An upgraded target with one record of each thing that others link to."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('constraints') / 'target.db'}"
    else:
        make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = make()
    engine = target_engine(url)
    upgrade(engine)
    with engine.connect() as connection:
        if request.param == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.commit()
        for table, changes in START:
            add(connection, table, changes)
        connection.commit()
        yield connection


def add(connection: sa.Connection, table: str, changes: dict[str, object]) -> None:
    """Insert the plain row of a table, changed as asked."""
    row = {"id": f"00000000-0000-5000-9000-{next(_numbers):012d}"} | ROWS[table] | changes
    connection.execute(tables[table].insert().values(row))


def attempt(connection: sa.Connection, table: str, changes: dict[str, object]) -> str | None:
    """Insert and take it back; return None when it was accepted, else the driver's text."""
    try:
        add(connection, table, changes)
        connection.commit() if False else connection.execute(sa.text("SELECT 1"))
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
        elif connection.exec_driver_sql(f"PRAGMA foreign_key_check({table})").first():
            return "foreign key, found when the transaction ends"
    except sa.exc.DBAPIError as error:
        return str(error.orig)
    finally:
        connection.rollback()
    return None


ACCEPTED = [
    *((table, {}) for table in ROWS),
    ("party", {"party_type": "organisatie", "surname": None, "organisation_name": "Bakkerij"}),
    ("party", {"party_type": "contactpersoon", "surname": None, "works_for_party_id": PARTY}),
    ("party", {"party_number": "0000000001", "gender": "o", "birth_date": DAY, "is_secret": None}),
    ("party_identifier", {"register_code": "overig", "id_type_code": "bronsleutel", "value": "ZAAK:1"}),
    ("party_identifier", {"register_code": "hr", "object_type_code": "vestiging", "id_type_code": "vestigingsnummer",
                          "value": "000012345678", "parent_identifier_id": KVK}),
    ("digital_address", {"address_type": "telefoonnummer", "is_default": True}),
    ("digital_address", {"party_id": None, "contact_id": CONTACT}),
    ("digital_address", {"address_type": "overig", "reference": None}),
    ("customer_contact", {"contact_succeeded": True}),
    ("customer_contact", {"party_id": PARTY, "participant_role": "klant", "is_initiator": True}),
    ("customer_contact", {"metadata": {"bon": "B042", "locatie": "é"}, "subject": "é" * 200}),
    ("appointment", {"ends_at": NOON, "extra_products": ["RIJBEW"]}),
    ("queue_ticket", {"ticket_number": "A001", "series": 1}),
    ("queue_ticket", {"called_at": datetime(2011, 4, 5, 11, tzinfo=UTC)}),      # clocks of old desks: a finding
    ("case_file", {"end_date": date(2011, 4, 4)}),                             # ended before it began: a finding
    ("case_file", {"archive_status": "gearchiveerd"}),                         # `deletes: {close: …}` sets no more
    ("case_file", {"source_org": "123456782", "identification": "2011.04567"}),
    ("case_file", {"payment_indication": "nvt"}),
    ("case_file", {"parent_case_id": CASE, "handler_actor_id": ACTOR}),
    ("case_role", {"participant_type": "medewerker", "party_id": None, "actor_id": ACTOR}),
    ("case_property", {"value": "x" * 5000}),
    ("case_object", {"object_type": "overige", "object_type_other": "oud_pand"}),
    ("case_document", {"received_on": DAY, "status": "definitief", "file_size": 2**40}),
    ("case_relation", {"relation_type": "overig", "other_relation": "zelfde pand"}),
    ("internal_task", {"status": "verwerkt", "completed_at": NOON, "task_number": "12"}),
    ("journey_link", {"confidence": Decimal("0.80"), "step_number": 1, "case_id": CASE}),
]
REFUSED = [
    ("party", {"surname": None}, "ck_party_person_has_surname"),
    ("party", {"party_type": "organisatie"}, "ck_party_organisation_has_name"),
    ("party", {"works_for_party_id": OTHER_PARTY}, "ck_party_only_contact_works_for"),
    ("party", {"id": key(99), "merged_into_id": key(99)}, "ck_party_merged_into_other"),
    ("party", {"party_number": "12A"}, "ck_party_party_number_characters"),
    ("party", {"gender": "x"}, "ck_party_gender_values"),
    ("party", {"surname": "x" * 201}, "surname_length"),
    ("party", {"is_active": None}, "is_active"),
    ("party_identifier", {"register_code": "hr"}, "ck_party_identifier_types_agree"),
    ("party_identifier", {"value": ""}, "ck_party_identifier_value_filled"),
    ("party_identifier", {"register_code": "hr", "object_type_code": "vestiging", "id_type_code": "vestigingsnummer"},
     "ck_party_identifier_branch_has_parent"),
    ("party_identifier", {"party_id": OTHER_PARTY, "register_code": "hr", "value": "12345678",
                          "object_type_code": "niet_natuurlijk_persoon", "id_type_code": "kvk_nummer"}, "unique"),
    ("party_identifier", {"register_code": "hr", "value": "87654321",
                          "object_type_code": "niet_natuurlijk_persoon", "id_type_code": "kvk_nummer"}, "unique"),
    ("digital_address", {"party_id": None}, "ck_digital_address_has_owner"),
    ("digital_address", {"value": "x" * 81}, "value_length"),
    ("digital_address", {"address_type": "overig", "is_default": True}, "unique"),
    ("digital_address", {"address_type": "overig", "reference": "werk"}, "unique"),
    ("address", {"house_number": 0}, "ck_address_house_number_range"),
    ("address", {"house_number": 100000}, "ck_address_house_number_range"),
    ("channel", {"code": "balie"}, "unique"),
    ("channel", {"code": "fax"}, "ck_channel_code_values"),
    ("actor", {"unit_id": key(98)}, "foreign key"),
    ("customer_contact", {"contact_succeeded": True, "further_action": True},
     "ck_customer_contact_no_action_after_success"),
    ("customer_contact", {"contact_name": "Jansen"}, "ck_customer_contact_participant_has_role"),
    ("customer_contact", {"subject": ""}, "ck_customer_contact_subject_filled"),
    ("customer_contact", {"channel_id": key(97)}, "foreign key"),
    ("appointment", {"starts_at": LATER, "ends_at": NOON}, "ck_appointment_ends_after_start"),
    ("queue_ticket", {"ticket_number": "A001"}, "unique"),
    ("queue_ticket", {"series": -1}, "ck_queue_ticket_series_range"),
    ("queue_ticket", {"call_count": 2**15}, "call_count_range"),
    ("queue_ticket", {"status": "open"}, "ck_queue_ticket_status_values"),
    ("case_type", {"valid_to": DAY}, "ck_case_type_valid_to_after_from"),
    ("case_type", {"code": "PASP"}, "unique"),
    ("status_type", {"sequence": 0}, "ck_status_type_sequence_range"),
    ("status_type", {"sequence": 10000}, "ck_status_type_sequence_range"),
    ("status_type", {"sequence": 1}, "unique"),
    ("result_type", {"description": "Verleend"}, "unique"),
    ("role_type", {"description": "initiator"}, "unique"),
    ("case_file", {"identification": "2011.04567"}, "unique"),
    ("case_file", {"identification": ""}, "ck_case_file_identification_filled"),
    ("case_file", {"source_org": "00256444"}, "ck_case_file_source_org_characters"),
    ("case_file", {"source_org": "00256444a"}, "ck_case_file_source_org_characters"),
    ("case_file", {"id": key(96), "parent_case_id": key(96)}, "ck_case_file_parent_is_other"),
    ("case_file", {"payment_indication": "nvt", "last_payment_at": NOON}, "ck_case_file_no_payment_when_nvt"),
    ("case_file", {"confidentiality": "Openbaar"}, "ck_case_file_confidentiality_values"),
    ("case_file", {"start_date": None}, "start_date"),
    ("case_role", {"party_id": None}, "ck_case_role_"),
    ("case_role", {"actor_id": ACTOR}, "ck_case_role_"),
    ("case_role", {"participant_type": "medewerker"}, "ck_case_role_actor_for_staff"),
    ("case_status", {"set_at": LATER}, "unique"),
    ("case_property", {"name": "x" * 21}, "name_length"),
    ("case_object", {"object_type": "overige"}, "ck_case_object_other_type_named"),
    ("case_object", {"object_type_other": "Oud pand"}, "ck_case_object_object_type_other_characters"),
    ("case_object", {"object_id": None}, "ck_case_object_has_object"),
    ("case_document", {"received_on": DAY, "status": "in_bewerking"}, "ck_case_document_received_is_ready"),
    ("case_document", {"version": 0}, "ck_case_document_version_range"),
    ("case_document", {"identification": "ZAAK-0"}, "unique"),
    ("case_relation", {"related_case_id": CASE}, "ck_case_relation_related_is_other"),
    ("case_relation", {"related_identification": None}, "ck_case_relation_has_related_case"),
    ("case_relation", {"relation_type": "overig"}, "ck_case_relation_other_relation_named"),
    ("internal_task", {"completed_at": NOON}, "ck_internal_task_completed_when_done"),
    ("journey_link", {"confidence": Decimal("1.01")}, "ck_journey_link_confidence_range"),
    ("journey_link", {"step_number": 0}, "ck_journey_link_step_number_range"),
]


@pytest.mark.parametrize(("table", "changes"), ACCEPTED)
def test_accepted(target, table, changes):
    assert attempt(target, table, changes) is None


@pytest.mark.parametrize(("table", "changes", "because"), REFUSED)
def test_refused(target, table, changes, because):
    said = attempt(target, table, changes)
    assert said is not None
    if because.endswith("_length") and target.dialect.name == "postgresql":
        because = "too long for type"
    if because.endswith("call_count_range") and target.dialect.name == "postgresql":
        because = "out of range"
    assert because.lower() in said.lower()


@pytest.mark.parametrize(
    ("table", "column", "raw"),
    [
        ("case_file", "id", "'abc'"),
        ("case_file", "start_date", "'5-4-2011'"),
        ("case_file", "last_modified_at", "'2011-04-05T12:00:00'"),
        ("case_file", "suspended", "2"),
        ("queue_ticket", "call_count", "'many'"),
        ("journey_link", "confidence", "'1,0'"),
        ("customer_contact", "metadata", "'{'"),
    ],
)
def test_sqlite_holds_the_types_that_it_does_not_know(target, table, column, raw):
    """SQLite stores anything anywhere; checks hold it to the forms that PostgreSQL's types give."""
    if target.dialect.name == "postgresql":
        assert str(tables[table].c[column].type.compile(dialect=target.dialect)) not in ("TEXT", "VARCHAR(36)")
        return
    add(target, table, {})
    with pytest.raises(sa.exc.IntegrityError, match=f"ck_{table}_{column}_form"):
        target.exec_driver_sql(f"UPDATE {table} SET {column} = {raw}")
    target.rollback()


def test_values_come_back_as_they_went_in(target):
    changes = {"occurred_at": datetime(2011, 4, 5, 12, 0, 0, 123456, tzinfo=UTC), "metadata": {"b": "é", "a": "1"}}
    add(target, "customer_contact", {"id": key(50), **changes})
    add(target, "journey_link", {"id": key(51), "confidence": Decimal("0.80")})
    add(target, "case_file", {"id": key(52), "suspended": True})
    contact, link, case = (
        target.execute(sa.select(tables[name]).where(tables[name].c.id == key(number))).mappings().one()
        for name, number in (("customer_contact", 50), ("journey_link", 51), ("case_file", 52))
    )
    assert (contact["occurred_at"], contact["metadata"]) == (changes["occurred_at"], changes["metadata"])
    assert contact["further_action"] is False
    assert str(link["confidence"]) == "0.80"
    assert (case["id"], case["start_date"], case["suspended"]) == (key(52), DAY, True)
    target.rollback()


def test_sqlite_stores_the_canonical_texts(target):
    if target.dialect.name == "postgresql":
        assert target.exec_driver_sql("SELECT data_type FROM information_schema.columns WHERE table_name = 'case_file'"
                                      " AND column_name = 'last_modified_at'").scalar() == "timestamp with time zone"
        return
    stored = target.exec_driver_sql(
        "SELECT start_date, last_modified_at, suspended, typeof(suspended) FROM case_file LIMIT 1"
    ).one()
    assert tuple(stored) == ("2011-04-05", "2011-04-05 12:00:00.000000", 0, "integer")
    assert target.exec_driver_sql("SELECT typeof(confidence) FROM journey_link").all() == []


def test_a_record_may_come_in_before_the_one_of_its_table_that_it_links_to(target):
    add(target, "queue_ticket", {"id": key(60), "ticket_number": "C1", "transferred_from_id": key(61)})
    add(target, "queue_ticket", {"id": key(61), "ticket_number": "C2"})
    target.commit()
    target.execute(tables["queue_ticket"].delete().where(tables["queue_ticket"].c.id == key(61)))
    with pytest.raises(sa.exc.IntegrityError):
        target.commit()
    target.rollback()
