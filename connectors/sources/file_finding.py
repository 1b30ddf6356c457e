"""Which files answer to the setting ``files`` of a relation."""

from __future__ import annotations

from pathlib import Path

from casemodel import SystemFailure
from connectors.config import SystemConfig
from connectors.sources.file_relation import FileRelation


def find_files(config: SystemConfig, relation: FileRelation) -> list[Path]:
    """Return the files of a relation sorted by name.

    A literal path that exists is itself, never a pattern (``[table].csv``); otherwise the text is a pattern.  Paths
    start at the system's folder, or at the workspace.

    Raises:
        SystemFailure: CON-030 when nothing answers.
    """
    folder = config.located(str(config.options.get("folder") or "."))
    found: dict[Path, None] = {}
    for pattern in relation.files:
        for base in (folder, config.root.absolute()):
            hits = _matches(base, pattern)
            found.update(dict.fromkeys(hits))
            if hits:
                break
        else:
            raise SystemFailure(
                "CON-030",
                "no file answers to the relation's setting files",
                hint=f"Check the folder {folder.name} and the name or pattern {pattern}.",
                place=relation.place,
            )
    return sorted(found, key=lambda path: (path.name, str(path)))


def _matches(base: Path, pattern: str) -> list[Path]:
    here = Path(Path(pattern).anchor) if Path(pattern).is_absolute() else base
    parts = [part for part in Path(pattern).parts if part != Path(pattern).anchor]
    for number, part in enumerate(parts):
        if not (here / part).exists():
            rest = "/".join(parts[number:])
            return [path for path in here.glob(rest) if not path.is_dir()] if here.is_dir() else []
        here = here / part
    return [here]
