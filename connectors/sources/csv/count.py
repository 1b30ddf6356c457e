"""The independent counter: counts the records of a file line by line, by another way than they are read.

It knows the same rules as `csv.records` (which says them), but shares no code with it: what both agree on was not lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from connectors.sources.files.bytes import MAX_FIELD, MAX_RECORD, Named, never_closed, too_large

_END = re.compile(rb"\r\n|\n|\r")
_LF, _CR = 10, 13
_TWICE = (b"\xc3\x83\xc2", re.compile(rb"\xc3\x83\xc2[\xa0-\xbf]"))
_ONCE = (b"\xc3", re.compile(rb"\xc3[\xa0-\xbf]"))
"""Small letters with accents in UTF-8 that was made UTF-8 once more, and in UTF-8 itself; with their beginnings."""
_BROKEN = b"\x1a"
"""Stands for a quoted field with line ends in it."""


@dataclass(slots=True)
class Counter:
    """Counts what is fed to it: ``records`` (blank lines are none), ``lines``, ``undecodable`` lines.

    Args:
        file: for errors.
        delimiter, quote: one byte each; an empty quote means that there are no quotes.
        encodings: of the bytes, tried for each line.
        line: the physical line (from 1) at which counting starts.
        escape, comment: as the settings say; empty when there is none.
        header: what is skipped where it is repeated; empty when it is not.
    """

    file: Named
    delimiter: bytes
    quote: bytes
    encodings: tuple[str, ...]
    line: int
    escape: bytes = b""
    comment: bytes = b""
    header: bytes = b""
    records: int = 0
    undecodable: int = 0
    later: int = 0
    """Lines that are not in the first encoding, but in a later one."""
    converted: int = 0
    """Lines whose letters look like UTF-8 that was read in a code page."""
    comments: int = 0
    headers: int = 0
    last: bytes = b""
    """The last line that is not blank."""
    _rest: bytes = b""
    _opened: int | None = None
    """The line of the quote that is open."""
    _inside: int = 0
    """Bytes since then."""
    _patterns: dict[str, re.Pattern[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.quote:
            q, d = re.escape(self.quote), re.escape(self.delimiter)
            inside = b"[^%b]*+(?:%b%b[^%b]*+)*+" % (q, q, q, q)
            one = b"(?:%b%b%b|[^%b%b\r\n]*+)" % (q, inside, q, q, d)
            more = b"(?:%b%b)*+" % (d, one)
            self._patterns = {
                "opens": re.compile(b"(?:%b%b)*+%b%b" % (one, d, q, inside)),
                "closes": re.compile(inside + q + more + b"[\r\n]*"),
                "stays": re.compile(inside),
                # What stands before the quote is looked at behind it: so the search leaps from quote to quote.
                "quoted": re.compile(b"%b(?<![^%b\r\n]%b)%b%b(?![^%b\r\n])" % (q, d, q, inside, q, d)),
                "reopens": re.compile(inside + q + d + b"(?:%b%b)*+%b%b" % (one, d, q, inside)),
            }

    def feed(self, block: bytes) -> None:
        """Count the complete lines of what was left over and a block."""
        data = self._rest + block
        seen = self._unescaped(data)
        # A CR at the end may be half of a CR LF.
        cut = max(seen.rfind(b"\n"), seen.rfind(b"\r", 0, len(seen) - 1)) + 1
        self._rest = data[cut:]
        if cut:
            whole = data[:cut]
            self._count(whole, whole if seen is data else seen[:cut])
        if len(self._rest) > MAX_RECORD:
            raise too_large(self.file, self.line)

    def finish(self) -> None:
        """Count the last line, which may lack a line end."""
        if self._rest:
            self._count(self._rest, self._unescaped(self._rest))
            self._rest = b""
        if self._opened is not None:
            raise never_closed(self.file, self._opened)

    def _unescaped(self, data: bytes) -> bytes:
        """Return bytes of the same length in which every escape and what it stands before are letters."""
        if not self.escape or self.escape not in data:
            return data
        pairs = re.compile(re.escape(self.escape) + b"(?:\r\n|.)", re.DOTALL)
        return pairs.sub(lambda pair: b"e" * len(pair[0]), data)

    def _count(self, data: bytes, seen: bytes) -> None:
        """Count complete lines: `data`, of which `seen` tells the structure."""
        if not _decodes(data, self.encodings[0]):
            self._count_encodings(data)
        self.converted += _converted(data, self.encodings[0])
        special = any(each and each in seen for each in (self.quote, self.comment, self.header))
        if self._opened is None and not special:
            self._count_plain(seen, _has_bare_returns(seen))
            self.line += 0 if seen is data else len(data.splitlines()) - len(seen.splitlines())
            return
        if not self.comment and not self.header and seen is data:
            self._count_between_quotes(data)
            return
        lines = seen.splitlines(keepends=True)
        escaped = 0 if seen is data else len(data.splitlines()) - len(lines)
        for line in lines:
            self._count_line(line)
            self.line += 1
        self.line += escaped

    def _count_between_quotes(self, data: bytes) -> None:
        """Count complete lines: those in an open quote one by one, the others at once if their quotes are plain."""
        position = 0
        while position < len(data) and self._opened is not None:
            position = self._count_next(data, position)
        rest = data[position:] if position else data
        if not rest or self._count_at_once(rest):
            return
        position, bare_returns = 0, _has_bare_returns(rest)
        while position < len(rest):
            if self._opened is None:
                quote = rest.find(self.quote, position)
                upto = len(rest) if quote < 0 else _line_start(rest, position, quote)
                if upto > position:
                    self._count_plain(rest[position:upto], bare_returns)
                    position = upto
                    continue
            position = self._count_next(rest, position)

    def _count_next(self, data: bytes, position: int) -> int:
        end = _line_end(data, position)
        self._count_line(data[position:end])
        self.line += 1
        return end

    def _count_at_once(self, data: bytes) -> bool:
        """Count lines outside of quotes with a letter for each quoted field; False: nothing is counted, look closer."""
        if _BROKEN in data:
            return False
        quoted = self._patterns["quoted"]
        # A call for each field has its price where every field is quoted.
        plain = quoted.sub(b"q", data) if _count(data, self.quote[0]) > len(data) // 100 else data
        if self.quote in plain:
            plain = quoted.sub(_letter, data)
        ends_quoted = self.quote in data[_line_start(data, 0, _filled(data)) :]
        if ends_quoted or _has_bare_returns(data) or not self._only_stray(plain):
            return False
        before = self.line
        self._count_plain(plain, False)
        self.line = before + _count(data, _LF) + (not data.endswith(b"\n"))
        return True

    def _only_stray(self, plain: bytes) -> bool:
        """Tell whether the quotes that are left each spoil their own line and no other."""
        at = plain.find(self.quote)
        while at >= 0:
            start, end = _line_start(plain, 0, at), _line_end(plain, at)
            if at == start or plain[at - 1 : at] == self.delimiter or _BROKEN in plain[start:end]:
                return False
            at = plain.find(self.quote, end)
        return True

    def _count_plain(self, data: bytes, bare_returns: bool) -> None:
        """Count lines that hold no quote, outside of quotes."""
        if bare_returns:
            lines = data.splitlines(keepends=True)
            filled = [line for line in lines if line not in (b"\r\n", b"\n", b"\r")]
            self.records += len(filled)
            self.line += len(lines)
            self.last = filled[-1] if filled else self.last
            return
        count = _count(data, _LF) + (not data.endswith(b"\n"))
        self.records += count - _blank_lines(data)
        self.line += count
        if stop := _filled(data):
            self.last = data[_line_start(data, 0, stop) : _line_end(data, stop)]

    def _count_encodings(self, data: bytes) -> None:
        for line in data.splitlines(keepends=True):
            if not _decodes(line, self.encodings[0]):
                fits = any(_decodes(line, encoding) for encoding in self.encodings[1:])
                self.later += fits
                self.undecodable += not fits

    def _count_line(self, line: bytes) -> None:
        blank = line in (b"\r\n", b"\n", b"\r")
        if self._opened is None and self._is_skipped(line):
            return
        if not blank:
            self.last = line
        if self._opened is None:
            if blank:
                return
            if self.quote in line and self._patterns["opens"].fullmatch(line):
                self._opened, self._inside = self.line, len(line)
            else:
                self.records += 1
            return
        self._inside += len(line)
        if self._patterns["stays"].fullmatch(line):
            if self._inside > MAX_FIELD:
                raise never_closed(self.file, self._opened)
            return
        if self._patterns["reopens"].fullmatch(line):
            self._opened, self._inside = self.line, len(line)
            return
        self.records += 1
        self._opened = None

    def _is_skipped(self, line: bytes) -> bool:
        """Count a line that is skipped as declared, and say so."""
        if self.comment and line.startswith(self.comment):
            self.comments += 1
            return True
        if self.header and line.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf") == self.header:
            self.headers += 1
            return True
        return False


def _converted(data: bytes, encoding: str) -> int:
    """Count lines with letters as `Ã©`, which few texts mean: UTF-8 that a program took for a code page."""
    first, pattern = _TWICE if encoding == "utf-8" else _ONCE
    if first not in data or not pattern.search(data):
        return 0
    return sum(pattern.search(line) is not None for line in data.splitlines())


def _letter(field: re.Match[bytes]) -> bytes:
    return _BROKEN if b"\n" in field[0] or b"\r" in field[0] else b"q"


def _filled(data: bytes) -> int:
    """Return where the last line that is not blank ends, without its line end; 0 when there is none."""
    stop = len(data)
    while stop and data[stop - 1] in b"\r\n":
        stop -= 1
    return stop


def _blank_lines(data: bytes) -> int:
    """Count the lines without anything in them; CR stands before LF only."""
    found = np.frombuffer(data, np.uint8)
    feeds = np.flatnonzero(found == _LF)
    apart, behind = np.diff(feeds), feeds[1:]
    after_return = np.count_nonzero(found[behind[apart == 2] - 1] == _CR)
    return int(data.startswith((b"\n", b"\r\n")) + np.count_nonzero(apart == 1) + after_return)


def _count(data: bytes, byte: int) -> int:
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == byte))


def _has_bare_returns(data: bytes) -> bool:
    """Tell whether there is a CR that no LF follows."""
    if b"\r" not in data:
        return False
    found = np.frombuffer(data, np.uint8)
    returns = found == _CR
    return int(np.count_nonzero(returns[:-1] & (found[1:] == _LF))) != int(np.count_nonzero(returns))


def _line_start(data: bytes, low: int, position: int) -> int:
    """Return where the line of a position starts, not before `low`."""
    return max(data.rfind(b"\n", low, position) + 1, data.rfind(b"\r", low, position) + 1, low)


def _line_end(data: bytes, position: int) -> int:
    """Return where the line of a position ends, its line end included."""
    found = _END.search(data, position)
    return found.end() if found else len(data)


@cache
def _undefined(encoding: str) -> bytes | None:
    """Return the bytes that a code page does not define; None: the encoding is no code page."""
    if len(b"\xc3\xa9".decode(encoding, "replace")) != 2:
        return None
    return bytes(byte for byte in range(256) if bytes([byte]).decode(encoding, "ignore") == "")


def _decodes(data: bytes, encoding: str) -> bool:
    if data.isascii():
        return True
    undefined = None if encoding in ("utf-8", "ascii") else _undefined(encoding)
    if undefined is not None:
        return not any(byte in data for byte in undefined)
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
