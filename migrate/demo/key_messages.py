"""What must become of the messages of the old Wmo system: one record per case, status, person, role and document."""

from __future__ import annotations

import hashlib

import polars as pl

from migrate.demo.key_rows import at, day_text, filled, flag, key_rows, link
from migrate.demo.messages import BROKEN, LATE, OFFICERS, OTHER, PHASES, officer_id, paper, paper_number

_ORG = pl.lit("002564440")
_TYPE = (pl.lit("WMO"), pl.lit("2"))
_CREATED, _CHANGED, _LATE = 2 * 3600 + 15 * 60, 16 * 3600 + 3 * 60 + 12, 23 * 3600 + 59 * 60


def message_keys(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the answer keys by mapping for rows of `messages.case_rows`."""
    closed = rows.filter("closed")
    return {
        "oudwmo.case": _cases(rows),
        "oudwmo.case_status": pl.concat([_statuses(rows, 1), _statuses(closed, 6)]),
        "oudwmo.person": _persons(rows),
        "oudwmo.person_identifier": _numbers(rows),
        "oudwmo.case_role": _applicants(rows),
        "oudwmo.case_handler": _handlers(closed),
        "oudwmo.case_document": _papers(rows.filter("has_paper")),
    }


def _disorder(kind: int) -> pl.Expr:
    return pl.col("_F17").fill_null(False) & (pl.col("which") == kind)


def _told_first() -> pl.Expr:
    """Return when the message that creates the case was sent."""
    late, usual = at(pl.col("end"), pl.lit(_LATE)), at(pl.col("start"), pl.lit(_CREATED))
    return pl.when(_disorder(LATE)).then(late).otherwise(usual)


def _cases(rows: pl.DataFrame) -> pl.DataFrame:
    late = _disorder(LATE)
    # What the first message plans holds unless a later one clears it (F15).
    cleared = pl.col("_F15").fill_null(False) & ~late
    changed = pl.when(pl.col("closed") & ~late).then(at(pl.col("end"), pl.lit(_CHANGED))).otherwise(_told_first())
    fields = {
        "identification": pl.col("number"),
        "source_org": _ORG,
        "responsible_org": _ORG,
        "case_type_id": link("zaak.case_type", *_TYPE),
        "description": pl.col("subject"),
        "explanation": pl.when("closed").then(pl.lit("Resultaat: ") + pl.col("result")),
        "registration_date": day_text(pl.col("start")),
        "start_date": day_text(pl.col("start")),
        "end_date": day_text(pl.col("end")),
        "planned_end_date": pl.when(~cleared).then(day_text(pl.col("planned"))),
        "channel_id": pl.when("_F19").then(link("channel", pl.col("channel"))),
        "confidentiality": pl.lit("vertrouwelijk"),
        "suspended": flag(False),
        "archive_nomination": pl.lit("vernietigen"),
        "archive_status": pl.lit("nog_te_archiveren"),
        "last_modified_at": changed,
    }
    told = late | _disorder(OTHER)
    warned = [(told, "de berichten spreken elkaar niet tegen (F17) rule-failed")]
    return key_rows(rows, pl.col("number"), fields, warnings=warned)


def _statuses(rows: pl.DataFrame, phase: int) -> pl.DataFrame:
    day = pl.col("start" if phase == 1 else "end")
    second = pl.lit(0) if phase == 1 else pl.when(pl.col("written") > 0).then(_CHANGED).otherwise(0)
    fields = {
        "case_id": link("oudwmo.case", pl.col("number")),
        "status_type_id": link("zaak.status_type", *_TYPE, pl.lit(str(phase))),
        "set_at": at(day, second),
        "explanation": pl.lit(PHASES[phase]),
    }
    return key_rows(rows, pl.concat_str("number", pl.lit(f"{phase:04}"), separator="|"), fields)


def _persons(rows: pl.DataFrame) -> pl.DataFrame:
    complete = ~pl.col("_F16")
    digits = pl.col("p_birth").dt.strftime("%Y%m%d")
    text = (
        pl.when(pl.col("unknown") == 0)
        .then(digits.str.head(6) + "00")
        .when(pl.col("unknown") == 1)
        .then(digits.str.head(4) + "0000")
    )
    fields = {
        "party_type": pl.lit("persoon"),
        "initials": pl.col("p_initials"),
        "surname_prefix": filled(pl.col("p_prefix")),
        "surname": pl.col("p_surname"),
        "gender": pl.col("p_gender"),
        "birth_date": pl.when(complete).then(day_text(pl.col("p_birth"))),
        "birth_date_text": pl.when(~complete).then(text),
        "is_active": flag(True),
    }
    return key_rows(rows, pl.col("number"), fields)


def _numbers(rows: pl.DataFrame) -> pl.DataFrame:
    fields = {
        "party_id": link("oudwmo.person", pl.col("number")),
        "register_code": pl.lit("brp"),
        "object_type_code": pl.lit("natuurlijk_persoon"),
        "id_type_code": pl.lit("bsn"),
        "value": pl.col("p_bsn"),
        "is_verified": flag(True),
    }
    return key_rows(rows, pl.col("number"), fields)


def _applicants(rows: pl.DataFrame) -> pl.DataFrame:
    fields = {
        "case_id": link("oudwmo.case", pl.col("number")),
        "role_type_id": link("seed.role_type", *_TYPE, pl.lit("initiator")),
        "participant_type": pl.lit("natuurlijk_persoon"),
        "party_id": link("oudwmo.person", pl.col("number")),
        "registered_at": _told_first(),
    }
    return key_rows(rows, pl.col("number"), fields)


def _handlers(rows: pl.DataFrame) -> pl.DataFrame:
    fields = {
        "case_id": link("oudwmo.case", pl.col("number")),
        "role_type_id": link("seed.role_type", *_TYPE, pl.lit("behandelaar")),
        "participant_type": pl.lit("medewerker"),
        "actor_id": link("zaak.actor", pl.col("officer")),
        "registered_at": at(pl.col("end"), pl.lit(_CHANGED)),
    }
    number = pl.col("officer").replace_strict({code: officer_id(code) for code in OFFICERS}, return_dtype=pl.String)
    return key_rows(rows, pl.concat_str("number", number, separator="|"), fields)


def _papers(rows: pl.DataFrame) -> pl.DataFrame:
    numbers = pl.Series("paper", [paper_number(n) for n in rows["n"]], dtype=pl.String)
    contents = [paper(row) for row in rows.iter_rows(named=True)]
    sums = pl.Series("sum", [hashlib.sha256(content).hexdigest() for content in contents], dtype=pl.String)
    sizes = pl.Series("size", [len(content) for content in contents], dtype=pl.Int64)
    whole, digest = pl.col("i") != BROKEN, pl.lit(sums)
    fields = {
        "case_id": link("oudwmo.case", pl.col("number")),
        "identification": pl.col("paper"),
        "source_org": _ORG,
        "document_type": pl.lit("Medische verklaring"),
        "title": pl.lit("Verklaring ") + pl.col("subject"),
        "author": pl.lit("Onbekend"),
        "created_on": day_text(pl.col("start")),
        "received_on": day_text(pl.col("start")),
        "status": pl.lit("definitief"),
        "confidentiality": pl.lit("vertrouwelijk"),
        "language": pl.lit("nld"),
        "media_type": pl.lit("text/plain"),
        "file_name": pl.lit("verklaring.txt"),
        "file_size": pl.when(whole).then(pl.lit(sizes)),
        "content_ref": pl.when(whole).then(pl.concat_str(pl.lit("sha256/"), digest.str.head(2), pl.lit("/"), digest)),
        "checksum_algorithm": pl.when(whole).then(pl.lit("sha_256")),
        "checksum_value": pl.when(whole).then(digest),
        "usage_rights": flag(False),
        "version": pl.lit("1"),
        "registered_at": at(pl.col("start"), pl.lit(9 * 3600 + 1800)),
    }
    warned = [(~whole, "de inhoud is te lezen rule-failed")]
    return key_rows(rows.with_columns(numbers), pl.col("paper"), fields, warnings=warned)


