"""The demo's target equals its answer key in every row and field, and a planted mapping error is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from answer_key import compare
from command_line import CommandLine, in_process
from made_once import made_once
from small_demo import KEYED_CASES, keyed_demo
from targets import copy_workspace, model_rows

pytestmark = pytest.mark.no_cover  # traced line by line it takes a quarter longer


def test_the_target_equals_the_answer_key_in_every_row_and_field(
    omnicase: CommandLine, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = copy_workspace(keyed_demo(tmp_path_factory), tmp_path / "demo")
    first = compare(folder)
    assert first.differences == []
    assert first.rows > 25 * KEYED_CASES
    assert first.values > 200 * KEYED_CASES
    before = model_rows(folder / "target.db")
    again = omnicase("-C", folder, "--format", "json", "run")
    assert again.status == 3, again.err
    assert all(books["inserted"] == books["updated"] == 0 for books in again.document["mappings"])
    assert model_rows(folder / "target.db") == before


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of 150 cases, migrated as it should be."""
    return made_once(tmp_path_factory, "demo-150", _demo_of_150)


def _demo_of_150(folder: Path) -> None:
    assert in_process("demo", folder, "--cases", "150", "--seed", "5").status == 0
    assert in_process("-C", folder, "db", "upgrade").status == 0
    assert in_process("-C", folder, "run").status == 3
    assert compare(folder).differences == []


MISTAKES = {
    "a code changed": ("codes/geslacht.csv", "V,v,", "V,m,", ("balie.party", "gender")),
    "a century too late": (
        "mappings/balie.party.yml",
        "as_of: 2009-12-31",
        "as_of: 2035-12-31",
        ("balie.party", "birth_date"),
    ),
    "cut anywhere": (
        "mappings/zaak.case.yml",
        'null_if: [""], truncate: word}',
        'null_if: [""], truncate: true}',
        ("zaak.case", "description"),
    ),
    "midnight for noon": (
        "mappings/zaak.case_status.yml",
        'default: "120000"',
        'default: "110000"',
        ("zaak.case_status", "set_at"),
    ),
    "month before day": (
        "mappings/kcc.contact.yml",
        "date: [D-M-YYYY, YYYY-MM-DD]",
        "date: [M-D-YYYY, D-M-YYYY, YYYY-MM-DD]",
        ("kcc.contact", "occurred_at"),
    ),
    "another scope": (
        "mappings/balie.contact.yml",
        "STATUS IN ('AF', 'DV', 'BE')",
        "STATUS IN ('AF', 'BE')",
        ("balie.contact", "outcome"),
    ),
    "the first of two hours": (
        "mappings/balie.queue_ticket.yml",
        "ambiguous: {not_before: issued_at}",
        "ambiguous: earliest",
        ("balie.queue_ticket", "called_at"),
    ),
    "the counter before the case system": (
        "mappings/balie.party.yml",
        "rank: 2",
        "rank: 0",
        ("zaak.person", "initials"),
    ),
    "a made-up number taken for one": (
        "codes/geen_adres.csv",
        "0600000000,een reeks nullen\n",
        "",
        ("balie.party_digital", "outcome"),
    ),
    "cut addresses let through": (
        "mappings/zaak.person_digital.yml",
        "LENGTH(typed) >= 32",
        "LENGTH(typed) >= 33",
        ("zaak.person_digital", "issues"),
    ),
    "an addition for a letter": (
        "mappings/balie.address.yml",
        "house_letter:          {from: HUISNR, do: [{part: house_number.letter}]}",
        "house_letter:          {from: HUISNR, do: [{part: house_number.addition}], truncate: true}",
        ("balie.address", "house_letter"),
    ),
    "all documents of a case versions of one": (
        "mappings/zaak.case_document.yml",
        "PARTITION BY ZAAKNR, DOCCODE, TITEL ORDER BY nth",
        "PARTITION BY ZAAKNR ORDER BY nth",
        ("zaak.case_document", "version"),
    ),
    "what was paid back taken for paid": (
        "mappings/balie.contact.yml",
        'do: [trim], number: {decimal: ",", thousands: "."}',
        'do: [trim, {remove: "-"}], number: {decimal: ",", thousands: "."}',
        ("balie.contact", "metadata"),
    ),
    "day totals held against what moved": (
        "mappings/balie.queue_ticket.yml",
        "TRY_CAST(total.AANTBON AS INTEGER) = printed.count",
        "TRY_CAST(total.AANTBON AS INTEGER) >= printed.count",
        ("balie.queue_ticket", "issues"),
    ),
    "a zero too many": (
        "mappings/zaak.company_identifier.yml",
        "from: NUMMER, do: [kvk]",
        'from: NUMMER, do: [digits, {pad_left: [9, "0"]}]',
        ("zaak.company_identifier", "value"),
    ),
    "the sign of an amount lost": (
        "mappings/uitreik.case_property.yml",
        'from: WAARDE, number: {decimal: "."}',
        'from: WAARDE, do: [{remove: "-"}], number: {decimal: "."}',
        ("uitreik.case_property", "value"),
    ),
    "a code forgotten": ("codes/ja_nee.csv", "true,ja,\n", "", ("zaak.case_property", "outcome")),
}
"""What a person might get wrong: file, what it says, what it should not say, and where the comparison must find it."""


@pytest.mark.sample(2)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mapping_error_is_found_where_it_is(mistake: str, small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(small, folder)
    name, right, wrong, (mapping, about) = MISTAKES[mistake]
    text = (folder / name).read_text(encoding="utf-8")
    assert right in text
    (folder / name).write_text(text.replace(right, wrong), encoding="utf-8")
    # The rows are mapped anew by what was changed and by the mapping in which it must show.
    changed = {mapping, *([Path(name).stem] if name.startswith("mappings/") else [])}
    assert in_process("-C", folder, "run", *changed).status in (0, 3)
    found = compare(folder).differences
    assert (mapping, about) in {(difference.mapping, difference.about) for difference in found}
