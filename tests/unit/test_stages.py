"""Typed stages: what each reads, what it refuses, and that one bad row never touches another."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from casemodel import Place, RefusedError
from mappings import stages

TEXT = pl.col("t")


def run(staged: stages.Staged, *texts: str | None, **more: list) -> list[tuple]:
    frame = pl.DataFrame({"t": list(texts), **more}, schema_overrides={"t": pl.String})
    apart = frame.select(value=staged.value, failed=staged.failed)
    assert apart.equals(frame.select(whole=staged.whole).unnest("whole").select("value", "failed"))
    return apart.rows()


def instant(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def code(error: pytest.ExceptionInfo[RefusedError]) -> str:
    return f"{error.value.code} {error.value.message} | {error.value.hint}"


@pytest.mark.parametrize(
    "text",
    [
        "20110230",
        "19000229",
        "20111301",
        "20110100",
        "00000101",
        "00000000",
        "0000",
        "2011022",
        "201102281",
        " 20110228",
        "20110228 ",
        "2011 228",
        "+2011022",
        "-0110101",
        "１２３４0101",
        "2011-02-28",
        "20110228\n",
        "",
    ],
)
def test_a_date_that_is_not_wholly_as_declared_fails_and_gives_nothing(text):
    assert run(stages.date(TEXT, ["YYYYMMDD"]), "20120229", text, None) == [
        (date(2012, 2, 29), False),
        (None, True),
        (None, False),
    ]


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("YYYYMMDD", "00010101", date(1, 1, 1)),
        ("YYYYMMDD", "99991231", date(9999, 12, 31)),
        ("D-M-YYYY", "3-4-2014", date(2014, 4, 3)),
        ("D-M-YYYY", "03-04-2014", date(2014, 4, 3)),
        ("DD-MM-YYYY", "3-4-2014", None),
        ("M/D/YYYY", "04/03/2014", date(2014, 4, 3)),
        ("YYYY-MM-DD", "2000-02-29", date(2000, 2, 29)),
        ("DD.MM.YYYY", "29x02x2000", None),
        ("DDMMYYYY", "29022000", date(2000, 2, 29)),
    ],
)
def test_formats_of_dates(form, text, expected):
    assert run(stages.date(TEXT, [form]), text) == [(expected, expected is None)]


def test_formats_are_tried_in_their_order():
    staged = stages.date(TEXT, ["D-M-YYYY", "M-D-YYYY", "YYYYMMDD"])
    assert [value for value, _ in run(staged, "3-4-2014", "13-4-2014", "4-13-2014", "20140413", "2014")] == [
        date(2014, 4, 3),
        date(2014, 4, 13),
        date(2014, 4, 13),
        date(2014, 4, 13),
        None,
    ]


def test_a_year_without_its_century_needs_a_pivot():
    with pytest.raises(RefusedError) as error:
        stages.date(TEXT, ["D-M-YY"], place=Place("m.yml", 3, 4))
    assert "MAP-028" in code(error)
    assert "pivot_year: 1950" in code(error)
    assert str(error.value.place) == "m.yml:3:4"
    years = [
        value.year for value, _ in run(stages.date(TEXT, ["D-M-YY"], pivot_year=1950), "1-2-50", "1-2-49", "1-2-00")
    ]
    assert years == [1950, 2049, 2000]


def test_pivot_past_takes_the_latest_year_that_is_not_after_the_day():
    staged = stages.date(TEXT, ["D-M-YY"], past=date(2009, 12, 31))
    assert [value for value, _ in run(staged, "04-11-53", "31-12-09", "1-1-10", "29-02-00", "29-02-10")] == [
        date(1953, 11, 4),
        date(2009, 12, 31),
        date(1910, 1, 1),
        date(2000, 2, 29),
        None,
    ]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("YYYYmmDD", "month"),
        ("yyyymmdd", "'YYYY'"),
        ("YYYY-MM", "day"),
        ("YYYY-MM-DD YYYY", "twice"),
        ("MDYYYY", "one digit or two"),
        ("YYYY-MM-DD HH", "datetime instead"),
        ("Q", "no token"),
        ("DD-MM-YYYY-YY", "twice"),
    ],
)
def test_formats_of_dates_that_cannot_be_meant_are_refused(form, says):
    with pytest.raises(RefusedError) as error:
        stages.date(TEXT, [form])
    assert says in code(error)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("YYYYMMDD H:MM", "Minutes are written mm"),
        ("YYYYMMDD HH:MM:ss", "mm"),
        ("YYYYMMDD mm", "without the hour"),
        ("YYYYMMDD HH:mm.fff", "ss.fff"),
        ("YYYYMMDD Z", "without a time"),
        ("YYYYMMDD HHmmssfff", "ss.fff"),
        ("HH:mm", "year"),
    ],
)
def test_formats_of_times_that_cannot_be_meant_are_refused(form, says):
    with pytest.raises(RefusedError) as error:
        stages.datetime(TEXT, [form], timezone="Europe/Amsterdam")
    assert says in code(error)


def test_a_time_zone_is_needed_and_must_exist():
    with pytest.raises(RefusedError, match="no time zone"):
        stages.datetime(TEXT, ["YYYYMMDD HHmmss"])
    with pytest.raises(RefusedError, match="Europe/Tilburg"):
        stages.datetime(TEXT, ["YYYYMMDD HHmmss"], timezone="Europe/Tilburg")


def test_an_instant_with_its_offset():
    staged = stages.datetime(TEXT, ["YYYY-MM-DD HH:mm:ss.fffZ"])
    rows = run(
        staged,
        "2011-12-22 01:06:40.010000+01:00",
        "2011-12-22 01:06:40+0100",
        "2011-12-22 01:06:40Z",
        "2011-12-22 01:06:40.123456789+01",
        "1937-01-01 00:00:00+00:19:32",
        "2011-12-22 01:06:40-05:30",
        "2011-12-22 01:06:40.+01:00",
        "2011-12-22 01:06:40",
        "2011-12-22 24:00:00Z",
        "2011-12-22 01:06:60Z",
        "2011-12-22 01:06:40+01:60",
        "2011-12-22 01:06:40+16:00",
        None,
    )
    assert [value for value, _ in rows[:6]] == [
        instant(2011, 12, 22, 0, 6, 40, 10_000),
        instant(2011, 12, 22, 0, 6, 40),
        instant(2011, 12, 22, 1, 6, 40),
        instant(2011, 12, 22, 0, 6, 40, 123_456),
        instant(1936, 12, 31, 23, 40, 28),
        instant(2011, 12, 22, 6, 36, 40),
    ]
    assert [failed for _, failed in rows[:6]] == [None] * 6
    assert rows[6:12] == [(None, "datetime-invalid")] * 6
    assert rows[12] == (None, None)


def test_formats_with_and_without_offset_beside_each_other():
    staged = stages.datetime(
        TEXT, ["YYYY-MM-DD HH:mm:ss", "YYYYMMDD", "YYYY-MM-DDTHH:mm:ssZ"], timezone="Europe/Amsterdam"
    )
    assert run(staged, "2011-07-01 12:00:00", "20110101", "2011-07-01T12:00:00Z", "gisteren") == [
        (instant(2011, 7, 1, 10), None),
        (instant(2010, 12, 31, 23), None),
        (instant(2011, 7, 1, 12), None),
        (None, "datetime-invalid"),
    ]


GAP, FOLD, PLAIN = "2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-10-27 04:00:00"
FIRST, SECOND = instant(2024, 10, 27, 0, 30), instant(2024, 10, 27, 1, 30)


@pytest.mark.parametrize(
    ("options", "gap", "fold"),
    [
        ({}, (None, "time-gap"), (None, "time-ambiguous")),
        ({"ambiguous": "earliest"}, (None, "time-gap"), (FIRST, None)),
        ({"ambiguous": "latest", "gap": "shift"}, (instant(2024, 3, 31, 1, 30), None), (SECOND, None)),
        ({"gap": "shift"}, (instant(2024, 3, 31, 1, 30), None), (None, "time-ambiguous")),
    ],
)
def test_times_in_the_gap_and_the_fold_touch_no_other_row(options, gap, fold):
    staged = stages.datetime(TEXT, ["YYYY-MM-DD HH:mm:ss"], timezone="Europe/Amsterdam", **options)
    assert run(staged, GAP, PLAIN, FOLD, "nooit", None) == [
        gap,
        (instant(2024, 10, 27, 3), None),
        fold,
        (None, "datetime-invalid"),
        (None, None),
    ]


def test_an_ambiguous_time_is_the_first_that_is_not_before_another():
    staged = stages.datetime(TEXT, ["YYYY-MM-DD HH:mm:ss"], timezone="Europe/Amsterdam", not_before=pl.col("bound"))
    bounds = [instant(2024, 10, 27), instant(2024, 10, 27, 0, 45), instant(2024, 10, 27, 2), None, None]
    rows = run(staged, FOLD, FOLD, FOLD, FOLD, PLAIN, bound=bounds)
    assert rows == [
        (FIRST, None),
        (SECOND, None),
        (None, "time-ambiguous"),
        (None, "time-ambiguous"),
        (instant(2024, 10, 27, 3), None),
    ]


def test_a_day_that_a_zone_left_out_is_a_gap_too():
    """Samoa went from the 29th to the 31st of December 2011."""
    staged = stages.datetime(TEXT, ["YYYYMMDD HHmmss"], timezone="Pacific/Apia", gap="shift")
    assert run(staged, "20111230 120000") == [(instant(2011, 12, 30, 22), None)]


@pytest.mark.parametrize(
    ("zone", "text"), [("Europe/Amsterdam", "0001-01-01 00:00:00"), ("America/New_York", "9999-12-31 23:59:59")]
)
def test_a_moment_outside_the_years_that_databases_know_fails(zone, text):
    """In UTC the first lies in the year 0 and the second in the year 10000: PostgreSQL would stop the batch."""
    staged = stages.datetime(TEXT, ["YYYY-MM-DD HH:mm:ss"], timezone=zone)
    assert run(staged, text, "0001-01-02 00:00:00", "9999-12-30 00:00:00")[0] == (None, "datetime-invalid")
    assert [failed for _, failed in run(staged, "0001-01-02 00:00:00", "9999-12-30 00:00:00")] == [None, None]


def test_the_date_of_an_instant_depends_on_the_zone():
    frame = pl.DataFrame({"t": [instant(2011, 12, 31, 23, 30)]})
    assert frame.select(stages.local_date(TEXT, "Europe/Amsterdam")).item() == date(2012, 1, 1)
    assert frame.select(stages.local_date(TEXT, "UTC")).item() == date(2011, 12, 31)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234,50", "1234.50"),
        ("1234,5", "1234.5"),
        ("12,34-", "-12.34"),
        ("-5", "-5"),
        ("+007", "7"),
        ("00", "0"),
        ("0,00-", "0.00"),
        ("-0", "0"),
        ("1.073.741.824", "1073741824"),
        ("9" * 60, "9" * 60),
        ("1.23", None),
        ("", None),
        ("1.2345", None),
        ("12,", None),
        (",5", None),
        ("-12-", None),
        ("1,2,3", None),
        ("1e5", None),
        ("NaN", None),
        (" 12", None),
        ("1234.567", None),
        ("１２", None),
        ("€ 5", None),
    ],
)
def test_numbers_with_a_decimal_comma(text, expected):
    assert run(stages.number(TEXT, decimal=",", thousands="."), text, None) == [
        (expected, expected is None),
        (None, False),
    ]


def test_signs_of_numbers_that_cannot_be_meant_are_refused():
    for options in ({"decimal": ";"}, {"decimal": ",", "thousands": ","}, {"thousands": "00"}, {"thousands": "1"}):
        with pytest.raises(RefusedError, match="sign"):
            stages.number(TEXT, **options)


def test_true_and_false_are_the_declared_texts_only():
    staged = stages.boolean(TEXT, ["J", "ja"], ["N", ""])
    assert run(staged, "J", "ja", "N", "", "j", None) == [
        (True, False),
        (True, False),
        (False, False),
        (False, False),
        (None, True),
        (None, False),
    ]
    with pytest.raises(RefusedError, match="both"):
        stages.boolean(TEXT, ["J", ""], ["N", ""])


def test_typed_values_are_written_back():
    frame = pl.DataFrame({"d": [date(33, 1, 5)], "i": [instant(2012, 6, 30, 22, 5, 6)], "n": ["-1234.50"]})
    frame = frame.with_columns(pl.col("i").cast(pl.Datetime("us", "UTC")))
    assert frame.select(
        a=stages.write_date(pl.col("d"), "YYYYMMDD"),
        b=stages.write_date(pl.col("d"), "D-M-YY"),
        c=stages.write_instant(pl.col("i"), "DD-MM-YYYY HH:mm:ss.fffZ", timezone="Europe/Amsterdam"),
        d=stages.write_number(pl.col("n"), decimal=","),
    ).row(0) == ("00330105", "5-1-33", "01-07-2012 00:05:06.000+02:00", "-1234,50")
    with pytest.raises(RefusedError, match="without a time zone"):
        stages.write_instant(pl.col("i"), "YYYYMMDD", timezone=None)


@pytest.mark.parametrize(
    ("text", "hard", "word"),
    [
        ("een twee drie", "een twee", "een twee"),
        ("een tweedrie", "een twee", "een"),
        ("eentweedrie", "eentweed", "eentweed"),
        ("een      twee", "een     ", "een"),
        ("één twéé drie", "één twéé", "één twéé"),
        ("een\ntweedrie", "een\ntwee", "een"),
    ],
)
def test_a_text_is_cut(text, hard, word):
    for how, expected in ((False, hard), (True, word)):
        cut = stages.truncate(TEXT, 8, word=how)
        frame = pl.DataFrame({"t": [text, "een twee", None, ""]})
        assert frame.select(v=cut.value, c=cut.cut).rows() == [
            (expected, True),
            ("een twee", False),
            (None, False),
            ("", False),
        ]


def test_times_before_1947_follow_the_time_zone_database_inside_polars():
    """It keeps no history of Amsterdam apart from Brussels; texts with their offset are right in any year."""
    local = stages.datetime(TEXT, ["YYYYMMDD HHmmss"], timezone="Europe/Amsterdam")
    assert run(local, "19370101 120000") == [(instant(1937, 1, 1, 12), None)]
    fixed = stages.datetime(TEXT, ["YYYYMMDD HHmmssZ"])
    assert run(fixed, "19370101 120000+00:19:32") == [(instant(1937, 1, 1, 11, 40, 28), None)]
