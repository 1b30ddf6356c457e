"""What must become of cases, and of what else is made from their rows: results, made-up statuses, old numbers."""

from __future__ import annotations

import polars as pl

from migrate.demo import catalogue
from migrate.demo.casefile import SUBJECT_LENGTH
from migrate.demo.key_rows import Issue, at, cut_at_word, day_text, filled, flag, instant, key_rows, link

OWN_RSIN = "002564440"
FOLLOWS_CASE = "follows zaak.case"
_CHANNEL = {
    "BALIE": "balie",
    "TEL": "telefoon",
    "EMAIL": "email",
    "POST": "post",
    "WEB": "webformulier",
    "INTERN": "webformulier",
    "HUISB": "huisbezoek",
}
_PAYMENT = {"N": "nvt", "O": "nog_niet", "D": "gedeeltelijk", "G": "geheel"}
_RESULT = {"GEWEIG": "WEIG", "INGETR": "INTR"}
_NOON = 43_200


def case_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.case for rows of `casefile.case_rows`."""
    start = pl.when(pl.col("start_unknown")).then(pl.col("reg")).otherwise(pl.col("start"))
    return key_rows(
        frame,
        pl.col("ZAAKNR"),
        _identity() | _texts() | _dates(start) | _codes() | _links(),
        errors=[
            (pl.col("_Z04"), "start_date date-invalid"),
            (pl.col("end_too_early") & ~pl.col("_Z04"), "einde hoogstens 30 dagen voor begin rule-failed"),
        ],
        warnings=[
            (pl.col("_Z22"), "description truncated"),
            (pl.col("_Z24"), "explanation warn-if"),
            (pl.col("_Z08"), "end_date warn-if"),
            (pl.col("planned_typo"), "planned_end_date warn-if"),
            (pl.col("latest_typo"), "latest_end_date warn-if"),
            (pl.col("destroy_past"), "archive_action_date warn-if"),
            (pl.col("end_early"), "einde niet voor begin rule-failed"),
            (pl.col("header_unknown"), "de aanvrager is bekend rule-failed"),
            (pl.col("parent_state") == "out_of_scope", "parent_case_id link-out-of-scope"),
            (pl.col("_Z34"), "parent_case_id warn-if"),
        ],
        outside=[(pl.col("deleted"), "Zaken die in het oude systeem verwijderd zijn, blijven achter (Z35)")],
        parked=pl.col("state") == "parked",
    )


def _identity() -> dict[str, pl.Expr]:
    return {
        "identification": pl.col("ZAAKNR"),
        "source_org": pl.lit(OWN_RSIN),
        "responsible_org": pl.lit(OWN_RSIN),
        "case_type_id": link("zaak.case_type", pl.col("ZTCODE"), pl.col("VERSIE")),
    }


def _texts() -> dict[str, pl.Expr]:
    whole = pl.when(pl.col("_Z22")).then(pl.col("subject"))
    return {
        "description": cut_at_word(pl.col("subject"), SUBJECT_LENGTH),
        "explanation": filled(pl.concat_str([whole, pl.col("memo")], separator="\n\n", ignore_nulls=True)),
        "suspended": flag(pl.col("OPSCHORT") == "J"),
        "suspension_reason": pl.col("OPSCHREDEN"),
        "extension_period": pl.when(pl.col("VERLDAGEN") > 0).then(
            pl.lit("P") + pl.col("VERLDAGEN").cast(pl.String) + "D"
        ),
        "extension_reason": pl.when(pl.col("VERLDAGEN") > 0).then(pl.lit("Niet vastgelegd")),
    }


def _dates(start: pl.Expr) -> dict[str, pl.Expr]:
    return {
        "registration_date": day_text(pl.col("reg")),
        "start_date": day_text(start),
        # Z08: closed without an end: the day of the last status.
        "end_date": pl.when(pl.col("closed")).then(
            day_text(pl.coalesce(pl.col("ended"), pl.when(~pl.col("no_statuses")).then(pl.col("final"))))
        ),
        "planned_end_date": day_text(pl.col("planned")),
        "latest_end_date": day_text(pl.col("latest")),
        "last_payment_at": instant(pl.col("paid_on").cast(pl.Datetime("us"))),
        "archive_action_date": day_text(pl.col("destroy_on")),
        "last_modified_at": instant(pl.col("modified")),
    }


def _codes() -> dict[str, pl.Expr]:
    channel = (
        pl.when(pl.col("channel_unknown"))
        .then(pl.lit("onbekend"))
        .when(~pl.col("channel_none"))
        .then(pl.col("channel").replace_strict(_CHANNEL))
    )
    level = pl.col("confidentiality").fill_null(
        pl.col("ZTCODE").replace_strict(catalogue.LEVEL_OF_TYPE, return_dtype=pl.String)
    )
    return {
        "channel_id": link("channel", channel),
        "confidentiality": level,
        "payment_indication": pl.col("BETIND").replace_strict(_PAYMENT, default=None, return_dtype=pl.String),
        "archive_nomination": pl.col("ARCHIEF").replace_strict(
            {"V": "vernietigen", "B": "blijvend_bewaren"}, default=None, return_dtype=pl.String
        ),
        "archive_status": pl.lit("nog_te_archiveren"),
    }


def _links() -> dict[str, pl.Expr]:
    return {
        "parent_case_id": pl.when(pl.col("parent_state") == "loaded").then(link("zaak.case", pl.col("parent_nr"))),
        "handler_actor_id": pl.coalesce(link("zaak.actor", pl.col("handler")), link("zaak.unit", pl.col("AFDCODE"))),
    }


def of_case() -> tuple[list[Issue], list[tuple[pl.Expr, str]], dict[str, pl.Expr]]:
    """Return what a row that cannot be without its case shares: errors, reasons to be out of scope, the link.

    The frame has ``state``, the state of the case.
    """
    waiting = pl.col("state").is_in(["rejected", "parked"])
    return (
        [(waiting, "case_id link-waiting")],
        [(pl.col("state") == "out_of_scope", FOLLOWS_CASE)],
        {"case_id": link("zaak.case", pl.col("ZAAKNR"))},
    )


def result_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.case_result for rows of `casefile.case_rows`."""
    errors, _, case = of_case()
    code = (
        pl.when(pl.col("result_none") | pl.col("result_unknown"))
        .then(pl.lit("AFG"))
        .otherwise(pl.col("result").replace(_RESULT))
    )
    return key_rows(
        frame,
        pl.col("ZAAKNR"),
        case | {"result_type_id": link("seed.result_type", pl.col("ZTCODE"), pl.col("VERSIE"), code)},
        errors=errors,
        warnings=[(pl.col("_Z07"), "result_type_id warn-if")],
        outside=[(pl.col("deleted") | ~pl.col("closed"), "Alleen afgehandelde zaken hebben een resultaat")],
    )


def made_status_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.case_status_made for rows of `casefile.case_rows`."""
    errors, _, case = of_case()
    fields = case | {
        "status_type_id": link("zaak.status_type", pl.col("ZTCODE"), pl.col("VERSIE"), pl.col("FASENR")),
        "set_at": at(pl.col("reg"), pl.lit(_NOON)),
        "explanation": pl.lit("Status afgeleid bij migratie"),
    }
    return key_rows(
        frame,
        pl.col("ZAAKNR"),
        fields,
        errors=errors,
        outside=[(pl.col("deleted") | ~pl.col("no_statuses"), "De zaak heeft eigen statussen, of is verwijderd")],
    )


def old_number_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.case_old_number for rows of `casefile.case_rows`."""
    errors, _, case = of_case()
    none = filled(pl.col("ZAAKID_OUD")).is_null()
    fields = case | {"name": pl.lit("oud_zaaknummer"), "format": pl.lit("tekst"), "value": pl.col("ZAAKID_OUD")}
    return key_rows(
        frame,
        pl.col("ZAAKNR"),
        fields,
        errors=errors,
        outside=[(pl.col("deleted") | none, "Alleen zaken die eerder een ander nummer hadden")],
    )
