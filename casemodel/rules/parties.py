"""Rules of parties: their numbers and addresses."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import sqlalchemy as sa

from casemodel.model import tables
from casemodel.rules.rule import BusinessRule, Moment, eleven_test, text_of

_PHONE = r"^(0[1-9][0-9]{8}|\+[0-9]{9,15}|00[0-9]{7,13})$"
_NO_PHONE = r"^(0800|0900|1400|140)"
_MAIL = r"^[^@\s,;]+@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.[A-Za-z]{2,}$"


def rules(_moment: Moment) -> Iterator[BusinessRule]:
    """Yield the rules of this subject."""
    yield from _identifiers()
    yield from _digital()
    yield from _addresses()


def _identifiers() -> Iterator[BusinessRule]:
    number = tables["party_identifier"]

    def kind(code: str, holds: pl.Expr, severity: str, name: str, dutch: str, english: str, which: str) -> BusinessRule:
        return BusinessRule(
            code=code, name=name, severity="error" if severity == "error" else "signal", table=number, dutch=dutch,
            english=english, applies=number.c.id_type_code == which, broken=sa.true(),
            columns={"value": number.c.value}, holds=holds,
        )  # fmt: skip

    value = text_of("value")
    yield kind(
        "ID-01", eleven_test("value"), "error", "bsn",
        "Een BSN heeft negen cijfers en voldoet aan de elfproef",
        "A BSN has nine digits and passes the test of eleven", "bsn",
    )  # fmt: skip
    yield kind(
        "ID-02", eleven_test("value"), "error", "rsin of a party",
        "Een RSIN heeft negen cijfers en voldoet aan de elfproef",
        "A RSIN has nine digits and passes the test of eleven", "rsin",
    )  # fmt: skip
    yield kind(
        "ID-03", value.str.contains("^[0-9]{8}$"), "signal", "kvk",
        "Een KVK-nummer heeft acht cijfers", "A KVK number has eight digits", "kvk_nummer",
    )  # fmt: skip
    yield kind(
        "ID-03", value.str.contains("^[0-9]{12}$"), "signal", "branch",
        "Een vestigingsnummer heeft twaalf cijfers", "A branch number has twelve digits", "vestigingsnummer",
    )  # fmt: skip
    yield kind(
        "ID-07", value.str.contains("^[1-9][0-9]{9}$"), "signal", "a-number",
        "Een A-nummer heeft tien cijfers en begint niet met een 0",
        "An A-number has ten digits and does not begin with 0", "a_nummer",
    )  # fmt: skip


def _digital() -> Iterator[BusinessRule]:
    where = tables["digital_address"]
    value = text_of("value")
    yield BusinessRule(
        code="DA-01", name="telephone", severity="signal", table=where, broken=sa.true(),
        applies=where.c.address_type == "telefoonnummer", columns={"value": where.c.value},
        dutch="Een telefoonnummer is een gewoon Nederlands of internationaal nummer",
        english="A telephone number is an ordinary Dutch or international number",
        holds=value.str.contains(_PHONE) & ~value.str.contains(_NO_PHONE),
    )  # fmt: skip
    yield BusinessRule(
        code="DA-02", name="e-mail", severity="signal", table=where, broken=sa.true(),
        applies=where.c.address_type == "email", columns={"value": where.c.value},
        dutch="Een e-mailadres is goed gevormd", english="An e-mail address is well formed",
        holds=value.str.contains(_MAIL),
    )  # fmt: skip


def _addresses() -> Iterator[BusinessRule]:
    home = tables["address"]
    dutch_one = sa.or_(home.c.country_code.is_(None), home.c.country_code == "NL")
    yield BusinessRule(
        code="AD-01", name="postcode", severity="error", table=home, broken=sa.true(),
        applies=sa.and_(home.c.postcode.is_not(None), dutch_one), columns={"postcode": home.c.postcode},
        dutch="Een Nederlandse postcode is vier cijfers en twee hoofdletters",
        english="A Dutch postcode is four digits and two capitals",
        holds=text_of("postcode").str.contains("^[1-9][0-9]{3} ?[A-Z]{2}$"),
    )  # fmt: skip
    yield BusinessRule(
        code="AD-02", name="addition", severity="signal", table=home,
        applies=home.c.house_number_addition.is_not(None), broken=sa.func.length(home.c.house_number_addition) > 4,
        dutch="De toevoeging van een huisnummer is hoogstens vier tekens",
        english="The addition of a house number has at most four characters",
    )  # fmt: skip
    yield BusinessRule(
        code="AD-03", name="bag", severity="signal", table=home, broken=sa.true(),
        applies=home.c.bag_id.is_not(None), columns={"bag_id": home.c.bag_id},
        dutch="Een BAG-nummer heeft zestien cijfers", english="A BAG number has sixteen digits",
        holds=text_of("bag_id").str.contains("^[0-9]{16}$"),
    )  # fmt: skip
    yield BusinessRule(
        code="AD-04", name="country", severity="signal", table=home, broken=sa.true(),
        applies=home.c.country_code.is_not(None), columns={"country_code": home.c.country_code},
        dutch="Een land is een code van twee hoofdletters (ISO 3166)",
        english="A country is a code of two capitals (ISO 3166)",
        holds=text_of("country_code").str.contains("^[A-Z]{2}$"),
    )  # fmt: skip
