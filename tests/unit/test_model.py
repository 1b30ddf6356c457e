"""The case model says of every column what others need to know, and can be held by a database."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from casemodel import (
    ENUMS,
    column_info,
    partial_unique_keys,
    polars_schema,
    required,
    row_checks,
    tables,
    unique_keys,
    value_checks,
)

# table, column, type on PostgreSQL, type on SQLite, nullable, API field, personal
COLUMNS = [
    ("party", "surname", "VARCHAR(200)", "VARCHAR(200)", True, "contactnaam.achternaam / geslachtsnaam", True),
    ("party", "birth_date", "DATE", "TEXT", True, "geboortedatum", True),
    ("party", "is_active", "BOOLEAN", "INTEGER", False, "indicatieActief", False),
    ("party_identifier", "value", "VARCHAR(200)", "VARCHAR(200)", False, "objectId", True),
    ("digital_address", "value", "VARCHAR(80)", "VARCHAR(80)", False, "adres", True),
    ("address", "house_number", "INTEGER", "INTEGER", True, "huisnummer", True),
    ("address", "postcode", "VARCHAR(7)", "VARCHAR(7)", True, "postcode", True),
    ("channel", "code", "VARCHAR(50)", "VARCHAR(50)", False, "kanaal", False),
    ("actor", "name", "VARCHAR(200)", "VARCHAR(200)", False, "naam", True),
    ("customer_contact", "occurred_at", "TIMESTAMP WITH TIME ZONE", "TEXT", False, "plaatsgevondenOp", False),
    ("customer_contact", "contact_name", "VARCHAR(200)", "VARCHAR(200)", True, "betrokkene.contactnaam", True),
    ("customer_contact", "metadata", "JSONB", "TEXT", True, "metadata", True),
    ("appointment", "remarks", "VARCHAR(1000)", "VARCHAR(1000)", True, "appointmentDesc / notes", True),
    ("queue_ticket", "ticket_number", "VARCHAR(10)", "VARCHAR(10)", False, "volgnummer, e.g. B042", False),
    ("queue_ticket", "series", "SMALLINT", "SMALLINT", False, None, False),
    ("queue_ticket", "transferred_from_id", "UUID", "VARCHAR(36)", True, "doorverwezen van", False),
    ("case_type", "valid_to", "DATE", "TEXT", True, "eindeGeldigheid", False),
    ("status_type", "sequence", "SMALLINT", "SMALLINT", False, "volgnummer", False),
    ("result_type", "description", "VARCHAR(30)", "VARCHAR(30)", False, "omschrijving", False),
    ("role_type", "generic_description", "VARCHAR(20)", "VARCHAR(20)", False, "omschrijvingGeneriek", False),
    ("case_file", "identification", "VARCHAR(40)", "VARCHAR(40)", False, "identificatie", False),
    ("case_file", "source_org", "CHAR(9)", "CHAR(9)", False, "bronorganisatie", False),
    ("case_file", "description", "VARCHAR(80)", "VARCHAR(80)", True, "omschrijving", True),
    ("case_file", "end_date", "DATE", "TEXT", True, "einddatum", False),
    ("case_status", "set_at", "TIMESTAMP WITH TIME ZONE", "TEXT", False, "datumStatusGezet", False),
    ("case_role", "deviating_name", "VARCHAR(625)", "VARCHAR(625)", True, "afwijkendeNaamBetrokkene", True),
    ("case_property", "value", "TEXT", "TEXT", False, "waarde", True),
    ("case_object", "object_type", "VARCHAR(40)", "VARCHAR(40)", False, "objectType", False),
    ("case_document", "file_size", "BIGINT", "BIGINT", True, "bestandsomvang", False),
    ("case_relation", "relation_type", "VARCHAR(20)", "VARCHAR(20)", False, "aardRelatie", False),
    ("case_result", "explanation", "VARCHAR(1000)", "VARCHAR(1000)", True, "toelichting", True),
    ("internal_task", "requested_action", "VARCHAR(200)", "VARCHAR(200)", False, "gevraagdeHandeling", True),
    ("journey_link", "confidence", "NUMERIC(3, 2)", "TEXT", False, None, False),
]


@pytest.mark.parametrize(("table", "column", "on_postgresql", "on_sqlite", "nullable", "dutch", "personal"), COLUMNS)
def test_a_column_is_as_the_standard_has_it(table, column, on_postgresql, on_sqlite, nullable, dutch, personal):
    built = tables[table].c[column]
    assert built.type.compile(dialect=postgresql.dialect()) == on_postgresql
    assert built.type.compile(dialect=sqlite.dialect()) == on_sqlite
    assert built.nullable is nullable
    assert dutch is None or built.comment == dutch
    assert column_info(table, column)["personal"] is personal


def test_there_are_23_tables_each_with_an_id_and_those_linked_to_come_first():
    assert len(tables) == 23
    assert sum(len(table.columns) for table in tables.values()) == 242 + 23
    seen: set[str] = set()
    for name, table in tables.items():
        assert [column.name for column in table.primary_key.columns] == ["id"]
        for key in table.foreign_keys:
            assert key.column.table.name in seen | {name}
        seen.add(name)


def test_every_table_and_column_has_a_dutch_comment_and_full_info():
    for name, table in tables.items():
        assert table.comment
        for column in table.columns:
            info = column_info(name, column.name)
            assert column.comment == info["dutch"] != ""
            assert set(info) == {
                "kind", "length", "exact", "filled", "charset", "enum", "minimum", "maximum", "precision", "scale",
                "dutch", "personal", "references",
            }
            if column.foreign_keys:
                assert info["references"] == next(iter(column.foreign_keys)).column.table.name


def test_every_link_is_served_by_an_index_or_a_unique_key():
    bare = []
    for table in tables.values():
        first = {index.columns[0].name for index in table.indexes if index.dialect_options["sqlite"]["where"] is None}
        first |= {
            constraint.columns[0].name
            for constraint in table.constraints
            if isinstance(constraint, sa.UniqueConstraint)
        }
        bare += [f"{table.name}.{key.parent.name}" for key in table.foreign_keys if key.parent.name not in first]
    assert bare == []


@pytest.mark.parametrize("dialect", [sqlite, postgresql])
def test_names_are_whole_on_every_database_and_given_once(dialect):
    names = []
    for table in tables.values():
        words = str(CreateTable(table).compile(dialect=dialect.dialect())).split()
        names += [after for word, after in pairwise(words) if word == "CONSTRAINT"]
        names += [str(index.name) for index in table.indexes]
    assert max(len(name) for name in names) < 63
    assert len(names) == len(set(names))


def test_confidentiality_runs_from_low_to_high():
    assert column_info("case_file", "confidentiality")["enum"] == (
        "openbaar", "beperkt_openbaar", "intern", "zaakvertrouwelijk", "vertrouwelijk", "confidentieel", "geheim",
        "zeer_geheim",
    )
    assert ENUMS["vertrouwelijkheidaanduiding"] == column_info("case_document", "confidentiality")["enum"]
    assert len(ENUMS["zaakobjecttype"]) == 31


def test_polars_types_follow_the_kind():
    types = polars_schema("case_file")
    assert list(types)[:2] == ["id", "identification"]
    assert types["start_date"] == pl.Date
    assert types["last_modified_at"] == pl.Datetime("us", "UTC")
    assert types["suspended"] == pl.Boolean
    assert types["case_type_id"] == pl.String
    assert polars_schema("journey_link")["confidence"] == pl.String
    assert polars_schema("queue_ticket")["series"] == pl.Int64
    assert polars_schema("customer_contact")["metadata"] == pl.String


def test_required_and_unique_keys_are_listed():
    assert required("case_result") == ("case_id", "result_type_id")
    assert unique_keys("case_file") == [("source_org", "identification")]
    assert unique_keys("queue_ticket") == [("location_code", "ticket_date", "ticket_number", "series")]
    assert [(key.columns, key.where) for key in partial_unique_keys("digital_address")] == [
        (("party_id", "address_type"), "is_default")
    ]


def test_row_checks_name_their_columns_and_polars_reads_their_sql():
    checks = {check.name: check for check in row_checks("customer_contact")}
    assert checks["no_action_after_success"].columns == ("contact_succeeded", "further_action")
    for name, table in tables.items():
        frame = pl.DataFrame(schema=polars_schema(name))
        for check in row_checks(name):
            assert set(check.columns) <= set(table.columns.keys())
            assert frame.select(pl.sql_expr(check.sql)).dtypes == [pl.Boolean]


@pytest.mark.parametrize(
    ("table", "column", "good", "bad"),
    [
        ("case_file", "description", ["", "é" * 80, None], {"é" * 81: "too-long"}),
        ("case_file", "source_org", ["002564440"], {"00256444": "too-long", "00256444x": "enum-invalid"}),
        ("case_file", "identification", ["2011.04567"], {"": "required-missing", "x" * 41: "too-long"}),
        ("case_file", "archive_status", ["overgedragen"], {"Overgedragen": "enum-invalid", "": "enum-invalid"}),
        ("case_object", "object_type_other", ["oud_pand"], {"Oud pand": "enum-invalid", "": "enum-invalid"}),
        ("status_type", "sequence", [1, 9999], {0: "number-out-of-range", 10000: "number-out-of-range"}),
        ("queue_ticket", "call_count", [0, 32767], {32768: "number-out-of-range"}),
        ("journey_link", "confidence", ["0.00", "1.00", "0.85"],
         {"1.01": "number-out-of-range", "0.855": "number-invalid", "1,0": "number-invalid", "": "number-invalid"}),
        ("case_file", "id", ["0" * 36], {"0" * 35: "step-failed"}),
    ],
)
def test_value_checks_tell_good_from_bad(table, column, good, bad):
    values = pl.DataFrame({column: [*good, *bad]}, schema={column: polars_schema(table)[column]})
    broken = {}
    for check in value_checks(table, column):
        for value, holds in zip(values[column], values.select(check.holds).to_series(), strict=True):
            if holds is False:
                broken.setdefault(value, check.code)
    assert broken == bad
