"""The counter: appointments and numbered tickets."""

from __future__ import annotations

from casemodel.model import enums
from casemodel.model.base import choice, day, instant, integer, json_value, link, table, text

appointment = table(
    "appointment",
    "Afspraak",
    text("appointment_number", 40, "JCC number / appID; Qmatic publicId", personal=False),
    text("location_code", 20, "locationID / branch", personal=False),
    text("product_code", 40, "productID / activity / service", personal=False),
    json_value("extra_products", "activityList[], amounts", null=True, personal=False),
    instant("starts_at", "appStartTime / startDateTime"),
    instant("ends_at", "appEndTime / endDateTime", null=True),
    instant("booked_at", "creationDateTime / created", null=True),
    link("booked_channel_id", "channel", "kanaal waarlangs de afspraak is gemaakt", null=True),
    choice("status", 20, enums.APPOINTMENT_STATUS, "status van de afspraak (eigen lijst)"),
    integer("person_count", "customerList / additionalCustomer", size="SMALLINT", null=True),
    link("party_id", "party", "customer", null=True),
    link("case_id", "case_file", "caseId (JCC)", null=True),
    text("remarks", 1000, "appointmentDesc / notes", null=True),
    checks={"ends_after_start": "ends_at >= starts_at"},
)
"""An appointment at the counter."""

queue_ticket = table(
    "queue_ticket",
    "Volgnummer / baliebon (baliebezoek)",
    text("location_code", 20, "locatie", personal=False),
    day("ticket_date", "datum"),
    text("ticket_number", 10, "volgnummer, e.g. B042", personal=False),
    integer("series", "telt hoe vaak de nummering die dag opnieuw begon; 0 = gewoon", size="SMALLINT", minimum=0,
            maximum=32767),
    text("product_code", 40, "product", null=True, personal=False),
    instant("issued_at", "uitgiftetijd"),
    instant("called_at", "oproeptijd", null=True),
    integer("call_count", "aantal oproepen", size="SMALLINT"),
    instant("service_started_at", "start behandeling", null=True),
    instant("service_ended_at", "einde behandeling", null=True),
    text("desk_code", 10, "balie / loketnummer", null=True, personal=False),
    choice("status", 20, enums.TICKET_STATUS, "status van de bon (eigen lijst)"),
    integer("priority", "prioriteit", size="SMALLINT"),
    link("transferred_from_id", "queue_ticket", "doorverwezen van", null=True),
    link("appointment_id", "appointment", "afspraak", null=True),
    link("contact_id", "customer_contact", "klantcontact", null=True),
    link("actor_id", "actor", "baliemedewerker", null=True),
    checks={"transferred_from_other": "transferred_from_id <> id"},
    unique=[("location_code", "ticket_date", "ticket_number", "series")],
)
"""A numbered ticket.  Its times may be out of order: clocks of old desks were, and reconciliation reports it."""
