"""Writing a demo: the workspace, the old systems chunk by chunk, the answer key and the true links beside them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from casemodel import RefusedError, SystemFailure
from migrate.demo import (
    appointments,
    casefile,
    cases,
    catalogue,
    complaints,
    contacts,
    desk_records,
    filed,
    fixed_tables,
    handouts,
    history,
    involved,
    messages,
    night_job,
    papers,
    parties,
    properties,
    schemas,
    tickets,
)
from migrate.demo.answer_key import AnswerKey
from migrate.demo.dirt import DirtCount
from migrate.demo.links import TrueLinks
from migrate.demo.output import OldDatabase, old_database
from migrate.demo.people import with_person
from migrate.demo.world import CUSTOMER_BASE, PERSON_BASE, World, counter_span

_CHUNK_CASES = 20_000
_CHUNK_ROWS = 60_000
_SHIPPED = Path(__file__).resolve().parents[2] / "mappings" / "library" / "demo"


@dataclass(slots=True)
class _Books:
    """What is written beside the old systems, and how far the work is."""

    world: World
    dirt: DirtCount
    links: TrueLinks
    key: AnswerKey | None
    advance: Callable[[int], None]
    leaving: list[pl.DataFrame] = field(default_factory=list)
    """Customers that a night job deletes between two deliveries."""
    handed: list[pl.DataFrame] = field(default_factory=list)
    """Tickets with which a document was handed out."""


def write_demo(folder: Path, world: World, *, answer_key: bool, advance: Callable[[int], None]) -> pl.DataFrame:
    """Write a complete workspace with generated old systems, whole or not at all.

    Args:
        folder: does not exist yet or is empty.
        world: size and seed.
        answer_key: whether to write what each source row has to become.
        advance: told how many cases' worth of work is done, of three times the number of cases in all.

    Returns:
        The books of the dirt: ``id``, ``planted``, ``of``.

    Raises:
        RefusedError: DEM-001 the folder holds something, DEM-002 it is a file (exit 4).
        SystemFailure: SYS-021 the disk refuses.
    """
    with _draft(folder) as draft:
        shutil.copytree(_SHIPPED, draft, dirs_exist_ok=True)
        for part in ("systems/kcc", "systems/klachten", "systems/uitreik", "systems/oudwmo", "answer_key"):
            (draft / part).mkdir(parents=True)
        dirt = DirtCount()
        with ExitStack() as stack:
            links = stack.enter_context(TrueLinks(draft / "answer_key" / "links.parquet"))
            key = stack.enter_context(AnswerKey(draft / "answer_key", draft / "codes")) if answer_key else None
            books = _Books(world, dirt, links, key, advance)
            with old_database(draft / "systems" / "zaak.db", schemas.ZAAK) as database:
                _write_zaak(books, database, draft / filed.FOLDER)
            with old_database(draft / "systems" / "balie.db", schemas.BALIE) as database:
                _write_balie(books, database)
            _write_kcc(books, draft / "systems" / "kcc")
            _write_uitreik(books, draft / "systems" / "uitreik")
            _write_complaints(books, draft / "systems" / "klachten")
            _write_messages(books, draft / "systems" / "oudwmo")
        night_job.write_list(draft, pl.concat(books.leaving))
        dirt.frame().write_csv(draft / "answer_key" / "dirt.csv")
    return dirt.frame()


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Yield a folder that takes the demo's place when the block succeeds, and is removed when it does not."""
    hint = "Name a folder that does not exist yet."
    if folder.is_dir():
        if any(folder.iterdir()):
            raise RefusedError(
                "DEM-001", "the folder is not empty, and a demo overwrites nothing", hint=hint, place=str(folder)
            )
    elif folder.exists() or folder.is_symlink():
        raise RefusedError("DEM-002", "there is a file of that name", hint=hint, place=str(folder))
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield draft
        if folder.is_dir():
            folder.rmdir()
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _spans(low: int, high: int, size: int) -> Iterator[tuple[int, int]]:
    for start in range(low, high, size):
        yield start, min(start + size, high)


def _numbered(frame: pl.DataFrame, column: str, used: int) -> tuple[pl.DataFrame, int]:
    """Number rows from ``used`` + 1 on and return the last number used."""
    numbers = pl.int_range(used + 1, used + 1 + frame.height, dtype=pl.Int64, eager=True).alias(column)
    return frame.with_columns(numbers), used + frame.height


def _write_zaak(books: _Books, database: OldDatabase, papers_folder: Path) -> None:
    world = books.world
    for table, frame in fixed_tables.case_tables().items():
        database.append(table, frame)
    if books.key:
        books.key.fixed_tables()
    for low, high in _spans(0, world.case_persons, _CHUNK_ROWS):
        persons = parties.case_persons(world, low, high)
        homes = parties.addresses(world, persons)
        _put(books, database, "ZKN_PERSOON", persons)
        database.append("ZKN_ADRES", homes)
        if books.key:
            books.key.case_persons(world, persons, homes, low, high)
    for low, high in _spans(0, world.companies, _CHUNK_ROWS):
        companies = parties.companies(world, low, high)
        _put(books, database, "ZKN_BEDRIJF", companies)
        seat = with_person(world, companies.select("ADRESID", (pl.col("b") + 7_000_000).alias("t")))
        homes = parties.addresses(world, seat)
        database.append("ZKN_ADRES", homes)
        if books.key:
            books.key.companies(companies, homes)
    used = dict.fromkeys(("STATID", "BETRID", "KENMID", "DOCID", "MEMOID", "LOGID"), 0)
    for low, high in _spans(0, world.cases, _CHUNK_CASES):
        made = _write_cases(books, database, low, high, used)
        _write_papers(papers_folder, made["ZKN_DOC"])
        books.advance(high - low)


def _write_cases(
    books: _Books, database: OldDatabase, low: int, high: int, used: dict[str, int]
) -> dict[str, pl.DataFrame]:
    """Write the cases numbered from ``low`` to ``high`` and all that hangs on them, and return the latter by table."""
    world = books.world
    numbers = pl.DataFrame({"i": pl.int_range(low, high, dtype=pl.Int64, eager=True)})
    frame = casefile.case_rows(world, cases.case_states(world, cases.case_facts(world, numbers)))
    _put(books, database, "ZKN_ZAAK", frame)
    children = {
        "ZKN_STATUS": (history.status_rows, "STATID"),
        "ZKN_BETROK": (involved.role_rows, "BETRID"),
        "ZKN_KENMERK": (properties.property_rows, "KENMID"),
        "ZKN_DOC": (papers.document_rows, "DOCID"),
        "ZKN_MEMO": (papers.memo_rows, "MEMOID"),
        "ZKN_LOG": (papers.log_rows, "LOGID"),
    }
    made: dict[str, pl.DataFrame] = {}
    for table, (make, column) in children.items():
        made[table], used[column] = _numbered(make(world, frame), column, used[column])
        _put(books, database, table, made[table])
    related = papers.relation_rows(world, frame)
    _put(books, database, "ZKN_RELATIE", related)
    if books.key:
        books.key.cases(frame)
        books.key.statuses(made["ZKN_STATUS"])
        books.key.roles(made["ZKN_BETROK"])
        books.key.properties(made["ZKN_KENMERK"])
        books.key.documents(made["ZKN_DOC"])
        books.key.relations(world, related)
    return made


def _write_papers(folder: Path, documents: pl.DataFrame) -> None:
    for place, content in filed.on_disk(documents):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        else:
            _write_file(path, content)


def _put(books: _Books, database: OldDatabase, table: str, frame: pl.DataFrame) -> None:
    database.append(table, frame)
    books.dirt.add(frame)
    books.dirt.count("B06", frame.height, frame.height)


def _write_balie(books: _Books, database: OldDatabase) -> None:
    world = books.world
    for table, frame in fixed_tables.counter_tables().items():
        database.append(table, frame)
    for low, high in _spans(world.first_customer, world.persons, _CHUNK_ROWS):
        customers = parties.customers(world, low, high)
        _put(books, database, "BLS_KLANT", customers)
        books.leaving.append(night_job.deleted(customers))
        books.dirt.count("B32", books.leaving[-1].height, customers.height)
        both = customers.filter(pl.col("t") < world.case_persons).with_columns(
            (pl.col("t") + PERSON_BASE).alias("PERSID")
        )
        books.links.add(both, "person", ("balie.BLS_KLANT", "KLANTNR"), ("zaak.ZKN_PERSOON", "PERSID"))
        if books.key:
            books.key.customers(world, customers, low, high)
    first, after = counter_span()
    days = max(1, _CHUNK_ROWS * (after - first) // max(1, world.cases * 3))
    used = dict.fromkeys(("BONID", "AFSPNR", "KASSAID"), 0)
    for low, high in _spans(first, after, days):
        _write_days(books, database, low, high, used)
        books.advance(world.cases * (high - first) // (after - first) - world.cases * (low - first) // (after - first))


def _write_days(books: _Books, database: OldDatabase, low: int, high: int, used: dict[str, int]) -> None:
    """Write what happened at the counter on the working days from ``low`` to ``high``."""
    world = books.world
    rows = tickets.ticket_rows(world, tickets.counter_day(world, low, high), used["BONID"] + 1)
    used["BONID"] += rows.height
    planned = appointments.appointment_rows(world, rows, used["AFSPNR"] + 1)
    used["AFSPNR"] += planned.height
    rows = appointments.link_tickets(world, rows, planned)
    cash, used["KASSAID"] = _numbered(desk_records.cash_rows(world, rows), "KASSAID", used["KASSAID"])
    _put(books, database, "BLS_AFSPRAAK", planned)
    _put(books, database, "BLS_BON", rows)
    _put(books, database, "BLS_BONLOG", desk_records.log_rows(rows))
    _put(books, database, "BLS_KASSA", cash)
    totals = desk_records.total_rows(world, rows)
    _put(books, database, "BLS_DAGTOT", totals)
    for kind, name in ((tickets.OPENING, "application"), (tickets.HAND_OUT, "hand_out")):
        books.links.add(rows.filter(pl.col("kind") == kind), name, ("balie.BLS_BON", "BONID"), ("zaak.ZKN_ZAAK", "nr"))
    books.links.add(rows, "appointment", ("balie.BLS_AFSPRAAK", "appointment"), ("balie.BLS_BON", "BONID"))
    visitors = rows.filter(~pl.col("no_customer")).with_columns((pl.col("t") + CUSTOMER_BASE).alias("customer"))
    books.links.add(visitors, "visitor", ("balie.BLS_BON", "BONID"), ("balie.BLS_KLANT", "customer"))
    books.handed.append(handouts.handed_out(rows))
    if books.key:
        books.key.appointments(planned)
        books.key.tickets(rows, totals, cash)


def _write_kcc(books: _Books, folder: Path) -> None:
    world, months = books.world, catalogue.CONTACT_MONTHS
    step = max(1, _CHUNK_ROWS // contacts.rows_a_month(world))
    before = pl.DataFrame()
    for low, high in _spans(0, len(months), step):
        rows = contacts.contact_rows(world, months[low:high])
        books.dirt.add(rows)
        books.links.add(rows.filter("story"), "call", ("kcc.KCC_CONTACT", "Contactnr"), ("zaak.ZKN_ZAAK", "typed_true"))
        if books.key:
            books.key.callers(world, pl.concat([before, rows]) if before.height else rows)
        for month in months[low:high]:
            own = rows.filter(month=month)
            delivered = _write_month(books, folder, month, pl.concat([before, own]) if before.height else own)
            own = delivered.filter(month=month)
            before_rows = before.height
            before = contacts.repeated(world, own)
            books.dirt.count("F11", before_rows, delivered.height)
            if books.key:
                books.key.contacts(delivered, again=before if month != months[-1] else before.clear())
        books.advance(world.cases * high // len(months) - world.cases * low // len(months))
    books.dirt.count("F01", len(catalogue.UTF8_FILES), len(months))
    books.dirt.count("F05", len(catalogue.US_ORDER_FILES), len(months))
    books.dirt.count("F06", sum(month >= contacts.NEW_HEADER_FROM for month in months), len(months))
    books.dirt.count("F09", len(months), len(months))


def _write_uitreik(books: _Books, folder: Path) -> None:
    rows = handouts.hand_out_rows(books.world, pl.concat(books.handed))
    books.dirt.add(rows)
    for number, day in enumerate(handouts.QUARTERS, start=1):
        own = rows.filter(delivery=day)
        _write_file(folder / handouts.file_name(day), handouts.delivery(own, day, number))
        if day == handouts.TWICE:
            _write_file(folder / handouts.file_name(handouts.AGAIN), handouts.delivery(own, day, number))
    blocked = handouts.delivery(own, handouts.WRONG, len(handouts.QUARTERS) + 1, stated=7_350)
    (folder / handouts.BLOCKED).mkdir()
    _write_file(folder / handouts.BLOCKED / handouts.file_name(handouts.WRONG), blocked)
    files = len(handouts.QUARTERS) + 2
    for kind in ("F10", "F12", "F13"):
        books.dirt.count(kind, 1, files)
    if books.key:
        books.key.hand_outs(rows)


def _write_complaints(books: _Books, folder: Path) -> None:
    rows = complaints.complaint_rows(books.world)
    books.dirt.add(rows)
    for kind in ("F09", "F20"):
        books.dirt.count(kind, len(complaints.YEARS), len(complaints.YEARS))
    _write_file(folder / complaints.FILE_NAME, complaints.workbook(rows))
    if books.key:
        books.key.complaints(rows)


def _write_messages(books: _Books, folder: Path) -> None:
    rows = messages.case_rows(books.world)
    books.dirt.add(rows)
    for name, content in messages.files(rows):
        _write_file(folder / name, content)
    for name, content, place, relations in messages.refused():
        _write_file(folder / name, content)
        books.dirt.count("F17.refused", 1, 1)
        if books.key:
            for relation in relations:
                books.key.unreadable(relation, [place])
    if books.key:
        books.key.messages(rows)


def _write_month(books: _Books, folder: Path, month: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Write a month's file, and what was delivered again of it, and return the rows that count."""
    _write_delivery(books, folder, month, month, rows)
    if month in catalogue.TWICE_FILES:
        _write_delivery(books, folder, f"{month}_2", month, rows)
    if month in catalogue.CORRECTED_FILES:
        rows = contacts.corrected(rows)
        _write_delivery(books, folder, f"{month}_2", month, rows)
        books.dirt.count("F10.corrected", 1, len(catalogue.CONTACT_MONTHS))
    return rows


def _write_delivery(books: _Books, folder: Path, name: str, month: str, rows: pl.DataFrame) -> None:
    content, unreadable = contacts.file_bytes(month, rows)
    _write_file(folder / contacts.file_name(name), content)
    if books.key:
        books.key.unreadable("kcc.KCC_CONTACT", [f"{contacts.file_name(name)}:{line}" for line in unreadable])


def _write_file(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SystemFailure(
            "SYS-023",
            "a file of the demo cannot be written",
            hint="Free some space or choose another folder, and run `omnicase demo` again.",
            place=path.name,
        ) from error
