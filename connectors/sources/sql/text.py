"""What Python drivers give, as canonical text (LANGUAGE.md, reading order and types)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl


def frame_of(rows: Sequence[Sequence[Any]], names: Sequence[str], padded: frozenset[str] = frozenset()) -> pl.DataFrame:
    """Return rows as a frame of texts.

    Args:
        padded: columns that the database fills up with blanks, which are taken off.
    """
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pl.DataFrame(
        [_texts(list(values), name, padded=name in padded) for name, values in zip(names, columns, strict=True)]
    )


def _texts(values: list[Any], name: str, *, padded: bool) -> pl.Series:
    kinds = set(map(type, values)) - {type(None)}
    if not kinds <= {str}:
        values = [None if value is None else text_of(value) for value in values]
    series = pl.Series(name, values, dtype=pl.String)
    return series.str.strip_chars_end(" ") if padded else series


def text_of(value: Any) -> str:
    """Return a value as canonical text: booleans 0 and 1, numbers plain, instants UTC, bytes as hex."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float | Decimal):
        return _plain(value)
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            value = value.astimezone(UTC)
        return _short(value.isoformat(sep=" "))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, time):
        return _short(value.isoformat())
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _short(text: str) -> str:
    """Return a time without the zeros at the end of its fraction, as databases write it."""
    head, dot, tail = text.partition(".")
    return text if not dot else f"{head}.{tail[:6].rstrip('0')}{tail[6:]}"


def _duration(value: timedelta) -> str:
    """Return a length of time, or a time of day from MySQL, whose TIME goes from -838 to 838 hours."""
    seconds, fraction = divmod(abs(value) // timedelta(microseconds=1), 10**6)
    minutes, second = divmod(seconds, 60)
    text = f"{'-' if value < timedelta(0) else ''}{minutes // 60:02}:{minutes % 60:02}:{second:02}"
    return f"{text}.{fraction:06}".rstrip("0") if fraction else text


def _plain(value: float | Decimal) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if not number.is_finite():
        return {"Infinity": "Infinity", "-Infinity": "-Infinity"}.get(str(number), "NaN")
    text = format(number, "f")
    text = text.rstrip("0").removesuffix(".") if "." in text else text
    return "0" if text == "-0" else text
