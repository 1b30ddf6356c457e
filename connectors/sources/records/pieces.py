"""The records of a file as they are found, gathered into pieces of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

import polars as pl

from connectors.sources.files.bytes import Bytes, check_unchanged
from connectors.sources.files.refusals import miscounted
from connectors.sources.files.relation import RECORD, UNREADABLE, Piece

_ROWS = 5_000
_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a record cannot be read: an issue code, and a reason without values."""

    code: str
    why: str


class Records:
    """Rows and unreadable records of one file, numbered as they come.

    Args:
        name: of the file.
        columns: of the relation.
        wanted: numbers of the records that are kept; None: all.
    """

    def __init__(self, name: str, columns: Sequence[str], wanted: Set[int] | None = None) -> None:
        self.count = 0
        self._name = name
        self._columns = tuple(columns)
        self._wanted = wanted
        self._rows: list[Sequence[str | None]] = []
        self._numbers: list[int] = []
        self._unreadable: list[tuple[int, str, str, str]] = []
        self._first = 1
        self._bytes = 0

    def leaves_out(self) -> bool:
        """Tell whether the next record is not wanted, and count it then."""
        if self._wanted is None or self.count + 1 in self._wanted:
            return False
        self.count += 1
        return True

    def add(self, values: Sequence[str | None], size: int) -> None:
        """Add a row; `size` is about how many bytes it holds."""
        if not self.leaves_out():
            self.count += 1
            self._rows.append(values)
            self._numbers.append(self.count)
            self._bytes += size

    def bad(self, line: int, why: Unreadable, data: bytes, encoding: str) -> None:
        """Add a record that cannot be read."""
        if not self.leaves_out():
            self.count += 1
            place = f"{self._name}:{line} ({why.why})"
            raw = data.decode(encoding, "backslashreplace")
            self._unreadable.append((self.count, place, why.code, raw))
            self._bytes += len(raw)

    def full(self) -> Iterator[Piece]:
        """Yield a piece when enough is gathered."""
        if self.count - self._first >= _ROWS or self._bytes >= _BYTES:
            yield self._piece()

    def rest(self, records: int) -> Iterator[Piece]:
        """Yield what is left; raise BUG-020 when other records came than were counted."""
        if self.count >= self._first:
            yield self._piece()
        if self.count != records:
            raise miscounted(self._name, records, self.count)

    def _piece(self) -> Piece:
        schema = {**dict.fromkeys(self._columns, pl.String), RECORD: pl.Int64}
        values = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(self._columns)
        frame = pl.DataFrame([*map(list, values), self._numbers], schema=schema)
        piece = Piece(frame, pl.DataFrame(self._unreadable, UNREADABLE, orient="row"), self._first, self.count)
        self._rows, self._numbers, self._unreadable = [], [], []
        self._first, self._bytes = self.count + 1, 0
        return piece


def pieces_of(
    source: Bytes,
    columns: Sequence[str],
    records: int,
    wanted: Set[int] | None,
    read: Callable[[Records], Iterator[None]],
) -> Iterator[Piece]:
    """Yield the records of a file in pieces (see `files.relation.RelationFiles.pieces`).

    Args:
        read: adds the records of the file one by one, and yields after each.
    """
    found = Records(source.name, columns, wanted)
    for _ in read(found):
        yield from found.full()
    check_unchanged(source)
    yield from found.rest(records)
