"""What the judge receives: two sides of every mapping, and the facts of its last run (DESIGN.md, section 8).

The judge compares what the source gives when it is read and mapped again with what the target holds.  The facts
come from the ledger; they are shown and they name causes, but nothing in them decides whether a difference is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from reconciliation.tolerance import Tolerance


@dataclass(frozen=True, slots=True)
class ExpectedBatch:
    """Rows of the source, read and mapped again.

    frame: one row per source row (per row x slot when unpivoted; an unreadable physical record is a row too) with

        * ``_key`` (String): canonical key, NULL when a part is missing or the record cannot be read;
        * ``outcome`` (String), computed anew: ``record``, ``merged``, ``rejected``, ``parked``, ``out_of_scope``,
          ``deferred`` or ``late``;
        * ``reason`` (String): scope reason or rule name, for rejected and parked rows the code of the first error,
          else NULL;
        * ``id`` (String): the target id that this key gives, whatever the outcome; for ``merged`` rows that of the
          lead row; NULL when the key is;
        * what `standing` needs, whatever it is;
        * when asked for, every column of ``MappingProof.columns`` as canonical text (`casemodel.canonical_text`), NULL
          where the outcome is not ``record``.

    source_rows: physical records of the source in this batch (before unpivoting).
    beyond: ``_key`` of the rows that are not in the sample, when one is taken: they are counted and not compared.
    """

    frame: pl.DataFrame
    source_rows: int
    beyond: pl.Series = field(default_factory=lambda: pl.Series("_key", [], dtype=pl.String))
    look_up: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows
    """Adds what `standing` returns to rows of this batch."""

    def standing(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows of the frame with what the ledger says of them; most rows need not be asked for.

        * ``state`` (String): what the id map says of the key now, NULL when it does not know the key;
        * ``moved_on`` (Boolean): the id map knows the key, and the row is no longer the one it was made from.
        """
        return rows if {"state", "moved_on"} <= set(rows.columns) else self.look_up(rows)


class ExpectedSide(Protocol):
    """The source of one mapping, read again and mapped again."""

    def batches(self, *, values: bool) -> Iterator[ExpectedBatch]:
        """Yield every source row once, in the source's order; target columns only when `values`."""
        ...


class ActualSide(Protocol):
    """The target table of one mapping, read directly."""

    def records(self, ids: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        """Read records by id.

        Returns ``id`` and `columns` as canonical text.  An id that the target lacks is not in the result.  It is called
        by a thread of its own, while the other methods may be called by another.
        """
        ...

    def edits(self, ids: pl.Series, keys: pl.Series | None = None) -> pl.DataFrame:
        """Tell which records of the target people edited.

        Args:
            keys: of the source rows that lead the records; with them what was written is found without reading all.

        Returns ``id``, ``edited`` (Boolean: the values no longer hash to what the ledger says was written) and
        ``settled`` (Boolean: they are what people chose to keep instead) of those of which the ledger keeps a hash.
        """
        ...

    def previous(self, ids: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        """Tell what records held before the load that wrote them last, as far as that is kept.

        Returns ``id`` and each of `columns` as a Struct of ``value`` (canonical text) of the records of which it is; it
        may look at some of them only.
        """
        ...

    def settled(self, ids: pl.Series) -> pl.Series:
        """Return those of the ids whose values people chose to keep; nothing is read where nobody chose anything."""
        ...

    def holders(self, records: pl.DataFrame) -> pl.DataFrame:
        """Look for other records of the target that hold a unique value of these records (``id`` and all columns).

        Returns ``id`` (of the record asked for), ``column`` and ``holder`` (an id found in the target); empty when
        there is none.
        """
        ...

    def ids(self) -> Iterator[pl.DataFrame]:
        """Yield all ids of the target table, each once: column ``id``."""
        ...

    def origins(self, ids: pl.Series) -> pl.DataFrame:
        """Return for each id what the id map says of it.

        Columns: ``id``, ``mapping``, ``key`` (canonical text) and ``state``, NULL when no id map explains the id.
        Where several keys share a record, one of them stands for all.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProofColumn:
    """A target column that the mapping writes."""

    name: str
    personal: bool = True
    kind: str = "text"
    """``text``, ``date``, ``instant``, ``boolean``, ``integer``, ``decimal``, ``json`` or ``uuid`` (a link)."""
    coded: bool = False
    """Its values are codes of a list, or links to one."""
    tolerance: Tolerance | None = None
    """By how much its values may differ and still count as equal."""
    null_texts: tuple[str, ...] = ()
    """The texts that the mapping takes for no value (``null_if``)."""


@dataclass(frozen=True, slots=True)
class IssueCount:
    """How many rows have one issue of one field now; severity is ``error`` or ``warning``."""

    code: str
    field: str
    severity: str
    count: int


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A source row to show under an issue.  Everything in it went through `casemodel.show` already."""

    code: str
    field: str
    key: tuple[str, ...]
    values: tuple[tuple[str, str], ...] = ()
    """Source column and shown value, the columns of the field first."""
    outcome: str = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the ledger and the workspace say about one mapping: shown in the report, never proof."""

    mapping: str
    system: str
    relation: str
    target: str
    target_label: str = ""
    """The Dutch term of the target table, as the case model says."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Target column -> its Dutch term, as the case model says."""
    owner: str = ""
    mapping_digest: str = ""
    meaning: str = ""
    loaded_meaning: str | None = None
    """Meaning digest of the last run of this mapping; None when it never ran."""
    run: str | None = None
    """The last run that read this mapping; None: never."""
    tally: Mapping[str, int] = field(default_factory=dict)
    """The books of that run: ``read`` and every outcome of `casemodel.OUTCOMES`."""
    gone: Mapping[str, int] = field(default_factory=dict)
    """``kept``, ``closed``, ``removed``, ``held``: keys that left the source or the scope."""
    states: Mapping[str, int] = field(default_factory=dict)
    """Rows of the id map by state, gone included."""
    full_read: bool = False
    """All keys were read or swept by the last run, so the stock can be counted."""
    stock_reason: str = ""
    """Why the stock cannot be counted, when `full_read` is False."""
    source_rows_now: int | None = None
    """Physical records, counted independently of reading them (`casemodel.Source.count`)."""
    from_rows: int | None = None
    """Physical rows behind `tally` when the mapping unpivots; None: rows are rows."""
    fingerprint: str = ""
    """What the source's content was at the reconciliation (digest or data version)."""
    issues: tuple[IssueCount, ...] = ()
    samples: tuple[SampleRow, ...] = ()
    scope_reasons: Mapping[str, int] = field(default_factory=dict)
    repaired: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Per field: values repaired by steps, of how many."""
    repair_examples: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Per field: a few repaired values, masked, as they were and as they are."""
    ignored: tuple[tuple[str, str], ...] = ()
    """Source columns left behind: name and reason."""
    unfilled: tuple[tuple[str, str], ...] = ()
    """Target columns left empty: name and reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlProof:
    """Sums that both databases are asked for, each in its own SQL (level controls).

    source, target: ask one side; a row per group with ``g`` (the group, String) and ``n`` (the number as plain text).
    """

    name: str
    source: Callable[[], pl.DataFrame]
    target: Callable[[], pl.DataFrame]
    show_group: Callable[[str | None], str]
    """A group as it may be shown."""
    show_number: Callable[[str | None], str]
    partial: bool = False
    """Rows behind these sums are not loaded yet, or no more (waves), so that both sides cannot be equal."""
    tolerance: Tolerance | None = None
    """By how much the numbers of a group may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildProof:
    """The rows that belong to the records of a mapping (level children).

    source: reads every row of the children again: ``parent`` (canonical key of the parent as the row says, or NULL),
        ``parent_id`` (id of the parent's record, NULL when it has none), and of `ExpectedBatch` ``outcome``, ``id``,
        ``state`` and ``moved_on``.
    target: every record of the children's table: ``id`` and ``parent_id``.
    origins: see `ActualSide.origins`.
    """

    mapping: str
    source: Callable[[], Iterator[pl.DataFrame]]
    target: Callable[[], Iterator[pl.DataFrame]]
    origins: Callable[[pl.Series], pl.DataFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysProof:
    """The source's keys by themselves, of a mapping of which each row makes a record of its own, known by its key.

    pages: of every row ``_key`` (canonical key) and ``id`` (the target id that it gives), in bounded memory.
    unsettled: at most so many of the keys of which the id map says something else than that they are loaded.
    rows: reads rows whole, as `ExpectedSide.batches` does: those whose id has one of these hashes, and these keys.
    """

    pages: Callable[[], Iterator[pl.DataFrame]]
    unsettled: Callable[[int], pl.Series]
    rows: Callable[[pl.Series, pl.Series], Iterator[ExpectedBatch]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingProof:
    """Everything the judge needs about one mapping."""

    facts: Facts
    expected: ExpectedSide
    actual: ActualSide
    columns: tuple[ProofColumn, ...]
    table_mappings: tuple[str, ...]
    """All mappings of the workspace that fill the same target table, this one included."""
    mask: Callable[[str, str | None], str]
    """(target column, canonical text) -> what may be shown: `casemodel.show` with the workspace's key."""
    mask_key: Callable[[str], tuple[str, ...]]
    """Canonical key text -> its parts as they may be shown; personal parts become tokens."""
    stages: Callable[[str, str], tuple[tuple[str, str], ...]] = lambda _key, _column: ()
    """(canonical key of the batch just read, target column) -> the way of the value: ``column: NAME`` for a value of
    the source, then each stage of the mapping, and the value as it may be shown."""
    differs: str = "value differs"
    """The cause of a value that differs and that nothing explains."""
    keys: KeysProof | None = None
    """How its keys are followed without reading whole rows; None: that cannot be."""
    controls: tuple[ControlProof, ...] = ()
    children: tuple[ChildProof, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaDifference:
    """One thing in which a database or a relation is not as the model or the mapping has it.

    what: ``table``, ``column``, ``type``, ``nullable``, ``link``, ``unique key``, ``revision``, …
    kind: ``missing``, ``unexpected`` or ``differs``.
    """

    table: str
    name: str
    what: str
    kind: str
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class SchemaAnswer:
    """What was compared, and what differs; ``compared`` counts tables, columns, keys, links, indexes and checks."""

    compared: int
    differences: tuple[SchemaDifference, ...] = ()
    reason: str | None = None
    """Why nothing was compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaProof:
    """Something whose form is compared (level schema).

    check: ``schema.model``, ``schema.ledger`` or ``schema.source``.
    mapping: of a source: the mapping that reads it, else empty.
    target: the table it fills, else empty.
    """

    check: str
    compare: Callable[[], SchemaAnswer]
    mapping: str = ""
    target: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProof:
    """A rule about the records of one target table (level rules).

    id: unique among all rules, such as ``CA-05 result``.
    severity: ``error``: no such record may be there; ``signal``: people judge it, and it fails nothing.
    own: a rule of the municipality (``checks/*.yml``), not of the case model.
    count: how many records the rule is about.
    offenders: the records that break it, page by page: ``id``, and what the id map says of it, ``mapping`` and ``key``
        (NULL where no mapping made it); raises TimeIsUp when that takes longer than it may.
    """

    id: str
    severity: str
    target: str
    dutch: str
    english: str
    count: Callable[[], int]
    offenders: Callable[[], Iterator[pl.DataFrame]]
    own: bool = False
    reads: frozenset[str] = frozenset()
    """The tables that it looks at, its own included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionProof:
    """A way in which the records of a table are divided (level distribution).

    by: ``year``, ``month``, ``type``, ``channel``, ``status``, ``department`` or ``location``.
    column: the column that divides them.
    length: how many characters of its text count (4: the year, 7: the month); None: all.
    counts: asks the target: a row per value with ``value`` (String) and ``n`` (Int64).
    labels: what values are called, for links: ``value`` and ``label``; None: they stand for themselves.
    """

    target: str
    by: str
    column: str
    counts: Callable[[], pl.DataFrame]
    length: int | None = None
    labels: Callable[[], pl.DataFrame] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetProof:
    """What is asked of the target as a whole, and of the forms of sources."""

    schemas: tuple[SchemaProof, ...] = ()
    rules: tuple[RuleProof, ...] = ()
    dimensions: tuple[DimensionProof, ...] = ()
