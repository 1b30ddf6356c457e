"""The same mapping row by row, as plain Python functions: what petl runs, and the truth that needs no library."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

NOTHING = {"", "N.V.T.", "NVT", "-", "X", "ONBEKEND"}
CONTROL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
RTF = re.compile(r"\\par\b ?|\\[a-z]+-?[0-9]* ?|[{}]")
NUMBER = re.compile(r"(^|[^0-9])[0-9]{9,10}([^0-9]|\Z)")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
Row = Mapping[str, Any]


def day(text: str | None) -> date | None:
    """Read YYYYMMDD."""
    if text is None or not re.fullmatch(r"[1-9]\d{7}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def instant(text: str | None) -> datetime | None:
    """Read a local time of Amsterdam."""
    if not text:
        return None
    if "-" in text:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=AMSTERDAM).astimezone(UTC)
    found = day(text)
    return None if found is None else datetime(found.year, found.month, found.day, tzinfo=AMSTERDAM).astimezone(UTC)


def subject(row: Row) -> str | None:
    """Return the subject with single blanks."""
    text = row["ONDERWERP"]
    return None if text is None else re.sub(r"\s+", " ", CONTROL.sub("", text)).strip(" ")


def memo(row: Row) -> str | None:
    """Return the memo as plain text."""
    text = row["TOELICHT"]
    if text is None:
        return None
    if text.lstrip().startswith("{\\rtf"):
        text = RTF.sub(lambda found: "\n" if found.group().startswith("\\par") else "", text).strip()
    return CONTROL.sub("", text).strip()


def cut_at_word(text: str | None) -> str | None:
    """Cut a text at a word, to 80 characters."""
    if not text or len(text) <= 80:
        return text or None
    return re.sub(r"\s+\S*\Z", "", text[:81])[:80] or text[:80]


def explanation(row: Row) -> str | None:
    """Return the long subject and the memo."""
    long = row["subject"] if row["subject"] is not None and len(row["subject"]) > 80 else None
    return "\n\n".join(part for part in (long, row["memo"] or None) if part is not None)[:1000] or None


def start_text(row: Row) -> str | None:
    """Return the start as written, or the day of registration."""
    written: str | None = row["DATREG"] if row["DATSTART"] in (None, "", "00000000") else row["DATSTART"]
    return written


def plausible(text: str | None) -> date | None:
    """Return a day between 1990 and 2040."""
    return day(text) if text is not None and "19900101" <= text <= "20401231" else None


def code(text: str | None) -> str | None:
    """Return a code as typed, without what means nothing."""
    found = None if text is None else text.strip().upper()
    return None if found in NOTHING else found


def parent(row: Row) -> str | None:
    """Return the number of the main case."""
    above = (row["HOOFDZAAK"] or "").strip(" ")
    if above in ("", row["ZAAKNR"]):
        return None
    found: str | None = row["main.ZAAKNR"] if (row["main.climbed"] or 0) > 0 else row["HOOFDZAAK"]
    return found


def delay(row: Row) -> str | None:
    """Return the days of extension, when there are any."""
    text = row["VERLDAGEN"]
    return text if text is not None and re.fullmatch(r"\s*[+-]?\d+\s*", text) and int(text) > 0 else None


def handler(row: Row, ids: Mapping[str, Mapping[str, str]], names: Mapping[str, str]) -> str | None:
    """Return the actor or unit that handles the case."""
    text = None if row["BEHAND"] is None else row["BEHAND"].strip().upper()
    found = None
    if text not in (None, "", "???", "-", "ONBEKEND"):
        found = ids["zaak.actor"].get(text) or ids["zaak.actor"].get(names.get(" ".join(text.split()).lower(), ""))
    return found or ids["zaak.unit"].get(row["AFDCODE"] or "")


def issues(row: Row) -> list[tuple[str, str, bool]]:
    """Return field, code and whether it is an error; warnings of a row with an error do not count."""
    closed, start, end = row["STATUS"] == "AF", row["start_date"], row["end_date"]
    late = end is not None and start is not None and end < start - timedelta(days=30)
    errors = [
        (
            "case_type_id",
            "orphan",
            row["case_type_id"] is None and row["ZTCODE"] is not None and row["VERSIE"] is not None,
        ),
        ("parent_case_id", "orphan", row["parent"] is not None and row["parent_case_id"] is None),
        ("start_date", "date-invalid", row["start_text"] is not None and start is None),
        ("registration_date", "date-invalid", row["registration_date"] is None),
        ("end_date", "date-invalid", closed and row["ended"] is None and row["DATAFH"] not in (None, "", "00000000")),
        ("einde hoogstens 30 dagen voor begin", "rule-failed", late),
        ("confidentiality", "code-unknown", row["confidentiality"] is None),
    ]
    found = [(field, code, True) for field, code, there in errors if there]
    if found:
        return found

    def odd(name: str) -> bool:
        text = row[name]
        return text is not None and text not in ("", "00000000", "99991231") and not "19900101" <= text <= "20401231"

    destroyed = row["DATVERN"] is not None and "19000101" <= row["DATVERN"] <= "20191231"
    warnings = [
        ("description", "truncated", row["subject"] is not None and len(row["subject"]) > 80),
        ("end_date", "warn-if", closed == (row["ended"] is None)),
        ("explanation", "warn-if", row["memo"] is not None and NUMBER.search(row["memo"]) is not None),
        ("planned_end_date", "warn-if", odd("DATSTREEF")),
        ("latest_end_date", "warn-if", odd("DATFATAAL")),
        ("archive_action_date", "warn-if", row["ARCHIEF"] == "V" and destroyed),
        ("parent_case_id", "warn-if", (row["main.climbed"] or 0) > 1),
        ("einde niet voor begin", "rule-failed", end is not None and start is not None and end < start),
        (
            "geen betaaldatum zonder betaling",
            "rule-failed",
            row["BETIND"] == "N" and row["DATBET"] not in (None, "", "00000000"),
        ),
        ("de aanvrager is bekend", "rule-failed", (row["AANVRID"] or "0") == "0"),
    ]
    return [(field, code, False) for field, code, there in warnings if there]


def record_id(namespace: uuid.UUID, key: str) -> str:
    """Return the id of a case; case numbers hold no sign that JSON escapes."""
    return str(uuid.uuid5(namespace, f'["case_file","zaak.case","{key}"]'))
