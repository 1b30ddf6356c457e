"""Where the records of a JSON file lie in its bytes: the items of the list at a path, or its lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.sources.json.parse import parsed
from connectors.sources.json.refusals import cut_off, no_document, no_list
from connectors.sources.records.pieces import Unreadable
from connectors.sources.records.refusals import beyond

_SKIPPED_LEVELS = 5
"""Deeper parts of what lies beside the records are passed as a whole."""

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb"\"(?:[^\"\\]++|\\.)*+\"", re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\[\]{}\":]++")
_BRACKET = re.compile(rb"(?:[^{}\[\]\"]++|\"(?:[^\"\\]++|\\.)*+\")*+([{}\[\]])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Slice:
    """The bytes of one record, and the line where it begins."""

    data: bytes
    line: int


class _MoreError(Exception):
    """What is being read goes on behind the bytes that are there."""


def lines(name: str, limit: int, blocks: Iterable[bytes]) -> Iterator[Slice]:
    """Yield the lines of a file that hold anything; raise CON-081 for one beyond the limit."""
    rest, number = b"", 1
    for block in blocks:
        data = rest + block
        found = data.split(b"\n")
        rest = found.pop()
        for line in found:
            if len(line) > limit:
                raise beyond(name, number, f"larger than {limit:,} bytes", "record")
            if line.strip():
                yield Slice(line, number)
            number += 1
        if len(rest) > limit:
            raise beyond(name, number, f"larger than {limit:,} bytes", "record")
    if rest.strip():
        yield Slice(rest, number)


@dataclass(slots=True)
class Slicer:
    """Finds the items of the list at a path of one file.

    Args:
        name: of the file, for errors.
        path: keys down to the list; empty: the file is the list.
        limit: bytes of an item, or of anything beside the list.
        depth: levels of an item.
        encoding: of the bytes.
    """

    name: str
    path: tuple[str, ...]
    limit: int
    depth: int
    encoding: str = "utf-8"
    _data: bytes = b""
    _at: int = 0
    _line: int = 1
    _counted: int = 0
    _final: bool = False
    _following: Iterator[bytes] = field(default_factory=lambda: iter(()))
    _waiting: bytes = b""

    def slices(self, blocks: Iterable[bytes]) -> Iterator[Slice]:
        """Yield the items in order.

        Raises:
            SystemFailure: CON-081 beyond a limit, CON-082 the file is cut off, CON-083 it is no JSON document.
        """
        self._following = iter(blocks)
        self._waiting = next(self._following, b"")
        self._more()
        if self._peek() is None:
            return
        yield from self._value(0)
        if self._peek() is not None:
            raise self._wrong("something stands behind its end")

    def _value(self, level: int) -> Iterator[Slice]:
        """Read the value on the way to the list: an object with the next key of the path, or the list."""
        if level == len(self.path):
            if self._peek() != b"[":
                raise no_list(self.name)
            yield from self._items()
            return
        if self._peek() != b"{":
            raise no_list(self.name)
        self._step()
        found = False
        while self._peek() != b"}":
            key = self._key()
            if key == self.path[level]:
                if found:
                    raise self._wrong("the key of the records stands twice")
                found = True
                yield from self._value(level + 1)
            else:
                self._skip(1)
            self._comma(b"}")
        self._step()
        if not found:
            raise no_list(self.name)

    def _skip(self, level: int) -> None:
        """Pass a value beside the records, part by part, since it may be as large as they are."""
        first = self._peek()
        if level > _SKIPPED_LEVELS or first not in (b"{", b"["):
            if isinstance(parsed(self._whole(), self.encoding), Unreadable):
                raise self._wrong("a value beside the records cannot be read")
            return
        end = b"}" if first == b"{" else b"]"
        self._step()
        while self._peek() != end:
            if first == b"{":
                self._key()
            self._skip(level + 1)
            self._comma(end)
        self._step()

    def _items(self) -> Iterator[Slice]:
        self._step()
        while self._peek() != b"]":
            line = self._line_at(self._at)
            yield Slice(self._whole(), line)
            self._comma(b"]")
        self._step()

    def _key(self) -> str:
        if self._peek() != b'"':
            raise self._wrong("a key is missing")
        try:
            key = json.loads(self._whole())
        except ValueError:
            raise self._wrong("a key cannot be read") from None
        if self._peek() != b":":
            raise self._wrong("a colon is missing")
        self._step()
        return str(key)

    def _comma(self, end: bytes) -> None:
        """Pass the comma behind an item; only one, and none before the end."""
        byte = self._peek()
        if byte == end:
            return
        if byte is None:
            raise cut_off(self.name)
        if byte != b",":
            raise self._wrong("a comma is missing, or a bracket does not fit")
        self._step()
        if self._peek() == end:
            raise self._wrong("nothing stands behind a comma")

    def _whole(self) -> bytes:
        """Pass one value of any kind and return its bytes."""
        if self._peek() is None:
            raise cut_off(self.name)
        while True:
            try:
                stop = self._end(self._at)
            except _MoreError:
                if not self._more():
                    self._check_size(len(self._data))
                    raise cut_off(self.name) from None
                continue
            self._check_size(stop)
            found = self._data[self._at : stop]
            self._pass(stop)
            return found

    def _check_size(self, stop: int) -> None:
        if stop - self._at > self.limit:
            raise beyond(self.name, self._line_at(self._at), f"larger than {self.limit:,} bytes", "record")

    def _end(self, at: int) -> int:
        first = self._data[at : at + 1]
        if first == b'"':
            found = _STRING.match(self._data, at)
        elif first in (b"{", b"["):
            return self._closed(at)
        else:
            found = _SCALAR.match(self._data, at)
            if found is None:
                raise self._wrong("a value is missing")
            if found.end() == len(self._data) and not self._final:
                raise _MoreError
        if found is None:
            raise _MoreError
        return found.end()

    def _closed(self, at: int) -> int:
        """Return where the bracket that opens here is closed."""
        depth = 0
        while True:
            found = _BRACKET.match(self._data, at)
            if found is None:
                raise _MoreError
            at = found.end()
            if found[1] in b"{[":
                depth += 1
                if depth > self.depth:
                    raise beyond(self.name, self._line_at(at), f"deeper than {self.depth:,} levels", "depth")
            else:
                depth -= 1
                if not depth:
                    return at

    def _peek(self) -> bytes | None:
        """Return the next byte that is no white space; None at the end of the file."""
        while True:
            found = _SPACE.match(self._data, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._data):
                return self._data[self._at : self._at + 1]
            if not self._more():
                return None

    def _step(self) -> None:
        self._at += 1

    def _more(self) -> bool:
        """Read on; tell whether there was more."""
        if self._final:
            return False
        self._pass(self._at)
        if len(self._data) - self._at > self.limit:
            raise beyond(self.name, self._line, f"larger than {self.limit:,} bytes", "record")
        block, self._waiting = self._waiting, next(self._following, b"")
        self._data, self._at, self._counted = self._data[self._at :] + block, 0, 0
        self._final = not self._waiting
        return bool(block)

    def _pass(self, to: int) -> None:
        self._line = self._line_at(to)
        self._counted = self._at = to

    def _line_at(self, at: int) -> int:
        return self._line + self._data.count(b"\n", self._counted, at)

    def _wrong(self, why: str) -> Exception:
        return no_document(self.name, self._line_at(self._at), why)
