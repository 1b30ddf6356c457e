"""What must become of addresses: house numbers taken apart (B19), postcodes in one form or in a line of text (B20)."""

from __future__ import annotations

import polars as pl

from migrate.demo.key_rows import filled, key_rows, link

_COUNTRY = {"6030": "NL", "5010": "BE"}


def customer_address_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of balie.address for rows of `parties.customers`."""
    abroad = pl.col("POSTC").str.starts_with("B-")
    short = pl.col("POSTC").str.len_chars() == 4
    unread = abroad | short
    return key_rows(
        frame,
        pl.col("KLANTNR").cast(pl.String),
        {
            "party_id": link("balie.party", pl.col("KLANTNR")),
            "address_role": pl.lit("bezoekadres"),
            "address_kind": pl.when(abroad).then(pl.lit("buitenlands_adres")).otherwise(pl.lit("binnenlands_adres")),
            "street": pl.col("p_street"),
            "house_number": pl.col("p_number"),
            "house_letter": filled(pl.col("p_letter")),
            "house_number_addition": filled(pl.col("p_addition")),
            "postcode": pl.when(~unread).then(pl.col("p_postcode")),
            "city": pl.col("p_city"),
            "line1": pl.when(unread).then(pl.col("POSTC") + " " + pl.col("p_city")),
        },
        warnings=[(unread, "code step-failed")],
    )


def seat_key(mapping: str, column: str, frame: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of an address in ZKN_ADRES.

    Args:
        mapping: whose addresses they are: ``zaak.person`` or ``zaak.company``.
        column: the key of its rows.
        frame: the rows, with ADRESID.
        homes: rows of `parties.addresses`.
    """
    both = frame.select(column, "ADRESID").join(homes, on="ADRESID", how="left", maintain_order="left")
    owner = pl.col(column).cast(pl.String)
    return key_rows(
        both,
        owner,
        {
            "party_id": link(mapping, owner),
            "address_role": pl.lit("bezoekadres"),
            "address_kind": pl.when(pl.col("LANDCODE") == "6030")
            .then(pl.lit("binnenlands_adres"))
            .otherwise(pl.lit("buitenlands_adres")),
            "bag_id": pl.col("BAGID"),
            "street": pl.col("STRAAT"),
            "house_number": pl.col("HUISNR"),
            "house_letter": filled(pl.col("HUISLET")),
            "house_number_addition": filled(pl.col("TOEV")),
            "postcode": pl.col("POSTCODE"),
            "city": pl.col("PLAATS"),
            "line1": pl.col("REGEL1"),
            "line2": pl.col("REGEL2"),
            "country_code": pl.col("LANDCODE").replace_strict(_COUNTRY, return_dtype=pl.String),
        },
    )
