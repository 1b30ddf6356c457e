"""What must become of the contact centre's contacts: of one that two files hold, the newer file's row counts."""

from __future__ import annotations

import polars as pl

from migrate.demo.contacts import agent_code
from migrate.demo.key_rows import at, filled, flag, key_rows, link

_CHANNEL = {
    "Telefoon": "telefoon",
    "telefonisch": "telefoon",
    "TEL": "telefoon",
    "E-mail": "email",
    "email": "email",
    "Post": "post",
    "Balie": "balie",
    "Whatsapp": "whatsapp",
    "WhatsApp": "whatsapp",
    "Twitter": "social_media",
}


def call_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of kcc.contact for one file.

    Args:
        frame: its rows that count, of `contacts.contact_rows` and `contacts.repeated`, and ``party``, who has the
            caller's number.
    """
    typed = pl.lit('"zaaknummer":"') + pl.col("Zaaknummer") + '"'
    # F04: the sign of the euro and the points between thousands go, the comma becomes a point.
    amount = pl.col("Bedrag").str.replace_all("[^0-9,]", "").str.replace(",", ".", literal=True)
    known = pl.concat_str([pl.lit('"bedrag":"') + amount + '"', typed], separator=",", ignore_nulls=True)
    named = pl.col("Naam").is_not_null()
    numbered = pl.col("BSN").is_not_null() & ~pl.col("_F07")
    agent = pl.coalesce(
        link("balie.actor", agent_code(pl.col("Medewerker"))),
        pl.when(pl.col("Medewerker").is_not_null()).then(pl.lit("seed.actor:ONBEKEND")),
    )
    fields = {
        "contact_number": pl.col("Contactnr"),
        "channel_id": link(
            "channel", pl.col("Kanaal").replace_strict(_CHANNEL, default="onbekend", return_dtype=pl.String)
        ),
        "subject": pl.col("Onderwerp").fill_null("Telefonisch contact"),
        "content": pl.col("Vraag"),
        "response": pl.col("Antwoord"),
        "further_action": flag(pl.col("call_back")),
        "language": pl.lit("nld"),
        "is_confidential": pl.lit("0"),
        "occurred_at": at(pl.col("date"), pl.col("begun")),
        "ended_at": at(pl.col("date"), pl.col("ended")),
        "party_id": pl.when(numbered).then(pl.col("party")),
        "contact_name": pl.col("Naam"),
        "participant_role": pl.when(named).then(pl.lit("klant")),
        "is_initiator": pl.when(named).then(pl.lit("1")),
        "actor_id": agent,
        "metadata": pl.lit("{") + filled(known) + "}",
    }
    return key_rows(
        frame,
        pl.col("Contactnr"),
        fields,
        warnings=[
            (pl.col("_F07"), "number step-failed"),
            (numbered & pl.col("party").is_null(), "party_id orphan"),
        ],
    )
