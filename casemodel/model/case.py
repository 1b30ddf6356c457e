"""Cases: the file, its statuses, result, roles, properties, objects and relations to other cases."""

from __future__ import annotations

from casemodel.model import enums
from casemodel.model.base import choice, day, flag, instant, link, table, text

case_file = table(
    "case_file",
    "Zaak",
    text("identification", 40, "identificatie", personal=False, filled=True),
    text("source_org", 9, "bronorganisatie", personal=False, exact=True, charset="digits"),
    text("responsible_org", 9, "verantwoordelijkeOrganisatie", personal=False, exact=True, charset="digits"),
    link("case_type_id", "case_type", "zaaktype"),
    text("description", 80, "omschrijving", null=True),
    text("explanation", 1000, "toelichting", null=True),
    day("registration_date", "registratiedatum"),
    day("start_date", "startdatum"),
    day("end_date", "einddatum", null=True),
    day("planned_end_date", "einddatumGepland", null=True),
    day("latest_end_date", "uiterlijkeEinddatumAfdoening", null=True),
    day("publication_date", "publicatiedatum", null=True),
    link("channel_id", "channel", "communicatiekanaal (URL 1000), communicatiekanaalNaam (250)", null=True),
    choice("confidentiality", 20, enums.CONFIDENTIALITY, "vertrouwelijkheidaanduiding"),
    choice("payment_indication", 20, enums.PAYMENT_INDICATION, "betalingsindicatie", null=True),
    instant("last_payment_at", "laatsteBetaaldatum", null=True),
    flag("suspended", "opschorting.indicatie"),
    text("suspension_reason", 200, "opschorting.reden", null=True),
    text("extension_reason", 200, "verlenging.reden", null=True),
    text("extension_period", 20, "verlenging.duur", null=True, personal=False),
    choice("archive_nomination", 40, enums.ARCHIVE_NOMINATION, "archiefnominatie", null=True),
    choice("archive_status", 40, enums.ARCHIVE_STATUS, "archiefstatus"),
    day("archive_action_date", "archiefactiedatum", null=True),
    day("retention_start_date", "startdatumBewaartermijn", null=True),
    link("parent_case_id", "case_file", "hoofdzaak", null=True),
    link("handler_actor_id", "actor", "behandelaar in het kort; de rol behandelaar is leidend (eigen gegeven)",
         null=True),
    instant("last_modified_at", "laatstGemuteerd"),
    checks={
        "parent_is_other": "parent_case_id <> id",
        "no_payment_when_nvt": "payment_indication <> 'nvt' OR last_payment_at IS NULL",
    },
    unique=[("source_org", "identification")],
)
"""A case.  Its dates may contradict each other, as those of old systems do; reconciliation reports that."""

case_role = table(
    "case_role",
    "Rol / betrokkene bij zaak",
    link("case_id", "case_file", "zaak"),
    link("role_type_id", "role_type", "roltype"),
    choice("participant_type", 30, enums.PARTICIPANT_TYPE, "betrokkeneType"),
    link("party_id", "party", "betrokkeneIdentificatie", null=True),
    link("actor_id", "actor", "betrokkeneIdentificatie", null=True),
    text("deviating_name", 625, "afwijkendeNaamBetrokkene", null=True),
    text("explanation", 1000, "roltoelichting", null=True),
    choice("mandate", 20, enums.MANDATE, "indicatieMachtiging", null=True),
    text("contact_name", 200, "contactpersoonRol.naam", null=True),
    instant("registered_at", "registratiedatum"),
    day("valid_from", "beginGeldigheid", null=True),
    day("valid_to", "eindeGeldigheid", null=True),
    checks={
        "party_or_actor": "(party_id IS NULL) <> (actor_id IS NULL)",
        "actor_for_staff": "(participant_type IN ('medewerker', 'organisatorische_eenheid')) = (actor_id IS NOT NULL)",
    },
)
"""What a party or an actor is to a case."""

case_status = table(
    "case_status",
    "Status (statushistorie)",
    link("case_id", "case_file", "zaak"),
    link("status_type_id", "status_type", "statustype"),
    instant("set_at", "datumStatusGezet"),
    text("explanation", 1000, "statustoelichting", null=True),
    link("set_by_role_id", "case_role", "gezetdoor", null=True),
    unique=[("case_id", "set_at")],
)
"""One step in the history of a case."""

case_result = table(
    "case_result",
    "Resultaat",
    link("case_id", "case_file", "zaak"),
    link("result_type_id", "result_type", "resultaattype"),
    text("explanation", 1000, "toelichting", null=True),
    unique=[("case_id",)],
)
"""The result of a case."""

case_property = table(
    "case_property",
    "Zaakeigenschap",
    link("case_id", "case_file", "zaak"),
    text("name", 20, "eigenschap.naam", personal=False),
    choice("format", 20, enums.PROPERTY_FORMAT, "specificatie.formaat"),
    text("value", None, "waarde"),
)
"""A property of a case that its type asks for; the value is text in the declared format."""

case_object = table(
    "case_object",
    "Zaakobject",
    link("case_id", "case_file", "zaak"),
    choice("object_type", 40, enums.CASE_OBJECT_TYPE, "objectType"),
    text("object_type_other", 100, "objectTypeOverige", null=True, personal=False, charset="snake"),
    text("object_id", 100, "objectIdentificatie.identificatie", null=True),
    text("object_url", 1000, "object", null=True),
    text("relation_description", 80, "relatieomschrijving", null=True),
    checks={
        "other_type_named": "object_type <> 'overige' OR object_type_other IS NOT NULL",
        "has_object": "object_id IS NOT NULL OR object_url IS NOT NULL",
    },
)
"""What a case is about: an address, a building, another object."""

case_relation = table(
    "case_relation",
    "Relevante andere zaak",
    link("case_id", "case_file", "zaak"),
    link("related_case_id", "case_file", "url", null=True),
    text("related_identification", 40, "nummer van een andere zaak die niet is gemigreerd (eigen gegeven)", null=True,
         personal=False),
    choice("relation_type", 20, enums.CASE_RELATION, "aardRelatie"),
    text("other_relation", 100, "overigeRelatie", null=True),
    text("explanation", 255, "toelichting", null=True),
    checks={
        "related_is_other": "related_case_id <> case_id",
        "has_related_case": "related_case_id IS NOT NULL OR related_identification IS NOT NULL",
        "other_relation_named": "relation_type <> 'overig' OR other_relation IS NOT NULL",
    },
)
"""Another case that matters to a case."""
