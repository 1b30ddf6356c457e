"""Contacts with customers, the people of the municipality who have them, and the tasks that follow."""

from __future__ import annotations

from casemodel.model import enums
from casemodel.model.base import choice, flag, instant, json_value, link, table, text

actor = table(
    "actor",
    "Actor (medewerker, organisatorische eenheid, geautomatiseerde actor)",
    choice("actor_type", 24, enums.ACTOR_TYPE, "soortActor"),
    text("name", 200, "naam"),
    text("employee_code", 128, "actoridentificator.objectId / identificatie", null=True),
    text("job_title", 40, "functie", null=True),
    text("email", 254, "emailadres", null=True),
    text("phone", 20, "telefoonnummer", null=True),
    link("unit_id", "actor", "afdeling van een medewerker (eigen gegeven)", null=True),
    flag("is_active", "indicatieActief"),
    checks={"unit_is_other": "unit_id <> id"},
)
"""Who acts for the municipality: an employee, a department or a machine."""

customer_contact = table(
    "customer_contact",
    "Klantcontact (incl. baliebezoek) met betrokkene",
    text("contact_number", 10, "nummer / referentienummer", null=True, personal=False, charset="digits"),
    link("channel_id", "channel", "kanaal"),
    text("subject", 200, "onderwerp", filled=True),
    text("content", 1000, "inhoud", null=True),
    text("response", 4000, "reactie", null=True),
    flag("contact_succeeded", "indicatieContactGelukt", null=True),
    flag("further_action", "verdereActieOndernomen"),
    text("language", 3, "taal", personal=False),
    flag("is_confidential", "vertrouwelijk"),
    instant("occurred_at", "plaatsgevondenOp"),
    instant("ended_at", "einde van het gesprek (eigen gegeven)", null=True),
    link("party_id", "party", "betrokkene.wasPartij", null=True),
    choice("participant_role", 17, enums.CONTACT_ROLE, "betrokkene.rol", null=True),
    flag("is_initiator", "betrokkene.initiator", null=True),
    text("contact_name", 200, "betrokkene.contactnaam", null=True),
    text("organisation_name", 200, "betrokkene.organisatienaam", null=True),
    link("actor_id", "actor", "hadBetrokkenActoren", null=True),
    json_value("metadata", "metadata", null=True),
    checks={
        "no_action_after_success": "NOT (contact_succeeded AND further_action)",
        "participant_has_role": (
            "(party_id IS NULL AND contact_name IS NULL)"
            " OR (participant_role IS NOT NULL AND is_initiator IS NOT NULL)"
        ),
    },
    unique=[("contact_number",)],
)
"""One contact: a visit, a call, a message; a party only when the visitor was known."""

internal_task = table(
    "internal_task",
    "Interne taak (terugbelnotitie) / notitie",
    text("task_number", 10, "nummer / referentienummer", null=True, personal=False, charset="digits"),
    choice("task_type", 10, enums.TASK_TYPE, "taak of alleen notitie (eigen gegeven)"),
    link("contact_id", "customer_contact", "aanleidinggevendKlantcontact", null=True),
    link("case_id", "case_file", "zaaknotitie.gerelateerdAan", null=True),
    text("requested_action", 200, "gevraagdeHandeling"),
    text("explanation", 1000, "toelichting", null=True),
    choice("status", 12, enums.TASK_STATUS, "status"),
    link("assigned_actor_id", "actor", "toegewezenAanActor", null=True),
    instant("assigned_at", "toegewezenOp", null=True),
    instant("completed_at", "afgehandeldOp", null=True),
    checks={"completed_when_done": "completed_at IS NULL OR status = 'verwerkt'"},
    unique=[("task_number",)],
)
"""What has to be done after a contact, or a note about it."""
