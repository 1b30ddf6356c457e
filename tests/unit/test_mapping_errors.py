"""Every bad mapping is refused with the right code at the right line and column, and with a hint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bad_mappings import FOLDER, NAMES, UNIT, errors_of, relation

from casemodel import RefusedMany
from mappings import MAPPING_CODES, check_mappings, load_mappings, parse_mapping


@pytest.mark.parametrize("name", NAMES)
def test_bad_mapping(name: str) -> None:
    """The errors are exactly those that the file's first lines expect."""
    text = (FOLDER / f"{name}.yml").read_text()
    wanted = sorted(re.findall(r"^# expect: (\S+) (\d+:\d+)$", text, re.MULTILINE))
    assert wanted, "the file says nothing about what it expects"
    errors = errors_of(name)
    found = sorted((error.code, f"{error.place.line}:{error.place.column}") for error in errors)
    assert found == wanted, [error.as_dict() for error in errors]
    assert all(error.hint and error.place.file == f"{name}.yml" for error in errors)
    assert all(error.code in MAPPING_CODES or error.code.startswith("YML-") for error in errors)


def test_nearest_names() -> None:
    """The hint names the nearest right name."""
    hints = {name: [error.hint for error in errors_of(name)] for name in NAMES}
    assert hints["unknown_key"] == ["Did you mean 'owner'?"]
    assert hints["unknown_column"] == ["Did you mean 'NAAM'?"]
    assert hints["column_with_an_accent"] == ["Did you mean 'NAAM'?"]
    assert hints["unknown_target"] == ["Did you mean 'actor'?"]
    assert hints["unknown_step"] == ["Did you mean 'upper'?"]
    assert hints["unknown_mapping"] == ["Did you mean 'old.unit'?"]
    assert hints["constant_not_allowed"] == ["Did you mean 'medewerker'?"]


def test_every_code_can_occur() -> None:
    """A code of the table that no bad mapping gives is either tested elsewhere or not needed."""
    given = {error.code for name in NAMES for error in errors_of(name)}
    elsewhere = {
        "MAP-006",
        "MAP-007",
        "MAP-019",
        "MAP-077",
        "MAP-023",
        "MAP-090",
        "MAP-091",
        "MAP-092",
        "MAP-100",
        "MAP-101",
        "MAP-102",
        "MAP-104",
        "MAP-105",
    }
    assert set(MAPPING_CODES) - given <= elsewhere


def test_two_files_with_one_name(tmp_path: Path) -> None:
    """A mapping's name occurs once in a workspace; the second file is named, and the first one too."""
    (tmp_path / "mappings").mkdir()
    for name in ("a", "b"):
        (tmp_path / "mappings" / f"{name}.yml").write_bytes(UNIT)
    with pytest.raises(RefusedMany) as caught:
        load_mappings(tmp_path / "mappings", tmp_path)
    assert [(error.code, str(error.place)) for error in caught.value.errors] == [("MAP-006", "mappings/b.yml:2:10")]
    assert "mappings/a.yml" in caught.value.errors[0].message


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("from,to,note\nA,a,\nA,b,\n", "MAP-019", 3),
        ("from,to,note\nA,,\n", "MAP-019", 2),
        ("from,to,note\nA,a\n", "MAP-019", 2),
        ("code,value\nA,a\n", "MAP-018", 1),
        ('from,to,note\nA,"a,\n', "MAP-018", None),
        ("from;to;note\nA;a;\n", "MAP-018", 1),
        ("from\tto\nA\ta\n", "MAP-018", 1),
        ("", "MAP-018", 1),
        ("from,to,to\nA,a,b\n", "MAP-018", 1),
        ("from,to\nA ,a\n", "MAP-019", 2),
        ("from,to\nA, a\n", "MAP-019", 2),
        ("from,to,valid_from\nA,a,2010-01-01\n", "MAP-018", 1),
        ("from,to,valid_from,valid_to\nA,a,2010-01-01,2010-02-30\n", "MAP-019", 2),
        ("from,to,valid_from,valid_to\nA,a,20100101,\n", "MAP-019", 2),
        ("from,to,valid_from,valid_to\nA,a,2011-01-01,2010-01-01\n", "MAP-019", 2),
        ("from,to,valid_from,valid_to\nA,a,,2010-12-31\nA,b,2010-12-31,\n", "MAP-019", 3),
        ("from,to,valid_from,valid_to\nA,a,,\nA,b,,\n", "MAP-019", 3),
    ],
)
def test_bad_code_tables(tmp_path: Path, content: str, code: str, line: int | None) -> None:
    """A code table is read whole; its errors name its own file and line."""
    (tmp_path / "x.csv").write_text(content)
    text = UNIT.replace(b"name: {from: NR}", b"name: {from: NR, codes: x.csv}")
    with pytest.raises(RefusedMany) as caught:
        parse_mapping(text, shown_as="m.yml", codes=tmp_path)
    (error,) = caught.value.errors
    assert error.code == code
    if line is not None:
        assert (error.place.file, error.place.line) == ("codes/x.csv", line)


@pytest.mark.parametrize("data", [b"\xef\xbb\xbffrom,to\r\nA,a\r\n", b"from,to\nA,a\n\n", b"from,to\nA,a\nA,a\n"])
def test_code_tables_of_spreadsheets(tmp_path: Path, data: bytes) -> None:
    """A byte order mark, line ends of Windows, blank lines and a line that stands twice change nothing."""
    (tmp_path / "x.csv").write_bytes(data)
    text = UNIT.replace(b"name: {from: NR}", b"name: {from: NR, codes: x.csv}")
    table = parse_mapping(text, shown_as="m.yml", codes=tmp_path).tables["fields.name"]
    assert (dict(table.rows), table.parts, table.dated) == ({("A",): ("a",)}, 1, False)


@pytest.mark.parametrize(
    ("field", "table", "wanted"),
    [
        (b"{from: NR, codes: x.csv}", "from,to\nA,a\n", []),
        (b"{from: NR, do: [upper], codes: x.csv}", "from,to\nA,a\nb,c\n", ["'b' of the code table cannot occur here"]),
        (b'{from: NR, null_if: ["-"], codes: x.csv}', "from,to\n-,a\n", ["'-' of the code table cannot occur here"]),
        (
            b"{from: NR, codes: {file: x.csv, at: NR}}",
            "from,to,valid_from,valid_to\nA,a,,2010-12-31\nA,b,2011-01-02,\n",
            ["the periods of 'A' leave days out"],
        ),
        (
            b"{from: NR, codes: {file: x.csv, at: NR}}",
            "from,to,valid_from,valid_to\nA,a,,2010-12-31\nA,b,2011-01-01,\n",
            [],
        ),
    ],
)
def test_warnings_of_code_tables(tmp_path: Path, field: bytes, table: str, wanted: list[str]) -> None:
    """What may be meant, but often is not, is a warning at the place of the table in the mapping."""
    (tmp_path / "x.csv").write_text(table)
    text = UNIT.replace(b"name: {from: NR}", b"name: " + field)
    file = parse_mapping(text, shown_as="m.yml", codes=tmp_path)
    result = check_mappings([file], relation, ("old",))
    assert [error.message for error in result.errors] == []
    assert [warning.message for warning in result.warnings] == wanted
    assert all((warning.code, warning.place.line) == ("MAP-090", 6) for warning in result.warnings)


def test_a_link_without_missing_is_a_warning() -> None:
    """That rows are parked until their record is there should be said, not assumed."""
    text = UNIT.replace(b"is_active:", b"unit_id: {from: NR, link: old.unit}, is_active:")
    file = parse_mapping(text.replace(b", unit_id]", b"]"), shown_as="m.yml", codes=FOLDER / "codes")
    (warning,) = check_mappings([file], relation, ("old",)).warnings
    assert (warning.code, warning.place.line) == ("MAP-090", 6)


def test_there_are_many_bad_mappings() -> None:
    """The collection itself works: a bad mapping that is not found would pass unseen."""
    assert len(NAMES) >= 120
