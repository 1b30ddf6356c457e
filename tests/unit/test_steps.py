"""Steps of ``do``: the examples of the documentation, parameters, and texts that people really typed."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from casemodel import Place, RefusedError
from mappings.steps import PARTS, STEPS

PARAMETERS: dict[str, Any] = {
    "pad_left": ("9", "0"),
    "remove": " ",
    "after_last": "\\",
    "extract": "([0-9]+)",
    "rewrite": {"match": "^0+", "to": ""},
    "must_match": "[0-9]+",
}


def run(step: str, text: str | None, params: Any = None) -> tuple[str | None, bool]:
    """Apply a step to a text among others, since neighbours must not matter."""
    result = STEPS[step].build(pl.col("t"), params)
    frame = pl.DataFrame({"t": [text, None, "", "x é"]}, schema={"t": pl.String})
    failed = pl.lit(False) if result.failed is None else result.failed
    made = frame.select(value=result.value, failed=failed)
    assert made.row(1) == (None, False)
    assert frame.head(1).select(value=result.value, failed=failed).row(0) == made.row(0)
    return made.row(0)


EXAMPLES = [(step.name, text, made) for step in STEPS.values() for text, made in step.examples]
PART_EXAMPLES = [(part.name, text, made) for part in PARTS.values() for text, made in part.examples]


@pytest.mark.parametrize(("step", "text", "made"), EXAMPLES)
def test_the_examples_of_the_documentation_are_true(step, text, made):
    assert run(step, text, PARAMETERS.get(step)) == (made, made is None)


@pytest.mark.parametrize(("part", "text", "made"), PART_EXAMPLES)
def test_the_examples_of_parts_are_true(part, text, made):
    assert run("part", text, part) == (made, False)


def test_every_step_has_an_example():
    assert [step.name for step in STEPS.values() if not step.examples] == ["part"]
    assert [part.name for part in PARTS.values() if not part.examples] == []


@pytest.mark.parametrize(
    ("step", "params", "says"),
    [
        ("trim", "x", "no parameters"),
        ("bsn", ("9",), "no parameters"),
        ("pad_left", "9", "length"),
        ("pad_left", ("0", "0"), "1 to 1000"),
        ("pad_left", ("9", "00"), "one character"),
        ("pad_left", None, "length"),
        ("remove", None, "text"),
        ("remove", "", "text"),
        ("extract", "[0-9]+", "one group"),
        ("extract", "(a)(b)", "one group"),
        ("extract", "(", "cannot be compiled"),
        ("must_match", "(?=a)", "look-around"),
        ("must_match", "(a{1000}){1000}", "cannot be compiled"),
        ("must_match", None, "one text"),
        ("rewrite", "a", "match and to"),
        ("rewrite", {"match": "(a)", "to": "\\2"}, "group 2 of 1"),
        ("after_last", "", "one text"),
        ("part", "dutch_name.surnam", "dutch_name.surname"),
        ("part", None, "one text"),
    ],
)
def test_wrong_parameters_are_refused_with_their_place(step, params, says):
    with pytest.raises(RefusedError) as error:
        STEPS[step].build(pl.col("t"), params, place=Place("m.yml", 7, 3))
    assert error.value.code == "MAP-027"
    assert says in f"{error.value.message} {error.value.hint}"
    assert str(error.value.place) == "m.yml:7:3"


def test_a_pattern_that_stops_other_engines_takes_no_time():
    assert run("must_match", "a" * 50_000 + "!", "(a+)+") == (None, True)


@pytest.mark.parametrize(
    ("params", "text", "made"),
    [
        ({"match": "^(..)-(..)-(....)$", "to": "\\3\\2\\1"}, "31-12-2011", "20111231"),
        ({"match": "a", "to": "$1"}, "banaan", "b$1n$1$1n"),
        ({"match": "a+", "to": "<\\&>"}, "banaan", "b<a>n<aa>n"),
        ({"match": "a", "to": "\\\\"}, "a", "\\"),
    ],
)
def test_rewrite_knows_groups_as_sql_writes_them(params, text, made):
    assert run("rewrite", text, params) == (made, False)


def test_identifiers_of_the_reference():
    """Test numbers that pass and fail, as published with the rules of the municipality."""
    for number, right in [
        ("999990019", True),
        ("999993653", True),
        ("900070511", True),
        ("111111110", True),
        ("123456782", True),
        ("012345672", True),
        ("123456789", False),
        ("999999999", False),
        ("000000000", False),
    ]:
        assert run("bsn", number) == ((number, False) if right else (None, True)), number


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("12345672", "012345672"),
        ("123.456.782", "123456782"),
        ("1234 56 782", "123456782"),
        ("1,23457E+08", None),
        ("1234567820", None),
        ("1234567", None),
        ("12345678a", None),
        ("-12345678", None),
        ("", None),
        ("111111111", None),
    ],
)
def test_citizen_numbers_as_people_and_programs_write_them(text, made):
    assert run("bsn", text) == (made, made is None)


@pytest.mark.parametrize(
    ("text", "prefix", "surname"),
    [
        ("BERG, VAN DEN", "van den", "BERG"),
        ("van den Berg", "van den", "Berg"),
        ("Vries, de", "de", "Vries"),
        ("Hof, van 't", "van 't", "Hof"),
        ("In 't Veld", "in 't", "Veld"),
        ("d'Ancona", "d'", "Ancona"),
        ("El Amrani", None, "El Amrani"),
        ("Post", None, "Post"),
        ("de Vries-van Dam", "de", "Vries-van Dam"),
        ("Jonker-Mulder", None, "Jonker-Mulder"),
        ("  van   der  Meer ", "van der", "Meer"),
        ("DE, JAN", None, "DE, JAN"),
        ("in ‘t Veld", "in ‘t", "Veld"),
        ("van", None, "van"),
        ("Denneboom", None, "Denneboom"),
        ("", None, ""),
    ],
)
def test_prefix_and_surname(text, prefix, surname):
    assert (run("part", text, "dutch_name.prefix")[0], run("part", text, "dutch_name.surname")[0]) == (prefix, surname)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("2011.04567", "2011.04567"),
        ("2011-04567-B", "2011.04567"),
        ("zaak 2013 / 12", "2013.00012"),
        ("2014.1234", "Z2014-00001234"),
        ("z 2014 - 12", "Z2014-00000012"),
        ("Z2015-00001234", "Z2015-00001234"),
        ("12011/4567", None),
        ("2011/123456", None),
        ("20110405", None),
        ("1-2-2011", None),
        ("gebeld op 2014-01-05, zaak Z2013-00045", "2013.00045"),
        ("12-03-2014 - 2 personen", None),
        ("2014/1/5", None),
        ("2011-45.", "2011.00045"),
        ("nr.2011/4567/1", "2011.04567"),
    ],
)
def test_case_numbers_as_typed(text, made):
    assert run("part", text, "case_number")[0] == made


@pytest.mark.parametrize(
    ("text", "number", "rest"),
    [
        ("06-12345678", "0612345678", None),
        ("0031 6 1234 5678", "0612345678", None),
        ("+31(0)13-5428811", "0135428811", None),
        ("(013) 542 88 11 bellen na 18u", "0135428811", "bellen na 18u"),
        ("06123456789", None, "06123456789"),
        ("106123456789", None, "106123456789"),
        ("tel. 013 5428811", "0135428811", "tel."),
        ("0123456789 of 0612345678", "0123456789", "of 0612345678"),
    ],
)
def test_telephone_numbers(text, number, rest):
    assert (run("part", text, "phone_nl.number")[0], run("part", text, "phone_nl.rest")[0]) == (number, rest)


@pytest.mark.parametrize(
    ("text", "number", "letter", "addition"),
    [
        ("12A", "12", "A", None),
        ("12-3", "12", None, "3"),
        ("12A bis", "12", "A", "bis"),
        ("8 hs", "8", None, "hs"),
        ("12/2", "12", None, "2"),
        ("012", "12", None, None),
        ("123456", None, None, None),
        ("12 1 hoog", "12", None, "1 hoog"),
        ("12a1", "12", "A", "1"),
        ("12-a", "12", None, "a"),
    ],
)
def test_house_numbers(text, number, letter, addition):
    assert [run("part", text, f"house_number.{part}")[0] for part in ("number", "letter", "addition")] == [
        number,
        letter,
        addition,
    ]


def test_rtf_becomes_plain_text():
    head = r"{\rtf1\ansi\deff0{\fonttbl{\f0 Arial;}{\f1 Times;}}{\*\generator X;}"
    rtf = head + r"\pard\f0\fs20 Caf\'e9 \b vet\b0  en \{haak\}\par tweede \u8364?\par}"
    assert run("strip_rtf", rtf) == ("Café vet en {haak}\ntweede €", False)
    assert run("strip_rtf", "tekst met {haak}\\n") == ("tekst met {haak}\\n", False)


def test_mojibake_is_repaired_for_each_of_many_rows():
    frame = pl.DataFrame({"t": ["MÃ¼ller", "Jansen", None, "MÃ¼ller", "GarcÃ­a", "José", "Ø"] * 1000})
    made = frame.select(STEPS["fix_mojibake"].build(pl.col("t")).value)["t"]
    assert made.head(7).to_list() == ["Müller", "Jansen", None, "Müller", "García", "José", "Ø"]
    assert made.n_unique() == 6
    again = frame.lazy().select(STEPS["fix_mojibake"].build(pl.col("t")).value).collect()["t"]
    assert again.equals(made)
