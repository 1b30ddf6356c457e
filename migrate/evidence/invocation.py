"""The entry of a command: who ran what, by which files, with which result; chained at its end, or kept until then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from casemodel import OmnicaseError
from migrate import __version__
from migrate.evidence import waiting
from migrate.evidence.digests import mappings_digest, program_digest, workspace_digest
from migrate.evidence.outbox import append
from migrate.evidence.projection import project
from migrate.evidence.recorder import Recorder
from migrate.target.database import target_engine
from migrate.workspace import Workspace
from runbooks import Happening

_NUMBER = re.compile(r"\d(?:[ .]?\d){7,8}(?!\d)")
"""What may be a citizen service number in a free text."""


@dataclass
class Command:
    """A command that is recorded.

    Args:
        words: the command line as it may be shown: secrets never, keys of rows as tokens.
    """

    words: Sequence[str]
    began: str = field(default_factory=lambda: Happening("command", {}).at)

    def told(self, recorder: Recorder, status: int, code: str, output: str | None) -> Happening:
        """Return the entry of the command at its end."""
        root = recorder.workspace.root
        what: dict[str, Any] = {
            "invocation": recorder.invocation,
            "command": list(self.words),
            "began": self.began,
            "status": status,
            "program": __version__,
            "program_sha256": program_digest(),
            "workspace_sha256": workspace_digest(root),
            "mappings_sha256": mappings_digest(root),
        }
        if code:
            what["error"] = code
        if output is not None:
            what["output_sha256"] = output
        return Happening("command", what)


@dataclass(frozen=True)
class Kept:
    """Where an entry went: into the chain, or into the file of what waits; and whether the file is the outbox's."""

    chained: bool
    projected: bool
    lost: bool = False


def finish(recorder: Recorder, told: Sequence[Happening]) -> Kept:
    """Chain entries at the end of a command, with all that waited before, and bring the file up to date."""
    try:
        with _writing(recorder.workspace) as connection:
            count = waiting.chain(connection, recorder)
            for each in told:
                append(connection, recorder, each)
            connection.commit()
            try:
                if count:
                    waiting.forget(recorder.pending, count)
                return Kept(True, _projected(connection, recorder))
            except (sa.exc.SQLAlchemyError, OSError):
                return Kept(True, False)
    except (OmnicaseError, sa.exc.SQLAlchemyError, OSError):
        pass
    try:
        for each in told:
            waiting.keep(recorder, each)
    except OSError:
        return Kept(False, False, lost=True)
    return Kept(False, False)


def bring_up_to_date(recorder: Recorder) -> bool | None:
    """Append to the file what the outbox has beyond it; None when the target cannot be reached."""
    try:
        with _reading(recorder.workspace) as connection:
            return _projected(connection, recorder)
    except (OmnicaseError, sa.exc.SQLAlchemyError, OSError):
        return None


def _projected(connection: sa.Connection, recorder: Recorder) -> bool:
    good, cut = project(connection, recorder.file)
    if cut is not None:
        waiting.keep(recorder, cut)
    return good


@contextmanager
def _reading(workspace: Workspace) -> Iterator[sa.Connection]:
    url = workspace.target_url
    path = sa.make_url(url).database if url.startswith("sqlite") else None
    if path is not None and not Path(path).exists():
        # Connecting would make it.
        raise FileNotFoundError(path)
    with closing(target_engine(url).connect()) as connection:
        yield connection


@contextmanager
def _writing(workspace: Workspace) -> Iterator[sa.Connection]:
    """Open a transaction of the target that writes from its start."""
    with _reading(workspace) as connection:
        if connection.dialect.name == "sqlite":
            connection.begin()
            connection.exec_driver_sql("PRAGMA synchronous = FULL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def shown_words(path: str, given: Mapping[str, tuple[bool, bool, Any]], token: Callable[[str], str]) -> Iterator[str]:
    """Yield a command line as it may be shown to everybody.

    Args:
        path: the words of the verb.
        given: by option or argument, whether it is an option, whether its value may be shown, and the value.
        token: makes a keyed token of a value that may not.
    """
    yield from path.split()
    for name, (is_option, is_open, value) in given.items():
        values = value if isinstance(value, tuple | list) else [value]
        for each in values:
            if each is None or each is False:
                continue
            if is_option:
                yield name
            if each is not True:
                yield _NUMBER.sub(lambda found: token(found.group()), str(each)) if is_open else token(str(each))
