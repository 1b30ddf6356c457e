"""The same mapping written by hand in Polars: records and issues, batch after batch.

What a good programmer would write for this one mapping and no other: no compiler, no plan of what each row waits for,
no counts of repairs and codes.  ``python -m benchmarks.mapping.by_hand``.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path

import polars as pl

from benchmarks.mapping.given import KnownLinks, known_links, main_of, prepared_frames
from casemodel import record_id

NOTHING = ["", "N.V.T.", "NVT", "-", "X", "ONBEKEND"]
CONTROL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u202a-\u202e\u2066-\u2069\ufeff]"
ZONE = "Europe/Amsterdam"
NUMBER = "(^|[^0-9])[0-9]{9,10}([^0-9]|$)"


def codes(folder: Path, name: str, *, fold: bool = False) -> dict[str, str]:
    """Read a code table of the workspace."""
    with (folder / "codes" / name).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(" ".join(row["from"].split()).lower() if fold else row["from"]): row["to"] for row in rows}


def tables(folder: Path) -> dict[str, dict[str, str]]:
    """Read the code tables of the mapping."""
    return {
        "channel": codes(folder, "zaak_kanaal.csv"),
        "secrecy": codes(folder, "vertrouwelijkheid.csv"),
        "type_secrecy": codes(folder, "zaaktype_vertrouwelijk.csv"),
        "payment": codes(folder, "zaak_betind.csv"),
        "archive": codes(folder, "zaak_archief.csv"),
        "handler": codes(folder, "zaak_behandelaar.csv", fold=True),
    }


def day(text: pl.Expr) -> pl.Expr:
    """Return the day of YYYYMMDD, NULL where there is none."""
    digits = pl.when(text.str.contains(r"\A[1-9][0-9]{3}[0-9]{4}\z")).then(text)
    return digits.str.to_date("%Y%m%d", strict=False)


def without(text: pl.Expr, *nothing: str) -> pl.Expr:
    """Return the text, NULL where it means nothing."""
    return pl.when(~text.is_in(list(nothing))).then(text)


def code(text: pl.Expr, table: dict[str, str]) -> pl.Expr:
    """Translate a code."""
    return text.replace_strict(list(table), list(table.values()), default=None, return_dtype=pl.String)


def clean(frame: pl.DataFrame, namespace: str, table: dict[str, dict[str, str]]) -> pl.DataFrame:
    """Return the rows in scope with every value that needs no link."""
    c = pl.col
    subject = c("ONDERWERP").str.replace_all(CONTROL, "").str.replace_all(r"\s+", " ").str.strip_chars(" ")
    rtf = c("TOELICHT").str.contains(r"\A\s*\{\\rtf")
    plain = pl.when(rtf).then(c("TOELICHT")).otherwise(None)
    for pattern, instead in ((r"\\par\b ?", "\n"), (r"\\[a-z]+-?[0-9]* ?", ""), (r"[{}]", "")):
        plain = plain.str.replace_all(pattern, instead)
    memo = pl.coalesce([plain.str.strip_chars(), c("TOELICHT")]).str.replace_all(CONTROL, "").str.strip_chars()
    begun = pl.coalesce([without(c("DATSTART"), "00000000", ""), c("DATREG")])
    written = pl.coalesce("MUTTIJD", "INVTIJD", "DATREG")
    local = written.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    stamp = pl.coalesce([local, day(written).cast(pl.Datetime("us"))]).dt.replace_time_zone(
        ZONE, ambiguous="earliest", non_existent="null"
    )
    days = c("VERLDAGEN").cast(pl.Int64, strict=False) > 0
    upper = {name: c(name).str.strip_chars().str.to_uppercase() for name in ("KANAAL", "VERTROUW", "BEHAND")}
    main = c("HOOFDZAAK").str.strip_chars(" ")
    rows = frame.lazy().filter(c("DELETED").fill_null("N") != "J")
    rows = rows.with_columns(
        id=record_id(namespace, "case_file", "zaak.case", c("_key")),
        subject=subject,
        memo=memo,
        ended=day(without(c("DATAFH"), "00000000", "")),
        last_day=day(without(c("last.DATSTAT"), "00000000", "")),
        begun=begun,
        handler=without(upper["BEHAND"], "", "???", "-", "ONBEKEND"),
        channel=without(upper["KANAAL"], *NOTHING),
        secret=without(upper["VERTROUW"], *NOTHING),
        parent=pl.when(main.is_null() | (main == "") | (main == c("ZAAKNR")))
        .then(None)
        .when(c("main.climbed") > 0)
        .then(c("main.ZAAKNR"))
        .otherwise(c("HOOFDZAAK")),
        type_key=pl.concat_str("ZTCODE", "VERSIE", separator="|"),
    )
    cut = c("subject").str.len_chars() > 80
    long = pl.when(cut).then(c("subject")).str.head(81)
    short = pl.coalesce([long.str.replace(r"\s+\S*\z", "").str.head(80), c("subject")])
    both = pl.concat_str(pl.when(cut).then("subject"), without(c("memo"), ""), separator="\n\n", ignore_nulls=True)
    planned, latest = (
        pl.when(c(name).is_between(pl.lit("19900101"), pl.lit("20401231"))).then(c(name))
        for name in ("DATSTREEF", "DATFATAAL")
    )
    return rows.with_columns(
        cut=cut,
        description=without(short, ""),
        explanation=without(both, "").str.head(1000),
        registration_date=day(c("DATREG")),
        start_date=day(c("begun")),
        end_date=pl.when(c("STATUS") == "AF").then(pl.coalesce("ended", "last_day")),
        planned_end_date=day(planned),
        latest_end_date=day(latest),
        channel_code=pl.when(c("channel").is_not_null()).then(
            code(c("channel"), table["channel"]).fill_null("onbekend")
        ),
        confidentiality=pl.coalesce([code(c("secret"), table["secrecy"]), code(c("ZTCODE"), table["type_secrecy"])]),
        payment_indication=code(without(c("BETIND"), "", " "), table["payment"]),
        last_payment_at=day(pl.when(c("BETIND") != "N").then(without(c("DATBET"), "00000000", "")))
        .cast(pl.Datetime("us"))
        .dt.replace_time_zone(ZONE)
        .dt.convert_time_zone("UTC"),
        suspended=(c("OPSCHORT") == "J").fill_null(False),
        suspension_reason=pl.when(c("OPSCHORT") == "J")
        .then(without(c("OPSCHREDEN").str.strip_chars(" "), ""))
        .str.head(200),
        extension_period=pl.when(days).then(pl.concat_str(pl.lit("P"), c("VERLDAGEN"), pl.lit("D"))),
        extension_reason=pl.when(days).then(pl.lit("Niet vastgelegd")),
        archive_nomination=code(without(c("ARCHIEF"), "", " "), table["archive"]),
        archive_action_date=day(without(c("DATVERN"), "00000000", "99991231", "")),
        last_modified_at=stamp.dt.convert_time_zone("UTC"),
        handler_name=code(c("handler").str.replace_all(r"\s+", " ").str.to_lowercase(), table["handler"]),
    ).collect(engine="in-memory")


def linked(frame: pl.DataFrame, links: KnownLinks) -> pl.DataFrame:
    """Add the ids of the records linked to."""
    for name, key, mapping in (
        ("case_type_id", "type_key", "zaak.case_type"),
        ("parent_case_id", "parent", "zaak.case"),
        ("by_code", "handler", "zaak.actor"),
        ("by_name", "handler_name", "zaak.actor"),
        ("by_unit", "AFDCODE", "zaak.unit"),
    ):
        known = links.known[mapping].select(pl.col("key").alias(key), pl.col("target_id").alias(name))
        if known.height > 10_000:
            known = known.join(frame.select(key).drop_nulls().unique(), on=key, how="semi")
        frame = frame.join(known, on=key, how="left", maintain_order="left")
    channels = links.channels.rename({"v0": "channel_code", "target_id": "channel_id"})
    frame = frame.join(channels, on="channel_code", how="left", maintain_order="left")
    return frame.with_columns(handler_actor_id=pl.coalesce("by_code", "by_name", "by_unit"))


FIELDS = [
    *("identification", "source_org", "responsible_org", "case_type_id", "description", "explanation"),
    *("registration_date", "start_date", "end_date", "planned_end_date", "latest_end_date", "channel_id"),
    *("confidentiality", "payment_indication", "last_payment_at", "suspended", "suspension_reason"),
    *("extension_period", "extension_reason", "archive_nomination", "archive_status", "archive_action_date"),
    *("parent_case_id", "handler_actor_id", "last_modified_at"),
]


def judged(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the records, and the issues: errors of rows left out, warnings of rows that load."""
    c = pl.col
    closed, late = c("STATUS") == "AF", c("start_date").dt.offset_by("-30d")
    odd = {
        name: ~c(source).is_in(["", "00000000", "99991231"])
        & ~c(source).is_between(pl.lit("19900101"), pl.lit("20401231"))
        for name, source in (("planned_end_date", "DATSTREEF"), ("latest_end_date", "DATFATAAL"))
    }
    destroyed = (c("ARCHIEF") == "V") & c("DATVERN").is_between(pl.lit("19000101"), pl.lit("20191231"))
    paid = (c("BETIND") == "N") & ~c("DATBET").fill_null("00000000").is_in(["", "00000000"])
    errors = {
        ("case_type_id", "orphan"): c("type_key").is_not_null() & c("case_type_id").is_null(),
        ("parent_case_id", "orphan"): c("parent").is_not_null() & c("parent_case_id").is_null(),
        ("start_date", "date-invalid"): c("begun").is_not_null() & c("start_date").is_null(),
        ("registration_date", "date-invalid"): c("registration_date").is_null(),
        ("end_date", "date-invalid"): closed & c("ended").is_null() & ~c("DATAFH").is_in(["", "00000000"]),
        ("einde hoogstens 30 dagen voor begin", "rule-failed"): c("end_date") < late,
        ("confidentiality", "code-unknown"): c("confidentiality").is_null(),
    }
    warnings = {
        ("description", "truncated"): c("cut"),
        ("end_date", "warn-if"): (closed & c("ended").is_null()) | (~closed & c("ended").is_not_null()),
        ("explanation", "warn-if"): c("memo").str.contains(NUMBER),
        ("planned_end_date", "warn-if"): odd["planned_end_date"],
        ("latest_end_date", "warn-if"): odd["latest_end_date"],
        ("archive_action_date", "warn-if"): destroyed,
        ("parent_case_id", "warn-if"): c("main.climbed") > 1,
        ("einde niet voor begin", "rule-failed"): (c("end_date") < c("start_date")) & (c("end_date") >= late),
        ("geen betaaldatum zonder betaling", "rule-failed"): paid,
        ("de aanvrager is bekend", "rule-failed"): c("AANVRID").fill_null("0") == "0",
    }
    names = {f"{kind}{i}": said for kind, all_ in (("e", errors), ("w", warnings)) for i, said in enumerate(all_)}
    frame = frame.with_columns(
        **{f"e{i}": found.fill_null(False) for i, found in enumerate(errors.values())},
        **{f"w{i}": found.fill_null(False) for i, found in enumerate(warnings.values())},
    ).with_columns(bad=pl.any_horizontal(f"e{i}" for i in range(len(errors))))
    issues = []
    for column, (field, found) in names.items():
        where = c(column) if column.startswith("e") else c(column) & ~c("bad")
        hits = (
            frame.lazy()
            .filter(where)
            .select("_key", field=pl.lit(field), code=pl.lit(found))
            .collect(engine="in-memory")
        )
        if hits.height:
            issues.append(hits)
    given = (
        frame.lazy()
        .filter(~c("bad"))
        .with_columns(
            identification=c("ZAAKNR"),
            source_org=pl.lit("002564440"),
            responsible_org=pl.lit("002564440"),
            archive_status=pl.lit("nog_te_archiveren"),
        )
    )
    return given.select("_key", "id", *FIELDS).collect(engine="in-memory"), pl.concat(issues)


def run(folder: Path, given: Path, out: Path | None) -> dict[str, float]:
    """Map every batch; returns the seconds."""
    links, frames, table = known_links(given), prepared_frames(given), tables(folder)
    namespace = (given / "namespace").read_text(encoding="ascii")
    judged(linked(clean(frames[0].head(1_000), namespace, table), links))
    started, used = time.perf_counter(), time.process_time()
    made = [judged(linked(clean(frame, namespace, table), links)) for frame in frames]
    found = {"mapping": time.perf_counter() - started, "processor": time.process_time() - used}
    if out is not None:
        pl.concat([records for records, _ in made]).write_ipc(out / "by_hand.records.ipc")
        pl.concat([issues for _, issues in made]).write_ipc(out / "by_hand.issues.ipc")
    return found


if __name__ == "__main__":
    main_of(run)
