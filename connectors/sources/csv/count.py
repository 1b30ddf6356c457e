"""The independent counter: counts the records of a file line by line, by another way than they are read.

It knows the same rules as `csv.records` (which says them), but shares no code with it: what both agree on was not lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from connectors.sources.files.bytes import MAX_FIELD, MAX_RECORD, Named, never_closed, too_large

_END = re.compile(rb"\r\n|\n|\r")


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
            inside = b"(?:[^%b]|%b%b)*+" % (q, q, q)
            one = b"(?:%b%b%b|[^%b%b\r\n]*+)" % (q, inside, q, q, d)
            more = b"(?:%b%b)*+" % (d, one)
            self._patterns = {
                "opens": re.compile(b"(?:%b%b)*+%b%b" % (one, d, q, inside)),
                "closes": re.compile(inside + q + more + b"[\r\n]*"),
                "stays": re.compile(inside),
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
        special = any(each and each in seen for each in (self.quote, self.comment, self.header))
        if self._opened is None and not special:
            self._count_plain(seen, seen.count(b"\r") != seen.count(b"\r\n"))
            self.line += 0 if seen is data else len(data.splitlines()) - len(seen.splitlines())
            return
        lines = seen.splitlines(keepends=True)
        escaped = 0 if seen is data else len(data.splitlines()) - len(lines)
        if not self.comment and not self.header and seen is data:
            self._count_between_quotes(data)
            return
        for line in lines:
            self._count_line(line)
            self.line += 1
        self.line += escaped

    def _count_between_quotes(self, data: bytes) -> None:
        """Count complete lines, those without a quote many at a time."""
        position = 0
        bare_returns = data.count(b"\r") != data.count(b"\r\n")
        while position < len(data):
            if self._opened is None:
                quote = data.find(self.quote, position)
                upto = len(data) if quote < 0 else _line_start(data, position, quote)
                if upto > position:
                    self._count_plain(data[position:upto], bare_returns)
                    position = upto
                    continue
            end = _line_end(data, position)
            self._count_line(data[position:end])
            self.line += 1
            position = end

    def _count_plain(self, data: bytes, bare_returns: bool) -> None:
        """Count lines that hold no quote, outside of quotes."""
        if not bare_returns and not _holds_blank(data):
            count = data.count(b"\n") + (not data.endswith(b"\n"))
            self.records += count
            self.line += count
            self.last = data[_line_start(data, 0, len(data) - (2 if data.endswith(b"\r\n") else 1)) :]
            return
        lines = data.splitlines(keepends=True)
        filled = [line for line in lines if line not in (b"\r\n", b"\n", b"\r")]
        self.records += len(filled)
        self.line += len(lines)
        self.last = filled[-1] if filled else self.last

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


def _holds_blank(data: bytes) -> bool:
    return b"\n\n" in data or b"\n\r\n" in data or data.startswith((b"\n", b"\r\n"))


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
        return len(data.translate(None, undefined)) == len(data)
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
