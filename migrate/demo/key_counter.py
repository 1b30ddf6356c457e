"""What must become of appointments, tickets, and the conversations and employees that tickets tell of."""

from __future__ import annotations

import polars as pl

from migrate.demo import catalogue
from migrate.demo.key_rows import at, filled, instant, key_rows, link, utc
from migrate.demo.nights import by_day
from migrate.demo.world import CUSTOMER_BASE

_CHANNEL = {"INT": "webformulier", "TEL": "telefoon", "BAL": "balie", "WEB": "webformulier"}
_APPOINTMENT = {
    "1": "gepland",
    "2": "bevestigd",
    "3": "verschenen",
    "4": "niet_verschenen",
    "5": "geannuleerd",
    "9": "gepland",
}
_TICKET = {
    "AF": "afgehandeld",
    "NV": "niet_verschenen",
    "DV": "doorverwezen",
    "AN": "geannuleerd",
    "SY": "systeem_afgesloten",
}
_PRODUCT_NAME = {product.code: product.name for product in catalogue.PRODUCTS}


def appointment_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of balie.appointment for rows of `appointments.appointment_rows`."""
    found = pl.col("typed_state") == "loaded"
    items = [
        pl.lit('"') + item + '"'
        for item in (pl.col("more").str.extract(r"^(\w+)", 1), pl.col("more").str.extract(r",\s*(\w+)$", 1))
    ]
    typed = pl.when(pl.col("typed").is_not_null() & ~found.fill_null(False)).then(
        pl.lit("Zaaknummer zoals getypt: ") + pl.col("typed")
    )
    state = pl.col("typed_state")
    fields = {
        "appointment_number": pl.col("AFSPNR"),
        "location_code": pl.col("LOCCODE"),
        "product_code": pl.col("product"),
        "extra_products": pl.when(pl.col("more").is_not_null()).then(
            pl.lit("[") + pl.concat_str(items, separator=",", ignore_nulls=True) + "]"
        ),
        "starts_at": instant(pl.col("starts")),
        "ends_at": instant(pl.col("ends")),
        "booked_at": instant(pl.col("booked")),
        "booked_channel_id": link("channel", pl.col("KANAAL").replace_strict(_CHANNEL, return_dtype=pl.String)),
        "status": pl.col("STATUS").replace_strict(_APPOINTMENT, return_dtype=pl.String),
        "person_count": pl.col("AANTPERS"),
        "party_id": pl.when(~pl.col("anonymous")).then(link("balie.party", pl.col("t") + CUSTOMER_BASE)),
        "case_id": pl.when(found).then(link("zaak.case", pl.col("typed_nr"))),
        "remarks": filled(pl.concat_str([filled(pl.col("OPM")), typed], separator=" | ", ignore_nulls=True)),
    }
    return key_rows(
        frame,
        pl.col("AFSPNR").cast(pl.String),
        fields,
        errors=[(pl.col("no_customer"), "party_id orphan")],
        warnings=[
            # A number too long for its years is no case number at all.
            ((state == "unknown") & pl.col("typed_nr").str.starts_with("Z"), "case_id orphan"),
            (state == "out_of_scope", "case_id link-out-of-scope"),
            (state.is_in(["rejected", "parked"]), "case_id link-waiting"),
        ],
    )


def _actor() -> pl.Expr:
    """Return the employee of a ticket: by code and, before March 2012, by who held it then; else by the name typed."""
    nobody = link("seed.actor", pl.lit("ONBEKEND"))
    by_code = (
        pl.when(pl.col("former"))
        .then(link("seed.actor", pl.col("coded") + "-1"))
        .otherwise(link("balie.actor", pl.col("coded")))
    )
    codes = pl.lit(pl.Series("code", catalogue.WORKING_CODES)).gather(pl.col("_who"))
    stray = pl.col("MEDNAAM").is_in(list(catalogue.STRAY_NAMES))
    by_name = (
        pl.when(stray)
        .then(link("balie.actor_name", pl.col("MEDNAAM")))
        .when(pl.col("MEDNAAM").is_not_null())
        .then(link("balie.actor", codes))
    )
    return pl.coalesce(by_code, pl.when(pl.col("code_gone")).then(nobody), by_name)


def with_previous(tickets: pl.DataFrame) -> pl.DataFrame:
    """Add to tickets as linked whether the conversation they belong to was rejected (``contact_rejected``)."""
    earlier = tickets.select(pl.col("BONID").alias("BONID_VORIG"), pl.col("no_customer").alias("_before"))
    frame = tickets.join(earlier, on="BONID_VORIG", how="left", maintain_order="left")
    return frame.with_columns(
        (pl.col("STATUS").is_in(["AF", "DV"]) & pl.col("_before").fill_null(pl.col("no_customer"))).alias(
            "contact_rejected"
        )
    )


def with_total(tickets: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Add to tickets whether they are the first of a total of their day, and what is wrong with that (B30).

    Args:
        tickets: as linked.
        totals: rows of `desk_records.total_rows`.
    """
    of_total = ["LOCCODE", "DATUM", "RIJCODE"]
    said = totals.select(*of_total, pl.col("_B30").alias("total_corrected"))
    frame = tickets.join(said, on=of_total, how="left", maintain_order="left")
    first = pl.col("BONID") == pl.when(~pl.col("test")).then(pl.col("BONID")).min().over(of_total)
    return frame.with_columns(
        (first & pl.col("total_corrected")).alias("total_wrong"),
        (first & pl.col("test").any().over(of_total)).alias("total_with_tests"),
    )


def with_fee(tickets: pl.DataFrame, cash: pl.DataFrame) -> pl.DataFrame:
    """Add to tickets what the cash desk noted, as a plain number: a minus behind it stands in front (B28)."""
    paid = cash.select(
        "BONID",
        (
            pl.when(pl.col("BEDRAG").str.ends_with("-")).then(pl.lit("-")).otherwise(pl.lit(""))
            + pl.col("BEDRAG").str.replace_all("[^0-9,]", "").str.replace(",", ".", literal=True)
        ).alias("fee"),
    )
    return tickets.join(paid, on="BONID", how="left", maintain_order="left")


def ticket_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of balie.queue_ticket for tickets of `with_previous` and `with_total`."""
    talked = pl.col("STATUS").is_in(["AF", "DV"])
    contact = pl.coalesce(pl.col("BONID_VORIG"), pl.col("BONID"))
    product = pl.when(pl.col("_B21")).then(pl.lit("ONBEKEND")).otherwise(filled(pl.col("PRODCODE")))
    kept = (
        pl.col("appointment").is_not_null()
        & ~pl.col("appointment_dangling")
        & ~pl.col("appointment_rejected").fill_null(False)
    )
    date = pl.col("date")
    fields = {
        "location_code": pl.col("LOCCODE"),
        "ticket_date": date.dt.strftime("%Y-%m-%d"),
        "ticket_number": pl.col("BONNR"),
        "series": pl.col("series"),
        "product_code": product,
        "issued_at": pl.coalesce(utc(pl.col("issued_utc")), at(date, by_day(pl.col("issued")))),
        "called_at": pl.coalesce(utc(pl.col("called_utc")), at(date, by_day(pl.col("called")))),
        "call_count": pl.col("AANTOPR"),
        "service_started_at": at(date, pl.col("begun")),
        "service_ended_at": at(date, pl.col("ended")),
        "desk_code": filled(pl.col("BALIENR")),
        "status": pl.col("STATUS").replace_strict(_TICKET, return_dtype=pl.String),
        "priority": filled(pl.col("PRIO")).fill_null("0"),
        "transferred_from_id": link("balie.queue_ticket", pl.col("BONID_VORIG")),
        "appointment_id": pl.when(kept).then(link("balie.appointment", pl.col("appointment"))),
        "contact_id": pl.when(talked & ~pl.col("contact_rejected")).then(link("balie.contact", contact)),
        "actor_id": _actor(),
    }
    return key_rows(
        frame,
        pl.col("BONID").cast(pl.String),
        fields,
        warnings=[
            (pl.col("clock_behind"), "tijden op volgorde rule-failed"),
            (pl.col("_B10"), "geen bon in de nacht van de klokwissel rule-failed"),
            (pl.col("appointment_dangling"), "appointment_id orphan"),
            (pl.col("appointment_rejected") & ~pl.col("appointment_dangling"), "appointment_id link-waiting"),
            (pl.col("contact_rejected"), "contact_id link-waiting"),
            (pl.col("total_wrong"), "het dagtotaal is het aantal bonnen (B30) rule-failed"),
            (pl.col("total_with_tests"), "het dagtotaal telt geen testbonnen mee (B30) rule-failed"),
        ],
        outside=[(pl.col("test"), "Testbonnen (B29)")],
    )


def contact_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of balie.contact for tickets as linked and `with_fee`."""
    continues = pl.col("BONID_VORIG").is_not_null()
    known = pl.col("t").is_not_null()
    name = (
        pl.when(pl.col("_B21"))
        .then(pl.lit("Onbekend product"))
        .otherwise(
            filled(pl.col("PRODCODE"))
            .replace_strict(_PRODUCT_NAME, default=None, return_dtype=pl.String)
            .fill_null("Baliebezoek")
        )
    )
    queue = pl.concat_str(
        [
            pl.lit('{"bon":"'),
            pl.col("BONNR"),
            (pl.lit('","leges":"') + pl.col("fee")).fill_null(""),
            pl.lit('","locatie":"'),
            pl.col("LOCCODE"),
            pl.lit('","rij":"'),
            pl.col("RIJCODE"),
            pl.lit('"}'),
        ]
    )
    fields = {
        "channel_id": pl.lit("channel:balie"),
        "subject": name,
        "content": filled(pl.col("OPM")),
        "further_action": pl.lit("0"),
        "language": pl.lit("nld"),
        "is_confidential": pl.lit("0"),
        "occurred_at": at(pl.col("date"), by_day(pl.col("begun").fill_null(pl.col("issued")))),
        "ended_at": at(pl.col("date"), pl.col("ended")),
        "party_id": link("balie.party", pl.col("t") + CUSTOMER_BASE),
        "participant_role": pl.when(known).then(pl.lit("klant")),
        "is_initiator": pl.when(known).then(pl.lit("1")),
        "actor_id": _actor(),
        "metadata": queue,
    }
    silent = continues | pl.col("test") | ~pl.col("STATUS").is_in(["AF", "DV"])
    return key_rows(
        frame,
        pl.col("BONID").cast(pl.String),
        fields,
        errors=[(pl.col("no_customer"), "party_id orphan")],
        warnings=[(pl.col("clock_behind"), "eindigt na het begin rule-failed")],
        outside=[(silent, "Vervolgt een eerdere bon, is een test (B29) of leidde niet tot een gesprek")],
    )


def typed_name_key(frame: pl.DataFrame, seen: set[str]) -> pl.DataFrame:
    """Return the answer key of balie.actor_name for tickets as linked, in the order of time.

    Args:
        frame: tickets as linked.
        seen: the names that earlier chunks met; those of this chunk are added.
    """
    name = pl.col("MEDNAAM")
    nameless = name.is_null() | (pl.col("MEDCODE") != "")
    stray = ~nameless & name.is_in(list(catalogue.STRAY_NAMES))
    frame = (
        frame.with_columns(stray.alias("_stray"))
        .with_columns(pl.when(pl.col("_stray")).then(pl.int_range(pl.len())).alias("_at"))
        .with_columns(
            (pl.col("_stray") & ~name.is_in(list(seen)) & (pl.col("_at") == pl.col("_at").min().over("MEDNAAM"))).alias(
                "_first"
            )
        )
    )
    seen.update(frame.filter("_first")["MEDNAAM"].to_list())
    return key_rows(
        frame,
        pl.col("BONID").cast(pl.String),
        {"actor_type": pl.lit("medewerker"), "name": name, "is_active": pl.lit("0")},
        merged=~pl.col("_first"),
        outside=[
            (nameless, "De bon heeft een medewerkercode, of geen medewerker"),
            (~stray, "de naam staat niet op de medewerkerslijst"),
        ],
    )
