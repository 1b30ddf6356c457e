"""Expressions against SQLite: the same text must mean the same, NULLs above all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.expressions import parse_expression, translated

TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "a", "A", "ab", "aB%", "_b", "é", "10", "-3", "2.5", " 7 ", "x\ny", "a'b", "0"]),
)
NUMBERS = st.one_of(st.none(), st.integers(-9, 9))
ROWS = st.lists(st.tuples(TEXTS, TEXTS, NUMBERS, NUMBERS), min_size=1, max_size=6)
SCHEMA = {"a": pl.String(), "b": pl.String(), "n": pl.Int64(), "m": pl.Int64()}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


CONSTANTS = st.sampled_from(["", "a", "A", "ab", "é", "10", "a'b"]).map(quoted)
PATTERNS = st.text("aAbé%_.-# ", max_size=5).map(quoted)


@st.composite
def texts(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0:
        return draw(st.sampled_from(["a", "b", "NULL"]) | CONSTANTS)
    below = texts(depth - 1)
    form = draw(st.sampled_from(
        ["{t}", "({t} || {t})", "UPPER({x})", "LOWER({x})", "TRIM({t})", "LTRIM({t})", "RTRIM({t})", "REPLACE({t}, {c}, {c})",
         "SUBSTR({t}, {k}, {k})", "COALESCE({t}, {t})", "NULLIF({t}, {t})", "CASE WHEN {p} THEN {t} ELSE {t} END",
         "CASE {t} WHEN {t} THEN {t} WHEN {t} THEN {t} END", "CASE WHEN {p} THEN {t} END"],
    ))  # fmt: skip
    # SQLite folds the case of ASCII letters only.
    ascii_text = st.sampled_from(["'aB'", "NULL", "'x'"])
    return _filled(draw, form, depth, t=below, x=ascii_text, c=CONSTANTS, k=st.integers(1, 4).map(str))


@st.composite
def numbers(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0:
        return draw(st.sampled_from(["n", "m", "0", "3", "NULL", "-2"]))
    form = draw(st.sampled_from(
        ["{n}", "({n} + {n})", "({n} - {n})", "({n} * {n})", "({n} % {n})", "-({n})", "ABS({n})", "LENGTH({t})", "COALESCE({n}, {n})",
         "CASE WHEN {p} THEN {n} ELSE {n} END", "NULLIF({n}, {n})"],
    ))  # fmt: skip
    return _filled(draw, form, depth, n=numbers(depth - 1), t=texts(depth - 1))


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> str:
    compare = draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]))
    forms = ["{t} ? {t}", "{n} ? {n}", "{t} IS NULL", "{t} IS NOT NULL", "{t} IS DISTINCT FROM {t}", "{n} IS NOT DISTINCT FROM {n}",
             "{t} IN ({t}, {t})", "{t} NOT IN ({c}, {c})", "{t} NOT IN ({c}, NULL)", "{n} IN (1, {n}, 3)", "{n} BETWEEN {n} AND {n}",
             "{t} NOT BETWEEN {t} AND {t}", "{t} LIKE {l} ESCAPE '^'", "{t} NOT LIKE {l} ESCAPE '^'"]  # fmt: skip
    if depth > 0:
        forms += [
            "({p} AND {p})",
            "({p} OR {p})",
            "NOT ({p})",
            "({p} AND {p} OR {p})",
            "({p}) IS TRUE",
            "({p}) IS NOT FALSE",
        ] * 2
    form = draw(st.sampled_from(forms)).replace("?", compare)
    return _filled(draw, form, depth, t=texts(min(1, depth)), n=numbers(min(1, depth)), c=CONSTANTS, l=PATTERNS)


def _filled(draw: st.DrawFn, form: str, depth: int, **kinds: st.SearchStrategy[str]) -> str:
    kinds["p"] = conditions(max(0, depth - 1))
    for name, strategy in kinds.items():
        while "{" + name + "}" in form:
            form = form.replace("{" + name + "}", draw(strategy), 1)
    return form


@pytest.fixture(scope="module")
def sqlite() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = ON")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, n INTEGER, m INTEGER)")
    yield connection
    connection.close()


def ours(text: str, rows: list[tuple]) -> list:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    made, dtype = translated(parse_expression(text), lambda name: (pl.col(name.lower()), SCHEMA[name.lower()]))
    found = frame.with_columns(x=made)["x"]
    assert dtype in (None, found.dtype)
    return found.cast(pl.Int64).to_list() if found.dtype == pl.Boolean else found.to_list()


def theirs(connection: sqlite3.Connection, text: str, rows: list[tuple]) -> list:
    connection.execute("DELETE FROM t")
    connection.executemany("INSERT INTO t (a, b, n, m) VALUES (?, ?, ?, ?)", rows)
    return [row[0] for row in connection.execute(f"SELECT {text} FROM t ORDER BY id")]


@settings(max_examples=250, deadline=None)
@given(text=conditions(), rows=ROWS)
def test_conditions_mean_what_sqlite_makes_of_them(sqlite, text, rows):
    assert ours(text, rows) == theirs(sqlite, text, rows)


@settings(max_examples=150, deadline=None)
@given(text=texts(), rows=ROWS)
def test_texts_mean_what_sqlite_makes_of_them(sqlite, text, rows):
    assert ours(text, rows) == theirs(sqlite, text, rows)


@settings(max_examples=100, deadline=None)
@given(text=numbers(), rows=ROWS)
def test_numbers_mean_what_sqlite_makes_of_them(sqlite, text, rows):
    assert ours(text, rows) == theirs(sqlite, text, rows)


WINDOWS = st.sampled_from(
    [
        "ROW_NUMBER()",
        "RANK()",
        "DENSE_RANK()",
        "FIRST_VALUE(b)",
        "FIRST_VALUE(n)",
        "LAG(b)",
        "LAG(n, 2, 0)",
        "LEAD(b, 1, 'z')",
        "LEAD(n)",
    ]
)
GROUPS = st.sampled_from(["COUNT(*)", "COUNT(n)", "SUM(n)", "SUM(n * 2)", "MIN(b)", "MAX(n)"])
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["b", "n", "m", "n * m", "LENGTH(b)"]),
        st.sampled_from(["", " ASC", " DESC"]),
        st.sampled_from([" NULLS LAST", " NULLS FIRST"]),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=120, deadline=None)
@given(
    function=WINDOWS,
    orders=ORDERS,
    partition=st.sampled_from(["a", "a, m"]),
    rows=st.lists(st.tuples(st.sampled_from(["g", "h"]), TEXTS, NUMBERS, st.integers(0, 2)), min_size=1, max_size=9),
)
def test_windows_look_at_the_rows_that_sqlite_looks_at(sqlite, function, orders, partition, rows):
    """Equal rows are told apart by the key, here the number of the row; ranks alone know no key."""
    order = ", ".join(f"{key}{way}{nulls}" for key, way, nulls in orders)
    text = f"{function} OVER (PARTITION BY {partition} ORDER BY {order})"
    key = "" if "RANK" in function else ", id"
    assert ours(text, rows) == theirs(sqlite, text[:-1] + key + ")", rows)


@settings(max_examples=60, deadline=None)
@given(function=GROUPS, rows=ROWS)
def test_sums_over_a_group(sqlite, function, rows):
    text = f"{function} OVER (PARTITION BY a)"
    assert ours(text, rows) == theirs(sqlite, text, rows)
