"""`evidence export`: a bag (BagIt, RFC 8493) with all that an auditor needs, and nothing personal."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

import migrate
from casemodel import OmnicaseError
from mappings import load_mappings
from migrate import __version__
from migrate.bag.contents import Contents, gather
from migrate.bag.payload import size_of
from migrate.bag.personal import personal_files
from migrate.bag.sbom import bill_of_materials
from migrate.bag.secrets import refuse_secrets
from migrate.bag.write import refuse_occupied, write_bag
from migrate.declaration import LANGUAGES, Declaration, declaration_facts, declaration_schema, find_template
from migrate.ledger.store import now, table
from migrate.mapping.coverage import coverage_paper, coverage_report
from migrate.mapping.coverage_xlsx import write_coverage_xlsx
from migrate.opening import open_session
from migrate.paper import as_html
from migrate.running.run import as_of_date
from migrate.target.opened import workspace_target
from migrate.verdicts import VerdictRecord, verdicts
from migrate.waivers.kept import kept_waivers, signed_deeds
from migrate.workspace import Workspace
from reconciliation import reconcile_schema

CHECKS: Final = ("verify_evidence.py", "check_waivers.py")
"""What checks without this program, short enough to be read whole."""


@dataclass(frozen=True)
class Export:
    """A bag that was written.

    place: the folder or zip.
    files: how many files its payload has; bytes: how large they are together.
    left_out: file and reason.
    missing: what an auditor expects and does not find.
    """

    place: Path
    files: int
    bytes: int
    left_out: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {
            "bag": str(self.place),
            "files": self.files,
            "bytes": self.bytes,
            "left_out": [{"file": file, "reason": reason} for file, reason in self.left_out],
            "missing": list(self.missing),
        }


def export(workspace: Workspace, place: Path) -> Export:
    """Write a bag of a workspace and of what its ledger says.

    Raises:
        GuardError: BAG-001 something stands there, BAG-002 the folder is a link, BAG-005 a file holds a secret, DBS-003
            the target is not upgraded.
        RefusedError: BAG-004 a mapping cannot be taken along; RefusedMany one is wrong.
        SystemFailure: BAG-003 the bag cannot be written, BAG-007 a file changed meanwhile.
    """
    refuse_occupied(place)
    mapping_files = {file.name: file for file in load_mappings(workspace.root / "mappings", workspace.root)}
    target = workspace_target(workspace)
    try:
        with target.engine.connect() as connection:
            known, moment = verdicts(connection), _last_moment(connection)
        deeds = signed_deeds(target, workspace)
        accepted = [each.as_dict() | {"signed": deeds[each.waiver.number]} for each in kept_waivers(target, workspace)]
    finally:
        target.close()
    # First, since it brings the file of the evidence up to date.
    facts = declaration_facts(workspace, moment or now())
    found = gather(workspace, mapping_files, [report for verdict in known for report in verdict.reports])
    found.files |= dict(_declarations(workspace, facts))
    found.files["waivers.json"] = _json({"waivers": accepted})
    found.files["verdicts.json"] = _json({"verdicts": [_verdict(each) for each in known]})
    found.files["sbom.cdx.json"] = _json(bill_of_materials())
    found.files["schemas/declaration.schema.json"] = _json(declaration_schema())
    found.files["schemas/reconcile.schema.json"] = _json(reconcile_schema())
    _add_coverage(found, workspace, personal_files(workspace, mapping_files))
    _add_texts(found)
    if not any(path.startswith("evidence/") and path.endswith(".jsonl") for path in found.files):
        found.missing.append("evidence/")
    found.files["left_out.csv"] = found.left_out_table()
    write_bag(place, found.files, _info(workspace), lambda folder: refuse_secrets(workspace, folder))
    return Export(
        place,
        len(found.files),
        sum(map(size_of, found.files.values())),
        tuple(sorted((path, reason) for path, reason, _digest in found.left_out)),
        tuple(sorted(found.missing)),
    )


def _declarations(workspace: Workspace, facts: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the declaration in both languages and as facts."""
    for lang in LANGUAGES:
        made = Declaration(facts, find_template(workspace.root, lang, None), lang)
        yield f"declaration.{lang}.html", made.page().encode()
    yield "declaration.json", _json(made.as_dict())


def _last_moment(connection: sa.Connection) -> str | None:
    """Return when the ledger last changed by a run, a verdict, a waiver or a rollback.

    The declaration of a bag is dated by it: a bag of the same content is the same bag, so the clock is not looked at.
    """
    run, verdict = table(connection, "run"), table(connection, "verdict")
    waiver, event = table(connection, "waiver"), table(connection, "waiver_event")
    columns = (run.c.started_at, run.c.ended_at, run.c.undone_at, verdict.c.at, waiver.c.at, event.c.at)
    found = [connection.scalar(sa.select(sa.func.max(column))) for column in columns]
    return max((each for each in found if each is not None), default=None)


def _verdict(kept: VerdictRecord) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in VerdictRecord.__dataclass_fields__ if name != "groups"}


def _add_coverage(found: Contents, workspace: Workspace, personal: set[str]) -> None:
    """Add the coverage as page, workbook and JSON; it is missing when the old systems can no longer be read.

    Args:
        personal: code tables whose codes are values of personal columns, so that those never met are only counted.
    """
    try:
        with open_session(workspace, as_of_date(None)) as session:
            whole = coverage_report(session)
    except OmnicaseError:
        found.missing.append("coverage/")
        return
    tables = (replace(each, unused=()) if f"codes/{each.name}" in personal else each for each in whole.code_tables)
    report = replace(whole, code_tables=tuple(tables))
    found.files["coverage/coverage.json"] = _json(report.as_dict())
    for lang in LANGUAGES:
        found.files[f"coverage/coverage.{lang}.html"] = as_html(coverage_paper(report, lang), lang).encode()
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "coverage.xlsx"
        write_coverage_xlsx(book, report, "nl")
        found.files["coverage/coverage.xlsx"] = book.read_bytes()


def _add_texts(found: Contents) -> None:
    """Add the guide for the auditor in both languages, and what checks without this program."""
    for lang in LANGUAGES:
        found.files[f"README.{lang}.md"] = (files("migrate") / "templates" / f"bag.{lang}.md").read_bytes()
    places = (Path(migrate.__file__).parents[1] / "docs", Path(sys.prefix) / "share" / "omnicase")
    for name in CHECKS:
        file = next((place / name for place in places if (place / name).is_file()), None)
        if file is None:
            found.missing.append(name)
        else:
            found.files[name] = file.read_bytes()


def _info(workspace: Workspace) -> Mapping[str, str]:
    name = workspace.model.municipality.name
    return {
        "Source-Organization": name if name.casefold().startswith("gemeente") else f"gemeente {name}",
        "Bagging-Date": as_of_date(None).isoformat(),
        "External-Description": "Evidence of a migration of counter and case systems to an omnichannel case model:"
        " what was read, mapped, loaded and reconciled, by whom, and what was left behind.",
        "External-Identifier": f"{workspace.name} {workspace.secrets.fingerprint}",
        "Bag-Software-Agent": f"omnicase {__version__}",
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
