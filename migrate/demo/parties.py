"""Customers of BALIE, persons, companies and addresses of ZAAK: the truth first, then what the systems made of it.

Columns named ``_B01``, ``_Z37`` … say where dirt of the catalogue was planted: True, False, or NULL where it
could not be.
"""

from __future__ import annotations

import polars as pl

from migrate.demo import catalogue, words
from migrate.demo.dice import Dice, part
from migrate.demo.doubles import BSN_KNOWN, CASE_PERSONS_TWICE, CUSTOMERS_TWICE, anothers_number, doubled, mistyped
from migrate.demo.garbled import LOST, REPAIRABLE
from migrate.demo.people import leading_zero, with_bsn, with_person
from migrate.demo.world import ADDRESS_BASE, COMPANY_BASE, CUSTOMER_BASE, PERSON_BASE, World, clock

BIRTH_KNOWN, BIRTH_SHORT, BIRTH_PARTIAL, BIRTH_FILLER, BIRTH_EMPTY = "known", "short", "partial", "filler", "empty"
"""How a birth date is written: whole, with a two-digit year, with unknown parts, as a filler, not at all."""


def customers(world: World, low: int, high: int) -> pl.DataFrame:
    """Return BLS_KLANT for the persons from ``low`` up to, but not including, ``high``."""
    return customers_of(world, pl.DataFrame({"t": pl.int_range(low, high, dtype=pl.Int64, eager=True)}))


def customers_of(world: World, persons: pl.DataFrame) -> pl.DataFrame:
    """Return BLS_KLANT for the persons numbered by ``t``, those that are there more than once too (B16)."""
    frame = with_person(world, doubled(world, "customer", persons, CUSTOMERS_TWICE))
    dice = world.dice("customer", "c")
    frame = frame.with_columns(
        mistyped(dice).alias("typed"),
        (pl.col("copy") > 0).alias("_B16"),
        dice.share("bsn").alias("_bsn"),
        dice.share("name").alias("_name"),
        dice.share("gender").alias("_gender"),
        dice.share("birth").alias("_birth"),
        dice.share("phone").alias("_phone"),
        dice.share("mail").alias("_mail"),
        dice.share("postcode").alias("_postcode"),
    )
    frame = frame.with_columns(*_customer_number(dice), *_customer_birth(dice), *_customer_contact(dice, world))
    return (
        frame.with_columns(_customer_name())
        .with_columns(_garbled(dice))
        .with_columns(
            _customer_name_dirt().alias("NAAM"),
            pl.col("p_initials").str.replace_all(".", "", literal=True).alias("VOORL"),
            pl.when(pl.col("_B13"))
            .then(pl.col("p_gender").replace({"m": "1", "v": "2", "o": "0"}))
            .when(part(pl.col("_gender"), 0.1, 0.01))
            .then(pl.lit(""))
            .otherwise(pl.col("p_gender").str.to_uppercase())
            .alias("GESL"),
        )
    )


def _customer_number(dice: Dice) -> list[pl.Expr]:
    draw = pl.col("_bsn")
    filled = draw < 850_000
    wrong = part(draw, 0, 0.85 * 0.015)
    lost = leading_zero(pl.col("t")) & ~wrong
    last = pl.col("p_bsn").str.slice(8, 1).cast(pl.Int64)
    bad = (
        pl.when(dice.chance("filler", 0.5))
        .then(dice.pick("which filler", ("999999999", "123456789", "000000000")))
        .otherwise(pl.col("p_bsn").str.slice(0, 8) + ((last + 1) % 10).cast(pl.String))
    )
    text = pl.when(wrong).then(bad).when(lost).then(pl.col("p_bsn").str.slice(1)).when(filled).then(pl.col("p_bsn"))
    return [
        (CUSTOMER_BASE + pl.col("c")).alias("KLANTNR"),
        pl.when(filled).then(text).when(dice.chance("blank", 0.5)).then(pl.lit("")).alias("SOFINR"),
        pl.when(filled).then(lost).alias("_B01"),
        pl.when(filled).then(wrong).alias("_B02"),
        part(pl.col("_gender"), 0, 0.04).alias("_B13"),
    ]


def _customer_birth(dice: Dice) -> list[pl.Expr]:
    draw, born = pl.col("_birth"), pl.col("p_birth")
    kind = (
        pl.when(part(draw, 0, 0.06))
        .then(pl.lit(BIRTH_SHORT))
        .when(part(draw, 0.06, 0.018))
        .then(pl.lit(BIRTH_PARTIAL))
        .when(part(draw, 0.078, 0.007))
        .then(pl.lit(BIRTH_FILLER))
        .when(part(draw, 0.085, 0.03))
        .then(pl.lit(BIRTH_EMPTY))
        .otherwise(pl.lit(BIRTH_KNOWN))
    )
    text = (
        pl.when(kind == BIRTH_SHORT)
        .then(born.dt.strftime("%d-%m-%y"))
        .when(kind == BIRTH_PARTIAL)
        .then(pl.lit("00-00-") + born.dt.strftime("%Y"))
        .when(kind == BIRTH_FILLER)
        .then(dice.pick("which filler date", ("01-01-1900", "00-00-0000")))
        .when(kind == BIRTH_EMPTY)
        .then(pl.lit(""))
        .otherwise(born.dt.strftime("%d-%m-%Y"))
    )
    return [
        kind.alias("birth_kind"),
        text.alias("GEBDAT"),
        (kind == BIRTH_SHORT).alias("_B11"),
        kind.is_in([BIRTH_PARTIAL, BIRTH_FILLER]).alias("_B12"),
    ]


def _customer_contact(dice: Dice, world: World) -> list[pl.Expr]:
    phone, mail, postcode = pl.col("_phone"), pl.col("_mail"), pl.col("_postcode")
    dummy_phone, free_phone, dummy_mail = part(phone, 0, 0.08), part(phone, 0.08, 0.06), part(mail, 0, 0.035)
    dashed = pl.col("p_phone").str.slice(0, 3) + "-" + pl.col("p_phone").str.slice(3)
    number = pl.col("p_number").cast(pl.String)
    letter = pl.when(pl.col("p_letter") != "").then(pl.lit(" ") + pl.col("p_letter")).otherwise(pl.lit(""))
    extra = (
        pl.when((pl.col("p_addition") == "bis") & (pl.col("p_letter") == ""))
        .then(pl.lit("bis"))
        .when(pl.col("p_addition") != "")
        .then(pl.lit("-") + pl.col("p_addition"))
        .otherwise(pl.lit(""))
    )
    split_code = pl.col("p_postcode").str.slice(0, 4) + " " + pl.col("p_postcode").str.slice(4)
    day = (
        pl.lit(20_080_000)
        + dice.between("year", 1, 10) * 10_000
        + dice.between("month", 1, 12) * 100
        + dice.between("day", 1, 28)
    )
    return [
        pl.when(dummy_phone)
        .then(dice.pick("dummy phone", ("0123456789", "0600000000", "nvt")))
        .when(free_phone)
        .then(dashed + dice.pick("hours", (" na 18u", " werk", " (zoon)")))
        .when(phone < 800_000)
        .then(dashed)
        .alias("TELNR"),
        pl.when(dice.chance("has mobile", 0.6)).then(pl.col("p_mobile")).alias("MOBIEL"),
        pl.when(dummy_mail)
        .then(dice.pick("dummy mail", ("geen@email.nl", "nvt")))
        .when(mail < 500_000)
        .then(pl.col("p_mail"))
        .alias("EMAIL"),
        pl.col("p_street").alias("STRAAT"),
        (number + letter + extra).alias("HUISNR"),
        pl.when(part(postcode, 0, 0.015))
        .then(pl.col("p_postcode").str.slice(0, 4))
        .when(part(postcode, 0.015, 0.02))
        .then(pl.col("p_postcode").str.to_lowercase())
        .when(part(postcode, 0.035, 0.005))
        .then(pl.lit("B-2300"))
        .otherwise(split_code)
        .alias("POSTC"),
        pl.col("p_city").alias("PLAATS"),
        (day.cast(pl.String) + clock(dice.between("second", 30_000, 61_000))).alias("DATMUT"),
        dummy_phone.alias("dummy_phone"),
        dummy_mail.alias("dummy_mail"),
        (dummy_phone | dummy_mail).alias("_B17"),
        free_phone.alias("_B18"),
        ((pl.col("p_letter") != "") | (pl.col("p_addition") != "")).alias("_B19"),
        part(postcode, 0, 0.04).alias("_B20"),
    ]


def _customer_name() -> list[pl.Expr]:
    draw, prefixed = pl.col("_name"), pl.col("p_prefix") != ""
    upper, front = part(draw, 0, 0.09), part(draw, 0.09, 0.1) & prefixed
    short = part(draw, 0.19, 0.06) & pl.col("p_prefix").is_in(["van der", "van den", "van de"])
    form = (
        pl.when(upper)
        .then(pl.lit("upper"))
        .when(front)
        .then(pl.lit("front"))
        .when(short)
        .then(pl.lit("short"))
        .otherwise(pl.lit("list"))
    )
    return [form.alias("name_form"), (form != "list").alias("_B14")]


def _garbled(dice: Dice) -> list[pl.Expr]:
    """Say which names went through a wrong conversion of characters: repairable, lost, or no."""
    accented = ~pl.col("p_surname").str.contains(r"^[\x00-\x7f]*$") & (pl.col("name_form") != "upper")
    accented &= pl.col("typed") == pl.col("p_surname")
    hit = accented & dice.chance("mojibake", 0.18)
    lost = (
        hit
        & dice.chance("cp850", 0.25)
        & pl.col("p_surname").is_in([n for n, bad in LOST.items() if bad != REPAIRABLE[n]])
    )
    return [hit.alias("_B15"), lost.alias("garbled_for_good")]


def _customer_name_dirt() -> pl.Expr:
    name = (
        pl.when(pl.col("garbled_for_good"))
        .then(pl.col("p_surname").replace(LOST))
        .when(pl.col("_B15"))
        .then(pl.col("p_surname").replace(REPAIRABLE))
        .otherwise(pl.col("typed"))
    )
    prefix = pl.col("p_prefix")
    listed = pl.when(prefix != "").then(name + ", " + prefix).otherwise(name)
    return (
        pl.when(pl.col("name_form") == "upper")
        .then(listed.str.to_uppercase())
        .when(pl.col("name_form") == "front")
        .then(prefix + " " + name)
        .when(pl.col("name_form") == "short")
        .then(pl.lit("VD ") + name.str.to_uppercase())
        .otherwise(listed)
    )


def case_persons(world: World, low: int, high: int) -> pl.DataFrame:
    """Return ZKN_PERSOON for the persons from ``low`` up to, but not including, ``high``."""
    return case_persons_of(world, pl.DataFrame({"t": pl.int_range(low, high, dtype=pl.Int64, eager=True)}))


def case_persons_of(world: World, persons: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_PERSOON for the persons numbered by ``t``: some twice (Z20), some with another's number (Z21)."""
    frame = with_person(world, doubled(world, "case person", persons, CASE_PERSONS_TWICE))
    frame = frame.with_columns(anothers_number(world, frame))
    dice, same = world.dice("case person", "c"), world.dice("case person", "t")
    cut = dice.chance("long mail", 0.01)
    long_mail = (
        (pl.col("p_first") + "." + pl.col("p_surname") + "@bedrijfsnaam-zonder-eind.example")
        .str.to_lowercase()
        .str.replace_all(" ", "")
    )
    known = pl.when(dice.chance("bsn known", BSN_KNOWN)).then(pl.col("p_bsn"))
    any_prefix = (pl.col("p_prefix") != "") | dice.chance("no prefix as text", 0.5)
    number = same.between("anr", 10**9, 10**10 - 1).cast(pl.String)
    return frame.with_columns(
        (PERSON_BASE + pl.col("c")).alias("PERSID"),
        pl.coalesce("anothers", known.when(dice.chance("bsn blank", 0.5)).then(pl.lit(""))).alias("BSN"),
        pl.col("anothers").is_not_null().alias("_Z21"),
        (pl.col("copy") > 0).alias("_Z20"),
        mistyped(dice).alias("typed"),
        pl.when(dice.chance("a-number", 0.7)).then(number).alias("ANR"),
        mistyped(dice).alias("GESLNAAM"),
        pl.when(any_prefix).then(pl.col("p_prefix")).alias("VOORV"),
        pl.col("p_initials").alias("VOORL"),
        pl.when(dice.chance("first name known", 0.9)).then(pl.col("p_first")).alias("VOORNAMEN"),
        pl.when(dice.chance("gender unknown", 0.02))
        .then(pl.lit("U"))
        .otherwise(pl.col("p_gender").str.to_uppercase())
        .alias("GESL"),
        *_life(dice),
        *_secrecy(same),
        pl.when(dice.chance("phone", 0.6)).then(pl.col("p_phone")).alias("TEL1"),
        pl.when(dice.chance("mobile", 0.5)).then(pl.col("p_mobile")).alias("TEL2"),
        pl.when(cut)
        .then(long_mail.str.slice(0, 32))
        .when(dice.chance("mail", 0.5))
        .then(pl.col("p_mail"))
        .alias("EMAIL"),
        (ADDRESS_BASE + pl.col("c")).alias("ADRESID"),
        _changed(dice).alias("MUTTIJD"),
        dice.pick("user", catalogue.OFFICER_IDS).alias("MUTUSER"),
        cut.alias("_Z30"),
    )


def _life(dice: Dice) -> list[pl.Expr]:
    """Return dates of birth (Z03: in part) and death (Z01: zeros for none)."""
    born, birth, none = pl.col("p_birth"), dice.share("birth"), dice.share("no death date")
    kind = (
        pl.when(part(birth, 0, 0.03))
        .then(pl.lit(BIRTH_PARTIAL))
        .when(part(birth, 0.03, 0.02))
        .then(pl.lit(BIRTH_FILLER))
        .otherwise(pl.lit(BIRTH_KNOWN))
    )
    partial = (
        pl.when(dice.chance("month known", 0.5)).then(born.dt.strftime("%Y%m00")).otherwise(born.dt.strftime("%Y0000"))
    )
    dead = dice.chance("dead", 0.1) & (born.dt.year() < 1950)
    died = (born + pl.duration(days=18_000 + dice.below("died", 7_000))).dt.strftime("%Y%m%d")
    return [
        kind.alias("birth_kind"),
        pl.when(kind == BIRTH_PARTIAL)
        .then(partial)
        .when(kind == BIRTH_FILLER)
        .then(pl.lit("00000000"))
        .otherwise(born.dt.strftime("%Y%m%d"))
        .alias("GEBDAT"),
        dead.alias("dead"),
        pl.when(dead)
        .then(died)
        .when(none < 250_000)
        .then(pl.lit("00000000"))
        .when(none < 600_000)
        .then(pl.lit(""))
        .alias("DATOVL"),
        (kind == BIRTH_PARTIAL).alias("_Z03"),
        pl.when(~dead).then(none < 250_000).alias("_Z01"),
    ]


def _secrecy(dice: Dice) -> list[pl.Expr]:
    """Return whether the address is secret (Z37)."""
    draw = dice.share("secret")
    secret = part(draw, 0, 0.008)
    return [
        pl.when(secret)
        .then(dice.pick("secrecy", ("7", "7", "7", "1", "3")))
        .when(draw < 700_000)
        .then(pl.lit("0"))
        .when(draw < 850_000)
        .then(pl.lit(""))
        .alias("INDGEHEIM"),
        secret.alias("_Z37"),
    ]


def _changed(dice: Dice) -> pl.Expr:
    """Write a moment of change of 2009 or later, or NULL for what was last changed before."""
    day = pl.datetime(
        dice.between("changed year", 2009, 2018),
        dice.between("changed month", 1, 12),
        dice.between("changed day", 1, 28),
    )
    moment = day + pl.duration(seconds=dice.between("changed second", 29_000, 61_000))
    return pl.when(dice.chance("change recorded", 0.88)).then(moment.dt.strftime("%Y-%m-%d %H:%M:%S"))


def companies(world: World, low: int, high: int) -> pl.DataFrame:
    """Return ZKN_BEDRIJF for the companies from ``low`` up to, but not including, ``high``."""
    frame = pl.DataFrame({"b": pl.int_range(low, high, dtype=pl.Int64, eager=True)})
    dice = world.dice("company", "b")
    old, draw = dice.chance("old numbers", 0.02), dice.share("contact")
    # A step without a common divisor: no two companies have one number.
    kvk = (10_000_000 + (pl.col("b") * 6_172_837 + world.seed % 1_000_000) % 79_999_999).cast(pl.String)
    name = (
        dice.pick("business", catalogue.BUSINESS_NAMES)
        + " "
        + dice.pick("owner", [name for _, name, _ in words.SURNAMES])
    )
    return with_bsn(frame, pl.col("b") + 4_000_000, "_number").with_columns(
        (COMPANY_BASE + pl.col("b")).alias("BEDRID"),
        pl.when(old).then(kvk.str.slice(1)).otherwise(kvk).alias("KVKNR"),
        pl.when(old).then(pl.lit("0001")).otherwise(pl.lit("")).alias("SUBNR"),
        pl.when(old)
        .then(pl.lit(""))
        .when(dice.chance("branch", 0.8))
        .then(dice.between("branch number", 10**7, 10**8 - 1).cast(pl.String).str.zfill(12))
        .alias("VESTNR"),
        pl.when(dice.chance("rsin known", 0.6)).then(pl.col("_number")).alias("RSIN"),
        name.alias("HANDELSN"),
        dice.pick_of("legal form", catalogue.LEGAL_FORMS).alias("RECHTSV"),
        pl.when(draw < 400_000)
        .then(dice.pick("person", [f"{e.plain}" for e in catalogue.COUNTER_EMPLOYEES]))
        .when(draw < 700_000)
        .then(pl.lit(""))
        .alias("CONTPERS"),
        (pl.lit("013") + dice.between("phone", 10**6, 10**7 - 1).cast(pl.String)).alias("TEL"),
        pl.when(dice.chance("mail", 0.4))
        .then(pl.lit("info@") + (COMPANY_BASE + pl.col("b")).cast(pl.String) + ".example")
        .alias("EMAIL"),
        (ADDRESS_BASE + world.case_persons + pl.col("b")).alias("ADRESID"),
        _changed(dice).alias("MUTTIJD"),
        old.alias("_Z38"),
    ).drop("_number")


def addresses(world: World, persons: pl.DataFrame) -> pl.DataFrame:
    """Return ZKN_ADRES for persons or companies, of which ``persons`` has the ADRESID and the true address."""
    dice = world.dice("address", "ADRESID")
    bag, foreign = dice.chance("bag", 0.6), dice.chance("foreign", 0.01)

    def home(column: pl.Expr) -> pl.Expr:
        return pl.when(~foreign).then(column)

    return persons.select(
        "ADRESID",
        home(pl.col("p_street")).alias("STRAAT"),
        home(pl.col("p_number")).alias("HUISNR"),
        home(pl.col("p_letter")).alias("HUISLET"),
        home(pl.col("p_addition")).alias("TOEV"),
        home(pl.col("p_postcode")).alias("POSTCODE"),
        home(pl.col("p_city")).alias("PLAATS"),
        pl.when(foreign).then(pl.lit("5010")).otherwise(pl.lit("6030")).alias("LANDCODE"),
        pl.when(bag & ~foreign)
        .then(pl.lit("0855200000") + dice.between("bag id", 100_000, 999_999).cast(pl.String))
        .alias("BAGID"),
        pl.when(foreign).then(pl.lit("Grote Markt ") + pl.col("p_number").cast(pl.String)).alias("REGEL1"),
        pl.when(foreign).then(pl.lit("B-2300 Turnhout")).alias("REGEL2"),
        pl.lit(None, dtype=pl.String).alias("REGEL3"),
        pl.lit("W").alias("SOORT"),
    )
