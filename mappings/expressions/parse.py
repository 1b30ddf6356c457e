"""Parsing SQL expressions: sqlglot reads, an allow-list of nodes decides what an expression can say."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from casemodel import Place, RefusedError

MAX_LENGTH = 4_000
MAX_DEPTH = 60
_CLOCK = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.CurrentDatetime)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    columns: the names it uses, as written; a dotted name (``last.DATSTAT``) is one name.
    has_window: whether it looks over rows; partition_by: the names that every window partitions by.
    """

    text: str
    place: Place
    tree: exp.Expression
    columns: frozenset[str]
    has_window: bool
    partition_by: frozenset[str]


def parse_expression(text: str, *, place: Place) -> Expression:
    """Parse an expression.

    Raises:
        RefusedError: MAP-100 it is too long or too deep, MAP-101 it is not SQL, MAP-102 it is more than an expression.
    """
    if len(text) > MAX_LENGTH:
        raise refusal("MAP-100", f"the expression is longer than {MAX_LENGTH:,} characters", place, "Use values for its parts.")
    try:
        tree = sqlglot.parse_one(f"SELECT {text}", dialect="postgres")
    except (ParseError, TokenError, RecursionError) as error:
        raise refusal("MAP-101", f"the expression cannot be read{_where(error)}", place, "Check quotes and brackets.") from None
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or any(
        tree.args.get(part) for part in ("from", "from_", "where", "group", "joins", "with", "with_", "limit", "order", "having")
    ):
        raise refusal("MAP-102", "this is more than one expression", place, "Write one expression, without FROM or WHERE.")
    root = tree.expressions[0]
    if isinstance(root, exp.Alias):
        raise refusal("MAP-102", "an expression has no name of its own", place, "Leave AS out.")
    _check_depth(root, place)
    windows = list(root.find_all(exp.Window))
    parts = [frozenset(column_name(column) for item in window.args.get("partition_by") or () for column in item.find_all(exp.Column))
             for window in windows]
    return Expression(
        text, place, root, frozenset(column_name(column) for column in root.find_all(exp.Column)), bool(windows),
        frozenset.intersection(*parts) if parts else frozenset(),
    )


def column_name(column: exp.Column) -> str:
    """Return a column's name as written; the parts of a dotted name joined by dots."""
    return ".".join(part.name for part in column.parts)


def refusal(code: str, message: str, place: Place, hint: str) -> RefusedError:
    """Return the refusal of an expression."""
    return RefusedError(code, message, hint=hint, place=place)


def _where(error: Exception) -> str:
    details = getattr(error, "errors", None) or []
    position = details[0].get("col") if details and isinstance(details[0], dict) else None
    return f" (near character {max(1, int(position) - len('SELECT '))})" if position else ""


def _check_depth(root: exp.Expression, place: Place) -> None:
    """Refuse deep nesting; chains of AND, OR and || are flat to a reader and are not counted."""
    pending: list[tuple[exp.Expression, int]] = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise refusal("MAP-100", f"the expression is nested deeper than {MAX_DEPTH} levels", place, "Use values for its parts.")
        flat = isinstance(node, (exp.And, exp.Or, exp.DPipe, exp.Paren))
        pending.extend((child, depth + (0 if flat else 1)) for child in node.iter_expressions())
