"""How the records of the case model can be divided to be looked at: per year, month, type, channel, status, department.

No dimension is personal: what a report shows of it is a count per value.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemodel.model import tables

YEAR, MONTH = 4, 7
"""Characters of a date or instant that tell its year and its month."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to divide the records of a table.

    Args:
        table: the table.
        by: ``year``, ``month``, ``type``, ``channel``, ``status``, ``department`` or ``location``.
        column: the column that divides them; of an instant the day in UTC counts.
        length: how many characters of its text count; None: all.
        label: of a link: the column of the other table that names its records.
    """

    table: str
    by: str
    column: str
    length: int | None = None
    label: str | None = None

    @property
    def references(self) -> str | None:
        """Return the table that a link points to."""
        found: str | None = tables[self.table].c[self.column].info["references"]
        return found


def _in_time(table: str, column: str) -> tuple[Dimension, ...]:
    return Dimension(table, "year", column, YEAR), Dimension(table, "month", column, MONTH)


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension("party", "type", "party_type"),
    Dimension("party_identifier", "type", "id_type_code"),
    Dimension("digital_address", "type", "address_type"),
    Dimension("address", "type", "address_role"),
    Dimension("actor", "type", "actor_type"),
    *_in_time("customer_contact", "occurred_at"),
    Dimension("customer_contact", "channel", "channel_id", label="code"),
    Dimension("customer_contact", "department", "actor_id", label="unit"),
    *_in_time("appointment", "starts_at"),
    Dimension("appointment", "type", "product_code"),
    Dimension("appointment", "channel", "booked_channel_id", label="code"),
    Dimension("appointment", "status", "status"),
    Dimension("appointment", "location", "location_code"),
    *_in_time("queue_ticket", "ticket_date"),
    Dimension("queue_ticket", "type", "product_code"),
    Dimension("queue_ticket", "status", "status"),
    Dimension("queue_ticket", "location", "location_code"),
    *_in_time("case_file", "start_date"),
    Dimension("case_file", "type", "case_type_id", label="code"),
    Dimension("case_file", "channel", "channel_id", label="code"),
    Dimension("case_file", "status", "archive_status"),
    Dimension("case_file", "department", "handler_actor_id", label="unit"),
    *_in_time("case_status", "set_at"),
    Dimension("case_status", "status", "status_type_id", label="description"),
    Dimension("case_result", "type", "result_type_id", label="description"),
    Dimension("case_role", "type", "role_type_id", label="generic_description"),
    Dimension("case_property", "type", "name"),
    Dimension("case_object", "type", "object_type"),
    Dimension("case_relation", "type", "relation_type"),
    *_in_time("case_document", "created_on"),
    Dimension("case_document", "type", "document_type"),
    Dimension("case_document", "status", "status"),
    Dimension("internal_task", "type", "task_type"),
    Dimension("internal_task", "status", "status"),
    Dimension("journey_link", "type", "step_type"),
)
"""Every dimension, by table in the order of the report.

The label ``unit`` of an actor is its department: its own name when it is one, else that of its unit.
"""
