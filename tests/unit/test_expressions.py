"""SQL expressions: what they say, what they are refused for, and where."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from casemodel import Place, RefusedError
from mappings.expressions import FUNCTIONS, NAMES, parse_expression, result_type, to_polars, translated

FRAME = pl.DataFrame(
    {
        "NAAM": ["x", "ab cd", None, ""],
        "CODE": ["12", " 7 ", "1e5", "nan"],
        "n": [7, -7, None, 2**62],
        "m": [2, 2, 2, 0],
        "d": [date(2012, 2, 29), date(9999, 12, 31), None, date(1, 1, 1)],
        "ok": [True, False, None, None],
        "at": [datetime(2012, 1, 1, 23, 30, tzinfo=UTC)] * 4,
        "f": [2.5, -2.5, None, 0.1],
        "concept:name": ["a", "b", "c", None],
        "last.DATSTAT": ["20120101", "", None, "x"],
    }
).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
NAMES_OF = {name.casefold(): name for name in FRAME.columns}


def resolve(name: str) -> tuple[pl.Expr, pl.DataType]:
    column = NAMES_OF[name.casefold()]
    return pl.col(column), FRAME.schema[column]


def value(text: str) -> list:
    """Return an expression over all rows; each row alone must give the same, so that no batch matters."""
    expression = parse_expression(text)
    made = to_polars(expression, resolve)
    whole = FRAME.select(x=made)["x"]
    assert result_type(expression, FRAME.schema) == whole.dtype
    assert translated(expression, resolve)[1] in (None, whole.dtype)
    if whole.len() == FRAME.height and not expression.has_window:
        assert pl.concat([FRAME.slice(row, 1).select(x=made)["x"] for row in range(FRAME.height)]).equals(whole)
    return whole.to_list()


def refused(text: str) -> RefusedError:
    with pytest.raises(RefusedError) as error:
        to_polars(parse_expression(text, place=Place("m.yml", 8, 12)), resolve)
    assert str(error.value.place) == "m.yml:8:12"
    return error.value


@pytest.mark.parametrize(("text", "expected"), [
    ("UPPER(naam)", ["X", "AB CD", None, ""]), ('"concept:name" || NAAM', ["ax", "bab cd", None, None]),
    ("last.datstat = ''", [False, True, None, False]), ("CONCAT(naam, n)", ["x7", "ab cd-7", "", "4611686018427387904"]),
    ("CONCAT_WS('\n', naam, NULL, code)", ["x\n12", "ab cd\n 7 ", "1e5", "\nnan"]), ("CONCAT_WS('-', NULL, NULL)", [""]),
    ("naam NOT IN ('x', NULL)", [False, None, None, None]), ("naam NOT IN ('', code)", [True, True, None, False]),
    ("naam IN (NULL)", [None] * 4), ("n IN (7, 8)", [True, False, None, False]), ("ok IS NOT TRUE", [False, True, True, True]),
    ("naam IS NOT DISTINCT FROM NULL", [False, False, True, False]), ("naam = NULL", [None] * 4), ("NULL", [None]),
    ("naam LIKE 'a%d'", [False, True, None, False]), ("naam LIKE '_'", [True, False, None, False]), ("naam ILIKE 'A%'", [False, True, None, False]),
    ("'50%' LIKE '50\\%'", [True]), ("'50x' LIKE '50!%' ESCAPE '!'", [False]), ("'a\nb' LIKE 'a%b'", [True]), ("'a.b' LIKE 'a_c'", [False]),
    ("naam ~ '^[a-z]+$'", [True, False, None, False]), ("naam !~ 'b'", [True, False, None, True]), ("naam ~* 'AB'", [False, True, None, False]),
    ("REGEXP_REPLACE('31-12-2011', '^(..)-(..)-(....)$', '\\3\\2\\1')", ["20111231"]), ("REGEXP_REPLACE('banaan', 'a', '$1')", ["b$1naan"]),
    ("REGEXP_REPLACE('banaan', 'A', 'o', 'gi')", ["bonoon"]), ("REGEXP_REPLACE('banaan', 'an', '[\\&]')", ["b[an]aan"]), ("REGEXP_REPLACE(naam, 'a', '')", ["x", "b cd", None, ""]),
    ("SUBSTR(naam, 2, 3)", ["", "b c", None, ""]), ("SUBSTR('abc', 0, 2)", ["a"]), ("SUBSTRING('abc' FROM 2)", ["bc"]), ("SUBSTR('abc', -1, 3)", ["a"]),
    ("LEFT('éab', 2)", ["éa"]), ("RIGHT('éab', 2)", ["ab"]), ("LENGTH('éa')", [2]), ("SPLIT_PART('a, b', ', ', 2)", ["b"]),
    ("SPLIT_PART(naam, ' ', 2)", ["", "cd", None, ""]), ("SPLIT_PART('a,b,c', ',', -1)", ["c"]), ("LPAD('12345', 3, '0')", ["123"]),
    ("LPAD('1', 3, '0')", ["001"]), ("RPAD('é', 3)", ["é  "]), ("TRIM('  a\t ')", ["a\t"]), ("LTRIM('xxa', 'x')", ["a"]), ("REPLACE('a.b.', '.', '')", ["ab"]),
    ("STARTS_WITH(naam, 'a')", [False, True, None, False]), ("GREATEST(naam, code)", ["x", "ab cd", "1e5", "nan"]), ("LEAST(3, NULL, 2)", [2]),
    ("COALESCE(NULLIF(naam, ''), 'leeg')", ["x", "ab cd", "leeg", "leeg"]), ("NULLIF(n, 7)", [None, -7, None, 2**62]),
    ("CASE WHEN ok THEN 'ja' WHEN naam = '' THEN 'leeg' END", ["ja", None, None, "leeg"]), ("CASE naam WHEN 'x' THEN 1 ELSE 2.5 END", [1.0, 2.5, 2.5, 2.5]),
    ("n % m", [1, -1, None, None]), ("n / m", [3.5, -3.5, None, None]), ("n * 4", [28, -28, None, None]), ("n + 4611686018427387904", [2**62 + 7, 2**62 - 7, None, None]),
    ("-n", [-7, 7, None, -(2**62)]), ("ABS(n)", [7, 7, None, 2**62]), ("ROUND(f)", [3.0, -3.0, None, 0.0]), ("ROUND(1.25, 1)", [1.3]), ("FLOOR(f)", [2.0, -3.0, None, 0.0]),
    ("CEIL(-1.5)", [-1.0]), ("2 + 3 * 4 - 1", [13]), ("TRY_CAST(code AS INTEGER)", [12, 7, None, None]), ("TRY_CAST(code AS DECIMAL)", [12.0, 7.0, None, None]),
    ("TRY_CAST('12.345' AS DECIMAL(4, 2))", [12.35]), ("TRY_CAST('123.4' AS DECIMAL(4, 2))", [None]), ("TRY_CAST(f AS INTEGER)", [3, -3, None, 0]),
    ("TRY_CAST(' Yes' AS BOOLEAN)", [True]), ("TRY_CAST('maybe' AS BOOLEAN)", [None]), ("TRY_CAST(d AS TEXT)", ["2012-02-29", "9999-12-31", None, "0001-01-01"]),
    ("TRY_CAST('9223372036854775808' AS INTEGER)", [None]), ("DATE_PART('year', d)", [2012, 9999, None, 1]), ("EXTRACT(month FROM d)", [2, 12, None, 1]),
    ("STRFTIME(d, '%Y%m%d')", ["20120229", "99991231", None, "00010101"]), ("d + INTERVAL '1 year'", [date(2013, 2, 28), None, None, date(2, 1, 1)]),
    ("d - INTERVAL '30 days'", [date(2012, 1, 30), date(9999, 12, 1), None, None]), ("d + INTERVAL '999999 days'", [date(4750, 1, 25), None, None, date(2738, 11, 28)]),
    ("d + 1", [date(2012, 3, 1), None, None, date(1, 1, 2)]), ("d - DATE '2012-02-01'", [28, 2917525, None, -734533]), ("d >= '2012-01-01'", [True, True, None, False]),
    ("COALESCE(d, '2012-01-31') BETWEEN '2012-01-01' AND '2012-12-31'", [True, False, True, False]), ("at + INTERVAL '1 hour' > at", [True] * 4),
    ("ok AND NULL", [None, False, None, None]), ("ok OR NULL", [True, None, None, None]), ("NOT ok", [False, True, None, None]), ("'it''s \\n'", ["it's \\n"]),
])  # fmt: skip
def test_what_expressions_give(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(("text", "code", "says"), [
    ("naam = 1", "MAP-104", "TRY_CAST"), ("n = '7'", "MAP-104", "text"), ("naam AND ok", "MAP-104", "boolean"), ("UPPER(n)", "MAP-104", "UPPER needs text"),
    ("CASE WHEN ok THEN 1 ELSE 'a' END", "MAP-104", "CASE"), ("naam > d", "MAP-104", "date"), ("d > '2012-13-01'", "MAP-105", "2012-01-31"),
    ("d + INTERVAL '1 hour'", "MAP-104", "no time"), ("naam + 1", "MAP-104", "text"), ("at - at", "MAP-104", "instant"),
    ("CAST(naam AS INT)", "MAP-103", "TRY_CAST"), ("naam::int", "MAP-103", "TRY_CAST"), ("TRY_CAST(naam AS DATE)", "MAP-103", "date: stage"),
    ("NOW()", "MAP-103", "clock"), ("CURRENT_DATE", "MAP-103", "clock"), ("CURRENT_TIMESTAMP", "MAP-103", "clock"), ("RANDOM()", "MAP-103", "RAND"), ("SUM(n)", "MAP-103", "OVER"),
    ("(SELECT 1)", "MAP-103", "query"), ("naam IN (SELECT code)", "MAP-103", "query"), ("EXISTS (SELECT 1)", "MAP-103", "query"), ("UPPR(naam)", "MAP-103", "Did you mean UPPER?"),
    ("pg_sleep(10)", "MAP-103", "PG_SLEEP"), ("naam -> 'a'", "MAP-103", "JSON"), ("n ^ 9", "MAP-103", "POWER"), ("REPEAT('a', 1000000000)", "MAP-103", "REPEAT"),
    ("LPAD(naam, 1000000000, 'x')", "MAP-105", "10000"), ("naam ~ '(?=a)'", "MAP-105", "look-around"), ("naam ~ code", "MAP-105", "constant"), ("naam LIKE code", "MAP-105", "constant"),
    ("naam ~ '(a{1000}){1000}'", "MAP-105", "regular expression"), ("REGEXP_REPLACE(naam, '(a)', '\\2')", "MAP-105", "group"), ("STRFTIME(d, '%Q')", "MAP-105", "%Y"),
    ("STRFTIME(d, '%H')", "MAP-105", "%Y"), ("LENGTH(naam, 'UTF8')", "MAP-103", "argument"), ("naam BETWEEN SYMMETRIC 'b' AND 'a'", "MAP-103", "SYMMETRIC"),
    ("d + INTERVAL '999999 years'", "MAP-105", "9999"), ("1e400", "MAP-105", "exponent"), ("9223372036854775808", "MAP-105", "18 digits"), ("CHAR(0)", "MAP-105", "CHAR"),
    ("SPLIT_PART(naam, ',', 0)", "MAP-105", "counts from 1"), ("ROUND(f, 400)", "MAP-105", "digits"), ("TRY_CAST(naam AS VARCHAR(3))", "MAP-103", "length"),
    ("naam, code", "MAP-102", "one expression"), ("naam FROM x", "MAP-102", "FROM"), ("naam AS x", "MAP-102", "AS"), ("DISTINCT naam", "MAP-102", "one expression"),
    ("ok; DROP TABLE x", "MAP-102", "one"), ("naam UNION SELECT 1", "MAP-102", "one"), ("naam WHERE ok", "MAP-102", "WHERE"),
    ("UPPER(naam", "MAP-101", "character"), ("naam = = 1", "MAP-101", "character 8"), ("'open", "MAP-101", "quotes"), ("9**9**9", "MAP-101", "character"), ("", "MAP-102", "one expression"),
    ("(" * 5000 + "1", "MAP-100", "4,000"), ("(" * 100 + "1" + ")" * 100, "MAP-100", "60 levels"), ("n + " * 100 + "n", "MAP-100", "60 levels"), ("NOT " * 900 + "ok", "MAP-10", ""),
    ("CASE WHEN ok THEN " * 150 + "1", "MAP-10", ""), ("$1", "MAP-103", ""), (":x", "MAP-103", ""), ("*", "MAP-103", ""), ("().__class__", "MAP-10", ""), ("naam COLLATE \"C\"", "MAP-103", ""),
    ("COUNT(*) OVER ()", "MAP-103", "PARTITION BY"), ("SUM(n) OVER (PARTITION BY naam ORDER BY d)", "MAP-103", "ORDER BY"), ("COUNT(DISTINCT n) OVER (PARTITION BY naam)", "MAP-103", ""),
])  # fmt: skip
def test_what_is_refused(text, code, says):
    error = refused(text)
    assert error.code.startswith(code), error.message
    assert says in f"{error.message} {error.hint}"


def test_a_refusal_says_at_which_character():
    assert "(at character 12)" in refused("ok AND    (naam = 1)").message
    assert "(at character 25)" in refused("CONCAT(naam, code, 'a', foo(n))").message


def test_long_chains_are_no_depth():
    assert value(" AND ".join(["ok"] * 500)) == [True, False, None, None]
    assert value(" OR ".join(["naam = 'q'"] * 200 + ["ok"])) == [True, False, None, None]
    assert value("|| ".join(["'x' "] * 500)) == ["x" * 500]


def test_the_names_of_an_expression():
    parsed = parse_expression("COALESCE(last.DATSTAT, \"concept:name\", case_id.taken, main.x) = 'NAAM'")
    assert parsed.columns == {"last.DATSTAT", "concept:name", "case_id.taken", "main.x"}
    assert not parsed.has_window
    window = parse_expression("ROW_NUMBER() OVER (PARTITION BY A, b ORDER BY c) + COUNT(*) OVER (PARTITION BY b)")
    assert (window.columns, window.has_window, window.partition_by) == ({"A", "b", "c"}, True, {"b"})


def test_the_type_of_an_expression_and_unknown_names():
    types = {"NAAM": pl.String(), "born": pl.Date()}
    assert result_type(parse_expression("born + INTERVAL '1 day'"), types) == pl.Date()
    assert result_type(parse_expression("LENGTH(naam) > 3"), types) == pl.Boolean()
    with pytest.raises(RefusedError) as error:
        result_type(parse_expression("NAM = ''"), types)
    assert (error.value.code, error.value.hint) == ("MAP-015", "Did you mean 'NAAM'?")


def test_rows_without_a_group_are_alone_in_their_window():
    frame = pl.DataFrame({"g": ["a", None, "a", None], "k": ["2", "1", "1", "2"]})
    parsed = parse_expression("ROW_NUMBER() OVER (PARTITION BY g ORDER BY k) * 10 + COUNT(*) OVER (PARTITION BY g)")
    made = to_polars(parsed, lambda name: (pl.col(name), pl.String()), alone=pl.col("g").is_null())
    assert frame.select(x=made)["x"].to_list() == [22, 11, 12, 11]


@pytest.mark.parametrize(("text", "made"), [
    ("ROW_NUMBER() OVER (PARTITION BY g ORDER BY k)", [1, 4, 2, 3]),
    ("ROW_NUMBER() OVER (PARTITION BY g ORDER BY k DESC)", [3, 4, 2, 1]),
    ("ROW_NUMBER() OVER (PARTITION BY g ORDER BY k NULLS FIRST)", [2, 1, 3, 4]),
    ("ROW_NUMBER() OVER (PARTITION BY g ORDER BY k DESC NULLS FIRST)", [4, 1, 3, 2]),
    ("LEAD(k, 2, 'x') OVER (PARTITION BY g ORDER BY k)", ["3", "x", None, "x"]),
    ("LAG(k, 1, 'x') OVER (PARTITION BY g ORDER BY k)", ["x", "3", "1", "2"]),
    ("SUM(TRY_CAST(NULLIF(k, k) AS INTEGER)) OVER (PARTITION BY g)", [None] * 4),
])
def test_nulls_come_last_unless_asked_first(text, made):
    frame = pl.DataFrame({"g": ["a"] * 4, "k": ["1", None, "2", "3"]})
    made_now = to_polars(parse_expression(text), lambda name: (pl.col(name), pl.String()))
    assert frame.select(x=made_now)["x"].to_list() == made


def test_every_function_that_is_published_has_a_name_for_hints():
    published = " ".join(FUNCTIONS)
    assert [name for name in NAMES if name not in published] == []
