"""SQL that turns every SQLite value into canonical text, and row positions into SQL and back.

A raw value travels as tagged text: ``i`` and digits, ``r`` and a number, ``t`` and the bytes of a text in hex, ``b``
and the
bytes of a blob in hex; NULL stays NULL.  So a position survives texts that are no text, and SQL made of it cannot be
injected.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import polars as pl
import pyarrow as pa

from connectors.positions import foreign_position, read_values

_FIXED_WIDTH = re.compile(r"\s*(native\s+character|n?char|character|bpchar)\s*(\(.*)?$", re.IGNORECASE | re.DOTALL)
_TAGGED = re.compile(r"i-?\d{1,19}|r[-+.\deInf]{1,32}|[tb](?:[0-9A-F]{2})*")
_EXPONENT = "\0real:"
# Beyond this, whole numbers that the driver turned into reals have lost digits.
_EXACT = 2.0**53


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def is_padded(declared: str) -> bool:
    """Tell whether a declared type pads with spaces: CHAR(n) and its other spellings."""
    return _FIXED_WIDTH.match(declared) is not None


def affinity(declared: str) -> str:
    """Return the affinity of a declared type, by SQLite's own five rules in their order."""
    upper = declared.upper()
    if "INT" in upper:
        return "INTEGER"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in upper or not upper:
        return "BLOB"
    return "REAL" if any(word in upper for word in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


def canonical(column: str, declared: str) -> str:
    """Return SQL for the canonical text of a column (already quoted); bytes in a text column give NULL.

    Numbers are plain: 15 digits where they say the same, else 17; whole reals without ``.0``.  Reals that SQLite
    would write with
    an exponent carry a mark for `written_out`.  Columns declared BLOB are lower-case hex.
    """
    if "BLOB" in declared.upper():
        other = _number_or_text(column)
        return f"CASE WHEN typeof({column}) = 'blob' THEN lower(hex({column})) ELSE {other} END"
    if affinity(declared) == "TEXT":
        return f"rtrim({column}, ' ')" if is_padded(declared) else f"CAST({column} AS TEXT)"
    return _number_or_text(column)


def _number_or_text(column: str) -> str:
    plain = f"abs({column}) < 1e15 AND (abs({column}) >= 1e-4 OR {column} = 0)"
    short, long = f"printf('%.15g', {column})", f"printf('%.17g', {column})"
    return (
        f"CASE WHEN typeof({column}) <> 'real' THEN CAST({column} AS TEXT) WHEN {plain} THEN "
        f"CASE WHEN CAST({short} AS REAL) = {column} THEN {short} ELSE {long} END "
        f"ELSE char(0) || 'real:' || printf('%!.17g', {column}) END"
    )


def starts_slow(declared: str) -> bool:
    """Tell whether SQLite must write a column's text: what comes out typed would not say how it was stored."""
    return affinity(declared) == "BLOB" or "BLOB" in declared.upper()


def fast_text(values: pa.ChunkedArray, declared: str) -> pl.Series | None:
    """Return driver-typed values as canonical text, or None where the type blurs what was stored.

    The driver gives int64, double, string or binary, each being able to hold what the one before it holds.
    """
    kind, series = values.type, _series(values)
    if series.null_count() == series.len():
        return series.cast(pl.String)
    if affinity(declared) == "TEXT":
        if not pa.types.is_string(kind):
            return None
        return series.str.strip_chars_end(" ") if is_padded(declared) else series
    if pa.types.is_integer(kind):
        return series.cast(pl.String)
    if pa.types.is_floating(kind) and bool((series.abs() < _EXACT).all()):
        return _real_texts(series)
    return None


def _series(values: pa.ChunkedArray) -> pl.Series:
    found = pl.from_arrow(values)
    assert isinstance(found, pl.Series)
    return found


def _real_texts(series: pl.Series) -> pl.Series:
    """Write reals with the fewest digits that say the same, plain, whole ones without a point."""
    text = series.cast(pl.String).str.strip_suffix(".0")
    rare = text.filter(text.str.contains("e", literal=True) | (text == "-0")).unique()
    return text.replace({old: _plain(old) for old in rare}) if rare.len() else text


def written_out(values: pa.ChunkedArray) -> pl.Series:
    """Return the text that SQLite wrote, with the marked reals as plain numbers (no exponent)."""
    series = _series(values).cast(pl.String)
    marked = series.filter(series.str.starts_with(_EXPONENT)).unique()
    if marked.is_empty():
        return series
    return series.replace({text: _plain(text.removeprefix(_EXPONENT)) for text in marked})


def _plain(text: str) -> str:
    number = float(text.replace("Inf", "inf"))
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    text = format(Decimal(repr(number)), "f").removesuffix(".0")
    return "0" if text == "-0" else text


def tagged(column: str) -> str:
    """Return SQL for the tagged text of a raw value."""
    return (
        f"CASE typeof({column}) WHEN 'integer' THEN 'i' || {column} WHEN 'real' THEN 'r' || printf('%!.17g', {column}) "
        f"WHEN 'text' THEN 't' || hex({column}) WHEN 'blob' THEN 'b' || hex({column}) END"
    )


def literal(tag: str | None) -> str:
    """Return the SQL literal of a tagged raw value."""
    if tag is None:
        return "NULL"
    if not _TAGGED.fullmatch(tag):
        raise foreign_position()
    kind, rest = tag[0], tag[1:]
    if kind == "i":
        # Digits, not a CAST: with an expression on the rowid the index is used for its first column only.
        return rest
    if kind == "r":
        return rest if "I" not in rest else ("-9e999" if rest.startswith("-") else "9e999")
    return f"CAST(x'{rest}' AS TEXT)" if kind == "t" else f"x'{rest}'"


def raw_text(tag: str | None) -> object:
    """Return a tagged raw value as something JSON can hold: for the record of what could not be read."""
    if tag is None:
        return None
    kind, rest = tag[0], tag[1:]
    if kind in "ir":
        return rest
    if kind == "t":
        try:
            return bytes.fromhex(rest).decode()
        except UnicodeDecodeError:
            return {"bytes": rest.lower()}
    return {"blob": rest.lower()}


def ranges_after(columns: Sequence[str], position: Sequence[str | None]) -> list[str]:
    """Return conditions that together hold for exactly the rows after a position, each a range of an index, in order.

    SQLite sorts NULL first; a row value comparison is exact as long as the position holds no NULL, otherwise the ranges
    with longer equal prefixes come first.
    """
    values = [literal(tag) for tag in position]
    if None not in position:
        left, right = ", ".join(columns), ", ".join(values)
        return [f"({left}) > ({right})" if len(columns) > 1 else f"{left} > {right}"]
    found = []
    for last in reversed(range(len(columns))):
        equal = [f"{columns[i]} IS {values[i]}" for i in range(last)]
        beyond = f"{columns[last]} IS NOT NULL" if position[last] is None else f"{columns[last]} > {values[last]}"
        found.append(" AND ".join([*equal, beyond]))
    return found


def read_position(text: str, length: int) -> list[str | None]:
    """Read a position of tagged values; one that was not made for this order is refused."""
    found = read_values(text, length)
    if not all(tag is None or _TAGGED.fullmatch(tag) for tag in found):
        raise foreign_position()
    return found


def valid_utf8(values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pl.Series | None]:
    """Return the values with NULL where the bytes are not UTF-8, and which rows those are (None: not one).

    Polars trusts Arrow's promise that strings are UTF-8; SQLite makes no such promise, so it is checked here.
    """
    if not pa.types.is_string(values.type):
        return values, None
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        texts = [_decoded(value) for value in values.cast(pa.binary()).to_pylist()]
        valid = pa.chunked_array([pa.array([None if text is False else text for text in texts], pa.string())])
        return valid, pl.Series([text is False for text in texts])
    return values, None


def _decoded(value: bytes | None) -> str | bool | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return False
