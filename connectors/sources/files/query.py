"""Queries of the workspace over files: the relations they name go into a scratch database, which runs them.

So a query says the same of files as of a database: SQLite's SQL, every value a text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Literal

import adbc_driver_sqlite.dbapi as adbc
import polars as pl

from casemodel import Extract, Partition, Query, SystemFailure
from connectors.config import SystemConfig
from connectors.scratch import writing
from connectors.sources.files.batches import read_batches
from connectors.sources.files.relation import Delivery
from connectors.sources.sqlite.source import SqliteSource

_ROWS = 50_000


class FileQuery:
    """One query over the deliveries that it names.

    Args:
        find: surveys a relation by its name in any case, or raises CON-020.
        folder: where the scratch database goes.
    """

    def __init__(self, system: str, query: Query, find: Callable[[str], Delivery], folder: Path) -> None:
        self._deliveries = {}
        for name in dict.fromkeys([*query.tables, *([query.base] if query.base else [])]):
            try:
                self._deliveries[name] = find(name)
            except SystemFailure as failure:
                if failure.code != "CON-020":
                    raise
                raise SystemFailure(
                    "CON-025",
                    f"the query cannot be run: there is no relation {name}",
                    hint=failure.hint,
                    place=f"{system}.{query.name}",
                ) from None
        folder.mkdir(mode=0o700)
        self._unreadable = [pl.DataFrame(schema=dict.fromkeys(("_ref", "place", "code", "raw"), pl.String))]
        path = folder / "files.db"
        path.touch(0o600)
        with writing(), closing(adbc.connect(f"file:{path}", autocommit=False)) as database:
            for name, delivery in self._deliveries.items():
                self._fill(database, name, delivery)
            database.commit()
        self.source = SqliteSource(SystemConfig(system, "sqlite", {"path": str(path)}), of_files=True)
        self.source.offer(query)
        self._name = query.name
        # Described at once, so that a query that cannot be run is refused by the check.
        self.relation = self.source.relation(query.name)

    def _fill(self, database: adbc.Connection, name: str, delivery: Delivery) -> None:
        mode: Literal["create", "append"] = "create"
        with closing(database.cursor()) as cursor:
            for extract in read_batches(delivery, _ROWS, None):
                cursor.adbc_ingest(name, extract.frame.drop("_ref").to_arrow(), mode=mode)
                mode = "append"
                if extract.unreadable is not None:
                    self._unreadable.append(extract.unreadable)
            if mode == "create":
                empty = pl.DataFrame(schema=dict.fromkeys([*delivery.columns, "_file"], pl.String))
                cursor.adbc_ingest(name, empty.to_arrow(), mode=mode)

    @property
    def fingerprint(self) -> str:
        """Return a digest over the files of every relation that the query names."""
        digest = hashlib.sha256()
        for name, delivery in sorted(self._deliveries.items()):
            digest.update(f"{name}\t{delivery.digest}\n".encode())
        return digest.hexdigest()

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What it reads."""
        return tuple(self._deliveries.values())

    def count(self) -> int:
        """Count the rows of the query and the records that could not be read."""
        return self.source.count(self._name) + sum(frame.height for frame in self._unreadable)

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield the rows; the records that could not be read come with the first ones, so that none is lost."""
        unreadable = pl.concat(self._unreadable)
        first = partition.after is None and unreadable.height > 0
        for extract in self.source.extract(partition):
            yield replace(extract, unreadable=unreadable) if first else extract
            first = False
        if first:
            names = [*(column.name for column in self.relation.columns), "_ref"]
            yield Extract(pl.DataFrame(schema=dict.fromkeys(names, pl.String)), "", unreadable)

    def close(self) -> None:
        """Close the scratch database."""
        self.source.close()
