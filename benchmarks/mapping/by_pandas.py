"""The same mapping in pandas, column by column.  ``python -m benchmarks.mapping.by_pandas``."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.mapping import by_row
from benchmarks.mapping.by_hand import CONTROL, FIELDS, NOTHING, ZONE, tables
from benchmarks.mapping.given import known_links, library, main_of, prepared_frames


def run(folder: Path, given: Path, out: Path | None) -> dict[str, float]:
    """Map all rows; returns the seconds."""
    pd = library("pandas")
    links, codes = known_links(given), tables(folder)
    columns = pl.concat(prepared_frames(given)).to_dict(as_series=False)
    frame = pd.DataFrame({name: pd.Series(values, dtype=_kind(name)) for name, values in columns.items()})
    ids = {name: pd.Series(dict(found.select("key", "target_id").rows())) for name, found in links.known.items()}
    ids["channel"] = pd.Series(dict(links.channels.select("v0", "target_id").rows()))
    namespace = uuid.UUID((given / "namespace").read_text(encoding="ascii"))
    started, used = time.perf_counter(), time.process_time()
    rows = clean(pd, frame[frame["DELETED"].fillna("N") != "J"].copy(), codes, namespace)
    rows = linked(rows, ids)
    records, issues = judged(pd, rows)
    figures = {"mapping": time.perf_counter() - started, "processor": time.process_time() - used}
    if out is not None:
        made = {name: _listed(records[name]) for name in ("_key", "id", *FIELDS)}
        pl.DataFrame(made, infer_schema_length=None).write_ipc(out / "by_pandas.records.ipc")
        pl.DataFrame({name: list(issues[name]) for name in issues}).write_ipc(out / "by_pandas.issues.ipc")
    return figures


def _kind(name: str) -> str:
    return "Int64" if name in ("main.climbed", "main._cycle", "_row") else "str"


def _listed(column: Any) -> list[Any]:
    there = column.notna()
    values = column.dt.to_pydatetime() if column.dtype.kind == "M" else column
    plain = [value if good else None for value, good in zip(values, there, strict=True)]
    return [value.date() if column.dtype.kind == "M" and column.dt.tz is None and value else value for value in plain]


def day(pd: Any, text: Any) -> Any:
    """Return the day of YYYYMMDD."""
    return pd.to_datetime(text.where(text.str.fullmatch(r"[1-9][0-9]{7}", na=False)), format="%Y%m%d", errors="coerce")


def without(text: Any, *nothing: str) -> Any:
    """Return the text, missing where it means nothing."""
    return text.where(~text.isin(nothing))


def clean(pd: Any, f: Any, codes: dict[str, dict[str, str]], namespace: uuid.UUID) -> Any:
    """Add every value that needs no link."""
    f["id"] = [by_row.record_id(namespace, key) for key in f["_key"]]
    subject = f["ONDERWERP"].str.replace(CONTROL, "", regex=True).str.replace(r"\s+", " ", regex=True).str.strip(" ")
    rtf = f["TOELICHT"].str.lstrip().str.startswith("{\\rtf", na=False)
    plain = f.loc[rtf, "TOELICHT"].str.replace(r"\\par\b ?", "\n", regex=True)
    memo = f["TOELICHT"].copy()
    memo[rtf] = plain.str.replace(r"\\[a-z]+-?[0-9]* ?|[{}]", "", regex=True).str.strip()
    memo = memo.str.replace(CONTROL, "", regex=True).str.strip()
    f["numbered"] = memo.str.contains("(?:^|[^0-9])[0-9]{9,10}(?:[^0-9]|\\Z)", regex=True).fillna(False).astype(bool)
    f["ended"] = day(pd, without(f["DATAFH"], "00000000", ""))
    f["begun"] = without(f["DATSTART"], "00000000", "").fillna(f["DATREG"])
    upper = {name: f[name].str.strip().str.upper() for name in ("KANAAL", "VERTROUW", "BEHAND")}
    f["handler"] = without(upper["BEHAND"], "", "???", "-", "ONBEKEND")
    channel = without(upper["KANAAL"], *NOTHING)
    f["channel_code"] = channel.map(codes["channel"]).fillna("onbekend").where(channel.notna())
    main = f["HOOFDZAAK"].str.strip(" ")
    above = f["main.ZAAKNR"].where(f["main.climbed"].fillna(0) > 0, f["HOOFDZAAK"])
    f["parent"] = above.where(main.notna() & (main != "") & (main != f["ZAAKNR"]))
    f["cut"] = (subject.str.len() > 80).fillna(False).astype(bool)
    long = subject[f["cut"]].str.slice(0, 81)
    short = subject.copy()
    short[f["cut"]] = long.str.replace(r"\s+\S*\Z", "", regex=True).str.slice(0, 80)
    f["description"] = without(short, "")
    memo = without(memo, "")
    both = subject.str.cat(memo, sep="\n\n").where(memo.notna(), subject).where(f["cut"], memo)
    f["explanation"] = without(both, "").str.slice(0, 1000)
    f["registration_date"], f["start_date"] = day(pd, f["DATREG"]), day(pd, f["begun"])
    last_day = day(pd, without(f["last.DATSTAT"], "00000000", ""))
    f["end_date"] = f["ended"].fillna(last_day).where(f["STATUS"] == "AF")
    for name, source in (("planned_end_date", "DATSTREEF"), ("latest_end_date", "DATFATAAL")):
        f[name] = day(pd, f[source].where(f[source].between("19900101", "20401231")))
    secret = without(upper["VERTROUW"], *NOTHING).map(codes["secrecy"])
    f["confidentiality"] = secret.fillna(f["ZTCODE"].map(codes["type_secrecy"]))
    f["payment_indication"] = f["BETIND"].map(codes["payment"])
    paid = without(f["DATBET"], "00000000", "").where(f["BETIND"].fillna("N") != "N")
    f["last_payment_at"] = day(pd, paid).dt.tz_localize(ZONE).dt.tz_convert("UTC")
    f["suspended"] = (f["OPSCHORT"] == "J").fillna(False).astype(bool)
    f["suspension_reason"] = without(f["OPSCHREDEN"].str.strip(" "), "").str.slice(0, 200).where(f["suspended"])
    days = pd.to_numeric(f["VERLDAGEN"], errors="coerce") > 0
    f["extension_period"] = ("P" + f["VERLDAGEN"] + "D").where(days)
    f["extension_reason"] = pd.Series("Niet vastgelegd", index=f.index).where(days)
    f["archive_nomination"] = f["ARCHIEF"].map(codes["archive"])
    f["archive_action_date"] = day(pd, without(f["DATVERN"], "00000000", "99991231", ""))
    f["identification"], f["archive_status"] = f["ZAAKNR"], "nog_te_archiveren"
    f["source_org"] = f["responsible_org"] = "002564440"
    written = f["MUTTIJD"].fillna(f["INVTIJD"]).fillna(f["DATREG"])
    moment = pd.to_datetime(written, format="%Y-%m-%d %H:%M:%S", errors="coerce").fillna(day(pd, written))
    moment = moment.dt.tz_localize(ZONE, ambiguous=[True] * len(f), nonexistent="NaT")
    f["last_modified_at"] = moment.dt.tz_convert("UTC")
    f["handler_name"] = f["handler"].str.replace(r"\s+", " ", regex=True).str.lower().map(codes["handler"])
    return f


def linked(f: Any, ids: Any) -> Any:
    """Add the ids of the records linked to."""
    f["case_type_id"] = (f["ZTCODE"] + "|" + f["VERSIE"]).map(ids["zaak.case_type"])
    f["parent_case_id"] = f["parent"].map(ids["zaak.case"])
    actor = f["handler"].map(ids["zaak.actor"]).fillna(f["handler_name"].map(ids["zaak.actor"]))
    f["handler_actor_id"] = actor.fillna(f["AFDCODE"].map(ids["zaak.unit"]))
    f["channel_id"] = f["channel_code"].map(ids["channel"])
    return f


def judged(pd: Any, f: Any) -> tuple[Any, Any]:
    """Return the records, and the issues."""
    closed, late = f["STATUS"] == "AF", f["start_date"] - pd.Timedelta(days=30)
    nothing = ("", "00000000", "99991231")
    odd = {
        name: f[name].notna() & ~f[name].isin(nothing) & ~f[name].between("19900101", "20401231")
        for name in ("DATSTREEF", "DATFATAAL")
    }
    errors = {
        ("case_type_id", "orphan"): f["ZTCODE"].notna() & f["VERSIE"].notna() & f["case_type_id"].isna(),
        ("parent_case_id", "orphan"): f["parent"].notna() & f["parent_case_id"].isna(),
        ("start_date", "date-invalid"): f["begun"].notna() & f["start_date"].isna(),
        ("registration_date", "date-invalid"): f["registration_date"].isna(),
        ("end_date", "date-invalid"): closed & f["ended"].isna() & ~f["DATAFH"].fillna("").isin(["", "00000000"]),
        ("einde hoogstens 30 dagen voor begin", "rule-failed"): f["end_date"] < late,
        ("confidentiality", "code-unknown"): f["confidentiality"].isna(),
    }
    warnings = {
        ("description", "truncated"): f["cut"],
        ("end_date", "warn-if"): closed == f["ended"].isna(),
        ("explanation", "warn-if"): f["numbered"],
        ("planned_end_date", "warn-if"): odd["DATSTREEF"],
        ("latest_end_date", "warn-if"): odd["DATFATAAL"],
        ("archive_action_date", "warn-if"): (f["ARCHIEF"] == "V") & f["DATVERN"].between("19000101", "20191231"),
        ("parent_case_id", "warn-if"): f["main.climbed"].fillna(0) > 1,
        ("einde niet voor begin", "rule-failed"): (f["end_date"] < f["start_date"]) & (f["end_date"] >= late),
        ("geen betaaldatum zonder betaling", "rule-failed"): (f["BETIND"] == "N")
        & ~f["DATBET"].fillna("").isin(["", "00000000"]),
        ("de aanvrager is bekend", "rule-failed"): f["AANVRID"].fillna("0") == "0",
    }
    bad = pd.concat([found.fillna(False).astype(bool) for found in errors.values()], axis=1).any(axis=1)
    there = [(field, code, found.fillna(False).astype(bool)) for (field, code), found in errors.items()]
    there += [(field, code, found.fillna(False).astype(bool) & ~bad) for (field, code), found in warnings.items()]
    issues = [f.loc[hits, ["_key"]].assign(field=field, code=code) for field, code, hits in there]
    return f.loc[~bad, ["_key", "id", *FIELDS]], pd.concat(issues)


if __name__ == "__main__":
    main_of(run)
