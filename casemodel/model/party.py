"""Parties: persons, organisations and contact persons, how they are identified and where they can be reached."""

from __future__ import annotations

from casemodel.model import enums
from casemodel.model.base import PartialUnique, choice, day, flag, integer, link, table, text

party = table(
    "party",
    "Partij (persoon, organisatie, contactpersoon)",
    choice("party_type", 14, enums.PARTY_TYPE, "soortPartij"),
    text("party_number", 10, "nummer", null=True, charset="digits"),
    text("initials", 20, "contactnaam.voorletters / voorletters", null=True),
    text("first_names", 200, "contactnaam.voornaam / voornamen", null=True),
    text("surname_prefix", 80, "contactnaam.voorvoegselAchternaam / voorvoegselGeslachtsnaam", null=True),
    text("surname", 200, "contactnaam.achternaam / geslachtsnaam", null=True),
    text("organisation_name", 500, "organisatie.naam / statutaireNaam", null=True),
    choice("legal_form", 50, enums.LEGAL_FORM, "innRechtsvorm", null=True),
    choice("gender", 1, enums.GENDER, "geslachtsaanduiding", null=True, personal=True),
    day("birth_date", "geboortedatum", null=True, personal=True),
    text("birth_date_text", 18, "geboortedatum", null=True),
    day("deceased_on", "datumOverlijden (StUF-BG)", null=True, personal=True),
    text("language", 3, "voorkeurstaal", null=True),
    flag("is_secret", "indicatieGeheimhouding", null=True, personal=True),
    flag("is_active", "indicatieActief"),
    text("internal_note", 1000, "interneNotitie", null=True),
    link("works_for_party_id", "party", "contactpersoon.werkteVoorPartij", null=True),
    link("merged_into_id", "party", "partij waarin deze dubbele partij is opgegaan (eigen gegeven)", null=True),
    checks={
        "person_has_surname": "party_type <> 'persoon' OR surname IS NOT NULL",
        "organisation_has_name": "party_type <> 'organisatie' OR organisation_name IS NOT NULL",
        "only_contact_works_for": "works_for_party_id IS NULL OR party_type = 'contactpersoon'",
        "works_for_other": "works_for_party_id <> id",
        "merged_into_other": "merged_into_id <> id",
    },
    unique=[("party_number",)],
)
"""A person, an organisation, or somebody who is the contact of an organisation."""

party_identifier = table(
    "party_identifier",
    "Partij-identificator",
    link("party_id", "party", "identificeerdePartij"),
    choice("register_code", 10, enums.IDENTIFIER_REGISTER, "codeRegister"),
    choice("object_type_code", 30, enums.IDENTIFIER_OBJECT_TYPE, "codeObjecttype"),
    choice("id_type_code", 20, enums.IDENTIFIER_TYPE, "codeSoortObjectId"),
    text("value", 200, "objectId", filled=True),
    link("parent_identifier_id", "party_identifier", "subIdentificatorVan", null=True),
    flag("is_verified", "voldoet aan 11-proef of vorm (eigen gegeven)"),
    checks={
        "types_agree": (
            "(register_code = 'brp' AND object_type_code = 'natuurlijk_persoon'"
            " AND id_type_code IN ('bsn', 'a_nummer'))"
            " OR (register_code = 'hr' AND object_type_code = 'niet_natuurlijk_persoon'"
            " AND id_type_code IN ('rsin', 'kvk_nummer'))"
            " OR (register_code = 'hr' AND object_type_code = 'vestiging' AND id_type_code = 'vestigingsnummer')"
            " OR (register_code = 'overig' AND id_type_code = 'bronsleutel')"
        ),
        "branch_has_parent": "id_type_code <> 'vestigingsnummer' OR parent_identifier_id IS NOT NULL",
        "parent_is_other": "parent_identifier_id <> id",
    },
    unique=[("parent_identifier_id", "object_type_code", "id_type_code", "value", "register_code")],
    unique_where=[
        PartialUnique(("value", "id_type_code", "object_type_code", "register_code"), "parent_identifier_id IS NULL"),
        PartialUnique(("party_id", "id_type_code"), "parent_identifier_id IS NULL AND id_type_code <> 'bronsleutel'"),
    ],
)
"""A number that a register gave to a party.  A merged party keeps the source keys of all its rows."""

digital_address = table(
    "digital_address",
    "Digitaal adres",
    link("party_id", "party", "verstrektDoorPartij", null=True),
    link("contact_id", "customer_contact", "verstrektDoorBetrokkene", null=True),
    choice("address_type", 20, enums.DIGITAL_ADDRESS_TYPE, "soortDigitaalAdres"),
    text("value", 80, "adres", filled=True),
    text("description", 40, "omschrijving", null=True),
    flag("is_default", "isStandaardAdres"),
    text("reference", 50, "referentie", null=True),
    day("verified_on", "verificatieDatum", null=True, personal=True),
    checks={"has_owner": "party_id IS NOT NULL OR contact_id IS NOT NULL"},
    unique=[("party_id", "address_type", "reference")],
    unique_where=[PartialUnique(("party_id", "address_type"), "is_default")],
)
"""A telephone number, an e-mail address or another digital address."""

address = table(
    "address",
    "Adres (bezoek- en correspondentieadres)",
    link("party_id", "party", "partij"),
    choice("address_role", 20, enums.ADDRESS_ROLE, "gebruik van het adres; in de API twee groepen (eigen gegeven)"),
    choice("address_kind", 20, enums.ADDRESS_KIND, "soortCorrespondentieadres"),
    text("bag_id", 16, "nummeraanduidingId / aoaIdentificatie", null=True),
    text("street", 255, "straatnaam / gorOpenbareRuimteNaam(80)", null=True),
    integer("house_number", "huisnummer", null=True, minimum=1, maximum=99999, personal=True),
    text("house_letter", 1, "huisletter", null=True),
    text("house_number_addition", 20, "huisnummertoevoeging", null=True),
    text("postcode", 7, "postcode", null=True),
    text("city", 255, "stad / wplWoonplaatsNaam(80)", null=True),
    text("line1", 80, "adresregel1 / subAdresBuitenland1(35)", null=True),
    text("line2", 80, "adresregel2 / subAdresBuitenland2(35)", null=True),
    text("line3", 80, "adresregel3 / subAdresBuitenland3(35)", null=True),
    text("country_code", 2, "land", null=True),
    day("valid_from", "geldig vanaf (eigen gegeven)", null=True, personal=True),
)
"""A visiting or postal address of a party."""
