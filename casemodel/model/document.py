"""Documents of a case."""

from __future__ import annotations

from casemodel.model import enums
from casemodel.model.base import choice, day, flag, instant, integer, link, table, text

case_document = table(
    "case_document",
    "Zaakdocument (enkelvoudig informatieobject + zaakinformatieobject)",
    link("case_id", "case_file", "zaak"),
    text("identification", 40, "identificatie", personal=False, filled=True),
    text("source_org", 9, "bronorganisatie", personal=False, exact=True, charset="digits"),
    text("document_type", 80, "informatieobjecttype.omschrijving", personal=False),
    text("title", 200, "titel"),
    text("description", 1000, "beschrijving", null=True),
    text("author", 200, "auteur"),
    day("created_on", "creatiedatum"),
    day("received_on", "ontvangstdatum", null=True),
    day("sent_on", "verzenddatum", null=True),
    choice("status", 20, enums.DOCUMENT_STATUS, "status", null=True),
    choice("confidentiality", 20, enums.CONFIDENTIALITY, "vertrouwelijkheidaanduiding"),
    text("language", 3, "taal", personal=False),
    text("media_type", 255, "formaat", null=True, personal=False),
    text("file_name", 255, "bestandsnaam", null=True),
    integer("file_size", "bestandsomvang", size="BIGINT", null=True),
    text("content_ref", 1000, "inhoud / bestandspad / link(200)", null=True),
    choice("checksum_algorithm", 20, enums.CHECKSUM_ALGORITHM, "integriteit.algoritme", null=True),
    text("checksum_value", 128, "integriteit.waarde", null=True, personal=False),
    day("checksum_date", "integriteit.datum", null=True),
    flag("usage_rights", "indicatieGebruiksrecht", null=True),
    integer("version", "versie", minimum=1, maximum=2**31 - 1),
    instant("registered_at", "beginRegistratie / registratiedatum"),
    checks={
        "received_is_ready": "received_on IS NULL OR status NOT IN ('in_bewerking', 'ter_vaststelling')",
    },
    unique=[("source_org", "identification")],
)
"""A document and its place in a case.  A document belongs to one case, since its key holds no case."""
