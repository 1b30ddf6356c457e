"""Logs of counters and queues: one line an event in CSV files, one row a ticket."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Literal

import adbc_driver_sqlite.dbapi as adbc
import polars as pl

from casemodel import BugError, DeliveredFile, Extract, Partition, Query, Relation, SourceColumn
from connectors.config import SystemConfig
from connectors.relations import in_any_case, no_such_column
from connectors.scratch import Scratch, writing
from connectors.sources.csv.files import open_csv
from connectors.sources.files.source import FileSource
from connectors.sources.sqlite.source import SqliteSource
from connectors.sources.tickets.fold import AT, events_of, fold
from connectors.sources.tickets.settings import TicketLog, read_logs
from connectors.store import Store

_ROWS = 50_000


def open_ticketlog(config: SystemConfig) -> TicketSource:
    """Open a folder of CSV files that log what happens to tickets."""
    logs, files = read_logs(config)
    delimiter = str(config.options.get("delimiter") or ",")
    return TicketSource(config.name, logs, open_csv(files), delimiter)


class TicketSource:
    """Tickets as a source: see `casemodel.Source` for what each method promises.

    Events are sorted by ticket in a scratch store, folded, and put into a scratch database that answers from then on.

    Args:
        system: the system's name.
        logs: by relation.
        lines: the files, read as CSV.
        delimiter: of their fields.
    """

    kind = "ticketlog"
    keyed = False

    def __init__(self, system: str, logs: dict[str, TicketLog], lines: FileSource, delimiter: str) -> None:
        self.system = system
        self._logs = logs
        self._lines = lines
        self._delimiter = delimiter
        self._scratch = Scratch()
        self._lock = threading.RLock()
        self._folded: SqliteSource | None = None
        self._unreadable: dict[str, pl.DataFrame] = {}
        self._offered: set[str] = set()
        self._told: dict[str, dict[str, Counter[str]]] = {}

    def relations(self) -> tuple[str, ...]:
        """Return the names of the relations that the settings describe."""
        return tuple(self._logs)

    def offer(self, query: Query) -> None:
        """Offer a query of the workspace over tickets as a relation from now on."""
        self._tickets().offer(query)
        self._offered.add(query.name)

    def relation(self, name: str) -> Relation:
        """Return a relation by its name in any case; only the headers of its files are read for that."""
        if name in self._offered:
            return self._tickets().relation(name)
        log = in_any_case(self.system, name, self._logs)
        lines = self._lines.relation(log.name)
        personal = {column.name: column.personal for column in lines.columns}
        for column in (*log.ticket, log.event, *log.moment, *(kept for kept, _ in log.kept)):
            if column not in personal:
                raise no_such_column(lines, column)
        moments = any(personal[column] for column in log.moment)
        columns = [
            SourceColumn(column, personal=personal.get(column, column not in log.counts and moments))
            for column in log.columns
        ]
        series = ("series",) if log.restart else ()
        technical = SourceColumn("_file", technical=True, personal=False)
        return Relation(self.system, log.name, (*columns, technical), (*log.identity, *series))

    def fingerprint(self, relation: str) -> str:
        """Return a digest over the files and the settings that say how to read and fold them."""
        digest = hashlib.sha256()
        for name in self._named(relation):
            digest.update(f"{self._logs[name]!r}\n{self._lines.fingerprint(name)}\n".encode())
        return digest.hexdigest()

    def content(self, relation: str) -> str:
        """Return the same digest: it is one of every byte."""
        return self.fingerprint(relation)

    def count(self, relation: str) -> int:
        """Count the tickets, and the lines that could not be read."""
        return self._tickets().count(relation) + self._wrong(relation).height

    def files(self, relation: str) -> tuple[DeliveredFile, ...]:
        """Return what each file of a relation is; of a query, those of every log."""
        self._tickets()
        return tuple(
            replace(file, notes=(*file.notes, *((note, n[file.name]) for note, n in told.items() if n[file.name])))
            for name in self._named(relation)
            for told in (self._told[name],)
            for file in self._lines.files(name)
        )

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield the tickets; lines that could not be read come with the first ones."""
        self._checked(partition.relation, (*partition.order, *partition.group))
        return self._extracts(partition)

    def _extracts(self, partition: Partition) -> Iterator[Extract]:
        unreadable = self._wrong(partition.relation)
        first = partition.after is None and unreadable.height > 0
        for extract in self._tickets().extract(partition):
            yield replace(extract, unreadable=unreadable) if first else extract
            first = False
            # A file that changes meanwhile is told, although all of it was read before.
            self._lines.fingerprint(next(iter(self._logs)))
        if first:
            columns = self.relation(partition.relation).columns
            names = [*(column.name for column in columns), "_ref"]
            yield Extract(pl.DataFrame(schema=dict.fromkeys(names, pl.String)), "", unreadable)

    def columns(self, relation: str, names: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Yield the named columns of all tickets."""
        self._checked(relation, names)
        yield from self._tickets().columns(relation, names, batch_rows)

    def fetch(self, relation: str, refs: pl.Series) -> pl.DataFrame:
        """Read tickets again by their references."""
        return self._tickets().fetch(relation, refs)

    def close(self) -> None:
        """Remove the scratch data."""
        if self._folded is not None:
            self._folded.close()
        self._lines.close()
        self._scratch.close()

    def _checked(self, relation: str, names: Sequence[str]) -> None:
        found = self.relation(relation)
        known = {column.name.casefold() for column in found.columns} | {"_ref"}
        for name in names:
            if name.casefold() not in known:
                raise no_such_column(found, name)

    def _wrong(self, relation: str) -> pl.DataFrame:
        """Return the lines of a relation that could not be read; of a query, those of every log."""
        self._tickets()
        return pl.concat([self._unreadable[name] for name in self._named(relation)])

    def _named(self, relation: str) -> tuple[str, ...]:
        """Return the logs behind a relation: its own, or of a query every one."""
        if relation in self._offered:
            return tuple(self._logs)
        return (in_any_case(self.system, relation, self._logs).name,)

    def _tickets(self) -> SqliteSource:
        """Return the scratch database with all tickets, made by the first who asks for it."""
        with self._lock:
            if self._folded is None:
                path = self._scratch.folder / "tickets.db"
                path.touch(0o600)
                with writing(), closing(adbc.connect(f"file:{path}", autocommit=False)) as database:
                    for log in self._logs.values():
                        self._fill(database, log)
                    database.commit()
                self._folded = SqliteSource(SystemConfig(self.system, "sqlite", {"path": str(path)}), of_files=True)
            return self._folded

    def _fill(self, database: adbc.Connection, log: TicketLog) -> None:
        """Fold the events of a log into a table; every line is an event of a ticket, unreadable, or a declared skip."""
        unreadable = [pl.DataFrame(schema=dict.fromkeys(("_ref", "place", "code", "raw"), pl.String))]
        skipped: Counter[str] = Counter()
        lines: Counter[str] = Counter()
        folded = 0
        self.relation(log.name)

        def events() -> Iterator[Extract]:
            for extract in self._lines.extract(Partition(log.name, _ROWS)):
                found = events_of(extract, log, self._delimiter)
                unreadable.append(found.unreadable)
                skipped.update(found.skipped)
                lines.update(found.frame["_file"])
                yield Extract(found.frame, extract.position)

        order = [AT] if log.by_moment else []
        # A folder of its own also for who asks again after a failure.
        with writing():
            folder = Path(tempfile.mkdtemp(prefix="events-", dir=self._scratch.folder)) / "sorted"
        store = Store(folder, events(), order, log.identity, "")
        mode: Literal["create", "append"] = "create"
        with closing(database.cursor()) as cursor:
            for extract in store.batches(_ROWS, None):
                tickets = fold(extract.frame, log)
                folded += int(tickets["events"].cast(pl.Int64).sum())
                cursor.adbc_ingest(log.name, tickets.to_arrow(), mode=mode)
                mode = "append"
            if mode == "create":
                empty = pl.DataFrame(schema=dict.fromkeys([*log.columns, "_file"], pl.String))
                cursor.adbc_ingest(log.name, empty.to_arrow(), mode=mode)
        shutil.rmtree(folder, ignore_errors=True)
        self._unreadable[log.name] = pl.concat(unreadable)
        self._told[log.name] = {"lines folded into tickets": lines, "lines skipped": skipped}
        wrong = self._unreadable[log.name].height
        if folded != lines.total() or folded + skipped.total() + wrong != self._lines.count(log.name):
            raise BugError(
                "BUG-020",
                f"two ways of counting the lines of a log disagree: {self._lines.count(log.name):,} and "
                f"{folded:,} in tickets, {skipped.total():,} skipped, {wrong:,} unreadable",
                hint="Report this with the settings of the relation; nothing was loaded.",
                place=log.place,
            )
