"""An entry of the evidence: one line of canonical JSON (RFC 8785) that holds the SHA-256 of the line before it."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from casemodel import BugError
from runbooks.signing import SigningKey, canonical

FORM = "omnicase evidence 1"
START = "0" * 64
"""What the first entry names as the one before it."""
MAX_LINE = 1_000_000
_NEEDED = {"form", "seq", "prev", "id", "kind", "project", "at", "who", "where", "what"}
_MORE = ("late", "clock", "signed")
_ALLOWED = _NEEDED | set(_MORE)
_PLAIN = {str, int, bool, type(None)}
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
_KIND = re.compile(r"[a-z][a-z-]{0,30}\Z")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: the number of its last entry and the SHA-256 (hex) of that line; of an empty one 0.

    project: the chain's own name, which its first entry made.
    """

    seq: int = 0
    hash: str = START
    project: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where entries come from: the same for all of one invocation.

    Args:
        project: name of the workspace and an id that the first entry of the chain made; no other project has both.
        who: ``user`` of the system, and ``person`` and ``key`` where somebody signs.
        where: ``host``, ``machine``, ``workspace``, ``environment``, ``target``.
    """

    project: str
    who: Mapping[str, str]
    where: Mapping[str, str]


@dataclass(frozen=True)
class Happening:
    """What an entry tells of, before it has a place in the chain.

    Args:
        kind: ``genesis``, ``run``, ``batch``, ``command``, ``verdict``, ``key``, ``approval``, ``seal`` …
        what: JSON of texts, whole numbers, truths, lists and objects; no personal value, no float.
        at: when it happened, UTC text of `instant`.
        id: an id of its own, so that what waited is chained once.
    """

    kind: str
    what: Mapping[str, Any]
    at: str = field(default_factory=lambda: instant(datetime.now(UTC)))
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


def instant(at: datetime) -> str:
    """Return a moment as entries write it: UTC, microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_line(
    after: Head,
    origin: Origin,
    told: Happening,
    *,
    at: str,
    late: str | None = None,
    clock: int | None = None,
    signer: SigningKey | None = None,
) -> bytes:
    """Return the line of the next entry, without its newline.

    Args:
        after: the end of the chain so far.
        at: when it is chained.
        late: when it happened, of what could not be chained then.
        clock: by how many seconds the clock stands before that of the last entry.
        signer: the machine's key: it signs the entry and with it the head before.
    """
    entry: dict[str, Any] = {
        "form": FORM,
        "seq": after.seq + 1,
        "prev": after.hash,
        "id": told.id,
        "kind": told.kind,
        "project": origin.project,
        "at": at,
        "who": dict(origin.who),
        "where": dict(origin.where),
        "what": dict(told.what),
    }
    if late is not None:
        entry["late"] = {"happened": late}
    if clock is not None:
        entry["clock"] = {"behind_seconds": clock}
    if signer is not None:
        entry["signed"] = signer.sign("entry", entry)
    line = canonical(entry)
    # Floats and keys outside ASCII are where writers of JSON differ.
    if parsed(line) is None or as_canonical(entry) != line:
        raise BugError(
            "EVI-010", f"an entry of the kind {told.kind} cannot be written so that everybody reads it alike: our bug",
            hint="Report this; the command itself is not affected.",
        )  # fmt: skip
    return line


def line_hash(line: bytes) -> str:
    """Return the SHA-256 (hex) of a line without its newline: what the next entry holds."""
    return hashlib.sha256(line).hexdigest()


def as_canonical(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as RFC 8785 writes it, by the standard library, since it has neither floats nor odd keys."""
    return "".join(_ENCODER.iterencode(entry, _one_shot=True)).encode("utf-8", "surrogatepass")


_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":"))
_DECODER = json.JSONDecoder()


def parsed(line: bytes) -> dict[str, Any] | None:
    """Return a line as an entry; None when it is none: not JSON, or a field is missing, unknown or of another type."""
    return read_line(line)[0]


def read_line(line: bytes) -> tuple[dict[str, Any] | None, bool]:
    """Return a line as an entry (None: it is none, see `parsed`), and whether it is written in canonical JSON.

    What orjson reads and writes again with sorted keys as the same bytes is canonical, and reads alike everywhere, if
    there is no float in it; everything else is asked of the standard library, which is what the small verifier has.
    """
    try:
        entry = orjson.loads(line)
        if orjson.dumps(entry, option=orjson.OPT_SORT_KEYS) == line and _is_entry(entry) and _is_without_floats(entry):
            return entry, True
    except (ValueError, TypeError, AttributeError):
        pass
    try:
        entry = _DECODER.decode(line.decode())
        return (entry, as_canonical(entry) == line) if _is_entry(entry) else (None, False)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None, False


def _is_entry(entry: Any) -> bool:
    """Return whether a value has the fields of an entry (raises what it likes for a value that is no object)."""
    if entry.keys() != _NEEDED and not _NEEDED <= entry.keys() <= _ALLOWED:
        return False
    seq = entry["seq"]
    return bool(
        type(seq) is int
        and 0 < seq < 2**53
        and entry["form"] == FORM
        and _HASH.match(entry["prev"])
        and _AT.match(entry["at"])
        and _KIND.match(entry["kind"])
        and type(entry["id"]) is type(entry["project"]) is str
        and type(entry["who"]) is type(entry["where"]) is type(entry["what"]) is dict
        and (len(entry) == len(_NEEDED) or all(type(entry.get(name, {})) is dict for name in _MORE))
    )


def _is_without_floats(entry: dict[str, Any]) -> bool:
    """Return whether an entry holds no float, however deep; most hold three objects of texts and whole numbers."""
    what, where, who = entry["what"], entry["where"], entry["who"]
    kinds = {*map(type, what.values()), *map(type, where.values()), *map(type, who.values())}
    if kinds <= _PLAIN and len(entry) == len(_NEEDED):
        # What else an entry has is text, and a number whose type is looked at anyway.
        return True
    return all(map(_holds_no_float, entry.values()))


def _holds_no_float(value: Any) -> bool:
    if type(value) is dict:
        return all(map(_holds_no_float, value.values()))
    return all(map(_holds_no_float, value)) if type(value) is list else type(value) is not float
