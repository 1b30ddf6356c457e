"""What people known to two systems become: one party, merged by hand from what each row says (B16, Z20, Z21).

A row belongs to the person whose right number it holds; a customer without one to the person of the same name, day of
birth and postcode who has none either; all others stay alone.
"""

from __future__ import annotations

import polars as pl

from migrate.demo.key_parties import customer_key, person_key
from migrate.demo.key_reach import ADDRESSES, NUMBERS, digital_keys, number_keys, reached_customer, reached_person
from migrate.demo.key_rows import filled
from migrate.demo.parties import BIRTH_EMPTY, BIRTH_FILLER, BIRTH_KNOWN, BIRTH_SHORT, case_persons_of, customers_of
from migrate.demo.world import World

CASE_PERSON, CUSTOMER = "zaak.person", "balie.party"
_DISPUTED, _PROBABLE = "warning identity identity-disputed", "warning identity identity-probable"


def merged_keys(world: World, mapping: str, low: int, high: int) -> dict[str, pl.DataFrame]:
    """Return the answer keys of a mapping of people, and of how they are known and reached, by mapping.

    Args:
        mapping: zaak.person or balie.party.
        low: the first person.
        high: the person after the last one.
    """
    # A number typed wrong belongs to the person before (Z21).
    everyone = _rows(world, pl.DataFrame({"t": pl.int_range(max(0, low - 1), high, dtype=pl.Int64, eager=True)}))
    here = (pl.col("mapping") == mapping) & (pl.col("t") >= low)
    rest = {
        ADDRESSES[mapping]: digital_keys(everyone).filter(here),
        NUMBERS[mapping]: number_keys(everyone).filter(here),
    }
    keys = {mapping: _key(everyone.filter(pl.col("t") >= low), mapping)}
    return keys | {name: rows.drop("mapping", "t") for name, rows in rest.items()}


def party_of_number(world: World, persons: pl.DataFrame) -> pl.DataFrame:
    """Return ``t`` and ``party``, how the key names the party that holds the right number of a person.

    Args:
        persons: persons numbered by ``t``; those whose number nobody holds are not returned.
    """
    rows = _rows(world, persons.select("t").drop_nulls().unique())
    return (
        rows.filter(pl.col("by_number") & ~pl.col("disputed"))
        .group_by("t")
        .agg(pl.col("record").first().alias("party"))
    )


def _rows(world: World, persons: pl.DataFrame) -> pl.DataFrame:
    """Return every row of these persons in both systems, with the record that it is part of and what that holds."""
    case_persons = case_persons_of(world, persons.filter(pl.col("t") < world.case_persons))
    customers = customers_of(world, persons.filter(pl.col("t") >= world.first_customer))
    rows = pl.concat([_of_case_persons(case_persons), _of_customers(customers)], how="diagonal").with_columns(
        pl.col("surname_said").str.normalize("NFKD").str.replace_all(r"[^\p{L}]", "").str.to_lowercase().alias("bare")
    )
    rows = rows.sort("person", "rank", "mapping", "key")
    first = {name: pl.col(name).first().over("person") for name in ("bare", "year")}
    agrees = (pl.col("bare") == first["bare"]) | (pl.col("year") == first["year"]).fill_null(False)
    alone = pl.col("mapping") + ":" + pl.col("key")
    rows = rows.with_columns((~agrees | pl.col("_Z21").fill_null(False)).alias("disputed"))
    rows = rows.with_columns(pl.when("disputed").then(alone).otherwise("person").alias("person"))
    lead = alone.first().over("person", order_by=["rank", "mapping", "key"])
    return _merged(rows.with_columns(lead.alias("record")))


def _of_case_persons(frame: pl.DataFrame) -> pl.DataFrame:
    number, alone = filled(pl.col("BSN")), pl.lit(f"{CASE_PERSON}:") + pl.col("PERSID").cast(pl.String)
    year = pl.col("GEBDAT").str.slice(0, 4)
    return person_key(frame).hstack(
        frame.select(
            "t",
            "_Z21",
            pl.lit(CASE_PERSON).alias("mapping"),
            pl.lit(1).alias("rank"),
            pl.col("MUTTIJD").alias("newest"),
            pl.col("GESLNAAM").alias("surname_said"),
            pl.when(year != "0000").then(year).alias("year"),
            number.is_not_null().alias("by_number"),
            pl.when(~pl.col("_Z21")).then(pl.coalesce("bsn:" + number, alone)).otherwise(alone).alias("person"),
            *reached_person(),
        )
    )


def _of_customers(frame: pl.DataFrame) -> pl.DataFrame:
    key = customer_key(frame)
    by_number = filled(pl.col("SOFINR")).is_not_null() & ~pl.col("_B02").fill_null(False)
    said = key["f_surname"].alias("surname_said")
    bare = said.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase().alias("bare_name")
    born = pl.when(pl.col("birth_kind").is_in([BIRTH_KNOWN, BIRTH_SHORT])).then(pl.col("p_birth").cast(pl.String))
    named = pl.concat_str(
        pl.lit("name:"),
        pl.col("bare_name"),
        born,
        pl.col("POSTC").str.to_uppercase().str.replace_all(" ", ""),
        separator="|",
    )
    alone = pl.lit(f"{CUSTOMER}:") + pl.col("KLANTNR").cast(pl.String)
    frame = frame.with_columns(said, bare)
    return key.hstack(
        frame.select(
            "t",
            pl.lit(CUSTOMER).alias("mapping"),
            pl.lit(2).alias("rank"),
            pl.col("DATMUT").alias("newest"),
            "surname_said",
            pl.when(~pl.col("birth_kind").is_in([BIRTH_FILLER, BIRTH_EMPTY]))
            .then(pl.col("p_birth").dt.year().cast(pl.String))
            .alias("year"),
            by_number.alias("by_number"),
            named.alias("named"),
            pl.coalesce(pl.when(by_number).then("bsn:" + pl.col("p_bsn")), named, alone).alias("person"),
            *reached_customer(),
        )
    )


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    """Let every row tell the values of its record: the first that is said, but surname and prefix from one row."""
    fields = [name for name in rows.columns if name.startswith("f_")]
    order = rows.sort(
        "person",
        "rank",
        "newest",
        "mapping",
        "key",
        descending=[False, False, True, False, False],
        nulls_last=True,
    )
    one_row = ("f_surname", "f_surname_prefix")
    said = order.group_by("person").agg(
        *(pl.col(name).first() if name in one_row else pl.col(name).drop_nulls().first() for name in fields)
    )
    return rows.drop(fields).join(said, on="person", how="left", maintain_order="left")


def _key(rows: pl.DataFrame, mapping: str) -> pl.DataFrame:
    absent = () if mapping == CASE_PERSON else ("f_first_names", "f_deceased_on", "f_is_secret")
    names = [name for name in rows.columns if name.startswith("f_") and name not in absent]
    several = (pl.col("record").n_unique().over("named") > 1) & pl.col("named").is_not_null()
    more = [
        pl.when("disputed").then(pl.lit(_DISPUTED)),
        pl.when(several).then(pl.lit(_PROBABLE)),
    ]
    issues = pl.concat_list("issues", pl.concat_list(more).list.drop_nulls()).list.sort()
    return rows.filter(mapping=mapping).select("key", "outcome", "reason", issues.alias("issues"), *names, "record")
