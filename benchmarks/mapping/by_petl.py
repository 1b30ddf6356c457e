"""The same mapping in petl: a table of fields made row by row.  ``python -m benchmarks.mapping.by_petl``."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.mapping import by_row
from benchmarks.mapping.by_hand import FIELDS, tables
from benchmarks.mapping.given import known_links, library, main_of, prepared_frames


def mapped(rows: list[dict[str, Any]], ids: dict[str, dict[str, str]], codes: Any, namespace: uuid.UUID) -> Any:
    """Return petl's table of every row in scope with all fields."""
    etl = library("petl")
    values = {
        "id": lambda row: by_row.record_id(namespace, row["_key"]),
        "subject": by_row.subject,
        "memo": by_row.memo,
        "ended": lambda row: by_row.day(row["DATAFH"]),
        "start_text": by_row.start_text,
        "channel": lambda row: by_row.code(row["KANAAL"]),
        "parent": by_row.parent,
        "days": by_row.delay,
        "identification": lambda row: row["ZAAKNR"],
        "source_org": "002564440",
        "responsible_org": "002564440",
        "case_type_id": lambda row: ids["zaak.case_type"].get(f"{row['ZTCODE']}|{row['VERSIE']}"),
        "description": lambda row: by_row.cut_at_word(row["subject"]),
        "explanation": by_row.explanation,
        "registration_date": lambda row: by_row.day(row["DATREG"]),
        "start_date": lambda row: by_row.day(row["start_text"]),
        "end_date": lambda row: (row["ended"] or by_row.day(row["last.DATSTAT"])) if row["STATUS"] == "AF" else None,
        "planned_end_date": lambda row: by_row.plausible(row["DATSTREEF"]),
        "latest_end_date": lambda row: by_row.plausible(row["DATFATAAL"]),
        "channel_id": lambda row: (
            None if row["channel"] is None else ids["channel"][codes["channel"].get(row["channel"], "onbekend")]
        ),
        "confidentiality": lambda row: (
            codes["secrecy"].get(by_row.code(row["VERTROUW"])) or codes["type_secrecy"].get(row["ZTCODE"])
        ),
        "payment_indication": lambda row: codes["payment"].get(row["BETIND"]),
        "last_payment_at": lambda row: (
            None if row["BETIND"] in (None, "N") or row["DATBET"] == "00000000" else by_row.instant(row["DATBET"])
        ),
        "suspended": lambda row: row["OPSCHORT"] == "J",
        "suspension_reason": lambda row: (
            ((row["OPSCHREDEN"] or "").strip(" ")[:200] or None) if row["OPSCHORT"] == "J" else None
        ),
        "extension_period": lambda row: row["days"] and f"P{row['days']}D",
        "extension_reason": lambda row: row["days"] and "Niet vastgelegd",
        "archive_nomination": lambda row: codes["archive"].get(row["ARCHIEF"]),
        "archive_status": "nog_te_archiveren",
        "archive_action_date": lambda row: None if row["DATVERN"] == "99991231" else by_row.day(row["DATVERN"]),
        "parent_case_id": lambda row: ids["zaak.case"].get(row["parent"]),
        "handler_actor_id": lambda row: by_row.handler(row, ids, codes["handler"]),
        "last_modified_at": lambda row: by_row.instant(
            next((row[name] for name in ("MUTTIJD", "INVTIJD", "DATREG") if row[name] is not None), None)
        ),
        "issues": by_row.issues,
    }
    table = etl.fromdicts(rows, header=list(rows[0]))
    table = etl.select(table, lambda row: (row["DELETED"] or "N") != "J")
    for name, value in values.items():
        table = etl.addfield(table, name, value)
    return etl.cut(table, "_key", "id", *FIELDS, "issues")


def run(folder: Path, given: Path, out: Path | None) -> dict[str, float]:
    """Map every row; returns the seconds."""
    library("petl")
    links, codes = known_links(given), tables(folder)
    rows = pl.concat(prepared_frames(given)).to_dicts()
    ids = {name: dict(frame.select("key", "target_id").rows()) for name, frame in links.known.items()}
    ids["channel"] = dict(links.channels.select("v0", "target_id").rows())
    namespace = uuid.UUID((given / "namespace").read_text(encoding="ascii"))
    started, used = time.perf_counter(), time.process_time()
    made = mapped(rows, ids, codes, namespace)
    records, issues = [], []
    for row in made.dicts():
        found = row.pop("issues")
        issues += [(row["_key"], field, code) for field, code, _ in found]
        if not any(error for _, _, error in found):
            records.append(row)
    figures = {"mapping": time.perf_counter() - started, "processor": time.process_time() - used}
    if out is not None:
        pl.DataFrame(records, infer_schema_length=None).write_ipc(out / "by_petl.records.ipc")
        pl.DataFrame(issues, schema=["_key", "field", "code"], orient="row").write_ipc(out / "by_petl.issues.ipc")
    return figures


if __name__ == "__main__":
    main_of(run)
