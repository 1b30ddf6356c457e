"""Rules of a case itself: its dates, its type, its end, its archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel.model import ENUMS, tables
from casemodel.rules.rule import BusinessRule, Moment, eleven_test, local_day

_POSTPONABLE = (
    "ander_datumkenmerk", "eigenschap", "gerelateerde_zaak", "hoofdzaak", "ingangsdatum_besluit", "vervaldatum_besluit",
    "zaakobject",
)  # fmt: skip
"""Ways in which the day from which a retention counts may come after the end of the case."""


def rules(moment: Moment) -> Iterator[BusinessRule]:
    """Yield the rules of this subject."""
    yield from _own_numbers()
    yield from _dates(moment.today)
    yield from _types()
    yield from _ends()
    yield from _families()
    yield from _archive(moment.today)


def _own_numbers() -> Iterator[BusinessRule]:
    case = tables["case_file"]
    yield BusinessRule(
        code="ID-02", name="rsin of a case", severity="error", table=case, broken=sa.true(),
        columns={"source_org": case.c.source_org, "responsible_org": case.c.responsible_org},
        dutch="Bronorganisatie en verantwoordelijke organisatie zijn een RSIN dat aan de elfproef voldoet",
        english="The source organisation and the responsible one are a RSIN that passes the test of eleven",
        holds=eleven_test("source_org") & eleven_test("responsible_org"),
    )  # fmt: skip


def _dates(today: Any) -> Iterator[BusinessRule]:
    case = tables["case_file"]
    for name, column, dutch, english in (
        ("end", case.c.end_date, "Een zaak eindigt niet voor haar begin", "A case does not end before it starts"),
        ("planned end", case.c.planned_end_date, "De geplande einddatum ligt niet voor het begin van de zaak",
         "The planned end does not lie before the start of the case"),
        ("latest end", case.c.latest_end_date, "De uiterste einddatum ligt niet voor het begin van de zaak",
         "The latest end does not lie before the start of the case"),
    ):  # fmt: skip
        yield BusinessRule(
            code="CA-03", name=name, severity="signal", table=case, applies=column.is_not(None),
            broken=case.c.start_date > column, dutch=dutch, english=english,
        )  # fmt: skip
    yield BusinessRule(
        code="CA-03", name="registration", severity="signal", table=case, broken=case.c.registration_date > today,
        dutch="Een zaak is niet in de toekomst geregistreerd", english="A case is not registered in the future",
    )  # fmt: skip
    yield BusinessRule(
        code="CA-15", name="suspension", severity="signal", table=case, applies=case.c.suspension_reason.is_not(None),
        broken=case.c.suspended == sa.false(),
        dutch="Een reden van opschorting staat alleen bij een opgeschorte zaak",
        english="Only a suspended case has a reason of suspension",
    )  # fmt: skip
    yield BusinessRule(
        code="CA-15", name="extension", severity="signal", table=case,
        applies=sa.or_(case.c.extension_reason.is_not(None), case.c.extension_period.is_not(None)),
        broken=sa.or_(case.c.extension_reason.is_(None), case.c.extension_period.is_(None)),
        dutch="Een verlenging heeft een reden en een duur",
        english="An extension has a reason and a period",
    )  # fmt: skip


def _types() -> Iterator[BusinessRule]:
    case, kind = tables["case_file"], tables["case_type"]
    valid = sa.exists().where(
        kind.c.id == case.c.case_type_id,
        kind.c.valid_from <= case.c.start_date,
        sa.or_(kind.c.valid_to.is_(None), kind.c.valid_to >= case.c.start_date),
    )
    yield BusinessRule(
        code="CA-02", name="type valid", severity="signal", table=case, broken=~valid,
        dutch="De versie van het zaaktype geldt op de dag waarop de zaak begint",
        english="The version of the case type is valid on the day on which the case starts",
    )  # fmt: skip
    level = sa.select(_rank(kind.c.confidentiality)).where(kind.c.id == case.c.case_type_id).scalar_subquery()
    yield BusinessRule(
        code="CA-12", name="confidentiality", severity="signal", table=case,
        broken=_rank(case.c.confidentiality) < level,
        dutch="Een zaak is niet minder vertrouwelijk dan haar zaaktype",
        english="A case is not less confidential than its type",
    )  # fmt: skip


def _rank(column: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    order = {value: place for place, value in enumerate(ENUMS["vertrouwelijkheidaanduiding"])}
    return sa.case(order, value=column)


def _ends() -> Iterator[BusinessRule]:
    case, status, kind = tables["case_file"], tables["case_status"], tables["status_type"]
    result = tables["case_result"]
    closed = case.c.end_date.is_not(None)

    def of_last(column: sa.ColumnElement[Any]) -> Any:
        """Return a column of the last status of the case."""
        return (
            sa.select(column)
            .select_from(status.join(kind, kind.c.id == status.c.status_type_id))
            .where(status.c.case_id == case.c.id)
            .order_by(status.c.set_at.desc())
            .limit(1)
            .scalar_subquery()
        )

    some = sa.exists().where(status.c.case_id == case.c.id)
    yield BusinessRule(
        code="CA-04", name="some status", severity="signal", table=case, broken=~some,
        dutch="Een zaak heeft ten minste één status", english="A case has at least one status",
    )  # fmt: skip
    yield BusinessRule(
        code="CA-04", name="end and final status", severity="signal", table=case, applies=some,
        broken=closed != (of_last(kind.c.is_final) == sa.true()),
        dutch="Een zaak heeft een einddatum als en alleen als haar laatste status de eindstatus is",
        english="A case has an end date if and only if its last status is the final one",
    )  # fmt: skip
    yield BusinessRule(
        code="CA-04", name="end on the day of the final status", severity="signal", table=case,
        applies=sa.and_(closed, of_last(kind.c.is_final) == sa.true()), broken=sa.true(),
        columns={"end_date": case.c.end_date, "set_at": of_last(status.c.set_at)},
        dutch="De einddatum is de dag waarop de eindstatus is gezet",
        english="The end date is the day on which the final status was set",
        holds=local_day("set_at") == pl.col("end_date"),
    )  # fmt: skip
    finals = sa.exists().where(status.c.case_id == case.c.id, kind.c.id == status.c.status_type_id, kind.c.is_final)
    yield BusinessRule(
        code="CA-09", name="reopened", severity="signal", table=case, applies=sa.and_(~closed, finals),
        broken=sa.or_(case.c.archive_nomination.is_not(None), case.c.archive_action_date.is_not(None)),
        dutch="Een heropende zaak heeft nog geen archiefnominatie en geen archiefactiedatum",
        english="A reopened case has no archive nomination and no archive date yet",
    )  # fmt: skip
    yield BusinessRule(
        code="CA-05", name="result", severity="signal", table=case, applies=closed,
        broken=~sa.exists().where(result.c.case_id == case.c.id),
        dutch="Een afgehandelde zaak heeft een resultaat", english="A closed case has a result",
    )  # fmt: skip


def _families() -> Iterator[BusinessRule]:
    case = tables["case_file"]
    parent, child, result = case.alias("parent"), case.alias("child"), tables["case_result"]
    yield BusinessRule(
        code="CA-14", name="two levels", severity="error", table=case, applies=case.c.parent_case_id.is_not(None),
        broken=sa.exists().where(parent.c.id == case.c.parent_case_id, parent.c.parent_case_id.is_not(None)),
        dutch="De hoofdzaak van een deelzaak is zelf geen deelzaak",
        english="The main case of a sub-case is not a sub-case itself",
    )  # fmt: skip
    open_child = sa.or_(
        child.c.end_date.is_(None), ~sa.exists().where(result.c.case_id == child.c.id).correlate(child)
    )
    yield BusinessRule(
        code="CA-14", name="sub-cases closed", severity="signal", table=case,
        applies=sa.and_(case.c.end_date.is_not(None), sa.exists().where(child.c.parent_case_id == case.c.id)),
        broken=sa.exists().where(child.c.parent_case_id == case.c.id, open_child),
        dutch="Alle deelzaken van een afgehandelde hoofdzaak zijn afgehandeld en hebben een resultaat",
        english="All sub-cases of a closed main case are closed and have a result",
    )  # fmt: skip


def _archive(today: Any) -> Iterator[BusinessRule]:
    case, result, kind, paper = (tables[name] for name in ("case_file", "case_result", "result_type", "case_document"))
    closed = case.c.end_date.is_not(None)
    of_result = (
        sa.select(sa.literal(1))
        .select_from(result.join(kind, kind.c.id == result.c.result_type_id))
        .where(result.c.case_id == case.c.id)
    )
    yield BusinessRule(
        code="CA-17", name="nomination", severity="signal", table=case,
        applies=sa.and_(case.c.archive_nomination.is_not(None),
                        of_result.where(kind.c.archive_nomination.is_not(None)).exists()),
        broken=of_result.where(kind.c.archive_nomination != case.c.archive_nomination).exists(),
        dutch="De archiefnominatie van een zaak is die van haar resultaattype",
        english="The archive nomination of a case is the one of its result type",
    )  # fmt: skip
    yield BusinessRule(
        code="AR-01", name="nomination on closing", severity="signal", table=case,
        applies=sa.and_(closed, of_result.where(kind.c.archive_nomination.is_not(None)).exists()),
        broken=case.c.archive_nomination.is_(None),
        dutch="Een afgehandelde zaak heeft de archiefnominatie van haar resultaattype",
        english="A closed case has the archive nomination of its result type",
    )  # fmt: skip
    yield BusinessRule(
        code="AR-02", name="date of destruction", severity="signal", table=case,
        applies=sa.and_(closed, case.c.archive_nomination == "vernietigen"),
        broken=sa.and_(
            case.c.archive_action_date.is_(None),
            ~of_result.where(kind.c.archive_derivation.in_(_POSTPONABLE)).exists(),
        ),
        dutch="Een afgehandelde zaak die vernietigd moet worden, heeft daarvoor een datum",
        english="A closed case that is to be destroyed has a date for it",
    )  # fmt: skip
    archived = case.c.archive_status != "nog_te_archiveren"
    yield BusinessRule(
        code="AR-03", name="archived", severity="error", table=case, applies=archived,
        broken=sa.or_(
            case.c.archive_nomination.is_(None), case.c.archive_action_date.is_(None),
            sa.exists().where(paper.c.case_id == case.c.id,
                              sa.func.coalesce(paper.c.status, "") != "gearchiveerd"),
        ),
        dutch="Een gearchiveerde zaak heeft een nominatie en archiefactiedatum, en haar documenten zijn gearchiveerd",
        english="An archived case has a nomination and a date, and its documents are archived",
    )  # fmt: skip
    yield BusinessRule(
        code="AR-04", name="destruction is due", severity="signal", table=case,
        applies=sa.and_(case.c.archive_nomination == "vernietigen", case.c.archive_action_date.is_not(None)),
        broken=case.c.archive_action_date < today,
        dutch="De bewaartermijn van een zaak die vernietigd moet worden, is nog niet voorbij",
        english="The retention of a case that is to be destroyed has not passed yet",
    )  # fmt: skip
