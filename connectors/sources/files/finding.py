"""Which files answer to the setting ``files`` of a relation, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from casemodel import SystemFailure
from connectors.config import SystemConfig, known_options, number_option, refuse
from connectors.sources.files.bytes import Bytes, contents
from connectors.sources.files.packed import Limits
from connectors.sources.files.relation import FileRelation

_SIZE = re.compile(r"(\d{1,12}) ?([kMGT]?)B?")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def find_contents(config: SystemConfig, relation: FileRelation, limits: Limits | None = None) -> tuple[Bytes, ...]:
    """Return what the files of a relation hold, sorted by name: a compressed file one content, an archive many.

    Behind an exclamation mark ``files`` may have a pattern for the members of archives: ``2019.zip!KCC_*.csv``.

    Args:
        config: of the system.
        relation: whose setting ``files`` is asked for.
        limits: for what is compressed; without them those of the system.

    Raises:
        SystemFailure: CON-030 as `find_files`, CON-010 to CON-012 and CON-070 to CON-074 as `files.bytes.contents`.
    """
    limits = limits or read_limits(config)
    found = {
        (content.path, content.name): content
        for path, members in _found(config, relation)
        for content in contents(path, limits, members)
    }
    return tuple(sorted(found.values(), key=lambda content: (content.name, str(content.path))))


def read_limits(config: SystemConfig, *besides: str) -> Limits:
    """Return the system's limits for what is compressed; raise CON-003 for a wrong setting (exit 4).

    Args:
        besides: other limits of this kind of system.
    """
    given, usual = config.options.get("limits"), Limits()
    if given is None:
        return usual
    if not isinstance(given, Mapping):
        raise refuse(config, "the setting limits is not a map", "Write limits: {ratio: 100, total: 1 GB}.")
    known_options(config, given, ("ratio", "total", "members", *besides), "limits.")
    return Limits(
        number_option(config, given, "ratio", usual.ratio),
        size_limit(config, "total", usual.total),
        number_option(config, given, "members", usual.members),
    )


def size_limit(config: SystemConfig, name: str, usual: int) -> int:
    """Return a limit in bytes, as ``5 GB``; raise CON-003 when it is none (exit 4)."""
    given = config.options.get("limits") or {}
    size = _SIZE.fullmatch(str(given.get(name, usual)))
    if size is None:
        raise refuse(config, f"the setting limits.{name} is not a size", f"Write limits: {{{name}: 5 GB}}.")
    return int(size[1]) * _UNITS[size[2]]


def find_files(config: SystemConfig, relation: FileRelation) -> list[Path]:
    """Return the files of a relation as they lie there, sorted by name.

    A literal path that exists is itself, never a pattern (``[table].csv``), unless it holds an asterisk: one file of
    that name must not hide the others.  Otherwise the text is a pattern.  Paths start at the system's folder, or at
    the workspace.

    Raises:
        SystemFailure: CON-030 when nothing answers.
    """
    return sorted({path: None for path, _ in _found(config, relation)}, key=lambda path: (path.name, str(path)))


def _found(config: SystemConfig, relation: FileRelation) -> list[tuple[Path, str]]:
    """Return the files and, of each, the pattern for the members that are meant if it is an archive."""
    folder = config.located(str(config.options.get("folder") or "."))
    found: dict[tuple[Path, str], None] = {}
    for pattern in relation.files:
        for base, (outer, members) in _readings(folder, config.root.absolute(), pattern):
            hits = _matches(base, outer)
            found.update({(path, members): None for path in hits})
            if hits:
                break
        else:
            raise SystemFailure(
                "CON-030",
                "no file answers to the relation's setting files",
                hint=f"Check the folder {folder.name} and the name or pattern {pattern}.",
                place=relation.place,
            )
    return list(found)


def _readings(folder: Path, root: Path, pattern: str) -> list[tuple[Path, tuple[str, str]]]:
    """Return where a pattern may be looked for, and how it may be read: a file's name may hold an exclamation mark."""
    outer, _, members = pattern.partition("!")
    read = [(pattern, "*"), (outer, members)] if members and outer else [(pattern, "*")]
    return [(base, reading) for reading in read for base in (folder, root)]


def _matches(base: Path, pattern: str) -> list[Path]:
    here = Path(Path(pattern).anchor) if Path(pattern).is_absolute() else base
    parts = [part for part in Path(pattern).parts if part != Path(pattern).anchor]
    for number, part in enumerate(parts):
        if "*" in part or not (here / part).exists():
            rest = "/".join(parts[number:])
            return [path for path in here.glob(rest) if not path.is_dir()] if here.is_dir() else []
        here = here / part
    return [here]
