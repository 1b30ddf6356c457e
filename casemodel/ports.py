"""Ports: what the rooms ask of each other, as protocols (DESIGN.md, section 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import polars as pl

from casemodel.errors import RefusedError
from casemodel.values import DeliveredFile, Extract, LinkRequest, Partition, Query, Relation, Rights

if TYPE_CHECKING:
    # SQLAlchemy costs a quarter of a second, and who uses these protocols has it already.
    import sqlalchemy as sa
    from sqlalchemy.types import TypeEngine


class Source(Protocol):
    """A legacy system, opened read-only.  Nothing it does changes one byte of it (promise 6).

    ``keyed`` tells whether it is a database, read in the order of a key and by locators that last; files are read as
    they lie.
    """

    system: str
    kind: str
    keyed: bool

    def relations(self) -> tuple[str, ...]:
        """Return the names of the relations it offers, in the source's own spelling."""
        ...

    def relation(self, name: str) -> Relation:
        """Return a relation by its name in any case; raise SystemFailure (CON-…) with near names when there is none."""
        ...

    def fingerprint(self, relation: str) -> str:
        """Return a short text by which a checkpoint of the relation is known to hold still.

        Of a file it is the digest of its content. Of a database that others write to meanwhile it is its identity and
        the form of the relation: rows are then found by key, and what changed is found by comparing.
        """
        ...

    def content(self, relation: str) -> str | None:
        """Return a short text that is the same only if every row is; None where the source cannot promise that."""
        ...

    def count(self, relation: str) -> int:
        """Count the physical records by a way independent of `extract`."""
        ...

    def extract(self, partition: Partition) -> Iterator[Extract]:
        """Yield the rows of a partition in batches, each row once, in bounded memory."""
        ...

    def columns(self, relation: str, names: Sequence[str], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Yield only the named columns (canonical text) of the whole relation, in batches, in physical order."""
        ...

    def fetch(self, relation: str, refs: pl.Series) -> pl.DataFrame:
        """Read again the rows with these `_ref` values, with the columns of `extract`, but rows that are gone."""
        ...

    def close(self) -> None:
        """Release files and connections and remove scratch files."""
        ...


@runtime_checkable
class RunsQueries(Protocol):
    """A source that can run queries of the workspace."""

    def offer(self, query: Query) -> None:
        """Offer a query as a relation from now on, read like any other.

        `Source.relation` raises SystemFailure for it: CON-025 the system refuses it, CON-026 two columns with one name.
        """
        ...


@runtime_checkable
class TellsRights(Protocol):
    """A source that knows what its role may do besides reading."""

    def rights(self) -> Rights:
        """Return the rights of the role that reads."""
        ...


@runtime_checkable
class KeepsDocuments(Protocol):
    """A source whose rows carry documents, whose content is to be kept."""

    def keep_documents(self, place: str) -> None:
        """Copy every document that is read from now on to a content store, before its row is given out.

        Args:
            place: a folder, or a URL that fsspec writes.
        """
        ...


@runtime_checkable
class TellsFiles(Protocol):
    """A source that reads files, and knows what each of them was."""

    def files(self, relation: str) -> tuple[DeliveredFile, ...]:
        """Return the files of a relation, or of those that a query names."""
        ...


@runtime_checkable
class FingerprintsAhead(Protocol):
    """A source of which the fingerprint is of every byte, and may be taken beside other work."""

    def begin_fingerprint(self) -> None:
        """Begin to take the fingerprint beside whatever is asked next."""
        ...


@runtime_checkable
class TellsOddities(Protocol):
    """A source whose relations may hold things beside values, which are left aside (colours, hidden rows)."""

    def oddities(self, relation: str) -> tuple[RefusedError, ...]:
        """Return what a relation holds besides, each as a finding that stops nothing."""
        ...


@runtime_checkable
class TellsUnread(Protocol):
    """A source whose records may hold values that no relation of the workspace reads (elements of messages)."""

    def unread(self, relation: str) -> Mapping[str, int]:
        """Return where such values stand in the records of a relation, and how often; all of it is read for that."""
        ...


@runtime_checkable
class KeyRanges(Protocol):
    """A source that can cut a relation into ranges of its key, and of which other processes can read the same rows.

    ``snapshot`` is the name to open it by elsewhere (`SystemConfig.snapshot`), as long as this source is open.
    """

    @property
    def snapshot(self) -> str:
        """The name of what all readers of the run see."""
        ...

    @property
    def snapshot_age(self) -> float:
        """Seconds since then: so long the old system cannot clean up its tables."""
        ...

    def key_ranges(self, partition: Partition, parts: int) -> tuple[str, ...]:
        """Return the positions that cut a partition into about equal ranges: at most `parts` - 1, possibly none."""
        ...


class Links(Protocol):
    """How a mapping resolves links and lookups: the id map and the target, seen through one port."""

    def resolve(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Resolve canonical source keys of another mapping.

        Returns a frame as long as `keys`: ``target_id`` (String or NULL) and ``state``: ``linked``, ``waiting``
        (rejected, parked or not yet read), ``orphan`` (unknown after a full read), ``out_of_scope``, ``deferred``,
        ``late``, ``ambiguous``, NULL where the key is NULL.
        """
        ...

    def lookup(self, table: str, columns: tuple[str, ...], values: pl.DataFrame) -> pl.DataFrame:
        """Look records of the target up by column values (canonical text).

        Returns a frame as long as `values`: ``target_id`` (String or NULL) and ``hits`` (Int64).
        """
        ...


class Target(Protocol):
    """The database that is loaded.  One thread commits, another may read and stage meanwhile."""

    dialect: str
    engine: sa.Engine
    """Its connection commits; what `put` brings is seen there."""

    @property
    def name(self) -> str:
        """Name the target for people, without secrets."""
        ...

    def transaction(self, staged: Iterable[sa.TableClause] = ()) -> AbstractContextManager[sa.Connection]:
        """Open one write transaction, for which these tables were staged; it commits when the block ends well."""
        ...

    def bring(self, connection: sa.Connection, *staged: sa.TableClause) -> None:
        """Make what is staged visible to the statements of a transaction; `insert` has no need of it."""
        ...

    def insert(
        self,
        connection: sa.Connection,
        into: sa.Table,
        staged: sa.TableClause,
        values: Mapping[str, sa.ColumnElement[Any]],
        *,
        filled: Sequence[str] = (),
        order: Sequence[str] = (),
    ) -> None:
        """Insert the rows of a stage into a table, in the fastest way that the database has.

        Args:
            values: for each column of the table a column of the stage, such a column cast, or a literal.
            filled: only rows that have a value in these columns of the stage.
            order: columns of the stage.

        Raises:
            IntegrityError: a key is taken or a link leads nowhere; the transaction goes on if a savepoint was set.
        """
        ...

    def stage(
        self, name: str, frame: pl.DataFrame, slot: int = 0, types: Mapping[str, TypeEngine[Any]] | None = None
    ) -> sa.TableClause:
        """Make a frame ready to be read by one transaction; return it as a table.

        Args:
            slot: 0 or 1; a transaction that reads one slot leaves the other one free.
            types: of columns that are to have a type of the target instead of text.
        """
        ...

    def put(self, name: str, frame: pl.DataFrame) -> sa.TableClause:
        """Put a frame where the committing connection can join it from now on; return it as a table."""
        ...

    def ask(self, name: str, frame: pl.DataFrame) -> sa.TableClause:
        """Put a frame where `query` can join it."""
        ...

    def query(self, statement: sa.Select[Any], names: tuple[str, ...]) -> pl.DataFrame:
        """Run a SELECT over committed data (and frames of `ask`); return its columns as canonical text, by `names`."""
        ...

    def query_within(self, seconds: float, statement: sa.Select[Any], names: tuple[str, ...]) -> pl.DataFrame:
        """Run a SELECT over committed data as `query` does, and end it when its time is up.

        Raises:
            TimeIsUp: REC-045 it took longer.
        """
        ...

    def prepare(self, statement: sa.Select[Any], names: tuple[str, ...]) -> Callable[..., pl.DataFrame]:
        """Return what runs a SELECT as `query` does, again and again, with the values of its named parameters."""
        ...

    def count_anew(self, *written: sa.Table) -> None:
        """Let the database count tables of which it chooses how to read them, after the first of very many rows."""
        ...

    def whole(
        self, table: sa.Table, columns: Sequence[sa.Column[Any]], rows: int, below: str | None = None
    ) -> Iterator[pl.DataFrame]:
        """Yield the committed records of a table in pages of `rows`, in the order that is fastest.

        Args:
            columns: ``id`` first; they are given as canonical text, by their names.
            below: only records whose id is less.
        """
        ...

    def records(self, table: sa.Table, columns: Sequence[sa.Column[Any]], ids: pl.Series) -> pl.DataFrame:
        """Read committed records by their ids, along the index; return the columns as canonical text, by their names.

        Args:
            ids: of which the table may lack some; none twice.
        """
        ...

    def reconnect(self) -> None:
        """Give up the committing connection, whatever its state; what is staged can still be committed."""
        ...

    def close(self) -> None:
        """Close connections and remove what was staged."""
        ...
