"""Rules of the counter: tickets, appointments, tasks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl
import sqlalchemy as sa

from casemodel.model import tables
from casemodel.rules.rule import BusinessRule, Moment, local, local_day, within_two_hours


def rules(moment: Moment) -> Iterator[BusinessRule]:
    """Yield the rules of this subject."""
    yield from _tickets(moment.today)
    yield from _lengths()
    yield from _others()


def _tickets(today: date) -> Iterator[BusinessRule]:
    ticket = tables["queue_ticket"]
    issued, called, started, ended = (
        ticket.c[name] for name in ("issued_at", "called_at", "service_started_at", "service_ended_at")
    )
    before = sa.or_(
        issued > called, issued > started, issued > ended, called > started, called > ended, started > ended
    )  # fmt: skip
    yield BusinessRule(
        code="QT-01", name="order of times", severity="signal", table=ticket, broken=before,
        dutch="Een bon wordt uitgegeven, opgeroepen, behandeld en afgesloten in die volgorde",
        english="A ticket is issued, called, served and closed in that order",
    )  # fmt: skip
    yield BusinessRule(
        code="QT-01", name="day", severity="signal", table=ticket, broken=sa.true(),
        columns={"issued_at": issued, "ticket_date": ticket.c.ticket_date},
        dutch="Een bon is uitgegeven op de dag waarop hij geldt", english="A ticket is issued on the day it is for",
        holds=local_day("issued_at") == pl.col("ticket_date"),
    )  # fmt: skip
    yield BusinessRule(
        code="QT-02", name="served", severity="signal", table=ticket, applies=ticket.c.status == "afgehandeld",
        broken=sa.or_(called.is_(None), started.is_(None), ended.is_(None), ticket.c.desk_code.is_(None)),
        dutch="Een afgehandelde bon heeft een oproep, een behandeling en een balie",
        english="A ticket that was served has a call, a service and a desk",
    )  # fmt: skip
    yield BusinessRule(
        code="QT-02", name="not shown up", severity="signal", table=ticket,
        applies=ticket.c.status == "niet_verschenen", broken=sa.or_(called.is_(None), started.is_not(None)),
        dutch="Een bon waarvoor niemand verscheen, is opgeroepen en niet behandeld",
        english="A ticket for which nobody came was called and not served",
    )  # fmt: skip
    yield BusinessRule(
        code="QT-02", name="left waiting", severity="signal", table=ticket, applies=ticket.c.status == "wachtend",
        broken=ticket.c.ticket_date < today,
        dutch="Een bon van een vorige dag wacht niet meer: het systeem heeft hem afgesloten",
        english="A ticket of an earlier day does not wait any more: the system closed it",
    )  # fmt: skip


def _lengths() -> Iterator[BusinessRule]:
    ticket = tables["queue_ticket"]
    issued, called, started, ended = (
        ticket.c[name] for name in ("issued_at", "called_at", "service_started_at", "service_ended_at")
    )
    yield BusinessRule(
        code="QT-04", name="service", severity="signal", table=ticket, broken=sa.true(),
        applies=sa.and_(started.is_not(None), ended.is_not(None), ended >= started),
        columns={"started": started, "ended": ended},
        dutch="Een behandeling duurt vijf seconden tot twee uur", english="A service takes five seconds to two hours",
        holds=within_two_hours("started", "ended"),
    )  # fmt: skip
    yield BusinessRule(
        code="QT-04", name="wait", severity="signal", table=ticket, broken=sa.true(), applies=called.is_not(None),
        columns={"issued": issued, "called": called},
        dutch="Iemand wacht hoogstens vier uur", english="Nobody waits longer than four hours",
        holds=(local("called") - local("issued")).dt.total_seconds() <= 14_400,
    )  # fmt: skip
    served = sa.and_(ticket.c.desk_code.is_not(None), started.is_not(None), ended.is_not(None))
    turns = (
        sa.select(
            ticket.c.id, started.label("begun"),
            sa.func.lag(ended).over(
                partition_by=(ticket.c.location_code, ticket.c.ticket_date, ticket.c.desk_code),
                order_by=(started, ended, ticket.c.id),
            ).label("before"),
        ).where(served).subquery("turns")
    )  # fmt: skip
    yield BusinessRule(
        code="QT-05", name="one at a time", severity="signal", table=ticket, applies=served,
        broken=ticket.c.id.in_(sa.select(turns.c.id).where(turns.c.begun < turns.c.before)),
        dutch="Een balie behandelt één bon tegelijk", english="A desk serves one ticket at a time",
    )  # fmt: skip


def _others() -> Iterator[BusinessRule]:
    visit, ticket, task = tables["appointment"], tables["queue_ticket"], tables["internal_task"]
    has_ticket = sa.exists().where(ticket.c.appointment_id == visit.c.id)
    yield BusinessRule(
        code="AP-01", name="completed", severity="signal", table=visit, applies=visit.c.status == "afgerond",
        broken=~has_ticket, dutch="Bij een afgeronde afspraak hoort een bon",
        english="A completed appointment has a ticket",
    )  # fmt: skip
    yield BusinessRule(
        code="AP-01", name="cancelled", severity="signal", table=visit, applies=visit.c.status == "geannuleerd",
        broken=has_ticket, dutch="Bij een geannuleerde afspraak hoort geen bon",
        english="A cancelled appointment has no ticket",
    )  # fmt: skip
    yield BusinessRule(
        code="TA-01", name="done when", severity="signal", table=task, applies=task.c.status == "verwerkt",
        broken=task.c.completed_at.is_(None), dutch="Van een verwerkte taak staat vast wanneer zij is afgehandeld",
        english="A task that is done says when it was completed",
    )  # fmt: skip
