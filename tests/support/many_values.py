"""A workspace of 2,000 people with 10,000 personal values, no two alike, and a search for them in whatever was written.

Names are made of letters that no other word has; numbers are looked for with and without signs between their digits.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

PEOPLE = 2_000
WORKSPACE = """
workspace: values
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: 300}
systems: {old: {kind: sqlite, path: systems/old.db}}
"""
PERSON = """
mapping: old.person
owner: test
target: party
source: {relation: PERSON, key: [BSN]}
fields:
  party_type: {const: persoon}
  first_names: {from: FIRST, null_if: [""]}
  surname: {from: SURNAME, required: true}
  birth_date: {from: BORN, null_if: [""], date: [YYYYMMDD]}
  internal_note: {from: NOTE, null_if: [""]}
  is_active: {const: true}
unfilled:
  - {columns: [party_number, initials, surname_prefix, organisation_name, legal_form, gender, birth_date_text, deceased_on,
               language, is_secret, works_for_party_id, merged_into_id], reason: not in this story}
"""
NUMBER = """
mapping: old.number
owner: test
target: party_identifier
source: {relation: PERSON, key: [BSN]}
fields:
  party_id: {from: BSN, link: old.person, missing: park}
  register_code: {const: brp}
  object_type_code: {const: natuurlijk_persoon}
  id_type_code: {const: bsn}
  value: {from: BSN, do: [bsn]}
  is_verified: {const: true}
unfilled: [{columns: [parent_identifier_id], reason: none}]
"""
PHONE = """
mapping: old.phone
owner: test
target: digital_address
source: {relation: PERSON, key: [BSN]}
fields:
  party_id: {from: BSN, link: old.person, missing: park}
  address_type: {const: telefoonnummer}
  value: {from: PHONE, do: [{part: phone_nl.number}], required: true}
  is_default: {const: true}
unfilled: [{columns: [contact_id, description, reference, verified_on], reason: not in this story}]
"""
_LETTERS = "bcdfghjklm"


def _word(kind: str, number: int) -> str:
    return kind + "".join(_LETTERS[int(digit)] * 2 for digit in f"{number:04d}")


def _bsn(number: int) -> str:
    """Return nine digits that pass the check, or fail it for every seventh person."""
    for last in range(1000):
        text = f"{1_234 + number:05d}{last:04d}"
        total = sum(int(digit) * weight for digit, weight in zip(text, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
        if (total % 11 == 0) == (number % 7 != 0):
            return text
    raise AssertionError("no number fits")


def make_workspace(folder: Path) -> set[str]:
    """Make the workspace; return its 10,000 values, each 8 characters or more."""
    for name in ("mappings", "systems"):
        (folder / name).mkdir()
    (folder / "workspace.yml").write_text(WORKSPACE)
    for text in (PERSON, NUMBER, PHONE):
        (folder / "mappings" / f"{text.split()[1]}.yml").write_text(text)
    rows = [
        (_bsn(n), _word("Voor", n), _word("Achter", n), "31-02-2011" if n % 11 == 0 else "19700101",
         _word("Notitie", n) + " " * (n % 13 == 0) * 40 + "x" * (n % 13 == 0) * 40, f"06{31_000_000 + n * 37}")
        for n in range(PEOPLE)
    ]  # fmt: skip
    with closing(sqlite3.connect(folder / "systems/old.db")) as database:
        database.execute("CREATE TABLE PERSON (BSN TEXT PRIMARY KEY, FIRST TEXT, SURNAME TEXT, BORN TEXT, NOTE TEXT, PHONE TEXT)")
        database.executemany("INSERT INTO PERSON VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.commit()
    values = {value.split()[0] for row in rows for position, value in enumerate(row) if position != 3}
    assert len(values) == 5 * PEOPLE
    return values


def leaked(values: set[str], texts: dict[str, bytes]) -> list[tuple[str, str]]:
    """Return where which values stand: plain, with signs between digits, without leading zeros, in base64 or UTF-16."""
    words = {value.casefold() for value in values if not value.isdigit()}
    numbers = {value for value in values if value.isdigit()}
    numbers |= {value.lstrip("0") for value in numbers}
    return sorted(
        (name, found)
        for name, content in texts.items()
        for form in _forms(content)
        for found in _found(form, words, numbers)
    )


def _forms(content: bytes) -> Iterator[str]:
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            content = b"\n".join(parts.read(part) for part in parts.namelist())
    text = content.decode("utf-8", "replace")
    yield text
    for start in (0, 1):
        yield content[start:].decode("utf-16-le", "replace")
    for coded in re.findall(r"[A-Za-z0-9+/]{12,}={0,2}", text):
        try:
            yield base64.b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-8", "replace")
        except binascii.Error:
            continue


def _found(text: str, words: set[str], numbers: set[str]) -> set[str]:
    found = {word for word in re.findall(r"[a-z]{8,}", text.casefold()) if word in words}
    for run in re.findall(r"(?<![\w.])\d(?:[ .\-]?\d){7,10}(?![\w])", text):
        digits = re.sub(r"\D", "", run)
        if digits in numbers:
            found.add(digits)
    return found
