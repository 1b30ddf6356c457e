"""What must become of the complaints: each is a contact, with what else is known of it in its particulars."""

from __future__ import annotations

import polars as pl

from migrate.demo.contacts import agent_code
from migrate.demo.key_rows import at, key_rows, link


def complaint_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of klachten.contact for rows of `complaints.complaint_rows`."""
    number = pl.concat_str(
        [pl.lit("9"), pl.col("year").cast(pl.String), (pl.col("k") + 1).cast(pl.String).str.zfill(4)]
    )
    address = pl.col("street") + ", " + pl.col("p_city")
    told = {
        "adres": address,
        "afgehandeld": pl.when(pl.col("closed").is_not_null())
        .then(pl.col("closed").dt.strftime("%Y-%m-%d"))
        .when(pl.col("said_yes"))
        .then(pl.lit("ja")),
        "resultaat": pl.col("result"),
        # F25: the first of several cases in a cell; F23: an error is no number.
        "zaaknummer": pl.when(~pl.col("_F23").fill_null(False)).then(pl.col("typed")),
    }
    pairs = [pl.lit(f'"{name}":"') + value + '"' for name, value in told.items()]
    fields = {
        "contact_number": number,
        "channel_id": link("channel", pl.col("channel")),
        "subject": pl.lit("Klacht over ") + pl.col("Afdeling"),
        "content": pl.col("Omschrijving"),
        "further_action": pl.lit("0"),
        "language": pl.lit("nld"),
        "is_confidential": pl.lit("1"),
        "occurred_at": at(pl.col("date"), pl.lit(0)),
        "ended_at": at(pl.col("closed"), pl.lit(0)),
        "contact_name": pl.col("name"),
        "participant_role": pl.lit("klant"),
        "is_initiator": pl.lit("1"),
        "actor_id": link("balie.actor", agent_code(pl.col("Behandelaar"))),
        "metadata": pl.lit("{") + pl.concat_str(pairs, separator=",", ignore_nulls=True) + "}",
    }
    key = pl.concat_str([pl.col("year").cast(pl.String), pl.col("Nr")], separator="|")
    return key_rows(frame, key, fields, warnings=[(pl.col("_F25"), "een klacht gaat over één zaak (F25) rule-failed")])
