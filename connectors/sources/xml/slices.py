"""Where the records of an XML file lie in its bytes, so that a broken one spoils no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.sources.records.refusals import beyond
from connectors.sources.xml.refusals import cut_off, forbidden, no_document, refuse_inclusions

_TAG = re.compile(rb"<(/?)([^\s<>/!?=\"']++)((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)>")
_NAME = re.compile(rb"</?([^\s<>/]*+)")
_NAMESPACE = re.compile(rb"\sxmlns(?::([^\s=]++))?\s*=\s*(?:\"([^\"]*+)\"|'([^']*+)')")
_DECLARATION = re.compile(rb"<\?xml\s")
_FAULT = re.compile(rb"<(?:[\w.-]+:)?Fault[\s>]")
_MISPLACED = "the XML declaration is not at the beginning"
Spaces = dict[bytes, bytes]
"""Prefixes and what they stand for where a record begins."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The bytes of one record, the line where it begins, and the prefixes that hold around it.

    ``wrong`` says why it is no record; the bytes are then what stands in its place.
    """

    data: bytes
    line: int
    spaces: Spaces
    wrong: str | None = None


class _MoreError(Exception):
    """What is being read goes on behind the bytes that are there."""


@dataclass(slots=True)
class Slicer:
    """Finds the records of one file.

    Args:
        name: of the file, for errors.
        steps: names (``{namespace}name``) of the elements down to the record.
        skip: names of elements that may stand in the place of a record and are none.
        limit: bytes of a record.
    """

    name: str
    steps: tuple[str, ...]
    skip: frozenset[str]
    limit: int
    skipped: int = 0
    _data: bytes = b""
    _at: int = 0
    _line: int = 1
    _counted: int = 0
    _final: bool = False
    _first: bool = True
    _opened: list[tuple[bytes, Spaces]] = field(default_factory=list)
    _spoiled: str | None = None
    _ends: dict[tuple[bytes, bytes], re.Pattern[bytes]] = field(default_factory=dict)

    def slices(self, blocks: Iterable[bytes]) -> Iterator[Slice]:
        """Yield the records, and what is in the place of one, in order.

        Raises:
            SystemFailure: CON-080 what is refused, CON-081 beyond a limit, CON-082 the file ends inside an element
                around the records.
        """
        following = iter(blocks)
        block = next(following, b"")
        while True:
            self._data, self._at = self._data[self._at :] + block, 0
            self._counted = 0
            refuse_inclusions(self._data, self.name, self._line)
            block = next(following, b"")
            self._final = not block
            try:
                yield from self._complete()
            except _MoreError:
                self._pass(self._at)
                if len(self._data) - self._at > self.limit:
                    raise beyond(self.name, self._line, f"larger than {self.limit:,} bytes", "record") from None
                continue
            break
        if self._opened:
            raise cut_off(self.name, self._opened[-1][0].decode("utf-8", "replace"))

    def _complete(self) -> Iterator[Slice]:
        """Yield what is complete in the bytes that are there."""
        while (found := self._data.find(b"<", self._at)) >= 0:
            text = self._data[self._at : found].strip()
            if text:
                yield self._text(found)
            self._pass(found)
            if not self._final and len(self._data) - found < 16:
                raise _MoreError
            yield from self._markup(found)
            self._first = False
        if not self._final:
            raise _MoreError
        if self._data[self._at :].strip():
            yield self._text(len(self._data))
        self._pass(len(self._data))

    def _text(self, stop: int) -> Slice:
        if len(self.steps) > 1 and not self._opened:
            raise no_document(self.name, self._line)
        return self._slice(self._at, stop, {}, "text stands outside the records")

    def _markup(self, at: int) -> Iterator[Slice]:
        data = self._data
        if data.startswith(b"<!--", at):
            yield from self._until(at, b"-->", "a comment is never closed", text=False)
        elif data.startswith(b"<![CDATA[", at):
            yield from self._until(at, b"]]>", "text stands outside the records", text=True)
        elif data.startswith(b"<?", at):
            if data.startswith(b"<?xml-stylesheet", at):
                raise forbidden(self.name, self._line)
            if _DECLARATION.match(data, at) and (self._opened or (self._first and (at or self._line > 1))):
                self._spoiled = _MISPLACED
            yield from self._until(at, b"?>", "an instruction is never closed", text=False)
        elif data.startswith(b"<!", at):
            raise forbidden(self.name, self._line)
        else:
            yield from self._tag(at)

    def _until(self, at: int, end: bytes, wrong: str, *, text: bool) -> Iterator[Slice]:
        found = self._data.find(end, at + 2)
        stop = found + len(end) if found >= 0 else self._all()
        if text or found < 0:
            yield self._slice(at, stop, {}, wrong)
        self._pass(stop)

    def _tag(self, at: int) -> Iterator[Slice]:
        found = _TAG.match(self._data, at)
        if found is None and self._data.find(b"<", at + 1) < 0:
            self._all()
        if found is None:
            begun = _NAME.match(self._data, at)
            yield from self._record(at, at + 1, begun[1] if begun else b"", {}, "its first tag is not well-formed")
            return
        name, rest = found[2], found[3]
        if found[1]:
            yield from self._close(at, found.end(), name)
            return
        outer = self._opened[-1][1] if self._opened else {}
        spaces = outer | {each[1] or b"": each[2] or each[3] for each in _NAMESPACE.finditer(rest)}
        level, full = len(self._opened), _resolved(name, spaces)
        empty = rest.endswith(b"/")
        if level < len(self.steps) - 1 and full == self.steps[level]:
            if not empty:
                self._opened.append((name, spaces))
            self._pass(found.end())
            return
        wrong = None
        if full in self.skip or 0 < level < len(self.steps) - 1:
            wrong = ""
        elif level < len(self.steps) - 1 or full != self.steps[-1]:
            wrong = _other(full, self.steps[level])
        if not empty:
            yield from self._record(at, found.end(), name, outer, wrong)
            return
        if wrong == "":
            self.skipped += 1
        else:
            yield self._slice(at, found.end(), outer, wrong or self._spoiled)
        self._pass(found.end())

    def _close(self, at: int, stop: int, name: bytes) -> Iterator[Slice]:
        if self._opened and self._opened[-1][0] == name:
            self._opened.pop()
        else:
            yield self._slice(at, stop, {}, "an end tag stands without its beginning")
        if not self._opened:
            self._spoiled = None
        self._pass(stop)

    def _record(self, at: int, after: int, name: bytes, spaces: Spaces, wrong: str | None) -> Iterator[Slice]:
        """Yield the element that begins here, whatever it is; nothing where ``wrong`` is empty."""
        stop, cut = self._end(at, after, name)
        if wrong and _FAULT.search(self._data, at, stop):
            wrong = "a SOAP Fault instead of a record"
        if wrong == "":
            self.skipped += 1
        else:
            yield self._slice(at, stop, spaces, wrong or cut or self._spoiled)
        if not self._opened:
            self._spoiled = None
        self._pass(stop)

    def _end(self, at: int, after: int, name: bytes) -> tuple[int, str | None]:
        """Return where an element ends; where it is never closed, where the next one begins, and why."""
        data, around = self._data, self._opened[-1][0] if self._opened else b""
        found_end = data.find(b"</" + name + b">", after)
        if found_end >= 0:
            others = (b"<!", b"<?", b"<" + name, *([b"</" + around] if around else []))
            if all(data.find(each, after, found_end) < 0 for each in others):
                return found_end + len(name) + 3, None
        pattern = self._ends.get((name, around))
        if pattern is None:
            pattern = self._ends[name, around] = _ending(name, around)
        depth, inner = 1, None
        for found in pattern.finditer(data, after):
            kind = found.lastgroup
            if kind == "end":
                depth -= 1
                if not depth:
                    return found.end(), None
            elif kind == "begin":
                depth += 1
                inner = inner or found.start()
            elif kind == "outer":
                return inner or found.start(), "it is never closed"
            elif kind == "open":
                break
        if inner is None or len(data) - at <= self.limit:
            self._all()
        return inner or len(data), "it is never closed"

    def _all(self) -> int:
        """Return the end of the file; ask for more bytes when it is not there yet."""
        if not self._final:
            raise _MoreError
        return len(self._data)

    def _slice(self, start: int, stop: int, spaces: Spaces, wrong: str | None) -> Slice:
        line = self._line + self._data.count(b"\n", self._counted, start)
        if stop - start > self.limit:
            raise beyond(self.name, line, f"larger than {self.limit:,} bytes", "record")
        return Slice(self._data[start:stop], line, spaces, wrong)

    def _pass(self, to: int) -> None:
        self._line += self._data.count(b"\n", self._counted, to)
        self._counted = self._at = to


def _ending(name: bytes, around: bytes) -> re.Pattern[bytes]:
    """Return what may end an element: its end tag, another one of its name, the end of the element around it."""
    own, outer = re.escape(name), re.escape(around)
    beyond_it = rb"(?P<outer></%b\s*>|<\?xml\s)" % outer if around else rb"(?P<outer><\?xml\s)"
    return re.compile(
        rb"(?P<end></%b\s*>)|<%b(?:\s(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)?/?>(?<=/>)|(?P<begin><%b(?=[\s/>]))|%b"
        rb"|<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|(?P<open><!--|<!\[CDATA\[|<\?)" % (own, own, own, beyond_it),
        re.DOTALL,
    )


def _resolved(name: bytes, spaces: Spaces) -> str:
    prefix, _, local = name.rpartition(b":")
    space = spaces.get(prefix, b"" if not prefix else b"?" + prefix).decode("utf-8", "replace")
    text = local.decode("utf-8", "replace")
    return f"{{{space}}}{text}" if space else text


def _other(found: str, wanted: str) -> str:
    space, _, local = found.rpartition("}")
    wanted_space, _, wanted_local = wanted.rpartition("}")
    if local != wanted_local:
        return f"another element than {wanted_local}"
    if re.fullmatch(r"\{[A-Za-z0-9:/._-]{1,90}", space):
        return f"{local} in the namespace {space[1:]} instead of {wanted_space[1:] or 'none'}"
    return f"{local} in another namespace than {wanted_space[1:] or 'none'}"
