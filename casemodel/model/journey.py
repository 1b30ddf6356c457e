"""The journey of a customer: which contact was about which case."""

from __future__ import annotations

from casemodel.model import enums
from casemodel.model.base import choice, decimal, integer, link, table

journey_link = table(
    "journey_link",
    "Klantreis-schakel (onderwerpobject: klantcontact gaat over zaak)",
    link("contact_id", "customer_contact", "klantcontact"),
    link("case_id", "case_file", "onderwerpobjectidentificator (objectId, codeObjecttype=zaak, codeRegister,"
         " codeSoortObjectId; each 200)", null=True),
    link("previous_contact_id", "customer_contact", "wasKlantcontact", null=True),
    choice("step_type", 20, enums.JOURNEY_STEP, "wat het contact in de klantreis was (eigen lijst)"),
    integer("step_number", "volgorde in de klantreis, naar moment van contact (eigen gegeven)", null=True, minimum=1,
            maximum=2**31 - 1),
    choice("link_method", 20, enums.LINK_METHOD, "hoe de koppeling is gevonden (eigen lijst)"),
    decimal("confidence", 3, 2, "zekerheid van de koppeling; 1,00 = bronsleutel (eigen gegeven)", minimum=0, maximum=1),
)
"""A link between a contact and a case, or an earlier contact, with how it was found."""
