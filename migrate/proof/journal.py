"""The journal of a reconciliation on disk: what was judged of each mapping, until the last one is (`--resume`).

Each mapping has a folder; its manifest comes last and names the facts that the judgement rests on and the digests of
the other files, under a keyed digest of its own: what anybody else put there is not taken over.  What people do in the
new system meanwhile is not among the facts, and the report says of which mappings that holds.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import GuardError, Target
from mappings import children_of
from migrate import __version__
from migrate.ledger.store import table
from migrate.pipeline.failpoint import failpoint
from migrate.pipeline.standing import relations_read
from migrate.session import Session
from reconciliation import Judged, judged_from

FOLDER = "unfinished"
_MANIFEST = "manifest.json"
_SEEN = "seen:"
"""Before the number of a piece of the hashes of ids, among the names of frames."""
_EVENTS = ("run", "resolution", "wave_event", "purge")
"""Tables of the ledger in which a new row may change what is expected."""


@dataclass
class DiskJournal:
    """`reconciliation.Journal` in a folder of the workspace.

    asked: what the reconciliation was asked, as JSON values: another question has another answer.
    """

    folder: Path
    session: Session
    target: Target
    asked: Mapping[str, Any]
    unpromised: list[str] = field(default_factory=list)
    """Mappings that cannot be taken over: a source of theirs cannot promise that its rows are what they were."""
    _begun: dict[str, str | None] = field(default_factory=dict)

    def taken(self, mapping: str) -> Judged | None:
        """Return what was kept of a mapping, when its facts are what they were and its files are whole."""
        facts, folder = self._facts(mapping), self._of(mapping)
        self._begun[mapping] = facts
        if facts is None:
            self.unpromised.append(mapping)
            return None
        try:
            manifest = json.loads((folder / _MANIFEST).read_bytes())
            mac = manifest.pop("mac")
            if not hmac.compare_digest(mac, self._mac(manifest)) or manifest["facts"] != facts:
                return None
            if any(_digest(folder / name) != known for name, known in manifest["files"].items()):
                return None
            texts = json.loads((folder / "judged.json").read_bytes())
            files = manifest["frames"]
            frames = {name: pl.read_ipc(folder / file) for name, file in files.items() if not name.startswith(_SEEN)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError):
            return None
        ids = (pl.read_ipc(folder / file)["id"] for name, file in files.items() if name.startswith(_SEEN))
        return judged_from(texts, ids, frames if manifest["divided"] else None)

    def keep(self, mapping: str, judged: Judged) -> None:
        """Keep what was judged, unless what it rests on changed meanwhile; a full disk only costs the resuming."""
        facts = self._facts(mapping)
        if facts is not None and facts == self._begun.get(mapping):
            try:
                self._write(mapping, judged)
            except OSError:
                shutil.rmtree(self._of(mapping), ignore_errors=True)
        failpoint("after-proof")

    def _write(self, mapping: str, judged: Judged) -> None:
        folder = self._of(mapping)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        (folder / "judged.json").write_text(json.dumps(judged.texts(), ensure_ascii=False), encoding="utf-8")
        seen = ((f"{_SEEN}{number}", ids.to_frame("id")) for number, ids in enumerate(judged.ids))
        frames: dict[str, str] = {}
        for number, (name, frame) in enumerate(chain(seen, (judged.divided or {}).items())):
            frames[name] = f"frame{number}.arrow"
            frame.write_ipc(folder / frames[name])
        files = {name: _digest(folder / name) for name in ("judged.json", *frames.values())}
        manifest = {
            "facts": self._begun[mapping],
            "files": files,
            "frames": frames,
            "divided": judged.divided is not None,
        }
        draft = folder / f".{_MANIFEST}"
        draft.write_text(json.dumps(manifest | {"mac": self._mac(manifest)}), encoding="utf-8")
        draft.replace(folder / _MANIFEST)

    def _of(self, mapping: str) -> Path:
        return self.folder / hashlib.sha256(mapping.encode()).hexdigest()[:16]

    def _mac(self, manifest: Mapping[str, Any]) -> str:
        text = "omnicase journal 1\n" + json.dumps(manifest, sort_keys=True)
        return hmac.new(self.session.workspace.secrets.hash_key, text.encode(), hashlib.sha256).hexdigest()

    def _facts(self, mapping: str) -> str | None:
        """Return the digest of what the judgement of a mapping rests on, but for the records of the target.

        None where a source cannot promise that its rows are what they were, as one that others write to cannot.
        """
        session, files = self.session, self.session.files
        asked = [mapping, *(child.mapping for child in children_of(files[mapping], files))]
        contents = [
            session.source(files[name].system).content(relation)
            for name in asked
            for relation in relations_read(session.mapping(name))
        ]
        if None in contents:
            return None
        with self.target.engine.connect() as connection:
            events = [_newest(connection, name) for name in _EVENTS]
        facts = {
            "asked": dict(self.asked),
            "versions": [__version__, pl.__version__],
            "mapping": mapping,
            "meanings": sorted([each.name, each.file_digest, each.meaning] for each in map(session.mapping, files)),
            "sources": contents,
            "as_of": session.as_of.isoformat(),
            "target": self.target.name,
            "ledger": events,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _nothing_to_resume() -> GuardError:
    return GuardError(
        "REC-043",
        "there is no interrupted reconciliation to resume",
        hint="Leave --resume out: all mappings are compared.",
        place="reports/unfinished",
    )


@contextmanager
def journal_of(
    session: Session, target: Target, asked: Mapping[str, Any], *, resume: bool
) -> Iterator[DiskJournal | None]:
    """Give the journal of a reconciliation; it is removed when the block ends well.

    Without `resume` what an interrupted reconciliation kept is removed first.  While another reconciliation of the
    workspace is at work, or where none can be written, there is no journal.

    Raises:
        GuardError: REC-043 there is nothing to resume, REC-044 another reconciliation is at work.
    """
    folder = session.workspace.reports / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        if resume:
            raise _nothing_to_resume() from None
        handle = None
    if handle is None:
        yield None
        return
    try:
        if not _locked(handle):
            if resume:
                raise GuardError(
                    "REC-044",
                    "another reconciliation of this workspace is at work",
                    hint="Wait until it has ended, or leave --resume out.",
                    place="reports/unfinished",
                )
            yield None
            return
        kept = [each for each in folder.iterdir() if each.is_dir()]
        if resume and not kept:
            raise _nothing_to_resume()
        if not resume:
            _clear(kept)
        yield DiskJournal(folder, session, target, asked)
        _clear([each for each in folder.iterdir() if each.is_dir()])
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _clear(folders: Sequence[Path]) -> None:
    for each in folders:
        shutil.rmtree(each, ignore_errors=True)


def _newest(connection: sa.Connection, name: str) -> list[Any]:
    rows = table(connection, name)
    newest = connection.scalar(sa.select(sa.func.max(rows.c.id)))
    if name != "run" or newest is None:
        return [name, newest]
    state = connection.execute(sa.select(rows.c.state, rows.c.ended_at).where(rows.c.id == newest)).one()
    return [name, newest, *state]


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
