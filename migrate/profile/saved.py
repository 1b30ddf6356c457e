"""Profiles kept in the workspace: ``reports/profiles/<system>.<relation>.json``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import quote

from migrate.profile.findings import RelationProfile, relation_profile
from migrate.workspace import Workspace

_LONGEST = 150


def profiles_folder(workspace: Workspace) -> Path:
    """Return the folder of the kept profiles."""
    return workspace.reports / "profiles"


def file_name(system: str, relation: str) -> str:
    """Return a file name for a relation, whatever signs its name holds; no two relations share one."""
    return _cut(f"{_plain(system).replace('.', '%2E')}.{_plain(relation)}")


def _plain(text: str) -> str:
    return quote(text, safe=" ()+,")


def _cut(name: str) -> str:
    """Return a name that file systems take; one that is cut ends in a digest of the whole."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def save(workspace: Workspace, profile: RelationProfile) -> Path:
    """Write a profile, in place of an earlier one, and return its file."""
    folder = profiles_folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file_name(profile.system, profile.relation)}.json"
    text = json.dumps(profile.as_dict(), ensure_ascii=False, indent=2)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    fresh.replace(path)
    return path


def saved_profile(workspace: Workspace, system: str, relation: str) -> RelationProfile | None:
    """Return the last profile of a relation, or None when there is none that can be read."""
    path = profiles_folder(workspace) / f"{file_name(system, relation)}.json"
    try:
        return relation_profile(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save_page(workspace: Workspace, title: str, page: str) -> Path:
    """Write the page of a profile and return its file."""
    folder = profiles_folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_cut(_plain(title))}.html"
    path.write_text(page, encoding="utf-8", errors="backslashreplace")
    return path
