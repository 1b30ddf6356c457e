"""The codes of issues: what can be wrong with one field of one source row (DESIGN.md, section 2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IssueCode:
    """One kind of issue, in the words of the engineer and of the functional administrator."""

    code: str
    english: str
    dutch: str
    remedy_dutch: str


def _table(*rows: tuple[str, str, str, str]) -> dict[str, IssueCode]:
    return {row[0]: IssueCode(*row) for row in rows}


ISSUE_CODES: dict[str, IssueCode] = _table(
    (
        "key-missing",
        "a part of the source key is empty",
        "een deel van de bronsleutel ontbreekt",
        "Vul de sleutel aan in het bronsysteem.",
    ),
    (
        "key-duplicate",
        "the source key occurs more than once",
        "de bronsleutel komt meer dan één keer voor",
        "Ontdubbel in het bronsysteem, of leg in de mapping vast welk record telt.",
    ),
    (
        "required-missing",
        "a required field has no value",
        "een verplicht veld is leeg",
        "Vul het veld in de bron, of geef in de mapping een standaardwaarde.",
    ),
    (
        "too-long",
        "the text is longer than the field allows",
        "de tekst is langer dan het veld toelaat",
        "Kort in de bron in, of laat de mapping afkappen (truncate).",
    ),
    (
        "moment-shifted",
        "the moment was moved up, so that it comes after the one before it",
        "het tijdstip is opgeschoven, zodat het na het vorige komt",
        "Controleer of de volgorde klopt; het bronsysteem legde hetzelfde tijdstip vaker vast.",
    ),
    (
        "truncated",
        "the text was cut to the length of the field",
        "de tekst is ingekort tot de lengte van het veld",
        "Controleer of de ingekorte tekst volstaat.",
    ),
    (
        "enum-invalid",
        "the value is not one of the allowed values",
        "de waarde is niet toegestaan",
        "Voeg de waarde toe aan de vertaaltabel.",
    ),
    (
        "code-unknown",
        "the code is not in the code table",
        "de code staat niet in de vertaaltabel",
        "Voeg de code toe aan de vertaaltabel en draai opnieuw.",
    ),
    (
        "date-invalid",
        "the text is not a date in one of the declared formats",
        "onmogelijke of onleesbare datum",
        "Verbeter de datum in de bron.",
    ),
    (
        "datetime-invalid",
        "the text is not a moment in one of the declared formats",
        "onmogelijk of onleesbaar tijdstip",
        "Verbeter het tijdstip in de bron.",
    ),
    (
        "time-ambiguous",
        "the local time occurs twice (end of summer time)",
        "het tijdstip komt twee keer voor (einde zomertijd)",
        "Kies in de mapping: earliest of latest.",
    ),
    (
        "time-gap",
        "the local time does not exist (start of summer time)",
        "het tijdstip bestaat niet (begin zomertijd)",
        "Kies in de mapping: shift.",
    ),
    (
        "number-invalid",
        "the text is not a number as declared",
        "de tekst is geen getal zoals afgesproken",
        "Verbeter het getal in de bron.",
    ),
    (
        "number-out-of-range",
        "the number does not fit the field",
        "het getal past niet in het veld",
        "Verbeter het getal in de bron.",
    ),
    (
        "boolean-invalid",
        "the text is neither of the declared true nor false values",
        "de waarde is geen ja of nee zoals afgesproken",
        "Voeg de waarde toe aan de mapping.",
    ),
    (
        "json-invalid",
        "the text cannot be written as JSON",
        "de tekst kan niet als JSON worden opgeslagen",
        "Verbeter de waarde in de bron.",
    ),
    (
        "step-failed",
        "a step could not treat the value",
        "een bewerkingsstap kon de waarde niet verwerken",
        "Verbeter de waarde in de bron of pas de stap aan.",
    ),
    (
        "nul-character",
        "the text holds a NUL character",
        "de tekst bevat een NUL-teken",
        "Verwijder het teken met strip_control in de mapping.",
    ),
    (
        "orphan",
        "the record linked to does not exist in the source",
        "wees: het record waarnaar verwezen wordt, bestaat niet",
        "Zoek uit waar het bovenliggende record gebleven is.",
    ),
    (
        "link-waiting",
        "the record linked to is not loaded (rejected, parked or not read yet)",
        "het record waarnaar verwezen wordt, is (nog) niet geladen",
        "Los eerst de uitval van dat record op.",
    ),
    (
        "link-out-of-scope",
        "the record linked to is out of scope",
        "het record waarnaar verwezen wordt, valt buiten bereik",
        "Geen actie nodig als dit de bedoeling is.",
    ),
    (
        "link-ambiguous",
        "more than one record answers to the link",
        "meer dan één record past bij de verwijzing",
        "Maak de sleutel uniek.",
    ),
    (
        "lookup-unknown",
        "no record of the target answers to the lookup",
        "de waarde is niet gevonden in het doelsysteem",
        "Voeg de waarde toe aan de catalogus.",
    ),
    (
        "lookup-ambiguous",
        "more than one record of the target answers to the lookup",
        "de waarde past bij meer dan één record in het doelsysteem",
        "Maak de opzoekwaarde uniek.",
    ),
    (
        "climb-cycle",
        "the chain of parents is a circle or too long",
        "de keten van bovenliggende records loopt rond of is te lang",
        "Verbeter de verwijzing in de bron.",
    ),
    (
        "side-ambiguous",
        "more than one row of the other relation answers",
        "er past meer dan één rij van de andere tabel",
        "Kies in de mapping first of last.",
    ),
    (
        "query-omits",
        "the query does not return this row of the relation that it accounts for",
        "de query laat deze rij weg uit de tabel waarvoor hij instaat",
        "Verbeter de query, of geef in de mapping de reden waarom zulke rijen achterblijven.",
    ),
    (
        "value-differs",
        "rows of one record disagree about a value",
        "rijen van één record spreken elkaar tegen",
        "Controleer welke rij juist is.",
    ),
    (
        "rule-failed",
        "a rule of the mapping does not hold",
        "aan een regel van de mapping is niet voldaan",
        "Beoordeel het record aan de hand van de regel.",
    ),
    ("warn-if", "a condition to look at holds", "aandachtspunt volgens de mapping", "Beoordeel het record."),
    (
        "unique-taken",
        "another record already holds this unique value",
        "een ander record heeft deze unieke waarde al",
        "Zoek uit welk van beide records juist is.",
    ),
    (
        "delete-held",
        "the row is gone, and its record stays: edited, linked to, in a live wave, or too many would go",
        "de bronrij is weg, maar het record blijft: bewerkt, ernaar verwezen, golf in gebruik, of te veel tegelijk",
        "Beoordeel of het record weg mag, en verwijder of behoud het in het nieuwe systeem.",
    ),
    (
        "record-exists",
        "the target holds a record that the toolkit did not make",
        "het doelsysteem heeft al een record dat niet door de migratie gemaakt is",
        "Neem het record over of verwijder het.",
    ),
    (
        "identity-disputed",
        "another row has the same identity, but what must agree differs, so this row stays on its own",
        "een andere rij heeft dezelfde identiteit maar spreekt deze tegen; deze rij blijft apart",
        "Zoek uit wie het is, en leg het vast in codes/same_person.csv of verbeter de bron.",
    ),
    (
        "identity-probable",
        "another record has the same by the last alternative of the identity: they may be one",
        "een ander record is volgens het laatste kenmerk van de identiteit gelijk: misschien is het dezelfde",
        "Beoordeel of het dezelfde is, en leg het vast in codes/same_person.csv.",
    ),
    (
        "edited-in-target",
        "the record was edited in the target since its load",
        "het record is na het laden in het nieuwe systeem bewerkt",
        "Kies welke waarde geldt.",
    ),
    (
        "record-unparsable",
        "the physical record cannot be read as declared",
        "de regel kan niet worden gelezen zoals afgesproken",
        "Verbeter het bestand en lever het opnieuw aan.",
    ),
    (
        "encoding-invalid",
        "the bytes are not text in the declared encoding",
        "de tekens passen niet bij de afgesproken codering",
        "Controleer de codering van het bestand.",
    ),
    (
        "blob-in-text",
        "a text column holds bytes",
        "een tekstkolom bevat binaire gegevens",
        "Verbeter de waarde in de bron.",
    ),
)
"""Every issue code with its meaning; the order is the order of the documentation."""
