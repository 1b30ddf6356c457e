"""The small tables of both old systems: the same in every demo, whatever its seed and size."""

from __future__ import annotations

from dataclasses import dataclass

LOCATIONS = (
    ("STKTR1", "Stadskantoor Centrum", "Stadhuisplein 130, 5038 TC Tilburg", "J"),
    ("WSPNRD", "Wijkservicepunt Noord", "Verdiplein 1, 5049 NB Tilburg", "J"),
    ("WSPREE", "Wijkservicepunt Reeshof", "Heerevelden 12, 5045 AB Tilburg", " "),
)
LOCATION_WEIGHTS = (("STKTR1", 6), ("WSPNRD", 2), ("WSPREE", 2))
DESKS = ("01", "02", "03", "04", "05", "B6", "B7")
QUEUES = (("A", "Reisdocumenten"), ("B", "Rijbewijzen"), ("C", "Overig"), ("D", "Afspraken"))


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the counter: code, name, minutes, fee as printed, case type (or empty), queue letter, weight."""

    code: str
    name: str
    minutes: int
    fee: str
    case_type: str
    queue: str
    weight: int


PRODUCTS = (
    Product("PASAAN", "Paspoort aanvragen", 10, "73,20", "PASPOORT", "A", 14),
    Product("PASUIT", "Paspoort ophalen", 5, "", "", "A", 12),
    Product("IDKAAN", "Identiteitskaart aanvragen", 10, "56,80", "PASPOORT", "A", 8),
    Product("IDKUIT", "Identiteitskaart ophalen", 5, "", "", "A", 7),
    Product("RIJBEW", "Rijbewijs aanvragen", 8, "41,00", "RIJBEWIJS", "B", 10),
    Product("RIJUIT", "Rijbewijs ophalen", 4, "", "", "B", 9),
    Product("UITTR", "Uittreksel aanvragen", 5, "13,20", "UITTREKSEL", "C", 8),
    Product("VOG", "Verklaring omtrent gedrag", 6, "41,35", "VOG", "C", 4),
    Product("VERHUIS", "Verhuizing doorgeven", 7, "", "VERHUIZING", "C", 6),
    Product("GEBAAN", "Geboorte aangeven", 15, "", "GEBOORTE", "C", 2),
    Product("OVERL", "Overlijden aangeven", 20, "", "OVERLIJDEN", "C", 1),
    Product("HUWEL", "Huwelijk of partnerschap", 25, "425,00", "HUWELIJK", "D", 1),
    Product("PARKV", "Parkeervergunning", 8, "32,50", "PARKVERG", "C", 4),
    Product("GEHPK", "Gehandicaptenparkeerkaart", 12, "67,15", "GEHPARK", "C", 1),
    Product("NATUR", "Naturalisatie", 30, "1.073,20", "NATURALIS", "D", 1),
    Product("LEGAL", "Legalisatie handtekening", 5, "9,75", "", "C", 2),
    Product("INFO", "Informatie", 4, "", "", "C", 8),
    Product("MELD", "Melding openbare ruimte", 6, "", "MELDOPENB", "C", 2),
)
PRODUCT_WEIGHTS = tuple((product.code, product.weight) for product in PRODUCTS)
APPLY_FOR = {"PASPOORT": "PASAAN", "RIJBEWIJS": "RIJBEW", "UITTREKSEL": "UITTR", "VOG": "VOG", "VERHUIZING": "VERHUIS",
             "PARKVERG": "PARKV", "GEHPARK": "GEHPK", "NATURALIS": "NATUR", "HUWELIJK": "HUWEL"}
"""The case types that begin at the counter, with the product of the ticket."""
HAND_OUT = {"PASPOORT": "PASUIT", "RIJBEWIJS": "RIJUIT"}
"""The case types whose document is handed out at the counter, with the product of that ticket."""
RETIRED_PRODUCTS = ("VOGNTP", "TOERKA", "EURPAS")
"""Codes on tickets that the product table no longer knows (B21)."""


@dataclass(frozen=True, slots=True)
class CounterEmployee:
    """An employee of the counter: code, initials, surname with its prefix, nickname at the desk."""

    code: str
    initials: str
    surname: str
    nickname: str

    @property
    def plain(self) -> str:
        """The name as people write it: ``P. de Vries``."""
        return f"{self.initials} {self.surname}"

    @property
    def inverted(self) -> str:
        """The name as lists write it: ``Vries, P. de``."""
        prefix, _, name = self.surname.rpartition(" ")
        return f"{name}, {self.initials} {prefix}".strip()


def _counter(code: str, initials: str, surname: str, nickname: str) -> CounterEmployee:
    return CounterEmployee(code, initials, surname, nickname)


COUNTER_EMPLOYEES = (
    _counter("JANSEN01", "P.", "Jansen", "petra"), _counter("VRIES01", "A.", "de Vries", "anita"),
    _counter("BAKKER01", "M.", "Bakker", "mo"), _counter("VISSER01", "K.", "Visser", "karin"),
    _counter("SMIT01", "J.", "Smit", "jeroen"), _counter("MEIJER01", "L.", "Meijer", "loes"),
    _counter("MULDER01", "H.", "Mulder", "henk"), _counter("BOS01", "T.", "Bos", "trudy"),
    _counter("VOS01", "D.", "Vos", "dirk"),
    _counter("PETERS01", "S.", "Peters", "sanne"), _counter("HENDR01", "F.", "Hendriks", "fatima"),
    _counter("DEKKER01", "R.", "Dekker", "ron"), _counter("BROUW01", "I.", "Brouwer", "ingrid"),
    _counter("DIJK01", "B.", "van Dijk", "bas"), _counter("LEEUW01", "C.", "de Leeuw", "carla"),
    _counter("KOK01", "W.", "Kok", "willem"), _counter("JACOBS01", "E.", "Jacobs", "els"),
    _counter("HAAN01", "N.", "de Haan", "noor"),
    _counter("VERM01", "G.", "Vermeulen", "gerda"), _counter("SCHOL01", "Y.", "Scholten", "yusuf"),
)
WORKING_CODES = tuple(employee.code for employee in COUNTER_EMPLOYEES)
LEFT_COUNTER = ("VRIES01", "PETERS01", "KOK01")
TEST_USER = "TESTER"
STRAY_NAMES = ("uitzendkracht 3", "stagiair", "invaller ma/di")
"""Names typed at the desk that belong to nobody on the list (B24)."""
REISSUED = ("JANSEN01", "VRIES01", "BAKKER01", "VISSER01", "SMIT01")
"""B25: codes that belonged to somebody else before 1 March 2012."""

COUNTER_CODES = (
    ("BONSTAT", "WA", "Wachtend"), ("BONSTAT", "OP", "Opgeroepen"), ("BONSTAT", "BE", "In behandeling"),
    ("BONSTAT", "AF", "Afgehandeld"), ("BONSTAT", "NV", "Niet verschenen"), ("BONSTAT", "DV", "Doorverwezen"),
    ("BONSTAT", "AN", "Geannuleerd"), ("BONSTAT", "SY", "Door systeem afgesloten"),
    ("AFSPSTAT", "1", "Gepland"), ("AFSPSTAT", "2", "Bevestigd"), ("AFSPSTAT", "3", "Verschenen"),
    ("AFSPSTAT", "4", "Niet verschenen"), ("AFSPSTAT", "5", "Geannuleerd"),
    ("KANAAL", "INT", "Internet"), ("KANAAL", "TEL", "Telefoon"), ("KANAAL", "BAL", "Balie"),
    ("BETWIJZE", "P", "Pin"), ("BETWIJZE", "C", "Contant"), ("BETWIJZE", "R", "Op rekening"),
)

_SHORT = ("Ontvangen", "In behandeling", "Gereed", "Afgehandeld")
_LONG = ("Ontvangen", "Ontvankelijk verklaard", "In behandeling", "Besluit genomen", "Afgehandeld")
_WIDE = ("Ontvangen", "Ontvankelijk verklaard", "Advies gevraagd", "In behandeling", "Besluit genomen", "Afgehandeld")


@dataclass(frozen=True, slots=True)
class CaseType:
    """One version of a case type; days as ``yyyymmdd``, phases in order, the last one is the final one."""

    code: str
    version: int
    name: str
    department: str
    weight: int
    period: str
    period_kind: str
    confidentiality: str
    retention: int
    valid_from: str
    valid_to: str
    phases: tuple[str, ...]


def _type(
    code: str, version: int, name: str, department: str, weight: int, period: str, confidentiality: str, retention: int,
    phases: tuple[str, ...], valid_from: str = "20060101", valid_to: str = "99991231",
) -> CaseType:
    kind = "K" if period.endswith("d") else "W"
    return CaseType(
        code, version, name, department, weight, period, kind, confidentiality, retention, valid_from, valid_to, phases)


# Four types have versions that overlap or leave a gap (Z32): the version of a case is what the case says.
CASE_TYPES: tuple[CaseType, ...] = (
    _type("PASPOORT", 1, "Paspoort of identiteitskaart aanvragen", "BURG", 18, "2 weken", "ZAAKVERTROUWELIJK",
          11, _SHORT),
    _type("RIJBEWIJS", 1, "Rijbewijs aanvragen", "BURG", 13, "10d", "ZAAKVERTROUWELIJK", 5, _SHORT),
    _type("UITTREKSEL", 1, "Uittreksel basisregistratie aanvragen", "BURG", 9, "5d", "", 1, _SHORT),
    _type("VERHUIZING", 1, "Verhuizing doorgeven", "BURG", 8, "P5D", "n.v.t.", 5, _SHORT),
    _type("GEBOORTE", 1, "Geboorte aangeven", "BURG", 3, "3d", "", 100, _SHORT),
    _type("OVERLIJDEN", 1, "Overlijden aangeven", "BURG", 2, "3d", "", 100, _SHORT),
    _type("HUWELIJK", 1, "Huwelijk of partnerschap melden", "BURG", 2, "P8W", "", 100, _SHORT),
    _type("VOG", 1, "Verklaring omtrent gedrag aanvragen", "BURG", 5, "4 weken", "VERTROUWELIJK", 1, _SHORT),
    _type("NATURALIS", 1, "Naturalisatie aanvragen", "BURG", 1, "52 weken", "VERTROUWELIJK", 12, _LONG),
    _type("PARKVERG", 1, "Parkeervergunning aanvragen", "PARK", 6, "6 weken", "OPENBAAR", 5, _SHORT,
          "20060101", "20111231"),
    _type("PARKVERG", 2, "Parkeervergunning aanvragen", "PARK", 6, "P6W", "ZAAKVERTROUWELIJK", 7, _LONG, "20120301"),
    _type("GEHPARK", 1, "Gehandicaptenparkeerkaart aanvragen", "WMO", 3, "8 weken", "VERTROUWELIJK", 7, _LONG),
    _type("OMGEVING", 1, "Omgevingsvergunning aanvragen", "VERG", 8, "12 weken", "OPENBAAR", 20, _LONG,
          "20060101", "20101231"),
    _type("OMGEVING", 2, "Omgevingsvergunning aanvragen", "VERG", 8, "56d", "OPENBAAR", 20, _WIDE, "20101001"),
    _type("EVENEMENT", 1, "Evenementenvergunning aanvragen", "VERG", 3, "8 weken", "OPENBAAR", 5, _LONG,
          "20060101", "20140630"),
    _type("EVENEMENT", 2, "Evenementenvergunning aanvragen", "VERG", 3, "P8W", "OPENBAAR", 5, _LONG, "20140401"),
    _type("MELDOPENB", 1, "Melding openbare ruimte", "BEHR", 4, "14d", "BEPERKT OPENBAAR", 1, _SHORT),
    _type("STANDPL", 1, "Standplaatsvergunning aanvragen", "VERG", 1, "8 weken", "OPENBAAR", 5, _LONG),
    _type("BEZWAAR", 1, "Bezwaarschrift behandelen", "JUR", 2, "12 weken", "VERTROUWELIJK", 10, _LONG,
          "20060101", "20110630"),
    _type("BEZWAAR", 2, "Bezwaarschrift behandelen", "JUR", 2, "P12W", "VERTROUWELIJK", 10, _WIDE, "20110901"),
    _type("KLACHT", 1, "Klacht behandelen", "JUR", 2, "6 weken", "VERTROUWELIJK", 5, _LONG),
    _type("SUBSIDIE", 1,
          "Subsidie aan instellingen: aanvraag, verlening, verantwoording en vaststelling van de bijdrage", "FIN", 2,
          "13 weken", "INTERN", 10, _LONG),
    _type("KWIJTSCH", 1, "Kwijtschelding belastingen aanvragen", "FIN", 2, "8 weken", "VERTROUWELIJK", 7, _LONG),
    _type("BIJSTAND", 1, "Bijstandsuitkering aanvragen", "SOZA", 3, "8 weken", "VERTROUWELIJK", 10, _LONG,
          "20060101", "20141231"),
    _type("BIJSTAND", 2, "Bijstandsuitkering aanvragen", "SOZA", 3, "P8W", "VERTROUWELIJK", 10, _WIDE, "20150101"),
    _type("WMO", 1, "Wmo-voorziening aanvragen", "WMO", 3, "6 weken", "CONFIDENTIEEL", 15, _LONG, "20060101",
          "20141231"),
    _type("WMO", 2, "Wmo-voorziening aanvragen", "WMO", 3, "P8W", "VERTROUWELIJK", 15, _WIDE, "20150101"),
    _type("LEERLVERV", 1, "Leerlingenvervoer aanvragen", "SOZA", 1, "8 weken", "VERTROUWELIJK", 10, _LONG),
)

LEVEL_OF_TYPE = {
    "PARKVERG": "zaakvertrouwelijk", "GEHPARK": "vertrouwelijk", "RIJBEWIJS": "zaakvertrouwelijk",
    "PASPOORT": "zaakvertrouwelijk",
    "UITTREKSEL": "zaakvertrouwelijk", "VERHUIZING": "zaakvertrouwelijk", "GEBOORTE": "zaakvertrouwelijk",
    "OVERLIJDEN": "zaakvertrouwelijk",
    "HUWELIJK": "zaakvertrouwelijk", "VOG": "vertrouwelijk", "OMGEVING": "openbaar", "EVENEMENT": "openbaar",
    "MELDOPENB": "beperkt_openbaar",
    "BEZWAAR": "vertrouwelijk", "KLACHT": "vertrouwelijk", "BIJSTAND": "vertrouwelijk", "WMO": "vertrouwelijk",
    "SUBSIDIE": "zaakvertrouwelijk",
    "KWIJTSCH": "vertrouwelijk", "NATURALIS": "vertrouwelijk", "LEERLVERV": "vertrouwelijk", "STANDPL": "openbaar",
}
"""How confidential a case of a type is when nobody said so."""

DEPARTMENTS = (
    ("BURG", "Burgerzaken", "", ""), ("PUBL", "Publiekszaken", "BURG", ""), ("VERG", "Vergunningen", "", ""),
    ("BOUW", "Bouw- en Woningtoezicht", "", "20101001"), ("PARK", "Parkeren", "", ""),
    ("SOZA", "Sociale Zaken", "", ""),
    ("WMO", "Wmo-loket", "SOZA", ""), ("JUR", "Juridische Zaken", "", ""), ("FIN", "Financiën", "", ""),
    ("BEHR", "Beheer openbare ruimte", "", ""),
)
"""Code, name, code of the department it came from, day it was closed."""
TEAM_NAMES = ("Team Vergunn.", "Burgerzaken", "???")
"""What stands in the handler's field instead of a person (Z14)."""
UNLISTED_HANDLERS = ("J. Dekkers", "M. de Haas", "uitzendkracht")

OFFICERS = (
    ("PETERSM", "Peters", "M.", "VERG", ""), ("JANSENP", "Jansen", "P.", "BURG", ""),
    ("VRIESA", "de Vries", "A.", "BURG", ""),
    ("BAKKERL", "Bakker", "L.", "BURG", ""), ("SMITJ", "Smit", "J.", "JUR", ""),
    ("MULDERH", "Mulder", "H.", "VERG", ""),
    ("BOSR", "Bos", "R.", "PARK", ""), ("VOSK", "Vos", "K.", "SOZA", "20130701"),
    ("HENDRIKSF", "Hendriks", "F.", "FIN", ""),
    ("DEKKERS", "Dekker", "S.", "BURG", ""), ("BROUWERI", "Brouwer", "I.", "WMO", ""),
    ("DIJKB", "van Dijk", "B.", "BEHR", ""),
    ("LEEUWC", "de Leeuw", "C.", "SOZA", ""), ("KOKW", "Kok", "W.", "JUR", ""), ("JACOBSE", "Jacobs", "E.", "WMO", ""),
    ("HAANN", "de Haan", "N.", "PUBL", ""), ("VERMEULENG", "Vermeulen", "G.", "VERG", "20160101"),
    ("SCHOLTENY", "Scholten", "Y.", "FIN", ""), ("BERGT", "van den Berg", "T.", "PARK", ""),
    ("MEIJERO", "Meijer", "O.", "BURG", ""),
    ("KONINGD", "de Koning", "D.", "JUR", ""), ("HOEKSTRAV", "Hoekstra", "V.", "SOZA", ""),
    ("PRINSU", "Prins", "U.", "BOUW", "20101001"),
    ("WALY", "van der Wal", "Y.", "PUBL", ""),
)
"""MEDID, surname, initials, department, last day (empty: still there)."""
OFFICER_IDS = tuple(row[0] for row in OFFICERS)

CASE_CODES = (
    ("RES", "AFG", "Afgehandeld", ""), ("RES", "VERL", "Verleend", ""), ("RES", "WEIG", "Geweigerd", ""),
    ("RES", "GEWEIG", "Geweigerd (oud)", "J"), ("RES", "INTR", "Ingetrokken", ""),
    ("RES", "INGETR", "Ingetrokken (oud)", "J"),
    ("RES", "NONTV", "Niet ontvankelijk", ""), ("RES", "GEGR", "Gegrond", ""), ("RES", "ONGEGR", "Ongegrond", ""),
    ("KAN", "BALIE", "Balie", ""), ("KAN", "TEL", "Telefoon", ""), ("KAN", "EMAIL", "E-mail", ""),
    ("KAN", "POST", "Post", ""),
    ("KAN", "WEB", "Digitaal formulier", ""), ("KAN", "TELEF", "Telefoon (oud)", "J"),
    ("KAN", "MAIL", "E-mail (oud)", "J"),
    ("ROL", "AANVR", "Aanvrager", ""), ("ROL", "BEHAND", "Behandelaar", ""), ("ROL", "BELANG", "Belanghebbende", ""),
    ("ROL", "GEMACH", "Gemachtigde", ""), ("ROL", "ADVIES", "Adviseur", ""), ("ROL", "BESLIS", "Beslisser", ""),
    ("ROL", "COORD", "Zaakcoördinator", ""), ("ROL", "CONTAC", "Contactpersoon", ""),
    ("BET", "N", "N.v.t.", ""), ("BET", "O", "(Nog) niet", ""), ("BET", "D", "Gedeeltelijk", ""),
    ("BET", "G", "Geheel", ""),
    ("DOC", "AANVR", "Aanvraagformulier", ""), ("DOC", "BESLUI", "Besluit", ""), ("DOC", "BRIEF", "Brief", ""),
    ("DOC", "BIJL", "Bijlage", ""), ("DOC", "ADVIES", "Advies", ""), ("DOC", "FOTO", "Foto", "J"),
    ("VTR", "OPENB", "Openbaar", ""), ("VTR", "INT", "Intern", ""), ("VTR", "VERTR", "Vertrouwelijk", ""),
    ("LND", "6030", "Nederland", ""), ("LND", "5010", "België", ""), ("LND", "9089", "Bondsrepubliek Duitsland", ""),
)
RESULT_WEIGHTS = (("VERL", 60), ("AFG", 22), ("WEIG", 7), ("INTR", 6), ("NONTV", 3), ("GEWEIG", 1), ("INGETR", 1))
CHANNEL_WEIGHTS = (("BALIE", 42), ("TEL", 9), ("EMAIL", 11), ("POST", 17), ("WEB", 18), ("INTERN", 2), ("HUISB", 1))

BUSINESS_NAMES = (
    "Bouwbedrijf", "Bakkerij", "Garage", "Stichting", "Café", "Slagerij", "Administratiekantoor", "Fietsenmaker",
                  "Kinderopvang", "Hoveniersbedrijf", "Drukkerij", "Restaurant", "Vereniging", "Installatiebedrijf")
LEGAL_FORMS = (("BV", 50), ("NV", 5), ("ST", 14), ("VE", 10), ("VF", 12), ("MS", 3), ("CV", 2), ("EZ", 4))
"""Codes of the legal form; EZ, a one-person business, has no counterpart in the new list."""

CONTACT_CHANNELS = (
    ("Telefoon", 50), ("telefonisch", 8), ("TEL", 4), ("E-mail", 16), ("email", 3), ("Post", 5), ("Balie", 6),
    ("Whatsapp", 5),
    ("WhatsApp", 2), ("Twitter", 1),
)
"""Channels as typed at the contact centre."""
CONTACT_STRAY_CHANNEL = "beeldbellen"
"""A channel that no list knows."""
US_ORDER_FILES = ("201404", "201409", "201506")
"""Months whose file writes days in the order month/day/year (F05)."""
ISO_ORDER_FILES = ("201411", "201508")
"""Months whose file writes days as year-month-day (F05)."""
UTF8_FILES = ("201503",)
"""Months whose file is UTF-8 with a byte order mark in a series of cp1252 (F01)."""
TWICE_FILES = ("201507",)
"""Months whose file was delivered once more, under a name of its own (F10)."""
CORRECTED_FILES = ("201510",)
"""Months whose file was delivered once more with corrections (F10): the rows of the later one count."""
CONTACT_MONTHS = tuple(f"{year}{month:02d}" for year in (2014, 2015) for month in range(1, 13))
