"""What of a workspace's own files may hold personal data, and so stays out of a bag (promise 9)."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from casemodel import citizen_numbers
from mappings import MappingFile
from migrate.workspace import Workspace


def line_of_bsn(content: bytes, allowed: frozenset[str]) -> int | None:
    """Return the line of the first number that may be a citizen service number, or None.

    Args:
        allowed: numbers that look like one and are not, such as the municipality's own RSIN.
    """
    # Every byte is a character of this encoding, and digits are digits.
    text = content.decode("latin-1")
    for found in citizen_numbers(text):
        if found[0].replace(".", "").replace(" ", "") not in allowed:
            return text.count("\n", 0, found.start()) + 1
    return None


def personal_files(workspace: Workspace, files: Mapping[str, MappingFile]) -> set[str]:
    """Return the files of ``codes/`` that list values of personal columns, as paths in the workspace.

    A code table that turns what people typed into codes holds what people typed.  Where it cannot be told which column
    is looked up in a table, it counts as personal.
    """
    found: set[str] = set()
    for file in files.values():
        safe = _plain_columns(workspace, file)
        for name, columns in _asked(file.tree):
            if not columns or not columns <= safe:
                found.add(f"codes/{name}")
    return found


def _plain_columns(workspace: Workspace, file: MappingFile) -> set[str]:
    """Return the names that a field may come from and that hold nothing personal, in lower case."""
    declared = workspace.model.systems.get(file.system, {}).get("personal")
    by_name = (
        {str(name).casefold(): columns for name, columns in declared.items()} if isinstance(declared, dict) else {}
    )
    if file.relation.casefold() not in by_name:
        return set()
    personal = {str(each).casefold() for each in by_name[file.relation.casefold()] or []}
    made = {name.casefold() for name in _made_names(file)}
    asked = {name.casefold() for _table, columns in _asked(file.tree) for name in columns}
    return asked - personal - made


def _made_names(file: MappingFile) -> Iterator[str]:
    """Yield the names that the mapping itself gives: they may stand for any column."""
    values = file.tree.get("values")
    yield from values if isinstance(values, dict) else ()
    unpivot = file.model.source.unpivot
    yield from unpivot.into if unpivot is not None else ()


def _asked(node: Any) -> Iterator[tuple[str, set[str]]]:
    """Yield each file of ``codes`` or ``null_if`` with the columns looked up in it; none: it cannot be told."""
    if isinstance(node, dict):
        columns = _columns(node.get("from"))
        for key in ("codes", "null_if"):
            name = _file(node.get(key), key)
            if name is not None:
                yield name, columns
        for each in node.values():
            yield from _asked(each)
    elif isinstance(node, list):
        for each in node:
            yield from _asked(each)


def _columns(origin: Any) -> set[str]:
    if isinstance(origin, str):
        return {origin.casefold()}
    if isinstance(origin, list) and all(isinstance(each, str) for each in origin):
        return {each.casefold() for each in origin}
    return set()


def _file(asked: Any, key: str) -> str | None:
    if isinstance(asked, dict):
        asked = asked.get("file")
        return asked if isinstance(asked, str) else None
    return asked if isinstance(asked, str) and key == "codes" and asked.endswith(".csv") else None


def without_notes(content: bytes) -> bytes:
    """Return a code table without its column ``note``, which no mapping reads."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return content
    if not rows or "note" not in rows[0]:
        return content
    at = rows[0].index("note")
    if not any(len(row) > at and row[at] for row in rows[1:]):
        return content
    plain = io.StringIO(newline="")
    csv.writer(plain, lineterminator="\n").writerows([*row[:at], *row[at + 1 :]] for row in rows)
    return plain.getvalue().encode()


class SourceData:
    """Tells which files inside the workspace are data of an old system, and so never in a bag.

    All of a system's folder is; where that is a folder that people write in (`own`), such as ``codes``, what its
    relations name.
    """

    def __init__(self, workspace: Workspace, own: Collection[str]) -> None:
        self._places: list[Path] = []
        self._named: list[tuple[Path, str]] = []
        for options in workspace.model.systems.values():
            for name in ("folder", "path"):
                if not isinstance(options.get(name), str):
                    continue
                # By its real place: `mappings/../codes` and a link to it are `codes`.
                place = (workspace.root / options[name]).resolve()
                if any((workspace.root / each).resolve().is_relative_to(place) for each in own):
                    self._named += [(place, pattern) for pattern in _patterns(options)]
                else:
                    self._places.append(place)

    def __contains__(self, file: Path) -> bool:
        file = file.resolve()
        return any(file == place or file.is_relative_to(place) for place in self._places) or any(
            file.is_relative_to(place) and fnmatch(file.relative_to(place).as_posix(), pattern)
            for place, pattern in self._named
        )


def _patterns(node: Any) -> Iterator[str]:
    """Yield the names of files that relations and layouts of a system give."""
    if isinstance(node, dict):
        named = node.get("files")
        yield from [named] if isinstance(named, str) else named if isinstance(named, list) else ()
        for each in node.values():
            yield from _patterns(each)
