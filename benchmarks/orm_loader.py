"""The loader that most projects write first: SQLAlchemy's ORM, one row after the other, the same mapping as zaak.case.

It reads the same source, makes the same ids, and writes the same records and an id map; it keeps no issues, no
rejected rows, no hashes and no checkpoint.  It runs in a process of its own:
``python -m benchmarks.orm_loader WORKSPACE TARGET ROWS``.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session, registry

from casemodel import derive_secrets, tables
from migrate.ledger.tables import ledger_table

BATCH = 1_000
NOTHING = {"", "N.V.T.", "NVT", "-", "X", "ONBEKEND"}
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class _Base(DeclarativeBase):
    registry = registry()


class Case(_Base):
    """A record of case_file."""

    __table__ = tables["case_file"]


class IdMap(_Base):
    """A row of the id map."""

    __table__ = ledger_table("sqlite", "id_map")


def codes(folder: Path, name: str, *, fold: bool = False) -> dict[str, str]:
    """Read a code table."""
    with (folder / "codes" / name).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(" ".join(row["from"].split()).casefold() if fold else row["from"]): row["to"] for row in rows}


def day(text: str | None) -> date | None:
    """Read YYYYMMDD; None for nothing and for an impossible day."""
    if not text or not re.fullmatch(r"\d{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def moment(text: str | None) -> datetime | None:
    """Read a local time and return the instant."""
    if not text:
        return None
    form = "%Y-%m-%d %H:%M:%S" if "-" in text else "%Y%m%d"
    return datetime.strptime(text, form).replace(tzinfo=AMSTERDAM).astimezone(UTC)


def cut_at_word(text: str | None, length: int) -> str | None:
    """Cut a text at a word."""
    if text is None or len(text) <= length:
        return text
    found = re.match(r"(?s)(.*\S)\s+\S*\Z", text[: length + 1])
    return found.group(1) if found else text[:length]


class Loader:
    """Maps rows one by one."""

    def __init__(self, folder: Path, connection: sa.Connection) -> None:
        self.namespace = uuid.UUID(derive_secrets("omnicase demo").namespace)
        self.channels = codes(folder, "zaak_kanaal.csv")
        self.confidentiality = codes(folder, "vertrouwelijkheid.csv")
        self.by_type = codes(folder, "zaaktype_vertrouwelijk.csv")
        self.payment, self.archive = codes(folder, "zaak_betind.csv"), codes(folder, "zaak_archief.csv")
        self.handlers = codes(folder, "zaak_behandelaar.csv", fold=True)
        self.channel_ids = dict(connection.execute(sa.select(tables["channel"].c.code, tables["channel"].c.id)).all())
        id_map, mapping = ledger_table("sqlite", "id_map"), ledger_table("sqlite", "mapping")
        self.ids: dict[str, dict[str, str]] = {}
        for name, key, found in connection.execute(
            sa.select(mapping.c.name, id_map.c.source_key, id_map.c.target_id).join(
                mapping, mapping.c.id == id_map.c.mapping_id
            )
        ):
            self.ids.setdefault(name, {})[key] = found
        self.number = connection.scalar(sa.select(sa.func.max(mapping.c.id)))
        self.cases: dict[str, str] = {}

    def record(self, row: dict[str, Any]) -> Case | None:
        """Map one row; None when it is out of scope or rejected."""
        row = {name: (str(value).rstrip(" ") if value is not None else None) for name, value in row.items()}
        if (row["DELETED"] or "N") == "J":
            return None
        number = row["ZAAKNR"]
        subject = " ".join(CONTROL.sub("", row["ONDERWERP"] or "").split()) or None
        memo = CONTROL.sub("", row["TOELICHT"] or "").strip() or None
        ended, start, registered = day(row["DATAFH"]), day(row["DATSTART"] or row["DATREG"]), day(row["DATREG"])
        if (row["DATSTART"] or "") == "00000000":
            start = registered
        end = ended if row["STATUS"] == "AF" else None
        case_type = self.ids["zaak.case_type"].get(f"{row['ZTCODE']}|{row['VERSIE']}")
        if start is None or registered is None or case_type is None or (end is not None and (start - end).days > 30):
            return None
        parts = [subject if subject and len(subject) > 80 else None, memo]
        explanation = "\n\n".join(part for part in parts if part)[:1000] or None
        days = row["VERLDAGEN"] if (row["VERLDAGEN"] or "").isdigit() and int(row["VERLDAGEN"]) > 0 else None
        key = json.dumps(["case_file", "zaak.case", number], ensure_ascii=False, separators=(",", ":"))
        parent = row["HOOFDZAAK"]
        return Case(
            id=str(uuid.uuid5(self.namespace, key)),
            identification=number,
            source_org="002564440",
            responsible_org="002564440",
            case_type_id=case_type,
            description=cut_at_word(subject, 80),
            explanation=explanation,
            registration_date=registered,
            start_date=start,
            end_date=end,
            planned_end_date=self.plausible(row["DATSTREEF"]),
            latest_end_date=self.plausible(row["DATFATAAL"]),
            channel_id=self.channel(row["KANAAL"]),
            confidentiality=self.secrecy(row),
            payment_indication=self.payment.get(row["BETIND"] or ""),
            last_payment_at=moment(
                None if row["BETIND"] == "N" or row["DATBET"] in ("00000000", "") else row["DATBET"]
            ),
            suspended=row["OPSCHORT"] == "J",
            suspension_reason=(row["OPSCHREDEN"] or None) if row["OPSCHORT"] == "J" else None,
            extension_period=f"P{days}D" if days else None,
            extension_reason="Niet vastgelegd" if days else None,
            archive_nomination=self.archive.get(row["ARCHIEF"] or ""),
            archive_status="nog_te_archiveren",
            archive_action_date=None if row["DATVERN"] in ("00000000", "99991231", "") else day(row["DATVERN"]),
            parent_case_id=self.cases.get(parent) if parent and parent != number else None,
            handler_actor_id=self.handler(row),
            last_modified_at=moment(row["MUTTIJD"] or row["INVTIJD"] or row["DATREG"]),
        )

    def plausible(self, text: str | None) -> date | None:
        """Return a day between 1990 and 2040."""
        return day(text) if text and "19900101" <= text <= "20401231" else None

    def channel(self, text: str | None) -> str | None:
        """Return the channel of a code."""
        code = (text or "").strip().upper()
        return None if code in NOTHING else self.channel_ids[self.channels.get(code, "onbekend")]

    def secrecy(self, row: dict[str, Any]) -> str:
        """Return the confidentiality of the case, or of its type."""
        code = (row["VERTROUW"] or "").strip().upper()
        found = None if code in NOTHING else self.confidentiality.get(code)
        return found or self.by_type[row["ZTCODE"]]

    def handler(self, row: dict[str, Any]) -> str | None:
        """Return the actor that handles the case."""
        text = (row["BEHAND"] or "").strip().upper()
        if text and text not in {"???", "-", "ONBEKEND"}:
            actors = self.ids["zaak.actor"]
            found = actors.get(text) or actors.get(self.handlers.get(" ".join(text.split()).casefold(), ""))
            if found:
                return found
        return self.ids["zaak.unit"].get(row["AFDCODE"] or "")


def load(folder: Path, target: str, rows: int) -> None:
    """Load the first `rows` rows, committing every thousand."""
    source = sa.create_engine(f"sqlite:///{folder / 'systems' / 'zaak.db'}")
    engine = sa.create_engine(f"sqlite:///{target}")
    sa.event.listen(
        engine,
        "connect",
        lambda raw, _: raw.executescript("PRAGMA foreign_keys=ON; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"),
    )
    with source.connect() as reading, Session(engine) as session:
        loader = Loader(folder, session.connection())
        found = reading.execution_options(yield_per=BATCH).execute(
            sa.text("SELECT * FROM ZKN_ZAAK ORDER BY ZAAKNR LIMIT :rows"), {"rows": rows}
        )
        for count, row in enumerate(found.mappings(), 1):
            record = loader.record(dict(row))
            if record is not None:
                session.add(record)
                loader.cases[record.identification] = record.id
            session.add(
                IdMap(
                    mapping_id=loader.number,
                    source_key=str(row["ZAAKNR"]).rstrip(),
                    state="loaded" if record else "rejected",
                    target_id=record.id if record else None,
                    run_id=1,
                )
            )
            if count % BATCH == 0:
                session.commit()
                session.expunge_all()
        session.commit()


if __name__ == "__main__":
    load(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
