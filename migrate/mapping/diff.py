"""`mapping diff`: what changed in meaning between two versions of the workspace's mappings."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from casemodel import RefusedError, UsageError, printable
from mappings import MappingFile, load_mappings

_FOLDERS = ("mappings", "codes", "queries")
_SILENT = {"owner", "tests", "unfilled", "ignore"}
"""Parts that change nothing in a record, and are said to."""
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "added": ("erbij", "added"),
    "removed": ("weg", "removed"),
    "changed": ("anders", "changed"),
    "same": ("geen verschil in betekenis", "no change in meaning"),
    "text": (
        "alleen tekst (commentaar, redenen, tests): zelfde betekenis",
        "only text (comments, reasons, tests): same meaning",
    ),
    "sum": ("{n} van {of} mappings met een andere betekenis", "{n} of {of} mappings changed in meaning"),
}


@dataclass(frozen=True)
class Change:
    """A part whose meaning changed, by its dotted path; old or new None: it was not there."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class MappingDiff:
    """A mapping that is not the same: kind is ``added``, ``removed``, ``changed`` or ``text``."""

    mapping: str
    kind: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Diff:
    """Two versions compared: of is how many mappings there are in either."""

    mappings: tuple[MappingDiff, ...]
    of: int

    @property
    def changed(self) -> int:
        """How many mappings mean something else."""
        return sum(each.kind != "text" for each in self.mappings)

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {"changed": self.changed} | asdict(self)


def compare(root: Path, other: str) -> Diff:
    """Compare the workspace's mappings with those of an earlier version.

    Args:
        root: the workspace.
        other: a folder with another version of the workspace, or a revision of git.

    Raises:
        UsageError: DIF-001 neither a folder nor a revision.
        RefusedError: a mapping of either version cannot be read.
    """
    new = {file.name: file for file in load_mappings(root / "mappings", root)}
    folder = Path(other)
    if folder.is_dir():
        if not (folder / "mappings").is_dir():
            raise UsageError(
                "DIF-001", "the folder holds no mappings/", hint="Name the folder of a workspace.", place=str(folder)
            )
        old = {file.name: file for file in load_mappings(folder / "mappings", folder)}
    else:
        with _revision(root, other) as past:
            old = {file.name: file for file in load_mappings(past / "mappings", past)}
    names = sorted({*old, *new})
    return Diff(tuple(each for name in names for each in _one(name, old.get(name), new.get(name))), len(names))


def _one(name: str, old: MappingFile | None, new: MappingFile | None) -> Iterator[MappingDiff]:
    if old is None or new is None:
        yield MappingDiff(name, "added" if old is None else "removed")
        return
    before, after = _flat(old), _flat(new)
    paths = sorted({*before, *after})
    changes = tuple(
        Change(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
    )
    if changes:
        yield MappingDiff(name, "changed", changes)
    elif old.file_digest != new.file_digest:
        yield MappingDiff(name, "text")


def _flat(file: MappingFile) -> dict[str, str]:
    """Return every setting that can change a record by its dotted path, and every code of its code tables."""
    model = file.model.model_dump(by_alias=True, exclude=_SILENT, exclude_defaults=True)
    if isinstance(model.get("scope"), dict):
        model["scope"] = {"where": model["scope"]["where"]}
    rules = {str(rule["name"]): rule for rule in model.pop("rules", ())}
    found = dict(_leaves("", {**model, "rules": rules}))
    for label, table in file.tables.items():
        for code, value in table.rows.items():
            found[f"{label}.codes[{'|'.join(map(str, code))}]"] = "|".join(str(part) for part in value)
    for label, texts in file.texts.items():
        found[f"null_if {label}"] = ", ".join(texts)
    for each in file.decisions:
        if file.name in (each.left[0], each.right[0]):
            both = " = ".join("|".join(row) for row in sorted((each.left, each.right)))
            found[f"same_person[{both}]"] = "yes" if each.same else "no"
    if file.query is not None:
        found["query.sql"] = file.query.sql
    if file.timezone is not None:
        found["timezone of the system"] = file.timezone
    if any(table.dated for table in file.tables.values()):
        found["formats of the system"] = ", ".join(file.date_formats)
    for name, plugin in file.plugins.items():
        found[f"content of {name}"] = plugin.digest
    return found


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            name = str(key).removeprefix("_")
            yield from _leaves(f"{path}.{name}" if path else name, item)
    elif isinstance(value, list | tuple):
        # A list is one thing to read: the order of steps and of null texts says something.
        yield path, ", ".join(", ".join(f"{k}={v}" if k else v for k, v in _leaves("", item)) for item in value)
    else:
        yield path, "" if value is None else str(value)


@contextmanager
def _revision(root: Path, revision: str) -> Iterator[Path]:
    """Write the mappings, code tables and queries of a revision to a folder of our own."""
    wrong = UsageError(
        "DIF-001",
        f"'{printable(revision)}' is neither a folder nor a revision of this workspace's git",
        hint="Name a commit, tag or branch, or the folder of another version of the workspace.",
    )
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None or "\0" in revision:
        raise wrong
    listed = _git(root, "ls-tree", "-r", "-z", "--name-only", commit.decode().strip(), "--", *_FOLDERS)
    if listed is None:
        raise wrong
    with tempfile.TemporaryDirectory(prefix="omnicase-diff-") as folder:
        past = Path(folder)
        for name in filter(None, listed.decode("utf-8", "surrogateescape").split("\0")):
            data = _git(root, "show", f"{commit.decode().strip()}:./{name}")
            target = past / name
            if data is not None and target.resolve().is_relative_to(past.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        yield past


def _git(root: Path, *arguments: str) -> bytes | None:
    """Return what git answers, or None when it refuses."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
    except ValueError:  # a NUL in a name
        return None
    except OSError:
        raise RefusedError("DIF-002", "git is not installed", hint="Install git, or compare with a folder.") from None
    return done.stdout if done.returncode == 0 else None


def diff_lines(diff: Diff, lang: str) -> Iterator[str]:
    """Return the comparison for a person."""
    for each in diff.mappings:
        yield f"{each.mapping}: {_word(lang, each.kind)}"
        for change in each.changes:
            yield f"  {printable(change.path)}"
            if change.old is not None:
                yield f"    - {printable(change.old)}"
            if change.new is not None:
                yield f"    + {printable(change.new)}"
    if not diff.mappings:
        yield _word(lang, "same")
    yield _word(lang, "sum", n=diff.changed, of=diff.of)


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
