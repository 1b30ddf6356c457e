"""Names, streets and texts that read as real; none of them belongs to a person."""

from __future__ import annotations

SURNAMES: tuple[tuple[str, str, int], ...] = (
    ("", "Jansen", 20), ("", "Bakker", 16), ("", "Janssen", 14), ("", "Visser", 14), ("", "Smit", 14),
    ("", "Meijer", 13),
    ("", "Mulder", 12), ("", "Bos", 11), ("", "Peters", 11), ("", "Hendriks", 11), ("", "Dekker", 10),
    ("", "Brouwer", 10),
    ("", "Vermeulen", 10), ("", "Willems", 9), ("", "Kok", 9), ("", "Verhoeven", 9), ("", "Jacobs", 9), ("", "Maas", 8),
    ("", "Schouten", 8), ("", "Yilmaz", 7), ("", "El Amrani", 5), ("", "Kaya", 5), ("", "Nguyen", 4),
    ("", "Kowalski", 4),
    ("", "Martens", 6), ("", "Timmermans", 6), ("", "Prins", 6), ("", "Kuipers", 5), ("", "Vos", 8), ("", "Post", 4),
    ("de", "Vries", 16), ("de", "Jong", 18), ("de", "Groot", 11), ("de", "Boer", 12), ("de", "Wit", 7),
    ("de", "Bruijn", 7),
    ("den", "Hartog", 3), ("den", "Ouden", 4), ("van", "Dijk", 15), ("van", "Leeuwen", 9), ("van", "Dam", 7),
    ("van", "Vliet", 6),
    ("van der", "Meer", 9), ("van der", "Linden", 8), ("van der", "Heijden", 8), ("van den", "Berg", 17),
    ("van den", "Bosch", 8),
    ("van den", "Broek", 8), ("van de", "Ven", 7), ("van de", "Wiel", 4), ("ter", "Horst", 3), ("ten", "Brink", 3),
    ("van 't", "Hof", 3), ("in 't", "Veld", 2), ("", "Müller", 4), ("", "Böhm", 2), ("", "Çelik", 4), ("", "Coché", 2),
    ("", "Daniël", 3), ("", "García", 3), ("", "André", 3), ("", "Peña", 2), ("", "Hélène-Smits", 1),
    ("", "Jonker-Mulder", 3),
)
FEMALE = (
    "Anna", "Maria", "Johanna", "Petra", "Sanne", "Fatma", "Linda", "Ingrid", "Marieke", "Noor", "Zoë", "Esmée",
    "Willemijn",
          "Annemarie", "Karin", "Saskia", "Yvonne", "Aïcha", "Eva", "Lotte")
MALE = (
    "Johannes", "Pieter", "Hendrik", "Jan", "Kees", "Mohammed", "Bram", "Willem", "Thomas", "René", "Daniël",
    "Ruben", "Sjoerd",
        "Mehmet", "Frank", "Gerard", "Bas", "Tim", "Luuk", "Marcel")

STREETS = (
    "Spoorlaan", "Heuvelring", "Korvelseweg", "Besterdring", "Ringbaan-West", "Lijnsheike", "Hoefstraat",
    "Broekhovenseweg",
           "Groenstraat", "Goirkestraat", "Bredaseweg", "Quirijnstoklaan", "Wagnerplein", "Veldhovenring",
           "Beethovenlaan",
           "Trouwlaan", "Enschotsestraat", "Jan Heijnsstraat", "Wilhelminapark", "Sint Josephstraat", "Piushaven",
           "Vijverlaan", "Eikenlaan", "Kerkstraat", "Schoolstraat", "Dorpsstraat", "Molenstraat", "Burg. Suijsstraat",
           "Prof. Cobbenhagenln", "Oude Warandelaan")
CITIES = (("Tilburg", 16), ("Berkel-Enschot", 2), ("Udenhout", 1), ("Goirle", 1))
LETTERS = "ABCDEFGHJKLMNPRSTUVWXZ"

SUBJECTS: dict[str, tuple[str, ...]] = {
    "PASPOORT": ("Aanvraag paspoort", "Aanvraag identiteitskaart", "Spoedaanvraag paspoort"),
    "RIJBEWIJS": ("Aanvraag rijbewijs", "Verlenging rijbewijs", "Rijbewijs na vermissing"),
    "UITTREKSEL": ("Uittreksel BRP", "Afschrift geboorteakte", "Afschrift huwelijksakte"),
    "VERHUIZING": ("Verhuizing binnen de gemeente", "Vestiging vanuit andere gemeente"),
    "GEBOORTE": ("Aangifte geboorte",), "OVERLIJDEN": ("Aangifte overlijden",),
    "HUWELIJK": ("Melding huwelijk", "Melding geregistreerd partnerschap"),
    "VOG": ("Aanvraag VOG natuurlijk persoon",), "NATURALIS": ("Verzoek om naturalisatie",),
    "PARKVERG": ("Bewonersvergunning", "Tweede bewonersvergunning", "Wijziging kenteken"),
    "GEHPARK": ("Parkeerkaart bestuurder", "Parkeerkaart passagier", "Gehandicaptenparkeerplaats"),
    "OMGEVING": ("Dakkapel voorzijde", "Uitbouw achterzijde woning", "Bedrijfsunit oprichten", "Handelsreclame",
                 "Inrit aanleggen"),
    "EVENEMENT": ("Buurtfeest", "Braderie winkelstraat", "Hardloopwedstrijd"),
    "MELDOPENB": ("Losse stoeptegel", "Kapotte lantaarnpaal", "Zwerfafval"),
    "STANDPL": ("Standplaats oliebollen", "Standplaats viskraam"),
    "BEZWAAR": ("Bezwaar tegen weigering vergunning", "Bezwaar tegen besluit subsidie"),
    "KLACHT": ("Klacht over bejegening", "Klacht over wachttijd aan de balie"),
    "SUBSIDIE": ("Subsidie amateurkunst", "Subsidie buurtpreventie", "Subsidie jeugdwerk"),
    "KWIJTSCH": ("Kwijtschelding afvalstoffenheffing",), "BIJSTAND": ("Aanvraag bijstandsuitkering",),
    "WMO": ("Melding hulp bij het huishouden", "Melding traplift", "Melding scootmobiel"),
    "LEERLVERV": ("Leerlingenvervoer schooljaar",),
}
TAILS = (
    ", ingediend namens de bewoners van het hele complex en de vereniging van eigenaars",
    " met verzoek om met spoed te beslissen wegens een geplande reis naar het buitenland",
    " (aanvulling op een eerdere aanvraag die wegens ontbrekende stukken niet in behandeling is genomen)",
)
"""What makes a subject longer than 80 characters (Z22)."""
MEMOS = ("Aanvrager belt terug over de ontbrekende stukken.", "Stukken compleet, doorgezet naar de behandelaar.",
         "Ontvangstbevestiging verstuurd.", "Pasfoto afgekeurd, nieuwe foto gevraagd.",
         "Advies van de commissie ontvangen.",
         "Legitimatie gezien aan de balie.", "Bewoner is tot en met vrijdag niet bereikbaar.")
STATUS_NOTES = ("op verzoek aanvrager", "stukken compleet", "telefonisch gemeld", "advies binnen")
SUSPENSIONS = ("Wacht op aanvullende stukken", "Op verzoek van de aanvrager", "Wacht op advies van de brandweer")
QUESTIONS = ("Wanneer is mijn paspoort klaar?", "Hoe staat het met mijn aanvraag?", "Wat kost een uittreksel?",
             "Kan ik mijn afspraak verzetten?", "Waar kan ik grof vuil brengen?",
             "Er staat een hek op de stoep; wie haalt dat weg?",
             "Mijn parkeervergunning is verlopen", "Ik zag in de brief ’t verkeerde adres staan")
ANSWERS = (
    "Ligt klaar aan de balie.", "Nog in behandeling, besluit volgt binnen twee weken.",
    "Doorverbonden met de vakafdeling.",
           "Informatie gegeven.", "Nieuwe afspraak gemaakt.", "Teruggebeld: opgelost")
CONTACT_SUBJECTS = (
    "Reisdocumenten", "Rijbewijzen", "Vergunningen", "Afval", "Belastingen", "Verhuizen", "Afspraken", "Overig",
)
