"""The catalogue: channels, and what a type of case brings with it."""

from __future__ import annotations

from casemodel.model import enums
from casemodel.model.base import choice, day, flag, integer, link, table, text

channel = table(
    "channel",
    "Kanaal (communicatiekanaal)",
    choice("code", 50, enums.CHANNEL, "kanaal"),
    text("name", 100, "naam", personal=False),
    flag("is_active", "indicatieActief"),
    unique=[("code",)],
)
"""A channel through which people reach the municipality."""

case_type = table(
    "case_type",
    "Zaaktype",
    text("code", 50, "identificatie", personal=False, filled=True),
    text("description", 80, "omschrijving", personal=False),
    text("generic_description", 80, "omschrijvingGeneriek", null=True, personal=False),
    choice("confidentiality", 20, enums.CONFIDENTIALITY, "vertrouwelijkheidaanduiding"),
    choice("internal_external", 6, enums.INTERNAL_EXTERNAL, "indicatieInternOfExtern"),
    text("processing_period", 20, "doorlooptijd", personal=False),
    text("service_norm", 20, "servicenorm", null=True, personal=False),
    flag("extension_possible", "verlengingMogelijk"),
    flag("suspension_possible", "opschortingEnAanhoudingMogelijk"),
    day("valid_from", "beginGeldigheid"),
    day("valid_to", "eindeGeldigheid", null=True),
    text("target_url", 1000, "url", null=True, personal=False),
    checks={"valid_to_after_from": "valid_to > valid_from"},
    unique=[("code", "valid_from")],
)
"""A version of a type of case."""

status_type = table(
    "status_type",
    "Statustype",
    link("case_type_id", "case_type", "zaaktype"),
    integer("sequence", "volgnummer", size="SMALLINT", minimum=1, maximum=9999),
    text("description", 80, "omschrijving", personal=False),
    text("generic_description", 80, "omschrijvingGeneriek", null=True, personal=False),
    flag("is_final", "isEindstatus"),
    flag("inform_customer", "informeren"),
    text("target_url", 1000, "url", null=True, personal=False),
    unique=[("case_type_id", "sequence")],
)
"""A status that cases of a type go through; the highest sequence is the final one."""

result_type = table(
    "result_type",
    "Resultaattype",
    link("case_type_id", "case_type", "zaaktype"),
    text("description", 30, "omschrijving", personal=False),
    text("generic_description", 20, "omschrijvingGeneriek", null=True, personal=False),
    choice("archive_nomination", 20, enums.ARCHIVE_NOMINATION, "archiefnominatie", null=True),
    text("archive_period", 20, "archiefactietermijn", null=True, personal=False),
    choice("archive_derivation", 20, enums.ARCHIVE_DERIVATION, "brondatumArchiefprocedure.afleidingswijze"),
    text("archive_process_period", 20, "brondatumArchiefprocedure.procestermijn", null=True, personal=False),
    text("selection_list_url", 1000, "selectielijstklasse", null=True, personal=False),
    text("target_url", 1000, "url", null=True, personal=False),
    unique=[("case_type_id", "description")],
)
"""A result that cases of a type can have, and what it means for the archive."""

role_type = table(
    "role_type",
    "Roltype",
    link("case_type_id", "case_type", "zaaktype"),
    text("description", 100, "omschrijving", personal=False),
    choice("generic_description", 20, enums.ROLE_KIND, "omschrijvingGeneriek"),
    text("target_url", 1000, "url", null=True, personal=False),
    unique=[("case_type_id", "description")],
)
"""A role that somebody can have in cases of a type."""
