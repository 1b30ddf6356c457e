"""The condition of a gate: ``books.balanced and rejects.rate < 0.5% and not wave.parking.late > 0``.

A language of its own, so small that nothing in it can run: facts by name, numbers, percentages, ``true``, ``false``,
comparisons, ``and``, ``or``, ``not`` and brackets. A fact that is not known makes nothing true, not even by ``not``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from runbooks.facts import COUNT, SHARE, TRUTH, FactValue, fact

_MOST_CHARACTERS: Final = 2_000
_MOST_DEPTH: Final = 20
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d{1,12}(?:\.\d{1,6})?%?)(?![\w.%])|(?P<word>[A-Za-z][\w-]*(?:\.[A-Za-z0-9][\w-]*)*)"
    r"|(?P<sign>==|!=|<=|>=|<|>|\(|\)))",
    re.ASCII,
)
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS: Final = ("and", "or", "not", "true", "false")


class ConditionError(ValueError):
    """A condition cannot be read, or compares what cannot be compared.

    Args:
        code: the code of the finding.
        name: the unknown fact, when it is about one.
    """

    def __init__(self, code: str, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.name = code, message, name


@dataclass(frozen=True, slots=True)
class Term:
    """A fact, or a value that was written out (name None)."""

    name: str | None
    value: FactValue
    kind: str

    def now(self, facts: Mapping[str, FactValue]) -> FactValue:
        """Return its value."""
        return self.value if self.name is None else facts.get(self.name)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A part that is true or false by itself: two terms and a sign, or one truth."""

    left: Term
    sign: str | None
    right: Term | None
    text: str

    def now(self, facts: Mapping[str, FactValue]) -> bool | None:
        """Return whether it holds; None when a fact in it is not known."""
        left = self.left.now(facts)
        if left is None:
            return None
        if self.sign is None or self.right is None:
            return bool(left)
        right = self.right.now(facts)
        return None if right is None else _COMPARE[self.sign](left, right)


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts under ``and``, ``or`` or ``not``."""

    word: str
    parts: tuple[Joined | Comparison, ...]

    def now(self, facts: Mapping[str, FactValue]) -> bool | None:
        """Return whether it holds; what is not known stays unknown unless the other parts decide."""
        found = [part.now(facts) for part in self.parts]
        if self.word == "not":
            return None if found[0] is None else not found[0]
        decides = self.word == "or"
        if decides in found:
            return decides
        return None if None in found else not decides


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read.

    Args:
        text: as written, in one line.
        root: its parts.
        comparisons: the smallest parts, in the order of the text: what is shown with the values of today.
    """

    text: str
    root: Joined | Comparison
    comparisons: tuple[Comparison, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The facts it asks for, each once."""
        terms = [term for each in self.comparisons for term in (each.left, each.right) if term is not None]
        return tuple(dict.fromkeys(term.name for term in terms if term.name is not None))

    def holds(self, facts: Mapping[str, FactValue]) -> bool:
        """Return whether it is true; a fact that is not known never makes it so."""
        return self.root.now(facts) is True


def read_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        ConditionError: RBK-142 it cannot be read, RBK-143 it names an unknown fact, RBK-144 it compares a share with a
            plain number, a truth with a number, or the like.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ConditionError("RBK-142", f"the condition is longer than {_MOST_CHARACTERS} characters")
    reader = _Reader(list(_tokens(text)))
    root = reader.either(0)
    if reader.left:
        raise ConditionError("RBK-142", f"'{reader.left[0][1]}' was not expected here")
    return Condition(" ".join(text.split()), root, tuple(reader.comparisons))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ConditionError("RBK-142", f"the condition cannot be read from '{text[at:].strip()[:20]}' on")
        yield str(found.lastgroup), found[str(found.lastgroup)]
        at = found.end()


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.left = tokens
        self.comparisons: list[Comparison] = []

    def _take(self, *texts: str) -> str | None:
        if self.left and self.left[0][1] in texts:
            return self.left.pop(0)[1]
        return None

    def either(self, depth: int) -> Joined | Comparison:
        """Read parts joined by ``or``."""
        return self._joined("or", self._both, depth)

    def _both(self, depth: int) -> Joined | Comparison:
        return self._joined("and", self._negated, depth)

    def _joined(self, word: str, inner: Callable[[int], Joined | Comparison], depth: int) -> Joined | Comparison:
        if depth > _MOST_DEPTH:
            raise ConditionError("RBK-142", f"brackets stand deeper than {_MOST_DEPTH}")
        parts = [inner(depth)]
        while self._take(word):
            parts.append(inner(depth))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _negated(self, depth: int) -> Joined | Comparison:
        if depth > _MOST_DEPTH:
            raise ConditionError("RBK-142", f"'not' stands more than {_MOST_DEPTH} times in a row")
        if self._take("not"):
            return Joined("not", (self._negated(depth + 1),))
        if self._take("("):
            inner = self.either(depth + 1)
            if not self._take(")"):
                raise ConditionError("RBK-142", "a bracket is not closed")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        left = self._term()
        sign = self._take(*_COMPARE)
        right = self._term() if sign else None
        if right is None and left.kind != TRUTH:
            raise ConditionError(
                "RBK-144", f"'{_shown(left)}' alone is neither true nor false: compare it with something"
            )
        if right is not None:
            _comparable(left, str(sign), right)
        text = _shown(left) if right is None else f"{_shown(left)} {sign} {_shown(right)}"
        found = Comparison(left, sign, right, text)
        self.comparisons.append(found)
        return found

    def _term(self) -> Term:
        if not self.left:
            raise ConditionError("RBK-142", "the condition ends too early")
        group, text = self.left.pop(0)
        if group == "number":
            if text.endswith("%"):
                return Term(None, Decimal(text[:-1]) / 100, SHARE)
            return Term(None, Decimal(text), COUNT)
        if text in ("true", "false"):
            return Term(None, text == "true", TRUTH)
        if group != "word" or text in _WORDS:
            raise ConditionError("RBK-142", f"'{text}' was not expected here")
        known = fact(text)
        if known is None:
            raise ConditionError("RBK-143", f"there is no fact '{text[:80]}'", text)
        return Term(text, None, known.kind)


def _comparable(left: Term, sign: str, right: Term) -> None:
    if left.kind != right.kind:
        kinds = {COUNT: "a number", SHARE: "a percentage", TRUTH: "true or false"}
        message = f"'{_shown(left)}' is {kinds[left.kind]} and '{_shown(right)}' is {kinds[right.kind]}"
        raise ConditionError("RBK-144", message)
    if left.kind == TRUTH and sign not in ("==", "!="):
        raise ConditionError("RBK-144", f"'{_shown(left)}' is true or false, and no more or less than anything")


def _shown(term: Term) -> str:
    return term.name if term.name is not None else value_text(term.value, term.kind)


def value_text(value: FactValue, kind: str) -> str:
    """Return a value for people: shares as percentages, what is not known as ``?``."""
    if value is None:
        return "?"
    if kind == TRUTH:
        return "true" if value else "false"
    return f"{(Decimal(value) * 100).normalize():f}%" if kind == SHARE else str(value)
