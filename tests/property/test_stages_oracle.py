"""Stages and steps against other implementations: datetime, zoneinfo, decimal, python-stdnum."""

# ruff: noqa: DTZ001    local times are what these tests are about

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.nl import bsn

from mappings import stages
from mappings.steps import STEPS

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

TEXT = pl.col("t")
DATE_FORMS = ["YYYYMMDD", "DDMMYYYY", "YYYY-MM-DD", "DD-MM-YYYY", "D-M-YYYY", "M/D/YYYY", "D.M.YYYY"]
TIME_FORMS = [
    "YYYYMMDD HHmmss", "YYYYMMDDHHmmss", "YYYY-MM-DD HH:mm:ss", "YYYYMMDD H:mm", "D-M-YYYY H:mm:ss", "YYYY-MM-DDTHH:mm",
]  # fmt: skip
TOKENS = [
    ("YYYY", r"(?P<year>\d{4})"), ("DD", r"(?P<day>\d\d)"), ("HH", r"(?P<hour>\d\d)"), ("mm", r"(?P<minute>\d\d)"),
    ("ss", r"(?P<second>\d\d)"), ("MM", r"(?P<month>\d\d)"),
]  # fmt: skip
SHORT = [(r"(?<![A-Za-z<])D(?![a-z>])", r"(?P<day>\\d\\d?)"), (r"(?<![A-Za-z<])M(?![a-z>])", r"(?P<month>\\d\\d?)"),
         (r"(?<![A-Za-z<])H(?![a-z>])", r"(?P<hour>\\d\\d?)")]  # fmt: skip
NEARLY = st.text("0123456789-/:. T+", max_size=20)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))


def apart(staged: stages.Staged, texts: list[str | None]) -> tuple[list, list]:
    frame = pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(w=staged.whole).unnest("w")
    return frame["value"].to_list(), frame["failed"].to_list()


def python_reads(text: str, form: str) -> datetime | None:
    pattern = form.replace(".", r"\.")
    for token, regex in TOKENS:
        pattern = pattern.replace(token, regex, 1)
    for token, regex in SHORT:
        pattern = re.sub(token, regex, pattern, count=1)
    found = re.fullmatch(pattern, text, re.ASCII)
    try:
        return datetime(**{name: int(number) for name, number in found.groupdict().items()}) if found else None
    except ValueError:
        return None


def written(day: datetime, form: str) -> str:
    parts = {
        "YYYY": f"{day.year:04d}",
        "MM": f"{day.month:02d}",
        "DD": f"{day.day:02d}",
        "HH": f"{day.hour:02d}",
        "mm": f"{day.minute:02d}",
        "ss": f"{day.second:02d}",
        "M": str(day.month),
        "D": str(day.day),
        "H": str(day.hour),
    }
    return re.sub("YYYY|MM|DD|HH|mm|ss|M|D|H", lambda match: parts[match.group()], form)


@st.composite
def texts_of(draw: st.DrawFn, form: str) -> str:
    """Return a text in a format, often with one sign changed, dropped or put in, or digits that are no date."""
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return draw(NEARLY)
    if kind == 1:
        return re.sub("[A-SU-Za-z]", lambda _: str(draw(st.integers(0, 9))), form)
    text = written(draw(st.datetimes()), form)
    if kind == 2:
        at = draw(st.integers(0, len(text) - 1))
        return (
            text[:at] + draw(st.sampled_from(["", "0", "9", " ", "-", "x", "٣"])) + text[at + draw(st.integers(0, 1)) :]
        )
    return text


@st.composite
def forms_and_texts(draw: st.DrawFn, forms: list[str]) -> tuple[str, list[str | None]]:
    form = draw(st.sampled_from(forms))
    return form, draw(st.lists(st.none() | texts_of(form), min_size=1, max_size=8))


@settings(max_examples=300, deadline=None)
@given(forms_and_texts(DATE_FORMS))
def test_dates_are_those_of_python(case):
    form, texts = case
    expected = [None if text is None else python_reads(text, form) for text in texts]
    days = [moment.date() if moment else None for moment in expected]
    failed = [text is not None and day is None for text, day in zip(texts, days, strict=True)]
    assert apart(stages.date(TEXT, [form]), texts) == (days, failed)


@settings(max_examples=300, deadline=None)
@given(forms_and_texts(TIME_FORMS))
def test_moments_are_those_of_python(case):
    form, texts = case
    expected = [None if text is None else python_reads(text, form) for text in texts]
    values, failed = apart(stages.datetime(TEXT, [form], timezone="UTC"), texts)
    assert values == [moment.replace(tzinfo=UTC) if moment else None for moment in expected]
    assert failed == ["datetime-invalid" if text is not None and moment is None else None
                      for text, moment in zip(texts, expected, strict=True)]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(texts_of("YYYY-MM-DD HH:mm:ss"), min_size=1, max_size=8))
def test_both_ways_of_reading_agree(texts):
    """Without a fraction Polars parses the text, with one we count ourselves."""
    fast = stages.datetime(TEXT, ["YYYY-MM-DD HH:mm:ss"], timezone="Europe/Amsterdam", ambiguous="earliest")
    slow = stages.datetime(TEXT, ["YYYY-MM-DD HH:mm:ss.fff"], timezone="Europe/Amsterdam", ambiguous="earliest")
    assert apart(fast, texts) == apart(slow, texts)


LOCAL = st.datetimes(datetime(1947, 1, 1), datetime(2037, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
CHANGES = st.sampled_from(
    [datetime(2024, 3, 31, 2), datetime(2024, 10, 27, 2), datetime(1981, 3, 29, 2), datetime(1977, 9, 25, 2)]
)
NEAR = st.builds(lambda change, minutes: change + timedelta(minutes=minutes), CHANGES, st.integers(-90, 150))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(LOCAL | NEAR, min_size=1, max_size=8),
    st.sampled_from(["earliest", "latest"]),
    st.sampled_from(["reject", "shift"]),
)
def test_local_times_are_those_of_zoneinfo(moments, ambiguous, gap):
    zone, expected, codes = ZoneInfo("Europe/Amsterdam"), [], []
    for local in moments:
        instant = local.replace(tzinfo=zone, fold=int(ambiguous == "latest")).astimezone(UTC)
        exists = instant.astimezone(zone).replace(tzinfo=None) == local
        if not exists:
            # zoneinfo takes the offset from before the gap where fold is 0.
            instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        expected.append(instant if exists or gap == "shift" else None)
        codes.append(None if exists or gap == "shift" else "time-gap")
    staged = stages.datetime(TEXT, ["YYYY-MM-DD HH:mm:ss"], timezone="Europe/Amsterdam", ambiguous=ambiguous, gap=gap)
    assert apart(staged, [str(moment) for moment in moments]) == (expected, codes)


@settings(max_examples=150, deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=8), st.sampled_from(DATE_FORMS))
def test_a_date_survives_writing_and_reading(days, form):
    frame = pl.DataFrame({"d": days}, schema={"d": pl.Date}).select(t=stages.write_date(pl.col("d"), form))
    assert frame.select(stages.date(TEXT, [form]).value).to_series().to_list() == days


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.integers(0, 99).flatmap(
            lambda short: st.tuples(st.just(short), st.dates(date(1, 1, 1), date(9898, 12, 31)))
        ),
        min_size=1,
    )
)
def test_a_pivot_year_gives_the_hundred_years_from_it_on(cases):
    for short, day in cases[:3]:
        first = day.year
        (made,), (failed,) = apart(stages.date(TEXT, ["DD-MM-YY"], pivot_year=first), [f"01-02-{short:02d}"])
        assert not failed
        assert first <= made.year < first + 100
        assert made.year % 100 == short


@settings(max_examples=300, deadline=None)
@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**15), max_value=10**15),
    st.booleans(),
    st.booleans(),
)
def test_a_number_survives_writing_and_reading(number, grouped, trailing):
    text = f"{abs(number):,.3f}" if grouped else f"{abs(number):.3f}"
    text = text.translate(str.maketrans({",": ".", ".": ","}))
    if number < 0:
        text = f"{text}-" if trailing else f"-{text}"
    (made,), (failed,) = apart(stages.number(TEXT, decimal=",", thousands="."), [text])
    assert not failed
    assert Decimal(made) == number
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]{3}", made)
    assert made.startswith("-") == (number < 0)
    back = pl.DataFrame({"n": [made]}).select(stages.write_number(pl.col("n"), decimal=",")).item()
    assert back == f"{number if number else abs(number):.3f}".replace(".", ",")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.integers(0, 10**9 - 1).map("{:09d}".format) | st.text("0123456789 .", max_size=12), min_size=1, max_size=12
    )
)
def test_the_eleven_proof_is_that_of_stdnum(texts):
    result = STEPS["bsn"].build(TEXT)
    made = pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(v=result.value, f=result.failed)
    for text, (value, failed) in zip(texts, made.rows(), strict=True):
        bare = text.replace(" ", "").replace(".", "")
        right = len(bare) in (8, 9) and bsn.is_valid(bare.zfill(9)) and bare.zfill(9) not in ("000000000", "111111111")
        right = right and bare.zfill(9) not in ("123456789", "999999999")
        assert (value, failed) == ((bare.zfill(9), False) if right else (None, True))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=6), st.integers(1, 12), st.booleans())
def test_a_cut_text_fits_and_begins_like_the_whole(texts, length, word):
    cut = stages.truncate(TEXT, length, word=word)
    for text, (value, was_cut) in zip(
        texts, pl.DataFrame({"t": texts}).select(v=cut.value, c=cut.cut).rows(), strict=True
    ):
        assert text.startswith(value)
        assert len(value) <= length
        assert was_cut == (len(text) > length)
        assert was_cut or value == text
        assert value or not text.strip() or text[:length].strip() == ""
