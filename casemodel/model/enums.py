"""The lists of allowed values of the case model, in their declared order.

Sources: VNG-Realisatie/vng-api-common (constants.py), open-zaak/open-zaak (constants.py of zaken, documenten and
catalogi), maykinmedia/open-klant (constants.py of klantinteracties), the StUF 03.01 schema; the rest is our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CONFIDENTIALITY = (
    "openbaar", "beperkt_openbaar", "intern", "zaakvertrouwelijk", "vertrouwelijk", "confidentieel", "geheim",
    "zeer_geheim",
)
"""How confidential a case or document is; the order runs from low to high."""

ROLE_KIND = (
    "adviseur", "behandelaar", "belanghebbende", "beslisser", "initiator", "klantcontacter", "zaakcoordinator",
    "mede_initiator",
)
"""What somebody is to a case, in general terms."""

PARTICIPANT_TYPE = (
    "natuurlijk_persoon", "niet_natuurlijk_persoon", "vestiging", "organisatorische_eenheid", "medewerker",
)
"""What kind of party or actor takes part in a case."""

ARCHIVE_NOMINATION = ("blijvend_bewaren", "vernietigen")
"""Whether a case is kept for ever or destroyed."""

ARCHIVE_STATUS = ("nog_te_archiveren", "gearchiveerd", "gearchiveerd_procestermijn_onbekend", "overgedragen")
"""How far the archiving of a case is."""

ARCHIVE_DERIVATION = (
    "afgehandeld", "ander_datumkenmerk", "eigenschap", "gerelateerde_zaak", "hoofdzaak", "ingangsdatum_besluit",
    "termijn", "vervaldatum_besluit", "zaakobject",
)
"""From what the start of the retention period is derived."""

CASE_OBJECT_TYPE = (
    "adres", "besluit", "buurt", "enkelvoudig_document", "gemeente", "gemeentelijke_openbare_ruimte", "huishouden",
    "inrichtingselement", "kadastrale_onroerende_zaak", "kunstwerkdeel", "maatschappelijke_activiteit", "medewerker",
    "natuurlijk_persoon", "niet_natuurlijk_persoon", "openbare_ruimte", "organisatorische_eenheid", "pand",
    "spoorbaandeel", "status", "terreindeel", "terrein_gebouwd_object", "vestiging", "waterdeel", "wegdeel", "wijk",
    "woonplaats", "woz_deelobject", "woz_object", "woz_waarde", "zakelijk_recht", "overige",
)
"""What a case is about."""

PAYMENT_INDICATION = ("nvt", "gefactureerd", "gecrediteerd", "betaald", "nog_niet", "gedeeltelijk", "geheel")
"""Whether the costs of a case are paid."""

CASE_RELATION = ("vervolg", "onderwerp", "bijdrage", "overig")
"""What another case is to this one."""

MANDATE = ("gemachtigde", "machtiginggever")
"""Which side of a mandate somebody is on."""

GENDER = ("m", "v", "o")
"""Gender as the person registers write it."""

LEGAL_FORM = (
    "besloten_vennootschap", "cooperatie_europees_economische_samenwerking", "europese_cooperatieve_venootschap",
    "europese_naamloze_vennootschap", "kerkelijke_organisatie", "naamloze_vennootschap",
    "onderlinge_waarborg_maatschappij", "overig_privaatrechtelijke_rechtspersoon", "stichting", "vereniging",
    "vereniging_van_eigenaars", "publiekrechtelijke_rechtspersoon", "vennootschap_onder_firma", "maatschap",
    "rederij", "commanditaire_vennootschap", "kapitaalvennootschap_binnen_eer",
    "overige_buitenlandse_rechtspersoon_vennootschap", "kapitaalvennootschap_buiten_eer",
)
"""Legal form of an organisation; the spelling is that of the standard, errors included."""

DOCUMENT_STATUS = ("in_bewerking", "ter_vaststelling", "definitief", "gearchiveerd")
"""How far a document is."""

CHECKSUM_ALGORITHM = (
    "crc_16", "crc_32", "crc_64", "fletcher_4", "fletcher_8", "fletcher_16", "fletcher_32", "hmac", "md5", "sha_1",
    "sha_256", "sha_512", "sha_3",
)
"""How the checksum of a document was made."""

PROPERTY_FORMAT = ("tekst", "getal", "datum", "datum_tijd")
"""In which format the value of a case property is written."""

INTERNAL_EXTERNAL = ("intern", "extern")
"""Whether a case starts inside or outside the organisation."""

DOCUMENT_DIRECTION = ("inkomend", "intern", "uitgaand")
"""Which way a document went."""

PARTY_TYPE = ("persoon", "organisatie", "contactpersoon")
"""What a party is."""

ACTOR_TYPE = ("medewerker", "geautomatiseerde_actor", "organisatorische_eenheid")
"""What an actor is."""

CONTACT_ROLE = ("vertegenwoordiger", "klant")
"""As what somebody took part in a contact."""

ADDRESS_KIND = ("postbusnummer", "antwoordnummer", "binnenlands_adres", "buitenlands_adres")
"""What kind of postal address it is."""

TASK_STATUS = ("te_verwerken", "verwerkt")
"""Whether an internal task is done."""

DIGITAL_ADDRESS_TYPE = ("email", "telefoonnummer", "overig")
"""What kind of digital address it is."""

IDENTIFIER_TYPE = ("bsn", "vestigingsnummer", "kvk_nummer", "rsin", "a_nummer", "bronsleutel")
"""What number identifies a party; the last two are our own."""

IDENTIFIER_OBJECT_TYPE = ("natuurlijk_persoon", "niet_natuurlijk_persoon", "vestiging")
"""What kind of thing an identifier names."""

IDENTIFIER_REGISTER = ("brp", "hr", "overig")
"""Which register issued an identifier; the last one is our own."""

CHANNEL = (
    "balie", "afspraak_balie", "telefoon", "email", "webformulier", "post", "chat", "whatsapp", "social_media",
    "huisbezoek", "zelfbediening", "onbekend",
)
"""The channels through which people reach the municipality; our own list, free in the standard."""

TICKET_STATUS = (
    "wachtend", "opgeroepen", "in_behandeling", "afgehandeld", "niet_verschenen", "doorverwezen", "geannuleerd",
    "systeem_afgesloten",
)
"""How far a ticket of the counter is; our own list."""

APPOINTMENT_STATUS = (
    "gepland", "bevestigd", "verschenen", "niet_verschenen", "geannuleerd", "verplaatst", "afgerond",
)
"""How far an appointment is; our own list."""

STUF_NO_VALUE = ("nietOndersteund", "nietGeautoriseerd", "geenWaarde", "waardeOnbekend", "vastgesteldOnbekend")
"""Why a StUF element holds no value."""

STUF_INCOMPLETE_DATE = ("J", "M", "D", "V")
"""Which parts of a StUF date are unknown."""

ADDRESS_ROLE = ("bezoekadres", "correspondentieadres")
"""What an address is used for; two groups of fields in the API."""

TASK_TYPE = ("taak", "notitie")
"""Whether there is something to do; our own list."""

JOURNEY_STEP = ("aanleiding", "aanvulling", "statusvraag", "uitreiking", "klacht", "overig")
"""What a contact was in the journey of a case; our own list."""

LINK_METHOD = ("bronsleutel", "afspraak", "bsn_product_datum", "handmatig")
"""How the link between contact and case was found; our own list."""

ENUMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "vertrouwelijkheidaanduiding": CONFIDENTIALITY,
        "rol_omschrijving_generiek": ROLE_KIND,
        "betrokkene_type": PARTICIPANT_TYPE,
        "archiefnominatie": ARCHIVE_NOMINATION,
        "archiefstatus": ARCHIVE_STATUS,
        "brondatum_afleidingswijze": ARCHIVE_DERIVATION,
        "zaakobjecttype": CASE_OBJECT_TYPE,
        "betalingsindicatie": PAYMENT_INDICATION,
        "aard_zaakrelatie": CASE_RELATION,
        "indicatie_machtiging": MANDATE,
        "geslachtsaanduiding": GENDER,
        "rechtsvorm": LEGAL_FORM,
        "document_status": DOCUMENT_STATUS,
        "checksum_algoritme": CHECKSUM_ALGORITHM,
        "eigenschap_formaat": PROPERTY_FORMAT,
        "intern_extern": INTERNAL_EXTERNAL,
        "document_richting": DOCUMENT_DIRECTION,
        "soort_partij": PARTY_TYPE,
        "soort_actor": ACTOR_TYPE,
        "klantcontact_rol": CONTACT_ROLE,
        "soort_correspondentieadres": ADDRESS_KIND,
        "taakstatus": TASK_STATUS,
        "soort_digitaal_adres": DIGITAL_ADDRESS_TYPE,
        "partij_code_soort_object_id": IDENTIFIER_TYPE,
        "partij_code_objecttype": IDENTIFIER_OBJECT_TYPE,
        "partij_code_register": IDENTIFIER_REGISTER,
        "kanaal": CHANNEL,
        "bonstatus": TICKET_STATUS,
        "afspraakstatus": APPOINTMENT_STATUS,
        "stuf_no_value": STUF_NO_VALUE,
        "stuf_ind_onvolledige_datum": STUF_INCOMPLETE_DATE,
        "adresrol": ADDRESS_ROLE,
        "taaksoort": TASK_TYPE,
        "klantreisstap": JOURNEY_STEP,
        "koppelwijze": LINK_METHOD,
    }
)
"""Every list by its Dutch name in the standard."""
