"""Every kind of dirt in databases and files: where it stands in an old system, and what the answer key says of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of dirt.

    mapping: whose answer key tells what becomes of it.
    keys: SQL on the old system that gives the keys of rows with this dirt, as the answer key writes them.
    treated: SQL condition on these rows of the key (``said``: their issues) that holds where it is treated.
    """

    mapping: str
    keys: str
    treated: str


def _of(mapping: str, relation: str, key: str) -> dict[str, str]:
    return {"mapping": mapping, "keys": f"SELECT {key} FROM {relation} WHERE "}


_PARTY = _of("balie.party", "BLS_KLANT", "KLANTNR")
_TICKET = _of("balie.queue_ticket", "BLS_BON", "BONID")
_APPOINTMENT = _of("balie.appointment", "BLS_AFSPRAAK", "AFSPNR")
_CONTACT = _of("balie.contact", "BLS_BON", "BONID")
_CASE = _of("zaak.case", "ZKN_ZAAK", "ZAAKNR")
_PERSON = _of("zaak.person", "ZKN_PERSOON", "PERSID")
_STATUS = _of("zaak.case_status", "ZKN_STATUS", "STATID")
_ROLE = _of("zaak.case_role", "ZKN_BETROK", "BETRID")
_PROPERTY = _of("zaak.case_property", "ZKN_KENMERK", "KENMID")
_DOCUMENT = _of("zaak.case_document", "ZKN_DOC", "DOCID")
_COMPLAINT = _of("klachten.contact", "KLACHT", "_sheet || '|' || Nr")
_WMO = _of("oudwmo.case", "BERICHT", "zaaknr")
_CALL = _of("kcc.contact", "KCC_CONTACT", "Contactnr")
_HAND_OUT = "SELECT AANVRNR || '|{}' FROM UITREIKING WHERE "


def _kind(of: dict[str, str], where: str, treated: str) -> Kind:
    return Kind(of["mapping"], of["keys"] + where, treated)


KINDS = {
    "B01": _kind(_of("balie.party_identifier", "BLS_KLANT", "KLANTNR"), "LENGTH(SOFINR) = 8", "LENGTH(f_value) = 9"),
    "B02": _kind(_PARTY, "SOFINR IN ('999999999', '123456789', '000000000')", "said LIKE '%number step-failed%'"),
    "B03": _kind(_CONTACT, "COALESCE(KLANTNR, 0) = 0", "f_party_id IS NULL AND outcome = 'loaded'"),
    "B04": _kind(_TICKET, "BONNR LIKE '%001'", "f_series = '0'"),
    "B05": _kind(_TICKET, "1", "f_series = '1'"),
    "B06": _kind(_TICKET, "PRODCODE LIKE '% '", "f_product_code NOT LIKE '% '"),
    "B07": _kind(_TICKET, "TIJD_BEG = '000000'", "f_service_started_at IS NULL AND outcome = 'loaded'"),
    "B08": _kind(_TICKET, "TIJD_EIND < TIJD_BEG", "said LIKE '%tijden op volgorde%'"),
    "B09": _kind(_TICKET, "TIJD_EIND = '235959'", "f_status = 'systeem_afgesloten' AND f_service_ended_at IS NULL"),
    "B10": _kind(_TICKET, "TIJD_UIT LIKE '02%'", "said LIKE '%klokwissel%' AND f_issued_at IS NOT NULL"),
    "B11": _kind(_PARTY, "LENGTH(TRIM(GEBDAT)) = 8", "f_birth_date IS NOT NULL"),
    "B12": _kind(_PARTY, "GEBDAT LIKE '00-00-19%'", "f_birth_date_text LIKE '%0000'"),
    "B13": _kind(_PARTY, "GESL IN ('0', '1', '2')", "f_gender IN ('m', 'v', 'o')"),
    "B14": _kind(_PARTY, "NAAM LIKE '%, %'", "f_surname_prefix IS NOT NULL"),
    "B15": _kind(_PARTY, "NAAM LIKE '%Ã%'", "f_surname NOT LIKE '%Ã%'"),
    "B16": _kind(_PARTY, "1", "record LIKE 'balie.party:%' AND record <> 'balie.party:' || key"),
    "B17": Kind(
        "balie.party_digital",
        "SELECT KLANTNR || '|telefoon' FROM BLS_KLANT WHERE TELNR IN ('0123456789', '0600000000', 'nvt')",
        "reason LIKE '%(B17)'",
    ),
    "B18": Kind(
        "balie.party_digital",
        "SELECT KLANTNR || '|telefoon' FROM BLS_KLANT WHERE TELNR LIKE '% na 18u'",
        "LENGTH(f_value) = 10 AND f_description IS NOT NULL",
    ),
    "B19": _kind(_of("balie.address", "BLS_KLANT", "KLANTNR"), "HUISNR LIKE '% _-%'", "f_house_letter IS NOT NULL"),
    "B20": _kind(_of("balie.address", "BLS_KLANT", "KLANTNR"), "POSTC LIKE 'B-%'", "f_line1 LIKE 'B-2300%'"),
    "B21": _kind(_TICKET, "PRODCODE IN ('VOGNTP  ', 'TOERKA  ', 'EURPAS  ')", "f_product_code = 'ONBEKEND'"),
    "B22": _kind(_APPOINTMENT, "KANAAL = 'WEB'", "f_booked_channel_id = 'channel:webformulier'"),
    "B23": _kind(_APPOINTMENT, "PRODCODES LIKE '%,%'", "f_extra_products IS NOT NULL"),
    "B24": _kind(_TICKET, "TRIM(MEDCODE) = '' AND MEDNAAM <> ''", "f_actor_id LIKE 'balie.actor:%'"),
    "B25": _kind(_TICKET, "DATUM < '20120301' AND MEDCODE <> ''", "f_actor_id LIKE 'seed.actor:%-1'"),
    "B26": _kind(_TICKET, "AFSPNR >= 70000000", "said LIKE '%appointment_id orphan%' AND f_appointment_id IS NULL"),
    "B27": _kind(_APPOINTMENT, "ZAAKNR LIKE 'zk %'", "f_case_id IS NOT NULL"),
    "B28": _kind(_of("balie.contact", "BLS_KASSA", "BONID"), "BEDRAG LIKE '%-'", "f_metadata LIKE '%\"leges\":\"-%'"),
    "B29": _kind(_TICKET, "OPM = 'TEST'", "reason = 'Testbonnen (B29)'"),
    "B30": _kind(_TICKET, "1", "said LIKE '%het dagtotaal is het aantal bonnen (B30)%'"),
    "B31": _kind(_TICKET, "DATMUT = '20991231000000'", "outcome = 'loaded'"),
    "B32": _kind(_PARTY, "KLANTNR % 40 = 3", "outcome = 'loaded'"),
    "Z01": _kind(_CASE, "DATSTREEF = '00000000'", "f_planned_end_date IS NULL AND outcome = 'loaded'"),
    "Z02": _kind(_CASE, "DATVERN = '99991231'", "f_archive_action_date IS NULL AND outcome = 'loaded'"),
    "Z03": _kind(_PERSON, "GEBDAT LIKE '19%00'", "f_birth_date_text LIKE '%00'"),
    "Z04": _kind(_CASE, "DATSTART LIKE '%0230'", "said LIKE '%start_date date-invalid%' AND outcome = 'rejected'"),
    "Z05": _kind(_CASE, "DATSTREEF LIKE '21%' OR DATFATAAL LIKE '21%'", "said LIKE '%end_date warn-if%'"),
    "Z06": _kind(_CASE, "DATAFH < DATSTART AND DATAFH LIKE '20%'", "said LIKE '%rule-failed%'"),
    "Z07": Kind(
        "zaak.case_result",
        "SELECT ZAAKNR FROM ZKN_ZAAK WHERE STATUS = 'AF' AND TRIM(RESCODE) = ''",
        "said LIKE '%result_type_id warn-if%' AND f_result_type_id IS NOT NULL",
    ),
    "Z08": _kind(
        _CASE,
        "STATUS = 'AF' AND COALESCE(DATAFH, '') NOT LIKE '20%'",
        "said LIKE '%end_date warn-if%' AND f_end_date IS NOT NULL",
    ),
    "Z09": _kind(_STATUS, "ZAAKNR NOT IN (SELECT ZAAKNR FROM ZKN_ZAAK)", "said LIKE '%case_id orphan%'"),
    "Z10": _kind(
        _of("zaak.case_status_made", "ZKN_ZAAK", "ZAAKNR"),
        "ZAAKNR NOT IN (SELECT ZAAKNR FROM ZKN_STATUS)",
        "f_status_type_id IS NOT NULL",
    ),
    "Z11": _kind(_STATUS, "1", "said LIKE '%set_at moment-shifted%'"),
    "Z12": _kind(_STATUS, "FASENR > 6", "said LIKE '%status_type_id orphan%' AND outcome = 'rejected'"),
    "Z13": _kind(
        _STATUS,
        "EXISTS (SELECT 1 FROM ZKN_STATUS l WHERE l.ZAAKNR = ZKN_STATUS.ZAAKNR AND l.FASENR < ZKN_STATUS.FASENR"
        " AND l.DATSTAT > ZKN_STATUS.DATSTAT)",
        "outcome = 'loaded'",
    ),
    "Z14": _kind(_CASE, "BEHAND = '???'", "f_handler_actor_id LIKE 'zaak.unit:%'"),
    "Z15": _kind(_CASE, "AANVRID = 0", "said LIKE '%de aanvrager is bekend%'"),
    "Z16": _kind(_ROLE, "ROLCODE LIKE 'AANVR%'", "said LIKE '%noemen dezelfde aanvrager%'"),
    "Z17": _kind(_ROLE, "ROLCODE LIKE 'AANVR%'", "f_role_type_id LIKE '%|mede_initiator'"),
    "Z18": _kind(_CASE, "KANAAL IN ('nvt   ', 'N.V.T.')", "f_channel_id IS NULL AND outcome = 'loaded'"),
    "Z19": _kind(_CASE, "TRIM(KANAAL) IN ('BEELD', 'KIOSK')", "f_channel_id = 'channel:onbekend'"),
    "Z20": _kind(_PARTY, "1", "record LIKE 'zaak.person:%'"),
    "Z21": _kind(_PERSON, "1", "said LIKE '%identity-disputed%'"),
    "Z22": _kind(_CASE, "LENGTH(ONDERWERP) > 80", "LENGTH(f_description) <= 80 AND LENGTH(f_explanation) > 80"),
    "Z23": _kind(_CASE, "TOELICHT LIKE '{%rtf%'", "f_explanation NOT LIKE '%rtf%'"),
    "Z24": _kind(_CASE, "TOELICHT LIKE '% bsn 9%'", "said LIKE '%explanation warn-if%'"),
    "Z25": _kind(_PROPERTY, "TYPE = 'JN'", "f_value IN ('ja', 'nee')"),
    "Z26": _kind(_PROPERTY, "LENGTH(NAAM) > 20", "LENGTH(f_name) <= 20"),
    "Z27": _kind(_DOCUMENT, "BESTAND LIKE 'H:%'", "said LIKE '%werkplek (Z27)%' AND f_content_ref IS NULL"),
    "Z28": _kind(_DOCUMENT, "AUTEUR = ''", "f_author = 'Onbekend'"),
    "Z29": _kind(_DOCUMENT, "VERSIE IN ('def', '1a', '1.0')", "f_version IN ('1', '2', '3')"),
    "Z30": Kind(
        "zaak.person_digital",
        "SELECT PERSID || '|email' FROM ZKN_PERSOON WHERE LENGTH(EMAIL) = 32",
        "said LIKE '%afgekapt (Z30)%' AND outcome = 'rejected'",
    ),
    "Z31": _kind(_of("zaak.case_old_number", "ZKN_ZAAK", "ZAAKNR"), "ZAAKID_OUD LIKE 'W%'", "f_value LIKE 'W%'"),
    "Z32": _kind(_CASE, "VERSIE = 2", "f_case_type_id LIKE '%|2'"),
    "Z33": Kind(
        "zaak.case_relation",
        "SELECT TRIM(ZAAKNR1) || '|' || TRIM(ZAAKNR2) FROM ZKN_RELATIE WHERE ZAAKNR1 < ZAAKNR2",
        "outcome = 'out_of_scope'",
    ),
    "Z34": _kind(_CASE, "HOOFDZAAK <> ''", "said LIKE '%parent_case_id warn-if%'"),
    "Z35": _kind(_CASE, "DELETED = 'J'", "outcome = 'out_of_scope'"),
    "Z36": _kind(_CASE, "MUTTIJD IS NULL", "f_last_modified_at IS NOT NULL"),
    "Z37": _kind(_PERSON, "INDGEHEIM = '7'", "f_is_secret = '1'"),
    "Z38": Kind(
        "zaak.company_identifier",
        "SELECT BEDRID || '|kvk_nummer' FROM ZKN_BEDRIJF WHERE LENGTH(KVKNR) = 7",
        "f_value LIKE '0%' AND LENGTH(f_value) = 8",
    ),
    "Z39": _kind(_CASE, "ARCHIEF = 'V' AND DATVERN < '20200101'", "said LIKE '%archive_action_date warn-if%'"),
    "F01": _kind(_CALL, "_file LIKE '%201503%'", "outcome = 'loaded' AND f_content NOT LIKE '%Ã%'"),
    "F02": _kind(_CALL, "Vraag LIKE 'Zei: \"%'", "f_content LIKE 'Zei: \"%\"'"),
    "F03": _kind(_CALL, "Vraag LIKE '%' || CHAR(13, 10) || '%'", "f_content LIKE '%Graag terugbellen.'"),
    "F04": _kind(_CALL, "Bedrag LIKE '€%'", "f_metadata LIKE '%\"bedrag\":\"%'"),
    "F05": _kind(_CALL, "_file LIKE '%201404%' AND Datum LIKE '04/%'", "f_occurred_at LIKE '2014-04-%'"),
    "F06": Kind(
        "kcc.contact_digital",
        "SELECT Contactnr || '|telefoon' FROM KCC_CONTACT WHERE _file < 'KCC_CONTACT_201501' AND Telefoon <> ''",
        "LENGTH(f_value) = 10",
    ),
    "F07": _kind(_CALL, "BSN LIKE '%E+08'", "said LIKE '%number step-failed%'"),
    "F08": _kind(_CALL, "BSN LIKE '___.___.___'", "said NOT LIKE '%step-failed%'"),
    "F11": _kind(_CALL, "Contactnr IN (SELECT Contactnr FROM KCC_CONTACT GROUP BY 1 HAVING COUNT(*) > 1)", "outcome = 'loaded'"),
    "F20": _kind(_COMPLAINT, "_sheet = '2012'", "outcome = 'loaded'"),
    "F21": _kind(_COMPLAINT, "Ontvangen LIKE '% % 20__'", "f_occurred_at IS NOT NULL"),
    "F22": _kind(_COMPLAINT, "_sheet = '2013' AND Afgehandeld IS NULL", "f_ended_at IS NULL AND outcome = 'loaded'"),
    "F23": _kind(_COMPLAINT, "Zaaknr IS NULL", "f_metadata NOT LIKE '%zaaknummer%'"),
    "F24": _kind(_COMPLAINT, "\"Hoe binnengekomen\" LIKE 'TEL'", "f_channel_id = 'channel:telefoon'"),
    "F25": _kind(_COMPLAINT, "Zaaknr LIKE '% + %'", "said LIKE '%(F25)%' AND f_metadata LIKE '%zaaknummer%'"),
    "F10": Kind(
        "uitreik.case_property",
        _HAND_OUT.format("uitgereikt_op") + "_file = 'UITREIK_20171002.TXT'",
        "outcome = 'loaded' AND f_value LIKE '2017%'",
    ),
    "F12": Kind(
        "uitreik.case_property",
        _HAND_OUT.format("naam_op_document") + "_file = 'UITREIK_20170630.TXT' AND NAAM LIKE 'Zoë%'",
        "outcome = 'loaded' AND f_value LIKE 'Zoë %'",
    ),
    "F14": Kind(
        "uitreik.case_property",
        _HAND_OUT.format("leges_document") + "LEGES LIKE '%}' OR LEGES LIKE '%Q'",
        "outcome = 'loaded' AND f_value LIKE '-%'",
    ),
    "F15": _kind(
        _WMO,
        "gepland = 'geenWaarde' AND tijd = (SELECT MAX(tijd) FROM BERICHT b WHERE b.zaaknr = BERICHT.zaaknr)",
        "f_planned_end_date IS NULL",
    ),
    "F16": _kind(
        _of("oudwmo.person", "BERICHT", "zaaknr"), "onvolledig IN ('D', 'M', 'J')", "f_birth_date IS NULL"
    ),
    "F17": _kind(
        _WMO,
        "soort = 'T' AND tijd > (SELECT MIN(tijd) FROM BERICHT b WHERE b.zaaknr = BERICHT.zaaknr)",
        "said LIKE '%(F17)%'",
    ),
    "F18": _kind(
        _of("oudwmo.case_handler", "BERICHT", "zaaknr || '|' || medewerker"),
        "LENGTH(medewerker) = 24",
        "f_actor_id LIKE 'zaak.actor:%'",
    ),
    "F19": _kind(_WMO, "kanaalcode IS NOT NULL", "f_channel_id IS NOT NULL"),
}
"""By its id in the catalogue of dirt: all kinds of databases, and those of files that mappings treat."""
