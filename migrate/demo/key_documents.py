"""What must become of the documents of cases: of those on the new server the files move too."""

from __future__ import annotations

import polars as pl

from migrate.demo import filed
from migrate.demo.key_cases import OWN_RSIN, of_case
from migrate.demo.key_rows import at, day_text, filled, flag, key_rows

_STATUS = {"D": "definitief", "B": "in_bewerking", "V": "ter_vaststelling"}
_LEVEL = {"ZAAKVERTROUWELIJK": "zaakvertrouwelijk", "OPENBAAR": "openbaar"}


def document_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of zaak.case_document for numbered rows of `papers.document_rows`."""
    errors, outside, case = of_case()
    removed, wrong_sum = pl.col("VERWIJD") == "J", pl.col("sum_wrong")
    no_sum = (pl.col("MD5") == "") | wrong_sum
    # Documents of one name in a case are versions of one another, in the order of their numbers (Z29).
    number = pl.col("VERSIE").str.extract("([0-9]+)", 1).cast(pl.Int64).fill_null(1 << 40)
    same = ["i", "DOCCODE", "TITEL", "VERWIJD"]
    frame = frame.with_columns(number.alias("_nth")).sort("i", "_nth", "DOCID")
    frame = frame.with_columns((pl.int_range(pl.len()).over(same) + 1).alias("_version")).sort("DOCID")
    digest, there = pl.lit(filed.reference(frame["content"])), pl.col("content").bin.size() > 0
    archived = ~pl.col("filed") & ~pl.col("on_drive")
    sent = pl.when(pl.col("DATVERZ") != "00000000").then(pl.col("reg"))
    fields = case | {
        "identification": pl.lit("ZAAK-") + pl.col("DOCID").cast(pl.String),
        "source_org": pl.lit(OWN_RSIN),
        "document_type": pl.col("kind_name"),
        "title": pl.when(pl.col("named_by_file")).then(pl.lit("Onbekend")).otherwise(pl.col("kind_name")),
        "author": filled(pl.col("AUTEUR")).fill_null("Onbekend"),
        "created_on": day_text(pl.col("reg")),
        "received_on": pl.when(pl.col("RICHTING") == "I").then(day_text(pl.col("reg"))),
        "sent_on": day_text(sent),
        "status": pl.when(pl.col("RICHTING") == "I")
        .then(pl.lit("definitief"))
        .otherwise(pl.col("STATUS").replace_strict(_STATUS, return_dtype=pl.String)),
        "confidentiality": pl.col("VERTROUW").replace_strict(
            _LEVEL, default="zaakvertrouwelijk", return_dtype=pl.String
        ),
        "language": pl.lit("nld"),
        "media_type": pl.when(there).then("file_type").otherwise(pl.col("MIME").replace({"pdf": "application/pdf"})),
        "file_name": pl.col("BESTAND").str.extract(r"([^\\]*)$", 1),
        "file_size": pl.coalesce(pl.col("content").bin.size().cast(pl.Int64), "GROOTTE"),
        "content_ref": pl.when(there)
        .then(pl.concat_str(pl.lit("sha256/"), digest.str.head(2), pl.lit("/"), digest))
        .when(archived)
        .then("BESTAND"),
        "checksum_algorithm": pl.when(there).then(pl.lit("sha_256")).when(~no_sum).then(pl.lit("md5")),
        "checksum_value": pl.when(there).then(digest).when(~no_sum).then("MD5"),
        "usage_rights": flag(False),
        "version": pl.col("_version"),
        "registered_at": at(pl.col("reg"), pl.col("changed_second")),
    }
    return key_rows(
        frame,
        pl.col("DOCID").cast(pl.String),
        fields,
        errors=[*errors, (pl.col("no_such_day"), "created_on date-invalid")],
        warnings=[
            (pl.col("on_drive"), "het bestand staat op de schijf van een werkplek (Z27) rule-failed"),
            (pl.col("odd") == filed.MISSING, "het bestand is er niet meer (Z27) rule-failed"),
            (pl.col("odd") == filed.UNREADABLE, "het bestand is te lezen (Z27) rule-failed"),
            (pl.col("odd") == filed.CUT, "het bestand is zo groot als het was (Z27) rule-failed"),
            (pl.col("GROOTTE") == 0, "het bestand is leeg (Z27) rule-failed"),
            (no_sum, "de controlesom is bekend (Z27) rule-failed"),
            (wrong_sum, "digest step-failed"),
        ],
        outside=[(removed, "Documenten die in het oude systeem verwijderd zijn, blijven achter"), *outside],
    )
