"""What must become of customers, persons and companies."""

from __future__ import annotations

import polars as pl

from migrate.demo.key_rows import day_text, filled, flag, key_rows
from migrate.demo.parties import BIRTH_FILLER, BIRTH_KNOWN, BIRTH_PARTIAL, BIRTH_SHORT

_LEGAL_FORM = {
    "BV": "besloten_vennootschap",
    "NV": "naamloze_vennootschap",
    "ST": "stichting",
    "VE": "vereniging",
    "VF": "vennootschap_onder_firma",
    "MS": "maatschap",
    "CV": "commanditaire_vennootschap",
}


def customer_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of balie.party for rows of `parties.customers`."""
    kind, born = pl.col("birth_kind"), pl.col("p_birth")
    # "VD" may mean three prefixes: it stays what it is.
    prefix = pl.when(pl.col("name_form") == "short").then(pl.lit("vd")).otherwise(filled(pl.col("p_prefix")))
    surname = (
        pl.when(pl.col("name_form").is_in(["upper", "short"]))
        .then(pl.col("typed").str.to_uppercase())
        .when(pl.col("garbled_for_good"))
        .then(pl.col("NAAM").str.extract(r"^([^,]*)", 1))
        .otherwise(pl.col("typed"))
    )
    return key_rows(
        frame,
        pl.col("KLANTNR").cast(pl.String),
        {
            "party_type": pl.lit("persoon"),
            "initials": pl.col("VOORL"),
            "surname_prefix": prefix,
            "surname": surname,
            "gender": pl.when(pl.col("GESL") != "").then(pl.col("p_gender")),
            "birth_date": pl.when(kind.is_in([BIRTH_KNOWN, BIRTH_SHORT])).then(day_text(born)),
            "birth_date_text": pl.when(kind == BIRTH_PARTIAL).then(born.dt.strftime("%Y0000")),
            "is_active": flag(True),
        },
        warnings=[(pl.col("_B02"), "number step-failed")],
    )


def person_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.person for rows of `parties.case_persons`."""
    kind, born = pl.col("birth_kind"), pl.col("p_birth")
    secrecy = pl.col("INDGEHEIM")
    return key_rows(
        frame,
        pl.col("PERSID").cast(pl.String),
        {
            "party_type": pl.lit("persoon"),
            "initials": pl.col("p_initials"),
            "first_names": pl.col("VOORNAMEN"),
            "surname_prefix": filled(pl.col("p_prefix")),
            "surname": pl.col("typed"),
            "gender": pl.when(pl.col("GESL") != "U").then(pl.col("p_gender")),
            "birth_date": pl.when(~kind.is_in([BIRTH_PARTIAL, BIRTH_FILLER])).then(day_text(born)),
            "birth_date_text": pl.when(kind == BIRTH_PARTIAL).then(pl.col("GEBDAT")),
            "deceased_on": pl.when(pl.col("dead")).then(day_text(pl.col("DATOVL").str.to_date("%Y%m%d", strict=False))),
            "is_secret": pl.when(filled(secrecy).is_not_null()).then(flag(secrecy != "0")),
            "is_active": flag(True),
        },
    )


def company_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.company for rows of `parties.companies`."""
    form = pl.col("RECHTSV").replace_strict(_LEGAL_FORM, default=None, return_dtype=pl.String)
    return key_rows(
        frame,
        pl.col("BEDRID").cast(pl.String),
        {
            "party_type": pl.lit("organisatie"),
            "organisation_name": pl.col("HANDELSN"),
            "legal_form": form,
            "is_active": flag(True),
            "internal_note": pl.lit("Contactpersoon: ") + filled(pl.col("CONTPERS")),
        },
        warnings=[(form.is_null(), "legal_form code-unknown")],
    )
