"""What goes into a bag and what stays out: an allow-list of the workspace's files, never a link, never source data."""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from casemodel import RefusedError
from mappings import MappingFile
from migrate.bag.payload import Payload, kept
from migrate.bag.personal import SourceData, line_of_bsn, personal_files, without_notes
from migrate.keys import OF_DEMO
from migrate.workspace import FILE as SETTINGS
from migrate.workspace import Workspace

_LARGEST: Final = 100_000_000
_FOLDERS: Final[dict[str, tuple[str, ...]]] = {
    "mappings": (".yml", ".yaml"),
    "codes": (".csv",),
    "queries": (".sql",),
    "checks": (".yml", ".yaml"),
    "plugins": (".py",),
    "runbooks": (".md",),
    "declaration": (".j2",),
    "keys": (".json",),
    "evidence": (".jsonl", ".json", ".pending"),
    "reports/runbooks": (".md", ".jsonl", ".log"),
    "reports/history": (".json",),
}
"""Folders of the workspace, and the endings of what is taken from them."""
_BY_HAND: Final = ("mappings", "codes", "queries", "checks", "plugins", "runbooks", "declaration")
"""What people write, so that nothing of ours masked it."""

EXAMPLES = "examples written like rows of the source"
PERSONAL = "lists values of personal columns"
BSN = "line {line} may hold a citizen service number"
NOTES = "free text, in which people may be named"
LINK = "a symbolic link is not followed"
SOURCE = "source data"
KIND = "not a kind of file that belongs here"
NAME = "its name cannot be written in a manifest"
PRIVATE = "private keys never leave their machine"
UNREADABLE = "cannot be read"
UNKNOWN_REPORT = "not a report that the ledger knows"
CHANGED = "not what the ledger says it was"


@dataclass
class Contents:
    """The payload of a bag by path, and what was left out of it.

    left_out: path, reason and SHA-256; the last only of a report that changed: that of personal data could be guessed.
    missing: what an auditor expects and does not find.
    """

    files: dict[str, Payload] = field(default_factory=dict)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def leave(self, path: str, reason: str, sha256: str = "") -> None:
        """Note that a file stays out."""
        self.left_out.append((path, reason, sha256))

    def left_out_table(self) -> bytes:
        """Return what was left out as CSV, so that nobody has to wonder."""
        table = io.StringIO(newline="")
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("file", "reason", "sha256"))
        writer.writerows(sorted(self.left_out))
        return table.getvalue().encode()


def gather(
    workspace: Workspace, mapping_files: Mapping[str, MappingFile], reports: Iterable[Mapping[str, str]]
) -> Contents:
    """Return what a bag takes from the workspace's folder.

    Args:
        mapping_files: the mappings, as they are read now.
        reports: ``file`` and ``sha256`` of the reports that the ledger knows, the newest first.

    Raises:
        RefusedError: BAG-004 a mapping that is used cannot be taken along.
    """
    found = Contents()
    personal = personal_files(workspace, mapping_files)
    sources = SourceData(workspace, _FOLDERS)
    rsin = workspace.model.municipality.rsin
    allowed = frozenset({rsin}) if rsin else frozenset()
    for path in (SETTINGS, *_listed(workspace.root, found)):
        file = workspace.root / path
        if file in sources:
            found.leave(path, SOURCE)
            continue
        if not (path == SETTINGS or path.startswith(_BY_HAND)):
            _take(found, path, file)
            continue
        content = _read(file)
        if content is None:
            found.leave(path, UNREADABLE)
        elif path.startswith("mappings/tests/"):
            found.leave(path, EXAMPLES)
        elif path in personal or path == "codes/same_person.csv":
            found.leave(path, PERSONAL)
        elif (line := line_of_bsn(content, allowed)) is not None:
            found.leave(path, BSN.format(line=line))
        else:
            plain = without_notes(content) if path.startswith("codes/") else content
            if plain != content:
                found.leave(f"{path}: column note", NOTES)
            found.files[path] = plain
    _require_mappings(found, mapping_files)
    _take_reports(workspace, found, reports)
    return found


def _take(found: Contents, path: str, file: Path) -> None:
    there = kept(file)
    if there is None:
        found.leave(path, UNREADABLE)
    else:
        found.files[path] = there


def _listed(root: Path, found: Contents) -> Iterator[str]:
    for folder, endings in _FOLDERS.items():
        if any((root / part).is_symlink() for part in (folder, folder.partition("/")[0])):
            found.leave(folder, LINK)
            continue
        for place, folders, names in os.walk(root / folder, followlinks=False):
            folders.sort()
            for name in sorted([*names, *(each for each in folders if (Path(place) / each).is_symlink())]):
                file = Path(place) / name
                path = file.relative_to(root).as_posix()
                if not _writable_name(path):
                    found.leave(ascii(path), NAME)
                elif path.startswith(f"{OF_DEMO.as_posix()}/"):
                    found.leave(path, PRIVATE)
                elif file.is_symlink():
                    found.leave(path, LINK)
                elif file.suffix not in endings:
                    found.leave(path, KIND)
                else:
                    yield path


def _writable_name(path: str) -> bool:
    return path.isprintable() and "%" not in path and "\\" not in path


def _read(file: Path) -> bytes | None:
    """Return the content of a file that somebody wrote, or None; a link, pipe or device is not waited for."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
            return None
        try:
            return stream.read()
        except OSError:
            return None


def _require_mappings(found: Contents, mapping_files: Mapping[str, MappingFile]) -> None:
    left = {path: reason for path, reason, _digest in found.left_out}
    for file in mapping_files.values():
        if file.shown_as not in found.files:
            reason = left.get(file.shown_as, LINK)
            raise RefusedError(
                "BAG-004",
                f"the mapping cannot be taken along: {reason}",
                hint="A bag without it proves nothing. Put a plain file there without personal data; examples belong in"
                " mappings/tests.",
                place=file.shown_as,
            )


def _take_reports(workspace: Workspace, found: Contents, reports: Iterable[Mapping[str, str]]) -> None:
    """Take the reports that verdicts of the ledger name, if they still are what they were."""
    known = {each["file"]: each["sha256"] for each in reports}
    folder = workspace.reports
    there = (
        {each.name: each for each in folder.iterdir() if each.is_file()}
        if folder.is_dir() and not folder.is_symlink()
        else {}
    )
    for name in sorted({*there, *known}):
        path = f"reports/{name}"
        if name not in known:
            found.leave(path, UNKNOWN_REPORT)
            continue
        report = kept(there[name]) if name in there else None
        if report is None:
            found.missing.append(path)
        elif report.sha256 != known[name]:
            found.leave(path, CHANGED, report.sha256)
            found.missing.append(path)
        else:
            found.files[path] = report
