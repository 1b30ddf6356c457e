"""The folder of bad mappings, and what each of them gets."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from casemodel import RefusedError, RefusedMany, Relation, SourceColumn, SystemFailure
from mappings import MappingFile, check_mappings, parse_mapping

FOLDER = Path(__file__).parents[1] / "cases_bad" / "mappings"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))
COLUMNS = {"source": ("CODE", "NAAM", "DATUM", "TIJD", "ZAAK", "SOORT"), "side": ("CODE", "OMS"), "parent": ("NR",)}

UNIT = b"""
mapping: old.unit
owner: team test
target: actor
source: {relation: parent, key: [NR]}
fields: {actor_type: {const: medewerker}, name: {from: NR}, is_active: {const: true}}
unfilled: [{columns: [employee_code, job_title, email, phone, unit_id], reason: test}]
"""
CASE = b"""
mapping: old.case
owner: team test
target: channel
source: {relation: parent, key: [NR]}
fields: {code: {from: NR}, name: {from: NR}, is_active: {const: true}}
"""


def relation(system: str, name: str) -> Relation:
    """Offer the relations of the bad mappings."""
    if name not in COLUMNS:
        raise SystemFailure("CON-020", f"no relation {name}", hint="Did you mean source?", place=system)
    return Relation(system, name, tuple(SourceColumn(column) for column in COLUMNS[name]))


@cache
def errors_of(name: str) -> list[RefusedError]:
    """Return the errors of a bad mapping, from the parser or else from the check."""
    path = FOLDER / f"{name}.yml"
    others = [parse_mapping(text, shown_as="other.yml", codes=FOLDER / "codes") for text in (UNIT, CASE)]
    try:
        file: MappingFile = parse_mapping(path.read_bytes(), shown_as=path.name, codes=FOLDER / "codes")
    except RefusedMany as many:
        return many.errors
    except RefusedError as error:
        return [error]
    return list(check_mappings([file, *others], relation, ("old",)).errors)
