"""The forms of values: patterns, dates, and what a column seems to hold, from different values with their counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from casemodel import printable
from mappings import fits_format
from migrate.profile.findings import LEAST, Counted, Kind

NULL_TEXTS = (
    "", "-", "--", "---", ".", "?", "??", "???", "/", "*", "X", "XX", "X" * 3, "N.V.T.", "N.V.T", "NVT", "N/A", "NB",
    "N.B.", "ONBEKEND", "ONB", "ONB.", "GEEN", "LEEG", "NIHIL", "NULL", "NONE", "UNKNOWN", "(LEEG)", "00000000",
    "0000-00-00", "00-00-0000", "0000-00-00 00:00:00", "00000000000000", "000000000", "99999999", "99991231",
    "9999-12-31", "31-12-9999", "01-01-1900", "1900-01-01", "19000101", "999999999", "9999-12-31 00:00:00",
)  # fmt: skip
"""Texts that people and programs write for "no value", in capitals, blanks at the ends apart."""

FORMATS = (
    ("YYYYMMDD", 8, 8), ("YYYY-MM-DD", 10, 10), ("DD-MM-YYYY", 10, 10), ("D-M-YYYY", 8, 10), ("DD/MM/YYYY", 10, 10),
    ("D/M/YYYY", 8, 10), ("DD.MM.YYYY", 10, 10), ("DDMMYYYY", 8, 8), ("YYYY/MM/DD", 10, 10), ("DD-MM-YY", 8, 8),
    ("YYYY-MM-DD HH:mm:ss", 19, 19), ("YYYY-MM-DDTHH:mm:ss", 19, 19), ("YYYY-MM-DD HH:mm", 16, 16),
    ("YYYY-MM-DD HH:mm:ss.fff", 21, 29), ("YYYY-MM-DDTHH:mm:ss.fffZ", 20, 35), ("YYYY-MM-DD HH:mm:ss.fffZ", 20, 35),
    ("YYYYMMDDHHmmss", 14, 14), ("YYYYMMDDHHmm", 12, 12), ("YYYYMMDD HHmmss", 15, 15), ("DD-MM-YYYY HH:mm:ss", 19, 19),
    ("DD-MM-YYYY HH:mm", 16, 16), ("D-M-YYYY HH:mm", 12, 16), ("D-M-YYYY H:mm", 11, 16),
    ("DD/MM/YYYY HH:mm", 16, 16),
)  # fmt: skip
"""Formats tried, with the shortest and longest text that can fit."""

_TRACE = 0.01
_PATTERNS = 8
_SCREENED = 2_000
_DATES = 6
_DIGITS = r"^[0-9]+$"


@dataclass(frozen=True, slots=True)
class Values:
    """Different values with their counts (``value``, ``n``), those that mean "no value" marked in ``blank``."""

    frame: pl.DataFrame
    total: int
    telling: int
    """Values that are not null texts."""


def prepared(values: pl.DataFrame) -> Values:
    """Mark the null texts among the values."""
    bare = pl.col("value").str.strip_chars().str.to_uppercase()
    frame = values.with_columns(bare.is_in(list(NULL_TEXTS)).alias("blank"))
    total = int(frame["n"].sum())
    blank = int(frame.filter("blank")["n"].sum())
    return Values(frame, total, total - blank)


def null_texts(values: Values) -> tuple[tuple[Counted, ...], int]:
    """Return the null texts as they are written, and how many values hold one that is too rare to be shown."""
    found = values.frame.filter("blank").sort(["n", "value"], descending=[True, False])
    shown = found.filter(pl.col("n") >= LEAST)
    rare = int(found.filter(pl.col("n") < LEAST)["n"].sum())
    return tuple(Counted(text, n, n / values.total) for text, n in shown.select("value", "n").iter_rows()), rare


def patterns(values: Values) -> tuple[tuple[Counted, ...], float]:
    """Return the commonest patterns (letters A, digits 9, longer runs of letters A+) and the share of the others."""
    if not values.total:
        return (), 0.0
    shape = (
        pl.col("value")
        .str.slice(0, 60)
        .str.replace_all(r"\p{L}", "A")
        .str.replace_all(r"\p{N}", "9")
        .str.replace_all(r"A{4,}", "A+")
    )
    counted = values.frame.group_by(shape.alias("shape")).agg(pl.col("n").sum()).sort(
        ["n", "shape"], descending=[True, False]
    )  # fmt: skip
    top = counted.filter(pl.col("n") >= LEAST).head(_PATTERNS)
    shown = tuple(Counted(printable(text), n, n / values.total) for text, n in top.iter_rows())
    return shown, max(0.0, 1 - sum(each.count for each in shown) / values.total)


def dates(values: Values) -> tuple[tuple[Kind, ...], float, tuple[Kind, ...]]:
    """Return the formats that fit, the one with most values first, the share that fits at least one of them, and every
    format with its share: ``D-M-YYYY`` reads what ``DD-MM-YYYY`` reads, and is no format more."""
    told = values.frame.filter(~pl.col("blank"), pl.col("value").str.contains("[0-9]{2}"))
    told = told.with_columns(pl.col("value").str.len_bytes().alias("length"))
    if not values.telling or not told.height:
        return (), 0.0, ()
    lengths = set(told["length"].unique().to_list())
    tried = [name for name, low, high in FORMATS if any(low <= length <= high for length in lengths)]
    fits = told.select("n", *(fits_format(pl.col("value"), name).alias(name) for name in tried))
    read = {name: int(fits.filter(pl.col(name))["n"].sum()) for name in tried}
    every = tuple(Kind(name, count / values.telling) for name, count in read.items() if count)
    found: list[Kind] = []
    rest, together = fits, 0.0
    while len(found) < _DATES and tried:
        # the format of which most values are left: what an earlier one reads does not count for a later one
        left = {name: int(rest.filter(pl.col(name))["n"].sum()) for name in tried}
        best = max(tried, key=lambda name: left[name])
        if left[best] < max(LEAST, values.telling * _TRACE):
            break
        found.append(Kind(best, read[best] / values.telling))
        together += left[best] / values.telling
        rest = rest.filter(~pl.col(best))
        tried.remove(best)
    return tuple(found), min(together, 1.0), every


def _passes_eleven(digits: pl.Expr) -> pl.Expr:
    """Return whether nine digits pass the test of a BSN: 9, 8, … 2 and -1 times the digits is a multiple of 11."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum((digits.str.slice(place, 1).cast(pl.Int32, strict=False) * weight
                 for place, weight in enumerate(weights)), pl.lit(0))  # fmt: skip
    return (total % 11 == 0) & (digits != "000000000")


def _iban(bare: pl.Expr) -> pl.Expr:
    """Return whether a text is an IBAN: its form, and the remainder of 97."""
    form = bare.str.contains(r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")
    letters = {chr(code): str(code - 55) for code in range(ord("A"), ord("Z") + 1)}
    digits = (bare.str.slice(4) + bare.str.slice(0, 4)).str.replace_many(letters)
    rest = pl.lit("")
    for start in range(0, 64, 9):
        piece = (rest + digits.str.slice(start, 9)).cast(pl.Int64, strict=False)
        rest = (piece % 97).cast(pl.String)
    return form & (rest == "1")


def _tests(name: str) -> dict[str, pl.Expr]:
    value = pl.col("value").str.strip_chars()
    bare = value.str.replace_all(r"[ .\-]", "")
    digits = value.str.replace_all(r"[ .]", "")
    padded = digits.str.pad_start(9, "0")
    tests = {
        "bsn": digits.str.contains(r"^[0-9]{8,9}$") & _passes_eleven(padded),
        "postcode": value.str.to_uppercase().str.contains(r"^[1-9][0-9]{3} ?[A-Z]{2}$"),
        "phone": bare.str.replace_all(r"[()/]", "").str.contains(r"^(0[1-9][0-9]{8}|(\+|00)31(0)?[1-9][0-9]{8})$"),
        "email": value.str.contains(r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"),
        "iban": _iban(value.str.replace_all(" ", "").str.to_uppercase()),
        "integer": value.str.contains(r"^-?[0-9]{1,18}$"),
        "decimal": value.str.contains(r"^-?[0-9]{1,3}(\.[0-9]{3})*,[0-9]+-?$|^-?[0-9]+[.,][0-9]+-?$"),
    }
    if re.search(r"kvk|handelsreg|hrnr|dossiernr", name, re.IGNORECASE):
        tests["kvk"] = value.str.contains(r"^[0-9]{7,8}$|^[0-9]{12}$")
    return tests


_ENOUGH = {"bsn": 0.6, "integer": 0.95, "decimal": 0.9}


def kinds(name: str, values: Values) -> tuple[Kind, ...]:
    """Return what a column seems to hold, likeliest first; a share is of the values that are not null texts."""
    told = values.frame.filter(~pl.col("blank"))
    if values.telling < LEAST:
        return ()
    tests = {kind: test.fill_null(False).alias(kind) for kind, test in _tests(name).items()}
    if told.height > 2 * _SCREENED:
        # what hardly any of a few thousand values is, the column is not: the tests of numbers cost
        screened = told.gather_every(told.height // _SCREENED).select(*tests.values())
        tests = {kind: test for kind, test in tests.items() if int(screened[kind].sum()) > _TRACE * screened.height}
    tested = told.select("n", *tests.values())
    found = []
    for kind in tested.columns[1:]:
        share = int(tested.filter(pl.col(kind))["n"].sum()) / values.telling
        if share >= _ENOUGH.get(kind, 0.6):
            found.append(Kind(kind, share))
    return tuple(sorted(found, key=lambda each: (each.kind in ("integer", "decimal"), -each.share)))
