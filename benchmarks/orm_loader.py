"""The loader that most projects write first: SQLAlchemy's ORM, one row after the other, the same mapping as zaak.case.

It reads the same source, makes the same ids, and writes the same records and what the ledger keeps of them: id map
with source hash, record hash, other key, issues, rejected rows.  With ``--bare`` it writes records and id map only.
Either way it keeps no waits and no checkpoint, cannot go on after a kill, and holds all keys in memory.  It runs in a
process of its own: ``python -m benchmarks.orm_loader WORKSPACE TARGET ROWS [--bare]``.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import re
import sys
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
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
    if TYPE_CHECKING:
        id: str
        identification: str


class IdMap(_Base):
    """A row of the id map."""

    __table__ = ledger_table("sqlite", "id_map")


class Record(_Base):
    """What was written of a record."""

    __table__ = ledger_table("sqlite", "record")


class OtherKey(_Base):
    """Another key of a source row."""

    __table__ = ledger_table("sqlite", "other_key")
    __mapper_args__ = {"primary_key": [__table__.c.mapping_id, __table__.c.columns, __table__.c.source_key]}  # noqa: RUF012


class Issue(_Base):
    """A value that could not be mapped as it was."""

    __table__ = ledger_table("sqlite", "issue")


class Reject(_Base):
    """A row that was not loaded."""

    __table__ = ledger_table("sqlite", "reject")


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
        secrets = derive_secrets("omnicase demo")
        self.namespace, self.hash_key = uuid.UUID(secrets.namespace), secrets.hash_key
        self.issues: list[tuple[str, str, str]] = []
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
        """Map one row; None when it is out of scope or rejected.  Its issues are in `issues`."""
        self.issues = []
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
        self.judge(row, start, end, subject)
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

    def judge(self, row: dict[str, Any], start: date | None, end: date | None, subject: str | None) -> None:
        """Note what is wrong with a row and what was lost of it."""
        checks = [
            (start is None, "start_date", "date-invalid", "error"),
            (len(subject or "") > 80, "description", "truncated", "warning"),
            (row["DATVERN"] == "99991231", "archive_action_date", "warn-if", "warning"),
            (row["STATUS"] != "AF" and day(row["DATAFH"]) is not None, "end_date", "warn-if", "warning"),
            (self.implausible(row["DATSTREEF"]), "planned_end_date", "warn-if", "warning"),
            (self.implausible(row["DATFATAAL"]), "latest_end_date", "warn-if", "warning"),
            (not row["AANVRID"], "de aanvrager is bekend", "rule-failed", "warning"),
            (start is not None and end is not None and end < start, "einde niet voor begin", "rule-failed", "warning"),
        ]
        self.issues = [(name, code, severity) for broken, name, code, severity in checks if broken]

    def implausible(self, text: str | None) -> bool:
        """Return whether a day is there and not between 1990 and 2040."""
        return day(text) is not None and self.plausible(text) is None

    def hashed(self, values: Iterable[Any]) -> str:
        """Return the keyed hash of values."""
        text = "\x1f".join("-" if value is None else f"{len(str(value))}:{value}" for value in values)
        return hmac.new(self.hash_key, text.encode(), hashlib.sha256).hexdigest()[:32]

    def ledger(self, row: dict[str, Any], place: int, record: Case | None) -> Iterator[Any]:
        """Yield what the ledger keeps of a row besides the id map."""
        key = str(row["ZAAKNR"]).rstrip()
        mine = {"mapping_id": self.number, "run_id": 1}
        if record is not None:
            columns = [getattr(record, name) for name in record.__table__.c.keys()]  # noqa: SIM118
            yield Record(**mine, record_key=key, target_id=record.id, record_hash=self.hashed(columns), column_set_id=1)
        elif self.issues:
            yield Reject(**mine, source_key=key, row_ref=str(place), row=json.dumps(row, default=str))
        if row["ZAAKID_OUD"]:
            other = str(row["ZAAKID_OUD"])
            yield OtherKey(mapping_id=self.number, columns="ZAAKID_OUD", key=other, source_key=key, run_id=1)
        for name, code, severity in self.issues:
            of_row = {"source_key": key, "row_ref": str(place)}
            yield Issue(**mine, **of_row, field=name, code=code, severity=severity)

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


def load(folder: Path, target: str, rows: int, *, with_ledger: bool) -> None:
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
                    source_hash=loader.hashed(row.values()) if with_ledger else None,
                    run_id=1,
                )
            )
            if with_ledger:
                session.add_all(loader.ledger(dict(row), count, record))
            if count % BATCH == 0:
                session.commit()
                session.expunge_all()
        session.commit()


if __name__ == "__main__":
    load(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), with_ledger="--bare" not in sys.argv)
