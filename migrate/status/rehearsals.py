"""The history of rehearsals: each run leaves a small file in the workspace, since its target may be dropped.

The files hold counts, codes and names of mappings and fields; nothing of a row.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import hmac
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from casemodel import OmnicaseError, Target
from migrate import __version__
from migrate.ledger.store import table
from migrate.ledger.undo import ROLLED_BACK
from migrate.status.books import run_books
from migrate.workspace import Workspace

FOLDER: Final = "history"
FORMAT: Final = "omnicase rehearsal 1"
_COUNTS: Final = ("read", "rejected", "parked", "conflict", "late")
_LOADED: Final = ("inserted", "updated", "unchanged", "merged")


@dataclass(frozen=True)
class Judged:
    """What the last reconciliation of the whole after a run found."""

    at: str
    verdict: str
    differences: int
    waived: int
    seconds: float


@dataclass(frozen=True)
class Rehearsal:
    """One run as its file has it.

    seconds: from its first start to its end.
    target: tells targets apart; another one after the target was dropped and made anew.
    part: what was read of the relations, when not all of it.
    """

    run: int
    label: str | None
    state: str
    started_at: str
    ended_at: str
    seconds: float
    target: str
    part: str | None
    mappings: tuple[dict[str, Any], ...]
    rejects: tuple[dict[str, Any], ...]
    reconciled: Judged | None = None

    def total(self, name: str) -> int:
        """Return a count over all mappings: one of the books, or ``loaded``."""
        names = _LOADED if name == "loaded" else (name,)
        return sum(int(each[part]) for each in self.mappings for part in names)


@dataclass(frozen=True)
class History:
    """The runs of a workspace, oldest first, and how many of its files could not be read."""

    rehearsals: tuple[Rehearsal, ...]
    unreadable: int
    documents: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return {history: […]}."""
        return {"history": list(self.documents), "unreadable": self.unreadable}


@contextlib.contextmanager
def remembered(workspace: Workspace, target: Target, run_id: int) -> Iterator[None]:
    """Write down how a run ended, however it does; that it cannot be written is a warning and nothing more."""
    try:
        yield
    finally:
        try:
            document = _document(workspace, target, run_id)
            _write(workspace.reports / FOLDER / _name(document), document)
        except (OSError, sa.exc.SQLAlchemyError, OmnicaseError) as error:
            cause = error.strerror if isinstance(error, OSError) else "the ledger cannot be read"
            print(f"The history of rehearsals could not be written ({cause}): {FOLDER}/ in reports/.", file=sys.stderr)


def taken_back(workspace: Workspace, target: Target, run_id: int) -> None:
    """Note in what a run left that it was rolled back; that it cannot be noted is a warning and nothing more."""
    try:
        file = workspace.reports / FOLDER / file_of(workspace, target, run_id)
        _write(file, json.loads(file.read_text(encoding="utf-8")) | {"state": ROLLED_BACK})
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is no history"
        print(f"The history of rehearsals could not be written ({cause}): {FOLDER}/ in reports/.", file=sys.stderr)


def judged(workspace: Workspace, target: Target, run_id: int, found: Judged) -> None:
    """Note in what a run left what a reconciliation found; that it cannot be noted is a warning and nothing more."""
    try:
        file = workspace.reports / FOLDER / file_of(workspace, target, run_id)
        document = json.loads(file.read_text(encoding="utf-8"))
        _write(file, document | {"reconciled": dataclasses.asdict(found)})
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is no history"
        print(f"The history of rehearsals could not be written ({cause}): {FOLDER}/ in reports/.", file=sys.stderr)


def file_of(workspace: Workspace, target: Target, run_id: int) -> str:
    """Return the name of the file that a run left in the history."""
    with target.engine.connect() as connection:
        run = table(connection, "run")
        started = connection.scalar(sa.select(run.c.started_at).where(run.c.id == run_id))
        first = connection.scalar(sa.select(run.c.started_at).order_by(run.c.id).limit(1))
    return _name({"run": run_id, "started_at": started, "target": _fingerprint(workspace, target, str(first))})


def _document(workspace: Workspace, target: Target, run_id: int) -> dict[str, Any]:
    books = run_books(target, run_id)
    with target.engine.connect() as connection:
        run, issue, mapping, progress = (table(connection, name) for name in ("run", "issue", "mapping", "progress"))
        facts = connection.execute(sa.select(run).where(run.c.id == run_id)).mappings().one()
        first = connection.scalar(sa.select(run.c.started_at).order_by(run.c.id).limit(1))
        count = sa.func.count().label("rows")
        mine = sa.select(progress.c.mapping_id).where(progress.c.run_id == run_id)
        causes = connection.execute(
            sa.select(mapping.c.name.label("mapping"), issue.c.code, issue.c.field, count)
            .join(mapping, mapping.c.id == issue.c.mapping_id)
            .where(issue.c.severity == "error", issue.c.mapping_id.in_(mine))
            .group_by(mapping.c.name, issue.c.code, issue.c.field)
            .order_by(count.desc(), mapping.c.name, issue.c.code, issue.c.field)
        ).mappings()
        rejects = [dict(row) for row in causes]
    ended = facts["ended_at"] or facts["started_at"]
    return {
        "format": FORMAT,
        "run": run_id,
        "label": facts["label"],
        "state": facts["state"],
        "started_at": facts["started_at"],
        "ended_at": ended,
        "seconds": round((_moment(ended) - _moment(facts["started_at"])).total_seconds(), 1),
        "as_of": facts["as_of"],
        "program": __version__,
        "environment": workspace.env,
        "target": _fingerprint(workspace, target, str(first)),
        "part": part_of(json.loads(facts["command"])),
        "retries": facts["retries"],
        "balanced": books.balanced,
        "mappings": [each.as_dict() for each in books.mappings],
        "rejects": rejects,
    }


def part_of(command: dict[str, Any]) -> str | None:
    """Return the part of the relations that a run read, as it was asked for; None when it was all."""
    if "limit" in command:
        return f"--limit {command['limit']}"
    return f"--keys ({command['keys']})" if "keys" in command else None


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f")  # noqa: DTZ007 -- both ends are UTC


def _fingerprint(workspace: Workspace, target: Target, first: str) -> str:
    url = target.engine.url.set(username=None, password=None, query={})
    text = f"{url.render_as_string()} {first}".encode()
    return hmac.new(workspace.secrets.hash_key, text, hashlib.sha256).hexdigest()[:12]


def _name(document: dict[str, Any]) -> str:
    started = "".join(char for char in document["started_at"][:19] if char.isdigit())
    return f"{started}-run-{document['run']}-{document['target'][:6]}.json"


def _write(file: Path, document: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
        Path(draft).replace(file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def read_history(workspace: Workspace) -> History:
    """Read what the runs of a workspace left, oldest first; no target is needed."""
    documents: list[dict[str, Any]] = []
    found: list[Rehearsal] = []
    files = sorted((workspace.reports / FOLDER).glob("*.json"))
    for file in files:
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            found.append(_rehearsal(document))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        documents.append(document)
    order: Sequence[int] = sorted(range(len(found)), key=lambda place: (found[place].started_at, found[place].run))
    return History(
        tuple(found[place] for place in order), len(files) - len(found), tuple(documents[place] for place in order)
    )


def _rehearsal(document: dict[str, Any]) -> Rehearsal:
    if document["format"] != FORMAT:
        raise ValueError(FORMAT)
    made = Rehearsal(
        run=int(document["run"]),
        label=None if document["label"] is None else str(document["label"]),
        state=str(document["state"]),
        started_at=str(document["started_at"]),
        ended_at=str(document["ended_at"]),
        seconds=float(document["seconds"]),
        target=str(document["target"]),
        part=None if document["part"] is None else str(document["part"]),
        mappings=tuple(dict(each) for each in document["mappings"]),
        rejects=tuple(dict(each) for each in document["rejects"]),
        reconciled=_judged(document.get("reconciled")),
    )
    # Whoever shows it counts on these.
    for moment in (made.started_at, made.ended_at):
        _moment(moment)
    for name in (*_COUNTS, *_LOADED):
        made.total(name)
    for each in made.rejects:
        int(each["rows"]), str(each["mapping"]), str(each["code"]), str(each["field"])
    for each in made.mappings:
        str(each["mapping"])
    return made


def _judged(found: dict[str, Any] | None) -> Judged | None:
    if found is None:
        return None
    return Judged(
        at=str(found["at"]),
        verdict=str(found["verdict"]),
        differences=int(found["differences"]),
        waived=int(found["waived"]),
        seconds=float(found["seconds"]),
    )
