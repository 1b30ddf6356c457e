"""The facts of a declaration: from the ledger, the mapping files and the last verdict; what is not there is blank.

Old systems are not needed: a declaration can still be made when they are gone.  Only which of their relations no
mapping reads asks for them, and is blank without.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from typing import Any, Final

from casemodel import OUTCOMES, OmnicaseError, tables
from mappings import MappingFile, load_mappings
from migrate import __version__
from migrate.declaration.blanks import Blank, known
from migrate.declaration.ledger_facts import deeds, loaded_mappings, runs, verdict, waves
from migrate.evidence.head import head_of
from migrate.ledger.undo import ROLLED_BACK
from migrate.mapping.coverage import coverage_report
from migrate.opening import open_session
from migrate.running.run import as_of_date
from migrate.target.database import current
from migrate.target.opened import workspace_target
from migrate.waivers.kept import KeptWaiver, kept_waivers
from migrate.workspace import Workspace
from runbooks import short_code

FORMAT: Final = "omnicase declaration 1"
ROLES: Final = ("owner", "administrator", "archivist", "engineer")
"""Who signs: the accountable owner, the functional administrator, the archivist, the migration engineer."""


def declaration_facts(workspace: Workspace, made_at: str) -> dict[str, Any]:
    """Return everything that a declaration can say, as the variables of its template.

    Args:
        made_at: when it is drawn up, as the ledger writes moments.

    Raises:
        GuardError: DBS-003 the target is not upgraded.
        RefusedMany: a mapping file cannot be read.
    """
    files = {file.name: file for file in load_mappings(workspace.root / "mappings", workspace.root)}
    target = workspace_target(workspace)
    try:
        loaded = loaded_mappings(target)
        revisions = current(target.engine)
        with target.engine.connect() as connection:
            told = {
                "runs": runs(connection),
                "waves": waves(connection),
                "verdict": verdict(connection),
                **deeds(connection),
            }
        accepted = [_waiver(each) for each in kept_waivers(target, workspace)]
        kind = target.dialect
    finally:
        target.close()
    stands = [run for run in told["runs"] if run["state"] != ROLLED_BACK]
    mappings = [_mapping(name, loaded.get(name), files.get(name)) for name in sorted({*loaded, *files})]
    return {
        "declaration": {"format": FORMAT, "made_at": made_at, "made_by": getpass.getuser(), "program": __version__},
        "municipality": {
            "name": workspace.model.municipality.name,
            "rsin": known(workspace.model.municipality.rsin, "by_hand"),
        },
        "workspace": {
            "name": workspace.name,
            "environment": known(workspace.env, "no_environment"),
            "production": workspace.production,
            "namespace": workspace.secrets.fingerprint,
        },
        "target": {
            "kind": kind,
            "model_revision": known(revisions["model"], "not_kept"),
            "ledger_revision": known(revisions["ledger"], "not_kept"),
        },
        "period": {
            "first": stands[0]["started_at"] if stands else Blank("not_loaded"),
            "last": stands[-1]["ended_at"] if stands else Blank("not_loaded"),
        },
        "totals": _totals(loaded.values()),
        "systems": _systems(workspace, files, loaded),
        "mappings": mappings,
        "unread": _unread(workspace),
        "waivers": accepted,
        "evidence": _evidence(workspace),
        "roles": [{"role": role, "name": Blank("by_hand"), "date": Blank("by_hand")} for role in ROLES],
        "decision": Blank("by_hand"),
        **told,
    }


def _totals(loaded: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums over all mappings, blank where nothing was loaded."""
    each = list(loaded)
    names = ("read", *OUTCOMES)
    if not each:
        return {**dict.fromkeys(names, Blank("not_loaded")), "stands": Blank("not_loaded")}
    sums = {name: sum(one["books"][name] for one in each) for name in names}
    stands = sum(one["stock"].get(state, 0) for one in each for state in ("loaded", "stale"))
    return {**sums, "stands": stands}


def _systems(
    workspace: Workspace, files: dict[str, MappingFile], loaded: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the old systems of the workspace with the relations that were loaded, and the digests of what was read."""
    found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in workspace.systems}
    for name, facts in sorted(loaded.items(), key=lambda pair: (-pair[1]["run"], pair[0])):
        file = files.get(name)
        if file is None:
            continue
        delivered = facts["files"].get(f"{file.system}.{file.relation}")
        part = found.setdefault(file.system, {}).setdefault(
            file.relation,
            {
                "relation": file.relation,
                "run": facts["run"],
                "digest": facts["source_digest"],
                "content": facts["source_content"],
                "source_rows": facts["books"]["source_rows"],
                "files": [
                    {"name": each["name"], "digest": each["digest"], "records": each["records"]} for each in delivered
                ]
                if delivered is not None
                else None,  # a database
                "mappings": [],
            },
        )
        part["mappings"] = sorted([*part["mappings"], name])
    return [
        {
            "system": name,
            "kind": workspace.systems[name].kind if name in workspace.systems else Blank("not_kept"),
            "relations": [parts[relation] for relation in sorted(parts)],
        }
        for name, parts in sorted(found.items())
    ]


def _mapping(name: str, facts: dict[str, Any] | None, file: MappingFile | None) -> dict[str, Any]:
    """Return what became of one mapping; the reasons of columns come from its file as it is now."""
    target = facts["target"] if facts else file.model.target if file else ""
    names = ("read", *OUTCOMES)
    unloaded = {**dict.fromkeys(names, Blank("never_run")), "balanced": Blank("never_run"), "gone": {}}
    return {
        "mapping": name,
        "target": target,
        "target_label": (tables[target].comment or "").partition(" · ")[0] if target in tables else "",
        "owner": known(file.model.owner if file else None, "not_decided"),
        "run": facts["run"] if facts else Blank("never_run"),
        "digest": facts["digest"] if facts else Blank("never_run"),
        "meaning": facts["meaning"] if facts else Blank("never_run"),
        "file_digest": file.file_digest if file else Blank("no_mapping_file"),
        "file_as_loaded": facts is not None and file is not None and file.file_digest == facts["digest"],
        "read_in_full": facts["read_in_full"] if facts else Blank("never_run"),
        "books": {key: value for key, value in facts["books"].items() if key != "source_rows"} if facts else unloaded,
        "stock": facts["stock"] if facts else {},
        "out_of_scope": facts["out_of_scope"] if facts else [],
        "rejected": facts["rejected"] if facts else [],
        "losses": facts["losses"] if facts else [],
        "left_behind": _left_behind(file),
        "unfilled": _unfilled(file),
    }


def _waiver(kept: KeptWaiver) -> dict[str, Any]:
    """Return a waiver without its keys, which are counted."""
    document = kept.as_dict()
    names = (
        "state", "check", "mapping", "max", "until", "reason", "owner", "proposed_by", "proposed_at", "approved_at",
        "revoked_by", "revoked_reason",
    )  # fmt: skip
    return {
        "number": document["id"],
        **{name: document[name] for name in names},
        "keys": len(document["keys"]),
        "approved_by": known(document["approved_by"], "not_approved"),
        "signature": document["signature"] or None,
    }


def _left_behind(file: MappingFile | None) -> list[dict[str, Any]] | Blank:
    if file is None:
        return Blank("no_mapping_file")
    return [
        {
            "columns": list(item.columns),
            "reason": item.reason,
            "approved_by": known(item.approved_by, "not_decided"),
            "evidence": known(item.evidence, "not_decided"),
        }
        for item in file.model.ignore
    ]


def _unfilled(file: MappingFile | None) -> list[dict[str, Any]] | Blank:
    if file is None:
        return Blank("no_mapping_file")
    return [{"columns": list(item.columns), "reason": item.reason} for item in file.model.unfilled]


def _evidence(workspace: Workspace) -> dict[str, Any] | Blank:
    """Return the end of the chain of evidence, or a blank where there is none."""
    try:
        head, _current = head_of(workspace)
    except OmnicaseError:
        return Blank("no_evidence")
    return {"entries": head.seq, "head": head.hash, "code": short_code(head)}


def _unread(workspace: Workspace) -> list[str] | Blank:
    """Return the relations that no mapping reads, which only the old systems themselves can tell."""
    try:
        with open_session(workspace, as_of_date(None)) as session:
            return list(coverage_report(session).unread)
    except OmnicaseError:
        return Blank("sources_closed")
