"""The independent counter: counts the records of a file line by line, by another way than they are read.

It knows the same rules as `csv_records` (which says them), but shares no code with it: what both agree on was not lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from connectors.sources.file_bytes import MAX_FIELD, MAX_RECORD, Named, never_closed, too_large


@dataclass(slots=True)
class Counter:
    """Counts what is fed to it: ``records`` (blank lines are none), ``lines``, ``undecodable`` lines.

    Args:
        file: for errors.
        delimiter, quote: one byte each; an empty quote means that there are no quotes.
        encoding: of the bytes.
        line: the physical line (from 1) at which counting starts.
    """

    file: Named
    delimiter: bytes
    quote: bytes
    encoding: str
    line: int
    records: int = 0
    undecodable: int = 0
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
        # A CR at the end may be half of a CR LF.
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
        self._rest = data[cut:]
        if cut:
            self._count(data[:cut])
        if len(self._rest) > MAX_RECORD:
            raise too_large(self.file, self.line)

    def finish(self) -> None:
        """Count the last line, which may lack a line end."""
        if self._rest:
            self._count(self._rest)
            self._rest = b""
        if self._opened is not None:
            raise never_closed(self.file, self._opened)

    def _count(self, data: bytes) -> None:
        lines = data.splitlines(keepends=True)
        if not _decodes(data, self.encoding):
            self.undecodable += sum(not _decodes(line, self.encoding) for line in lines)
        if self._opened is None and (not self.quote or self.quote not in data):
            filled = [line for line in lines if line not in (b"\r\n", b"\n", b"\r")]
            self.records += len(filled)
            self.last = filled[-1] if filled else self.last
            self.line += len(lines)
            return
        for line in lines:
            self._count_line(line)
            self.line += 1

    def _count_line(self, line: bytes) -> None:
        blank = line in (b"\r\n", b"\n", b"\r")
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


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
