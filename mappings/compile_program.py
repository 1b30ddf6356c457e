"""A program: what a mapping compiles to, a graph of Polars expressions run level by level on a frame.

Every node makes one column (or, for links and lookups, a few).  A node's level is one more than the highest level of
what it needs; all expressions of a level run in one pass, in parallel, with common sub-expressions computed once, and a
column is dropped after its last use.  So nothing is computed twice and memory stays that of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import polars as pl

from casemodel import LinkRequest, Links

_LATE = 1_000
"""Added to the level of a late call, and so to the levels of what needs it."""

NOTHING = pl.lit(None)
"""What ``otherwise`` gives where nothing is said: Polars would make it anew each time it looks at such a ``then``."""
BOOL, TEXT = pl.Boolean(), pl.String()
"""The types of most columns: whoever adds such an expression says so, since finding a type out takes time."""

Call = Callable[[pl.DataFrame, "RunContext"], Sequence[pl.Series]]
"""A step that is no expression: it gets the frame and returns the columns it makes."""


class Followed(NamedTuple):
    """The keys of a link by which a record is part of another one, a row per row of the frame."""

    request: LinkRequest
    rows: pl.Series
    keys: pl.Series


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run of a program may ask for besides the frame; keys and groups are made without links."""

    links: Links | None = None
    break_cycles: bool = False
    followed: list[Followed] | None = None
    """Gets the links of required fields, where the caller asks what the rows are part of."""


class Node(NamedTuple):
    """One expression (it makes one column) or one call (it makes several)."""

    makes: tuple[str, ...]
    needs: frozenset[str]
    level: int
    expr: pl.Expr | None = None
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A column that says which rows have an issue.

    column: Boolean, or String with the code of the issue when ``code`` is None.
    lead_only: the issue counts on the lead row of a record only (``one_per``).
    loaded_only: the issue counts on rows that load only (``warn_if``).
    owner: the value or field whose chain raised it, also when it is shown under another name.
    """

    column: str
    field: str
    code: str | None
    severity: str
    owner: str
    lead_only: bool = True
    loaded_only: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Columns that say which rows wait for, or are linked to, which key of another mapping.

    column: String, the state in which the link saw that key; NULL where the row does not.
    """

    column: str
    key: str
    field: str
    mapping: str
    other_key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """A step that repairs values of a value or field.

    column: Boolean, true where it changed the value.
    value: column of what the value or field holds in the end.
    before, after: columns of the text in front of the step and behind it.
    """

    owner: str
    column: str
    value: str
    before: str
    after: str


class Mark(NamedTuple):
    """A stage of a value or field whose result `explain` shows."""

    field: str
    stage: str
    column: str


@dataclass(slots=True)
class Program:
    """Nodes being collected; `finish` gives the passes that `run` executes."""

    schema: dict[str, pl.DataType]
    fine: bool = False
    """True: every stage becomes a node of its own, for `explain`."""
    nodes: list[Node] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    linked: list[Wait] = field(default_factory=list)
    """Links that found a record with an identity, which may move."""
    parks: list[tuple[str, str]] = field(default_factory=list)
    """Boolean columns of rows to be parked, with the owner."""
    follows: list[tuple[str, str, str]] = field(default_factory=list)
    """String columns ``out_of_scope``/``deferred`` of rows that follow a link, with the owner and the mapping."""
    repairs: list[Repair] = field(default_factory=list)
    code_uses: list[tuple[str, str, str]] = field(default_factory=list)
    """Code table, column of its codes, Boolean column of unknown codes."""
    marks: list[Mark] = field(default_factory=list)
    branch: str = ""
    """What the marks of the alternative being compiled begin with."""
    levels: dict[str, int] = field(default_factory=dict)
    _names: int = 0

    def __post_init__(self) -> None:
        self.levels = dict.fromkeys(self.schema, 0)

    def add_source(self, name: str, dtype: pl.DataType | None = None) -> None:
        """Add a column, of text if nothing else is said, to the frame that the program runs on."""
        self.schema[name] = dtype or pl.String()
        self.levels[name] = 0

    def add(self, hint: str, expr: pl.Expr, dtype: pl.DataType | None = None, *, exact: bool = False) -> str:
        """Add an expression and return the name of the column it makes (with ``exact``: the hint itself).

        Args:
            dtype: the type it gives, where that is certain.

        Raises:
            polars.exceptions.PolarsError: the types of the expression do not fit; callers turn it into a refusal.
        """
        name = hint if exact else self.name(hint)
        named = expr.alias(name)
        self.schema[name] = self.type_of(expr) if dtype is None else dtype
        needs = frozenset(named.meta.root_names())
        level = self.levels[name] = 1 + max(map(self.levels.__getitem__, needs), default=0)
        self.nodes.append(Node((name,), needs, level, named))
        return name

    def call(self, needs: Iterable[str], makes: Mapping[str, pl.DataType], call: Call, *, late: bool = False) -> None:
        """Add a call that needs some columns and makes others.

        Args:
            late: it may have to wait for the batch before, so all that does not need it goes first.
        """
        needed = frozenset(needs)
        level = 1 + max((self.levels[item] for item in needed), default=0) + (_LATE if late else 0)
        self.schema.update(makes)
        self.levels.update(dict.fromkeys(makes, level))
        self.nodes.append(Node(tuple(makes), needed, level, call=call))

    def name(self, hint: str) -> str:
        """Return a new internal column name."""
        self._names += 1
        return f"_{self._names}:{hint}"

    def dtype(self, column: str) -> pl.DataType:
        """Return the type of a column."""
        return self.schema[column]

    def type_of(self, expr: pl.Expr) -> pl.DataType:
        """Return the type that an expression over the columns so far gives, without running it."""
        needs = [_empty(self.schema[name]).alias(name) for name in dict.fromkeys(expr.meta.root_names())]
        return pl.DataFrame(needs).lazy().select(expr.alias("x")).collect_schema()["x"]

    def mark(self, owner: str, stage: str, column: str) -> None:
        """Remember a stage's result for `explain`, if it is compiled for that."""
        if self.fine:
            self.marks.append(Mark(owner, self.branch + stage, column))

    def only(self, outputs: Iterable[str]) -> Passes:
        """Return the passes that make some columns and nothing else: no issues, no waits."""
        return _passes(self.nodes, set(outputs))

    def finish(self, outputs: Iterable[str]) -> Passes:
        """Return the passes of the program, which keep the outputs and every column that flags and waits need."""
        keep = {*outputs, *(flag.column for flag in self.flags), *(column for column, _ in self.parks)}
        keep |= {column for column, _, _ in self.follows} | {w.column for w in self.waits} | {w.key for w in self.waits}
        keep |= {link.column for link in self.linked} | {link.key for link in self.linked}
        keep |= {column for each in self.repairs for column in (each.column, each.value, each.before, each.after)}
        keep |= {column for _, *both in self.code_uses for column in both}
        if self.fine:
            keep |= {mark.column for mark in self.marks}
        return _passes(self.nodes, keep)


@cache
def _empty(dtype: pl.DataType) -> pl.Series:
    return pl.Series(dtype=dtype)


@dataclass(frozen=True, slots=True)
class Passes:
    """A finished program: per level its expressions, its calls, and the columns to drop afterwards."""

    steps: tuple[tuple[tuple[pl.Expr, ...], tuple[Node, ...], tuple[str, ...]], ...]
    given: frozenset[str] = frozenset()
    """The columns that it needs to be there already."""

    def run(self, frame: pl.DataFrame, context: RunContext) -> pl.DataFrame:
        """Run the program on a frame; rows and their order stay."""
        for exprs, calls, drop in self.steps:
            if exprs:
                made = frame.lazy().with_columns(exprs)
                frame = (made if calls or not drop else made.drop(drop)).collect(engine="in-memory")
            for node in calls:
                assert node.call is not None
                # unlike with_columns and drop, these start no query
                frame = frame.hstack(list(node.call(frame, context)))
            for name in drop if calls else ():
                frame.drop_in_place(name)
        return frame


def _passes(nodes: list[Node], keep: set[str]) -> Passes:
    live: list[Node] = []
    wanted = set(keep)
    for node in reversed(nodes):
        if wanted.intersection(node.makes):
            live.append(node)
            wanted |= node.needs
    last: dict[str, int] = {}
    for node in live:
        for name in node.makes:
            last[name] = max(last.get(name, 0), node.level)
    for node in live:
        for name in node.needs & last.keys():
            last[name] = max(last[name], node.level)
    levels: dict[int, list[Node]] = {}
    for node in reversed(live):
        levels.setdefault(node.level, []).append(node)
    drops: dict[int, list[str]] = {}
    for name, until in last.items():
        if name not in keep:
            drops.setdefault(until, []).append(name)
    steps = []
    for level, here in sorted(levels.items()):
        exprs = tuple(node.expr for node in here if node.expr is not None)
        calls = tuple(node for node in here if node.call is not None)
        steps.append((exprs, calls, tuple(drops.get(level, ()))))
    return Passes(tuple(steps), frozenset(wanted - last.keys()))
