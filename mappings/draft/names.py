"""How alike the name of an old column and of a column of the model are: Dutch words, the model's names, spelling."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import Final

_WORDS: Final[dict[str, str]] = {
    "identification": "zaaknr zaaknummer zaakid nummer nr identificatie kenmerk dossiernr documentnr docid",
    "contact_number": "contactnr contactnummer klantcontactnr nr nummer meldnr meldingnr",
    "appointment_number": "afspraaknr afspraaknummer afspnr nr nummer",
    "party_number": "partijnr klantnr klantnummer relatienr",
    "ticket_number": "bonnr bonnummer volgnr ticketnr",
    "task_number": "taaknr taaknummer",
    "code": "code afkorting kode",
    "name": "naam omschrijving oms achternaam kanaalnaam afdnaam",
    "description": "omschrijving omschr oms onderwerp titel",
    "generic_description": "generiek omschrijvinggeneriek",
    "subject": "onderwerp titel betreft",
    "content": "vraag inhoud tekst bericht melding",
    "response": "antwoord reactie",
    "explanation": "toelichting toelicht opmerking opm memo notitie bijzonderheden noot",
    "remarks": "opmerking opm notitie bijzonderheden",
    "internal_note": "notitie opmerking opm internenotitie memo",
    "registration_date": "datreg registratiedatum regdat datumregistratie dtreg datinv invoerdatum",
    "start_date": "datstart startdatum begindatum datbegin datumstart ingangsdatum datvan",
    "end_date": "datafh einddatum dateind datumafgehandeld datumafhandeling afgehandeldop datumeind",
    "planned_end_date": "datstreef streefdatum einddatumgepland geplandeeinddatum",
    "latest_end_date": "datfataal fataledatum uiterlijkedatum",
    "publication_date": "publicatiedatum datpub",
    "last_modified_at": "muttijd mutdatum datmut gewijzigd gewijzigdop laatstgewijzigd wijzigdatum",
    "last_payment_at": "datbet betaaldatum",
    "registered_at": "muttijd geregistreerdop registratiedatum datreg",
    "occurred_at": "datum tijdstip datumtijd contactdatum ontvangen ontvangenop datcontact wanneer",
    "created_on": "datdoc aanmaakdatum creatiedatum datum gemaakt",
    "received_on": "datontv ontvangstdatum ontvangen",
    "sent_on": "datverz verzenddatum verzonden",
    "set_at": "datstat statusdatum datumstatus",
    "valid_from": "datvan ingangsdatum begingeldigheid geldigvan datingang begindatum",
    "valid_to": "dattot eindegeldigheid geldigtot einddatum dateind",
    "starts_at": "begintijd starttijd aanvang begin datum",
    "ends_at": "eindtijd einde",
    "booked_at": "datinv geboektop boekdatum",
    "issued_at": "uitgegeven uitgifte tijduit",
    "confidentiality": "vertrouw vertrouwelijk vertrouwelijkheid vertrouwelijkheidaanduiding",
    "payment_indication": "betind betaalindicatie betalingsindicatie betaald",
    "suspended": "opschort opgeschort opschorting",
    "suspension_reason": "opschreden redenopschorting opschortreden",
    "archive_nomination": "archief archiefnominatie bewaren",
    "archive_status": "archiefstatus",
    "archive_action_date": "datvern vernietigingsdatum archiefactiedatum",
    "channel_id": "kanaal kanaalcode communicatiekanaal",
    "booked_channel_id": "kanaal kanaalcode",
    "case_type_id": "ztcode zaaktype zaaktypecode soort",
    "parent_case_id": "hoofdzaak hoofdzaaknr bovenliggend",
    "case_id": "zaaknr zaak zaakid zaaknummer dossier",
    "party_id": "klantnr klant persid persoon refid relatie relatienr partij burger",
    "actor_id": "medewerker medew medid behandelaar",
    "handler_actor_id": "behandelaar behand medewerker",
    "unit_id": "afdeling afdcode afd team",
    "status_type_id": "fasenr statuscode status",
    "result_type_id": "rescode resultaat resultaatcode",
    "role_type_id": "rolcode rol",
    "initials": "voorletters voorl vl",
    "first_names": "voornamen voornaam roepnaam vnaam",
    "surname_prefix": "voorvoegsel voorv tussenvoegsel tv voorvoegsels",
    "surname": "achternaam geslachtsnaam geslnaam naam anaam",
    "organisation_name": "handelsnaam handelsn bedrijfsnaam organisatie bedrijf statutairenaam",
    "legal_form": "rechtsvorm rechtsv",
    "gender": "geslacht gesl sekse mv",
    "birth_date": "gebdat geboortedatum gebdatum datgeb",
    "deceased_on": "datovl overlijdensdatum overleden datoverl",
    "is_secret": "geheim indgeheim geheimhouding",
    "is_active": "actief aktief ind_actief",
    "street": "straat straatnaam openbareruimte adres",
    "house_number": "huisnr huisnummer hnr",
    "house_letter": "huislet huisletter hlt",
    "house_number_addition": "toev toevoeging huisnummertoevoeging huistoev",
    "postcode": "postcode postc pc",
    "city": "plaats woonplaats plaatsnaam stad",
    "country_code": "land landcode",
    "bag_id": "bagid bag nummeraanduiding",
    "line1": "regel1 adresregel1",
    "line2": "regel2 adresregel2",
    "line3": "regel3 adresregel3",
    "email": "email emailadres mail",
    "phone": "telefoon tel telnr telefoonnummer",
    "employee_code": "medid medewerkercode medcode personeelsnr code loginnaam",
    "job_title": "functie functienaam",
    "title": "titel documenttitel naam",
    "author": "auteur opsteller",
    "file_name": "bestand bestandsnaam filename",
    "file_size": "grootte bestandsgrootte omvang",
    "media_type": "mime formaat mimetype",
    "checksum_value": "md5 checksum hash",
    "location_code": "loccode locatie vestiging balie",
    "product_code": "product productcode prodcode prodcodes",
    "person_count": "aantpers aantalpersonen personen",
    "status": "status statuscode",
    "contact_name": "naam contactpersoon contpers beller",
    "value": "waarde nummer",
    "sequence": "volgorde volgnr fasenr",
    "deviating_name": "naam afwijkendenaam",
    "document_type": "doccode documenttype documentsoort",
    "version": "versie",
    "priority": "prioriteit prio",
    "desk_code": "loket balie loketnr",
    "processing_period": "doorlooptijd doorloop termijn",
    "internal_external": "intextern",
}

LEAST: Final = 0.72


@lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """Return a name in small letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def likeness(source: str, target: str, dutch: str) -> float:
    """Return how alike two names are, 0 to 1; 1 is a word that people use for the target.

    Args:
        source: name of the old column.
        target: name of the model's column.
        dutch: the Dutch term that the model gives.
    """
    name = bare(source)
    if not name:
        return 0.0
    words = _WORDS.get(target, "").split()
    if name in (bare(word) for word in words):
        return 1.0 - 0.01 * next(at for at, word in enumerate(words) if bare(word) == name)
    terms = [*words, target, target.removesuffix("_id"), *re.split(r"[/,;(]", dutch)]
    return max((_spelling(name, bare(term)) for term in terms if bare(term)), default=0.0)


def _spelling(name: str, term: str) -> float:
    if name == term:
        return 0.9
    if len(term) >= 5 and (name.startswith(term) or name.endswith(term)):
        return 0.86
    if len(name) >= 5 and term.startswith(name):
        return 0.84
    return difflib.SequenceMatcher(None, name, term).ratio() * 0.9
