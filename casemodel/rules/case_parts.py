"""Rules of what belongs to a case: statuses, results, roles, properties, relations, documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel.model import tables
from casemodel.rules.rule import BusinessRule, Moment, day, eleven_test, local, text_of


def rules(moment: Moment) -> Iterator[BusinessRule]:
    """Yield the rules of this subject."""
    yield from _of_its_type()
    yield from _history(moment)
    yield from _people()
    yield from _properties()
    yield from _documents()
    yield from _relations()


def _of_its_type() -> Iterator[BusinessRule]:
    case = tables["case_file"]
    for part, column, kinds, name, dutch, english in (
        ("case_status", "status_type_id", "status_type", "status type",
         "Een statustype hoort bij het zaaktype van de zaak", "A status type belongs to the type of the case"),
        ("case_result", "result_type_id", "result_type", "result type",
         "Een resultaattype hoort bij het zaaktype van de zaak", "A result type belongs to the type of the case"),
        ("case_role", "role_type_id", "role_type", "role type",
         "Een roltype hoort bij het zaaktype van de zaak", "A role type belongs to the type of the case"),
    ):  # fmt: skip
        table, kind = tables[part], tables[kinds]
        yield BusinessRule(
            code="CA-06", name=name, severity="error", table=table, dutch=dutch, english=english,
            broken=sa.exists().where(
                kind.c.id == table.c[column], case.c.id == table.c.case_id, kind.c.case_type_id != case.c.case_type_id
            ),
        )  # fmt: skip


def _history(moment: Moment) -> Iterator[BusinessRule]:
    status, kind = tables["case_status"], tables["status_type"]
    for table, column, name, dutch, english in (
        (status, status.c.set_at, "status",
         "Een status is niet in de toekomst gezet", "No status is set in the future"),
        (tables["case_role"], tables["case_role"].c.registered_at, "role",
         "Een rol is niet in de toekomst vastgelegd", "No role is registered in the future"),
        (tables["customer_contact"], tables["customer_contact"].c.occurred_at, "contact",
         "Een klantcontact vond niet in de toekomst plaats", "No contact takes place in the future"),
    ):  # fmt: skip
        yield BusinessRule(
            code="CA-08", name=name, severity="error", table=table, broken=column > moment.now, dutch=dutch,
            english=english,
        )  # fmt: skip
    steps = sa.select(
        status.c.id,
        kind.c.sequence,
        sa.func.lag(kind.c.sequence).over(partition_by=status.c.case_id, order_by=status.c.set_at).label("before"),
    ).select_from(status.join(kind, kind.c.id == status.c.status_type_id))
    found = steps.subquery("steps")
    yield BusinessRule(
        code="CA-09", name="order", severity="signal", table=status,
        broken=status.c.id.in_(sa.select(found.c.id).where(found.c.sequence < found.c.before)),
        dutch="De statussen van een zaak volgen elkaar op; een eerdere status na een latere is een heropening",
        english="The statuses of a case follow each other; an earlier one after a later one is a reopening",
    )  # fmt: skip
    yield BusinessRule(
        code="CA-16", name="time of day", severity="signal", table=status, broken=sa.true(),
        columns={"set_at": status.c.set_at},
        dutch="Een status is niet tussen middernacht en twee uur gezet: dan wijkt de archiefdatum een dag af",
        english="No status is set between midnight and two o'clock: the archive date would be a day off",
        holds=local("set_at").dt.hour() >= 2,
    )  # fmt: skip


def _people() -> Iterator[BusinessRule]:
    case, role, kind = tables["case_file"], tables["case_role"], tables["role_type"]

    def number_of(what: str) -> Any:
        return (
            sa.select(sa.func.count())
            .select_from(role.join(kind, kind.c.id == role.c.role_type_id))
            .where(role.c.case_id == case.c.id, kind.c.generic_description == what)
            .scalar_subquery()
        )

    yield BusinessRule(
        code="CA-10", name="one initiator", severity="error", table=case, broken=number_of("initiator") > 1,
        dutch="Een zaak heeft hoogstens één initiator", english="A case has at most one initiator",
    )  # fmt: skip
    yield BusinessRule(
        code="CA-10", name="one coordinator", severity="error", table=case, broken=number_of("zaakcoordinator") > 1,
        dutch="Een zaak heeft hoogstens één zaakcoördinator", english="A case has at most one coordinator",
    )  # fmt: skip
    yield BusinessRule(
        code="CA-10", name="an initiator", severity="signal", table=case, broken=number_of("initiator") == 0,
        dutch="Een zaak heeft een initiator", english="A case has an initiator",
    )  # fmt: skip


def _properties() -> Iterator[BusinessRule]:
    part = tables["case_property"]
    value = text_of("value")
    moment = value.str.to_datetime("%Y%m%d%H%M%S", strict=False).is_not_null() & value.str.contains("^[0-9]{14}$")
    date = value.str.to_date("%Y%m%d", strict=False).is_not_null() & value.str.contains("^[0-9]{8}$")
    yield BusinessRule(
        code="PR-01", name="format", severity="signal", table=part, broken=sa.true(),
        applies=part.c.format != "tekst", columns={"format": part.c.format, "value": part.c.value},
        dutch="De waarde van een eigenschap heeft het formaat van de eigenschap",
        english="The value of a property has the format of the property",
        holds=pl.when(text_of("format") == "getal").then(value.str.contains(r"^-?[0-9]+(,[0-9]+)?$"))
        .when(text_of("format") == "datum").then(date).otherwise(moment),
    )  # fmt: skip


def _documents() -> Iterator[BusinessRule]:
    paper, case = tables["case_document"], tables["case_file"]
    yield BusinessRule(
        code="ID-02", name="rsin of a document", severity="error", table=paper, broken=sa.true(),
        columns={"source_org": paper.c.source_org},
        dutch="De bronorganisatie van een document is een RSIN dat aan de elfproef voldoet",
        english="The source organisation of a document is a RSIN that passes the test of eleven",
        holds=eleven_test("source_org"),
    )  # fmt: skip
    yield BusinessRule(
        code="DO-04", name="usage rights", severity="signal", table=paper,
        applies=sa.exists().where(case.c.id == paper.c.case_id, case.c.end_date.is_not(None)),
        broken=paper.c.usage_rights.is_(None),
        dutch="Bij een document van een afgehandelde zaak staat of er gebruiksrechten zijn",
        english="A document of a closed case says whether there are usage rights",
    )  # fmt: skip
    yield BusinessRule(
        code="DO-05", name="content", severity="signal", table=paper, applies=paper.c.content_ref.is_not(None),
        broken=sa.or_(sa.func.coalesce(paper.c.file_size, 0) == 0, paper.c.checksum_value.is_(None)),
        dutch="De inhoud van een document is niet leeg en heeft een controlesom",
        english="The content of a document is not empty and has a checksum",
    )  # fmt: skip


def _relations() -> Iterator[BusinessRule]:
    other = tables["case_relation"]
    yield BusinessRule(
        code="RE-01", name="related case", severity="signal", table=other, broken=other.c.related_case_id.is_(None),
        dutch="De zaak waarnaar een relatie wijst, is overgekomen",
        english="The case that a relation points to is there",
    )  # fmt: skip
    link, case, contact = tables["journey_link"], tables["case_file"], tables["customer_contact"]

    def of_case(column: sa.ColumnElement[Any]) -> Any:
        return sa.select(column).where(case.c.id == link.c.case_id).scalar_subquery()

    start, end = day("start") - pl.duration(days=30), day("end") + pl.duration(days=180)
    when = local("occurred").dt.date()
    yield BusinessRule(
        code="JO-01", name="period", severity="signal", table=link, broken=sa.true(),
        applies=link.c.case_id.is_not(None),
        columns={
            "occurred": sa.select(contact.c.occurred_at).where(contact.c.id == link.c.contact_id).scalar_subquery(),
            "start": of_case(case.c.start_date), "end": of_case(case.c.end_date),
        },
        dutch="Een contact over een zaak valt tussen 30 dagen voor haar begin en 180 dagen na haar einde",
        english="A contact about a case lies from 30 days before its start to 180 days after its end",
        holds=(when >= start) & ((when <= end) | pl.col("end").is_null()),
    )  # fmt: skip
