"""The values that flow from a source to the target (DESIGN.md, sections 3 and 10).

All frames are eager Polars frames.  Names that begin with an underscore are ours, all others are the
source's or the target's columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import polars as pl

from casemodel.errors import BugError


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column that a relation offers.  ``technical`` columns (``_file``) are offered, but need no coverage."""

    name: str
    declared_type: str = "TEXT"
    technical: bool = False
    personal: bool = True


@dataclass(frozen=True, slots=True)
class Relation:
    """What a legacy system offers to read: a table, a view, a file or a set of files."""

    system: str
    name: str
    columns: tuple[SourceColumn, ...]
    primary_key: tuple[str, ...] = ()
    key_is_unique: bool = False
    """True when the source guarantees that ``primary_key`` is unique in canonical text (an integer primary key)."""

    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns that need coverage, in the source's order."""
        return tuple(column.name for column in self.columns if not column.technical)


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a relation to be read in batches.

    Rows come in the order of ``order`` (empty: physical order); a batch never ends inside rows that are equal in
    ``group`` (empty: inside rows with equal ``order``).  ``after`` is the opaque position of the last row
    already committed; ``until`` the position of the last row that belongs to the partition, as `KeyRanges` gave it.
    """

    relation: str
    batch_rows: int
    order: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    after: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Extract:
    """A batch as read.

    ``frame`` holds one String column per source column in canonical text (padding of CHAR(n) removed, everything else
    byte for byte), and ``_ref`` (String), the source's own locator of the row, valid while the source does not
    change.
    ``unreadable`` holds physical records that could not be parsed: ``_ref``, ``place``, ``code``, ``raw`` (String
    each).
    """

    frame: pl.DataFrame
    position: str
    unreadable: pl.DataFrame | None = None

    @property
    def rows(self) -> int:
        """Physical records in this batch, readable or not."""
        return self.frame.height + (0 if self.unreadable is None else self.unreadable.height)


DETECTED = "encoding detected"
"""The note of a file whose encoding nobody declared."""
CONVERTED = "lines converted twice"
"""The note of lines in which letters look like UTF-8 that was read in a code page (`JosÃ©`)."""


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """A file of a relation, as it was read through: what of it goes into the books of a run.

    ``digest`` is SHA-256 of its content; ``encoding`` that of its text, empty where it has none; ``notes`` count what
    was skipped as declared, or read in another way than the rest, each under a few words.
    """

    name: str
    digest: str
    records: int
    encoding: str = ""
    notes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Rights:
    """What a source is read with: what the doctor tells.

    server: name and version.
    role: who reads.
    excess: what the role may do that a reader need not, a sentence each without its end.
    unprotected: what is wrong with how the connection is protected; empty when nothing is.
    """

    server: str
    role: str
    excess: tuple[str, ...] = ()
    unprotected: str = ""


OUTCOMES = (
    "out_of_scope",
    "deferred",
    "late",
    "inserted",
    "updated",
    "unchanged",
    "rejected",
    "parked",
    "conflict",
    "merged",
)
"""The outcomes of a source row (promise 2), in the order of the books."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows read and their outcomes, as somebody says: what the ledger tells may have been changed by other hands."""

    read: int = 0
    out_of_scope: int = 0
    deferred: int = 0
    late: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    parked: int = 0
    conflict: int = 0
    merged: int = 0

    @property
    def accounted(self) -> int:
        """The rows that have an outcome."""
        return sum(getattr(self, name) for name in OUTCOMES)

    def as_dict(self) -> dict[str, int]:
        """Return the books in the order of the contract: read, then every outcome."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class Tally(Counted):
    """The books of a batch for one mapping.  It cannot be built unless it balances (promise 2)."""

    def __post_init__(self) -> None:
        if self.accounted != self.read:
            raise BugError(
                "BUG-001",
                f"the books of a batch do not balance: {self.read} rows read, {self.accounted} accounted for",
                hint="Nothing of this batch was committed. Report this with the output of `omnicase doctor`.",
            )

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A link of a mapping: to which mapping it goes, by its key, by another declared key or by an identity."""

    mapping: str
    other_key: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    """Of a link by identity: every mapping that gives to records of the table; ``mapping`` is the first of them.

    The keys are then ids of identities, and ``other_key`` is the one text ``identity:<table>.<names>``.
    """


@dataclass(frozen=True, slots=True)
class SideJoin:
    """A look beside (``with``): a left join to at most one row of another relation of the same system.

    ``by`` maps columns of ``relation`` to columns of the main relation; the columns ``columns`` arrive in the frame
    as ``<name>.<column>``; ``take`` is ``only``, ``first``, ``last`` or ``count`` (then one column ``<name>.count``,
    Int64).
    With ``only`` a column ``<name>._hits`` (Int64, rows that answered) says where more than one did.
    """

    name: str
    relation: str
    by: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    take: str = "only"
    order: tuple[tuple[str, bool], ...] = ()
    """Columns to order by, each with True for descending."""
    numeric: tuple[str, ...] = field(default=(), kw_only=True)
    """Columns of ``order`` that hold numbers; the others are ordered as text."""
    where: pl.Expr | None = None
    """Only rows of the other relation for which this holds; it names its columns as `where_columns` does."""
    where_columns: tuple[str, ...] = ()
    climb: str = ""
    """Column with the key of the row above (``climb``); then ``relation`` is the main relation, ``by`` its key, and the
    columns are those of the top row, besides ``<name>.climbed`` (Int64, steps) and ``<name>._cycle`` (Int64, 1 where
    no top was found)."""
    most: int = 0
    """How many steps a climb takes at most."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query of the workspace, which a system offers as one more relation (see `ports.RunsQueries`).

    The relation has the columns of the query and the technical column `OMITTED`.  Where the query accounts for a
    relation, there is a row more for each key of ``base`` that it does not return: with the ``by`` columns and
    `OMITTED` filled, and '' elsewhere.

    name: how the relation is called (``queries/name.sql``).
    sql: one SELECT in SQLite's dialect, checked to do nothing but read.
    tables: the relations that it names.
    columns: the columns that it names, of whichever table.
    base, by: the relation whose rows it accounts for, and the columns that identify them on both sides.
    """

    name: str
    sql: str
    tables: tuple[str, ...]
    columns: tuple[str, ...] = ()
    base: str = ""
    by: tuple[str, ...] = ()


UNKNOWN_CODE = "\x1f"
"""Under this codes are counted that a code table does not have; a code of a table may be ``?``, but not this."""

OMITTED = "_omitted"
"""Column that is filled in the rows that a query does not return."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a mapping made of the rows of a batch.

    records: one row per record to write: ``_key`` (source key in canonical text), ``id`` (UUIDv5 text) and the target
        columns of the mapping, typed as ``casemodel.polars_schema`` says.
    outcomes: one row per source row (per row x slot when unpivoted), in the order read: ``_row`` (UInt32, row of the
        prepared frame), ``_key`` (String or NULL when the key is missing), ``outcome`` (``record``, ``merged``,
        ``rejected``, ``parked``, ``out_of_scope``, ``deferred``, ``late``), ``reason`` (String or NULL: scope reason,
        rule name, ``follows <mapping>``, ``empty-slot``), ``_lead`` (String: with ``one_per``, ``_key`` of the row that
        leads the record; NULL for the lead itself), ``_record`` (String: key of the record the row belongs to, equal
        to ``_key`` unless ``one_per``).
    issues: ``_row``, ``_key``, ``field``, ``code``, ``severity`` (``error`` or ``warning``), ``detail`` (text without
        raw values).
    waits: ``_row``, ``_key``, ``field``, ``mapping``, ``other_key`` (String, column names joined by comma, or empty)
        ``wait_key`` and ``seen``: the keys of other records that a rejected, parked or incomplete row waits for, and
        the state in which its link saw them.
    """

    records: pl.DataFrame
    outcomes: pl.DataFrame
    issues: pl.DataFrame
    waits: pl.DataFrame
    shares: pl.DataFrame = field(default_factory=pl.DataFrame)
    """With an identity, a row per record and in their order: ``_key``, ``own`` (the id the record has by itself),
    ``newest`` (text that orders contributions of one rank), ``agree`` (JSON of folded texts), ``probable`` (the id
    by the last of several alternatives) and ``defaulted`` (names of the fields in which the default stands in for a
    value, joined by commas)."""
    linked: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Links that found a record with an identity, in the columns of ``waits``: followed when that record moves."""
    repaired: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Per field: values repaired by steps, of how many."""
    examples: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Per field: a few repaired values, as they were and as they are; raw, to be masked before they go anywhere."""
    code_use: dict[tuple[str, str], int] = field(default_factory=dict)
    """Per (code table, code): how often it was used; unknown codes under `UNKNOWN_CODE`."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Per condition (``scope`` or the name of a rule): rows for which it was neither true nor false, and so passed."""
