"""The chain: whether every line holds the hash of the line before it, and if not, what was done to it."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from runbooks.evidence.entries import MAX_LINE, START, read_line
from runbooks.evidence.problems import Problem

_AHEAD = 64
"""So many lines further on an entry that is missed here is looked for."""
_MOST_MISSED = 10_000_000
_HASH_BYTES = 32
_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line without its newline, its SHA-256, the entry that it is (None: none), and whether that is canonical."""

    text: bytes
    digest: bytes
    entry: dict[str, Any] | None
    is_canonical: bool


class Link(NamedTuple):
    """A line in its place.

    Args:
        seq: the number of the place.
        line: what stands there.
        linked: whether it follows the line before it, and is what it seems; else a problem was told.
        before: what was found wrong before this line's own content is looked at.
        drop: whether what was held of the line before is not to be told, since that line was edited or inserted.
    """

    seq: int
    line: Line
    linked: bool
    before: tuple[Problem, ...]
    drop: bool


class Chain:
    """Reads lines in their order and says of each how it fits.

    Args:
        lines: with their newlines, as they stand in the file.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.digests = bytearray()
        self.project: str | None = None
        self.count = 0
        self.last_hash = START
        self._lines = iter(lines)
        self._ahead: deque[Line] = deque()
        self._doubt = False
        self._endings = False
        self._torn = False
        self._told: list[Problem] = []

    @property
    def last(self) -> int:
        """The number of the last place that was read."""
        return len(self.digests) >> 5

    def digest(self, seq: int) -> bytes | None:
        """Return the SHA-256 of the line in a place; None when there is no such place."""
        if not 0 < seq <= self.last:
            return None
        return bytes(self.digests[(seq - 1) * _HASH_BYTES : seq * _HASH_BYTES])

    def links(self) -> Iterator[Link]:
        """Yield every line in its place."""
        while (line := self._next()) is not None:
            link = self._follows(line) or self._placed(line)
            self.count += 1
            if link is not None:
                self.digests += link.line.digest
                self.last_hash = link.line.digest.hex()
                yield link

    def leftover(self) -> list[Problem]:
        """Return what was found after the last place that was yielded."""
        told, self._told = self._told, []
        if self._torn:
            told.append(Problem(self.last + 1, "torn", "the last line breaks off: it has no end of line"))
        return told

    # ---- lines, and lines ahead ----

    def _next(self) -> Line | None:
        return self._ahead.popleft() if self._ahead else self._read()

    def _peek(self, place: int) -> Line | None:
        while len(self._ahead) <= place:
            line = self._read()
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[place]

    def _read(self) -> Line | None:
        raw = next(self._lines, None)
        if raw is None:
            return None
        if not raw.endswith(b"\n"):
            self._torn = True
            return None
        text = raw[:-1]
        if text[:3] == _BOM or text[-1:].isspace():
            text = text.removeprefix(_BOM).rstrip()
            if not self._endings:
                self._endings = True
                place = self.last + len(self._ahead) + 1
                what = "its line endings or the blanks around it were changed, by an editor perhaps; the rest is judged"
                self._told.append(Problem(place, "line-endings", f"{what} without them"))
        entry, is_canonical = read_line(text) if len(text) < MAX_LINE else (None, False)
        return Line(text, hashlib.sha256(text).digest(), entry, is_canonical)

    # ---- how a line fits ----

    def _follows(self, line: Line) -> Link | None:
        """Return a line in its place when nothing is wrong with it, nor was with the one before; nearly all are so."""
        entry = line.entry
        if entry is None or entry["prev"] != self.last_hash or self._told or self._doubt:
            return None
        place = self.last + 1
        fits = entry["seq"] == place and entry["project"] == self.project
        return Link(place, line, linked=True, before=(), drop=False) if fits else None

    def _placed(self, line: Line) -> Link | None:
        place = self.last + 1
        entry = line.entry
        if entry is None:
            self._tell(place, "malformed", "the line is no entry")
            return self._link(place, line, linked=False)
        if self.project is None:
            self.project = entry["project"]
        follows = entry["prev"] == self.last_hash
        doubt, self._doubt = self._doubt, False
        if entry["project"] != self.project:
            kind = "edited" if follows else "another-project"
            self._tell(place, kind, "it names another project than the first entry")
            return self._link(place, line, linked=False)
        if entry["seq"] == place:
            return self._link(place, line, linked=True) if follows or doubt else self._broken(place, line)
        if follows:
            return self._misnumbered(place, line)
        if entry["seq"] > place:
            return self._missed(place, line)
        self._again(place, line)
        return None

    def _broken(self, place: int, line: Line) -> Link:
        """Judge a line of the right number that does not hold the hash of the line before it."""
        assert line.entry is not None
        before_that = self.digest(place - 2) if place > 2 else None
        if place > 1 and line.entry["prev"] == (before_that.hex() if before_that is not None else START):
            self._told.append(
                Problem(place - 1, "inserted", "the next entry does not know it: it holds the hash before")
            )
            return self._link(place, line, linked=True, drop=True)
        following = self._peek(0)
        confirmed = following is None or (following.entry or {}).get("prev") == line.digest.hex()
        if place > 1 and confirmed:
            self._told.append(Problem(place - 1, "edited", "it is not what the next entry holds the hash of"))
            return self._link(place, line, linked=True, drop=True)
        self._tell(place, "edited", "neither does it hold the hash of the entry before, nor the next one its own")
        return self._link(place, line, linked=False)

    def _misnumbered(self, place: int, line: Line) -> Link | None:
        """Judge a line that follows by its hash and not by its number."""
        assert line.entry is not None
        following = self._peek(0)
        seq = line.entry["seq"]
        if seq > place and following is not None and (following.entry or {}).get("seq") == seq + 1:
            return self._gap(place, line)
        self._tell(place, "edited", f"it says that it is entry {seq}")
        return self._link(place, line, linked=False)

    def _missed(self, place: int, line: Line) -> Link | None:
        """Judge a line whose number is too high: the entries between are gone, or stand further on."""
        for ahead in range(_AHEAD):
            found = self._peek(ahead)
            if found is None:
                break
            if found.entry is not None and found.entry["seq"] == place and found.entry["prev"] == self.last_hash:
                self._told.append(Problem(place, "reordered", f"it stands {ahead + 1} lines further on"))
                del self._ahead[ahead]
                self._ahead.appendleft(line)
                return self._link(place, found, linked=True)
        return self._gap(place, line)

    def _gap(self, place: int, line: Line) -> Link | None:
        assert line.entry is not None
        seq = line.entry["seq"]
        if seq - place > _MOST_MISSED:
            self._tell(place, "edited", f"it says that it is entry {seq}")
            return self._link(place, line, linked=False)
        gone = f"entry {place} is" if seq == place + 1 else f"entries {place} to {seq - 1} are"
        self._told.append(Problem(place, "removed", f"{gone} gone"))
        self.digests += bytes(_HASH_BYTES * (seq - place))
        return self._link(seq, line, linked=True)

    def _again(self, place: int, line: Line) -> None:
        """Judge a line whose number was there before; it does not count."""
        assert line.entry is not None
        seq = line.entry["seq"]
        before = self.digest(seq - 1).hex() if seq > 1 else START  # type: ignore[union-attr]
        if line.digest == self.digest(seq):
            kind, what = "duplicated", f"entry {seq} stands here a second time"
        elif line.entry["prev"] == before:
            kind, what = "forked", f"a second entry {seq} follows entry {seq - 1}"
        else:
            kind, what = "inserted", f"an entry that says it is {seq} stands here"
        self._told.append(Problem(place, kind, what))

    def _tell(self, place: int, kind: str, message: str) -> None:
        """Tell of a problem; what the next line says of this one is not told again."""
        self._told.append(Problem(place, kind, message))
        self._doubt = True

    def _link(self, seq: int, line: Line, *, linked: bool, drop: bool = False) -> Link:
        told: tuple[Problem, ...] = ()
        if self._told:
            told, self._told = tuple(self._told), []
        return Link(seq, line, linked, told, drop)
