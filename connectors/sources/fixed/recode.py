"""Records of a mainframe as records of text: a code page in which ASCII is ASCII, and numbers written in digits.

Records of one length are a matrix of bytes; of each type the texts are reordered by a table, and a packed, binary or
zoned number becomes a sign and digits. What is no such number becomes `x` and its bytes in hexadecimal, which the
reader and the counter refuse as they refuse every text that is no number. How numbers lie there:
https://www.ibm.com/docs/en/cobol-zos/6.4?topic=data-examples-numeric-internal-representation
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from casemodel import SystemFailure
from connectors.sources.files.bytes import Bytes, raw_blocks
from connectors.sources.files.ebcdic import encoding_of, order_of
from connectors.sources.files.packed import form_of, nested
from connectors.sources.fixed.layout import FixedField, Layout, Reading, RecordType

Array = np.ndarray[Any, Any]
_SAME = bytes(range(256))
_FIRST_LETTER = 0x81
_SPACE, _ZERO = 0x20, 0x30
_EBCDIC_SPACE = 0x40
_HEX = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_MINUS = (0xB, 0xD)
_DIGITS = {1: 3, 2: 5, 4: 10, 8: 20}
"""How many digits a binary number of so many bytes has at most."""
BINARY_LENGTHS = tuple(_DIGITS)
MOST_PACKED = 16
"""Bytes of the longest packed number of COBOL, with 31 digits."""


def width_of(each: FixedField) -> int:
    """Return how many characters a field takes as text: a number has a sign, or all of its bytes behind an `x`."""
    if each.form is None:
        return each.length
    return max(2 * each.length, _DIGITS.get(each.length, 0) if each.form == "binary" else 0) + 1


def as_texts(kind: RecordType) -> tuple[FixedField, ...]:
    """Return the fields of a record type where they lie in its text, one behind the other."""
    fields, start = {}, 1
    for each in sorted(kind.fields, key=lambda found: found.start):
        # What no field of a header or trailer names keeps its place by being left out.
        sign = each.sign if each.form is None else "leading"
        fields[each] = replace(
            each, start=start, length=width_of(each), sign=sign, form=None, lies=(each.start, each.stop)
        )
        start += width_of(each)
    return tuple(fields[each] for each in kind.fields)


def recoded(layout: Layout) -> Layout:
    """Return the layout of the texts that a `Recoding` makes of the records of a layout."""
    own = layout.types[0].length
    asked = layout.type_field
    first = 0 if asked is None else asked.length
    fields = {kind.code: [replace(f, start=f.start + first) for f in as_texts(kind)] for kind in layout.types}
    # A blank behind all of them: none of them ends with what may be the mark of DOS for the end of a text.
    width = max(own, *(each.stop for found in fields.values() for each in found)) + first + 1
    types = tuple(replace(kind, length=width, fields=tuple(fields[kind.code])) for kind in layout.types)
    return replace(
        layout,
        types=types,
        type_field=None if asked is None else replace(asked, start=1),
        own=replace(layout, explained=(), exceptions={}, place=""),
    )


@dataclass(frozen=True, slots=True)
class Recoding:
    """Makes texts of the records of one file: see `files.bytes.Recoding`.

    Args:
        layout: of the records as they lie in the file.
        encoding: of the texts.
        order: what each byte of a text becomes.
    """

    layout: Layout
    encoding: str
    order: bytes

    def blocks(self, found: Iterator[bytes]) -> Iterator[bytes]:
        """Yield records as text, all of one length but for a last one that is cut off."""
        own, width, rest = self.layout.types[0].length, recoded(self.layout).types[0].length, b""
        for block in found:
            data = rest + block
            rows = len(data) // own
            rest = data[rows * own :]
            if rows:
                yield self._texts(np.frombuffer(data, np.uint8, rows * own).reshape(rows, own), width)
        if rest:
            yield rest.translate(self.order)

    def _texts(self, records: Array, width: int) -> bytes:
        made = np.full((len(records), width), _SPACE, np.uint8)
        table, asked = np.frombuffer(self.order, np.uint8), self.layout.type_field
        if asked is None:
            self._fill(made, records, self.layout.types[0], 0)
            return made.tobytes()
        codes = table[records[:, asked.start - 1 : asked.stop]]
        made[:, : asked.length] = codes
        left = np.ones(len(records), bool)
        for kind in self.layout.types:
            wanted = np.frombuffer(kind.code.ljust(asked.length).encode(self.encoding, "replace"), np.uint8)
            mine = (codes == wanted).all(axis=1)
            left &= ~mine
            if mine.all():
                self._fill(made, records, kind, asked.length)
            elif mine.any():
                part = made[mine]
                self._fill(part, records[mine], kind, asked.length)
                made[mine] = part
        if left.any():
            first = 0 if asked.start == 1 else asked.length
            made[left, first : first + records.shape[1]] = table[records[left]]
        return made.tobytes()

    def _fill(self, made: Array, records: Array, kind: RecordType, first: int) -> None:
        table = np.frombuffer(self.order, np.uint8)
        for own, text in zip(kind.fields, as_texts(kind), strict=True):
            cells = records[:, own.start - 1 : own.stop]
            into = made[:, first + text.start - 1 : first + text.stop]
            if own.form is None:
                into[:] = table[cells]
            else:
                _WRITTEN[own.form](cells, into, own.sign != "none")


def as_records(content: Bytes, own: Layout, reading: Reading) -> Bytes:
    """Return a content as the texts of its records.

    Raises:
        SystemFailure: CON-038 it is in no code page of a mainframe, though one is declared (exit 5).
    """
    head = next(raw_blocks(content), b"")
    if content.packed is not None and (form := form_of(head)) is not None:
        raise nested(content.name, form)
    page = reading.page
    # The letters and digits of these pages begin at 0x81; a text in ASCII has none of them.
    texts = any(each.form in (None, "zoned") for kind in own.types for each in kind.fields)
    if page is not None and texts and head and max(head) < _FIRST_LETTER:
        raise SystemFailure(
            "CON-038",
            f"the file is not {page}: not a letter or digit of it stands in its first bytes",
            hint="It may have been converted on its way: ask for a binary transfer, or declare its encoding of now.",
            place=content.name,
        )
    recoding = Recoding(own, encoding_of(page), order_of(page)) if page else Recoding(own, reading.encoding, _SAME)
    return replace(content, encoding=page or reading.encoding, recoding=recoding)


def _packed(cells: Array, into: Array, _signed: bool) -> None:
    """Write packed numbers: two digits a byte, the last half byte is the sign (C, F, A, E plus; D, B minus)."""
    halves = _halves(cells)
    digits, sign = halves[:, :-1], halves[:, -1]
    into[:, 0] = np.where(np.isin(sign, _MINUS), ord("-"), ord("+"))
    into[:, 1 : digits.shape[1] + 1] = digits + _ZERO
    _refuse(cells, into, (digits > 9).any(axis=1) | (sign < 10))


def _zoned(cells: Array, into: Array, _signed: bool) -> None:
    """Write zoned numbers: a digit a byte, below a zone that is F, and in the last byte the sign. Blanks stay blank."""
    zones, digits = cells >> 4, cells & 0x0F
    into[:, 0] = np.where(np.isin(zones[:, -1], _MINUS), ord("-"), ord("+"))
    into[:, 1 : digits.shape[1] + 1] = digits + _ZERO
    wrong = (digits > 9).any(axis=1) | (zones[:, :-1] != 0xF).any(axis=1) | (zones[:, -1] < 10)
    blank = (cells == _EBCDIC_SPACE).all(axis=1)
    into[blank] = _SPACE
    _refuse(cells, into, wrong & ~blank)


def _binary(cells: Array, into: Array, signed: bool) -> None:
    """Write binary numbers, the highest byte first, negative ones as their complement of two."""
    size = cells.shape[1]
    number = np.zeros(len(cells), np.uint64)
    for at in range(size):
        number = (number << np.uint64(8)) | cells[:, at]
    negative = (cells[:, 0] >= 0x80) if signed else np.zeros(len(cells), bool)
    limit = np.uint64((1 << (8 * size)) - 1)
    number = np.where(negative, (~number & limit) + np.uint64(1), number)
    into[:, 0] = np.where(negative, ord("-"), ord("+"))
    for at in range(_DIGITS[size], 0, -1):
        into[:, at] = number % np.uint64(10) + np.uint64(_ZERO)
        number = number // np.uint64(10)


def _halves(cells: Array) -> Array:
    halves = np.empty((len(cells), 2 * cells.shape[1]), np.uint8)
    halves[:, ::2], halves[:, 1::2] = cells >> 4, cells & 0x0F
    return halves


def _refuse(cells: Array, into: Array, wrong: Array) -> None:
    """Write the bytes of what is no number."""
    if wrong.any():
        into[wrong, 0] = ord("x")
        into[wrong, 1:] = _HEX[_halves(cells[wrong])]


_WRITTEN = {"packed": _packed, "zoned": _zoned, "binary": _binary}
