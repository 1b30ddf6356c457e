"""What part of the relations a run reads, as it was asked on the command line: `--limit`, `--keys`."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from casemodel import UsageError, join_key, split_key
from mappings import CompiledMapping
from migrate.pipeline.part import Part
from migrate.session import Session
from migrate.shown import Shown

_PASS_ROWS = 200_000
_MASKED = "#"


@dataclass(frozen=True)
class Selection:
    """The mappings of a run in loading order, the part that is read of each, and what was asked for and is not there.

    unknown: keys that no row has, as they may be shown.
    facts: what tells two selections apart, and is kept with the run; no key in the clear.
    expected: source rows that are read of each mapping, as far as somebody can count them.
    """

    names: tuple[str, ...]
    part: Part | None = None
    unknown: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, int | None] = field(default_factory=dict)

    def digest(self, of_whole: str) -> str:
        """Return the digest of a run over the part, from that of a run over all."""
        if self.part is None:
            return of_whole
        return hashlib.sha256(json.dumps([of_whole, dict(self.facts)], sort_keys=True).encode()).hexdigest()


def key_texts(asked: Sequence[str]) -> tuple[str, ...]:
    """Return the keys that were asked for, each once: each word is a key, a file of keys (one a line), or ``-``.

    Raises:
        UsageError: RUN-052 the file cannot be read, or holds no key.
    """
    found: dict[str, None] = {}
    for word in asked:
        lines = [word]
        if word == "-":
            lines = sys.stdin.read().splitlines()
        elif os.path.isfile(word):  # noqa: PTH113 -- unlike Path's it takes a key of any length
            lines = _lines(Path(word))
        found.update(dict.fromkeys(line for line in lines if line.strip()))
    if asked and not found:
        raise UsageError(
            "RUN-052", "there is no key in what --keys was given", hint="Write one key a line.", place="--keys"
        )
    return tuple(found)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            "RUN-052",
            f"the file of keys {file.name} cannot be read as UTF-8 text",
            hint="`omnicase rejects export MAPPING > FILE` writes one.",
            place="--keys",
        ) from None


def select(session: Session, names: Sequence[str], limit: int | None, keys: Sequence[str]) -> Selection:
    """Return the part of the relations that is read, with how many rows that is.

    Args:
        names: the mappings of the run.
        limit: rows of each relation.
        keys: as `key_texts` gives them.

    Raises:
        UsageError: RUN-050 keys of more than one mapping, or with a limit; RUN-051 no row has any of the keys.
    """
    found = _selected(session, names, limit, keys)
    places = {name: (session.mapping(name).system, session.mapping(name).relation) for name in names}
    counted = {place: session.source(place[0]).count(place[1]) for place in dict.fromkeys(places.values())}
    rows = {name: counted[place] for name, place in places.items()}
    part = found.part
    return replace(found, expected=rows if part is None else {name: part.expected(each) for name, each in rows.items()})


def _selected(session: Session, names: Sequence[str], limit: int | None, keys: Sequence[str]) -> Selection:
    if not keys:
        all_of_it = Selection(tuple(names))
        return all_of_it if limit is None else replace(all_of_it, part=Part(limit=limit), facts={"limit": limit})
    if len(names) != 1 or limit is not None:
        raise UsageError(
            "RUN-050",
            "--keys needs the name of one mapping, and goes without --limit",
            hint="For example: omnicase run zaak.case --keys keys.txt",
            place="--keys",
        )
    mapping = session.mapping(names[0])
    found, unknown = _resolved(session, mapping, keys)
    if not found:
        raise UsageError(
            "RUN-051",
            f"the source has no row with {'this key' if len(keys) == 1 else f'any of these {len(keys)} keys'}",
            hint="Copy keys from `omnicase rejects list` or `rejects export`; parts are joined by |.",
            place=mapping.name,
        )
    digest = hmac.new(session.workspace.secrets.hash_key, "\n".join(sorted(found)).encode(), hashlib.sha256)
    facts = {"keys": len(found), "keys_digest": digest.hexdigest()[:32]}
    return Selection(tuple(names), Part(keys=pl.Series("key", sorted(found))), unknown, facts)


def _resolved(
    session: Session, mapping: CompiledMapping, asked: Iterable[str]
) -> tuple[set[str], tuple[str, ...]]:
    """Return the canonical keys that rows have, and those asked for that none has."""
    shown = Shown(session)
    texts = {join_key(split_key(text)): text for text in asked}
    wanted = pl.Series("key", list(texts))
    tokens = {text for text in texts if text.startswith(_MASKED)} if shown.key_is_personal(mapping) else set()
    found: dict[str, str] = {}
    source = session.source(mapping.system)
    for frame in source.columns(mapping.relation, mapping.key_columns, _PASS_ROWS):
        keys = mapping.keys_only(frame)["_key"].drop_nulls().unique()
        found.update({key: key for key in keys.filter(keys.is_in(wanted.implode()))})
        if tokens:
            masked = ((shown.key_text(mapping, key), key) for key in keys)
            found.update({text: key for text, key in masked if text in tokens})
    unknown = tuple(
        text if text in tokens else shown.key_text(mapping, text) for text in texts if text not in found
    )
    return set(found.values()), unknown
