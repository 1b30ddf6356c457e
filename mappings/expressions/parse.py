"""Parsing SQL expressions: sqlglot reads, an allow-list of nodes decides what an expression can say."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import ParseError, TokenError

from casemodel import Place, RefusedError

MAX_LENGTH: Final = 4_000
MAX_DEPTH: Final = 60
_BEFORE: Final = "SELECT "
_CHAINS: Final = (exp.And, exp.Or, exp.DPipe)
_NOWHERE: Final = Place()
"""A text is read once for all its places, so what refuses it does not know the place."""


class _Dialect(Postgres):
    """PostgreSQL's grammar, in which NULLs come last whichever way rows are ordered."""

    NULL_ORDERING = "nulls_are_last"


_DIALECT: Final = _Dialect()


class _Readers(threading.local):
    """A tokenizer and a parser per thread: each use resets them, while making them takes longer than most parses."""

    def __init__(self) -> None:
        self.tokenizer = _DIALECT.tokenizer()
        self.parser = _DIALECT.parser()


_READERS: Final = _Readers()


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    text, place: as written, and where.
    tree: sqlglot's tree.
    columns: the names it uses, as written; a dotted name (``last.DATSTAT``) is one name.
    has_window: whether it looks over rows.
    partition_by: the names that every window partitions by.
    """

    text: str
    place: Place
    tree: exp.Expr
    columns: frozenset[str]
    has_window: bool
    partition_by: frozenset[str]


def parse_expression(text: str, *, place: Place | None = None) -> Expression:
    """Parse an expression; what its names and functions mean is checked by `to_polars`.

    Args:
        text: SQL expression as the mapping writes it.
        place: where it stands, for errors.

    Raises:
        RefusedError: MAP-100 it is too long or too deep, MAP-101 it cannot be read, MAP-102 it is not one expression.
    """
    where = place or Place()
    if len(text) > MAX_LENGTH:
        raise refusal(
            "MAP-100", f"the expression is longer than {MAX_LENGTH:,} characters", where, "Use values for its parts."
        )
    if _bracket_depth(text) > MAX_DEPTH:
        raise _too_deep(where)
    try:
        return Expression(text, where, *_read(text))
    except RefusedError as error:
        raise refusal(error.code, error.message, where, error.hint) from None


@lru_cache(maxsize=2_048)
def _read(text: str) -> tuple[exp.Expr, frozenset[str], bool, frozenset[str]]:
    """Return the tree of a text and what `Expression` says of it: a mapping is compiled again for tests and `explain`,
    and its conditions are looked at by several checks.  Nobody changes a tree."""
    root = _root(text)
    named, windows = _looked_through(root)
    parts = [
        frozenset(column_name(item) for item in window.args.get("partition_by") or () if isinstance(item, exp.Column))
        for window in windows
    ]
    names = frozenset(map(column_name, named))
    return root, names, bool(windows), frozenset.intersection(*parts) if parts else frozenset()


def refusal(code: str, message: str, place: Place, hint: str) -> RefusedError:
    """Return the refusal of an expression."""
    return RefusedError(code, message, hint=hint, place=place)


def column_name(column: exp.Column) -> str:
    """Return a column's name as written; the parts of a dotted name joined by dots."""
    return ".".join(part.name for part in column.parts)


def position(node: exp.Expr) -> int | None:
    """Return the character, from 1, where a part of an expression begins, as far as sqlglot knows it."""
    starts = [item.meta["start"] for item in node.walk() if "start" in item.meta]
    return min(starts) - len(_BEFORE) + 1 if starts else None


def chain(node: exp.Expr) -> list[exp.Expr]:
    """Return the operands of ``a AND b AND c`` in their order, without recursion."""
    operands: list[exp.Expr] = []
    pending, kind = [node], type(node)
    while pending:
        item = pending.pop()
        bare = item.unnest()
        if type(bare) is kind:
            pending += [bare.expression, bare.this]
        else:
            operands.append(item)
    return operands


def _root(text: str) -> exp.Expr:
    try:
        # Behind SELECT a word such as END is a name and not a command.
        written = _BEFORE + text
        trees = _READERS.parser.parse(_READERS.tokenizer.tokenize(written), written)
    except (ParseError, TokenError, RecursionError) as error:
        raise refusal(
            "MAP-101", f"the expression cannot be read{_near(error)}", _NOWHERE, "Check quotes, brackets and commas."
        ) from None
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or _clauses(tree):
        raise _not_one()
    root: exp.Expr = tree.expressions[0]
    if isinstance(root, exp.Alias):
        raise refusal("MAP-102", "an expression has no name of its own", _NOWHERE, "Leave AS out.")
    return root


def _clauses(tree: exp.Select) -> bool:
    return any(value for name, value in tree.args.items() if name != "expressions")


def _not_one() -> RefusedError:
    return refusal("MAP-102", "this is not one expression", _NOWHERE, "Write one expression, without FROM or WHERE.")


def _too_deep(where: Place) -> RefusedError:
    return refusal(
        "MAP-100", f"the expression is nested deeper than {MAX_DEPTH} levels", where, "Use values for its parts."
    )


def _near(error: Exception) -> str:
    details = getattr(error, "errors", None) or []
    found = details[0] if details and isinstance(details[0], dict) else {}
    column, word, line = found.get("col"), found.get("highlight") or "", found.get("line") or 1
    if not isinstance(column, int):
        return ""
    start = column - len(word) + 1 - (len(_BEFORE) if line == 1 else 0)
    return f" (at character {max(1, start)}{f' of line {line}' if line > 1 else ''})"


def _bracket_depth(text: str) -> int:
    depth = deepest = 0
    quote = ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in ")]}":
            depth -= 1
    return deepest


def _looked_through(root: exp.Expr) -> tuple[list[exp.Column], list[exp.Window]]:
    """Return the columns and windows of a tree, and refuse deep nesting.

    Chains of AND, OR and || are flat to a reader and count as one level.
    """
    columns: list[exp.Column] = []
    windows: list[exp.Window] = []
    pending: list[tuple[exp.Expr, int]] = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(_NOWHERE)
        bare, depth = node.unnest(), depth + 1
        if isinstance(bare, _CHAINS):
            pending += [(child, depth) for child in chain(bare)]
            continue
        if isinstance(bare, exp.Column):
            columns.append(bare)
            continue
        if isinstance(bare, exp.Window):
            windows.append(bare)
        pending += [(child, depth) for child in bare.iter_expressions()]
    return columns, windows
