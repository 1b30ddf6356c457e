"""Keys for the terminal, in Dutch and English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from migrate.countersign import Countersigned
from migrate.keys import MadeKey
from runbooks import TrustedKey

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "made": (
        "Sleutel {id} van {person} ({roles}), geldig vanaf {start} tot {end}.",
        "Key {id} of {person} ({roles}), valid from {start} until {end}.",
    ),
    "no end": ("hij wordt ingetrokken", "it is revoked"),
    "public": (
        "Openbaar: keys/{person}-{id}.json. Leg het vast in git.",
        "Public: keys/{person}-{id}.json. Commit it.",
    ),
    "private": ("Geheim: {place}. Niemand anders mag het hebben.", "Private: {place}. Nobody else may have it."),
    "in the keyring": ("in de sleutelbos", "in the keyring"),
    "next": (
        "Hij telt als iemand anders ervoor instaat: omnicase key countersign {id} --by PERSOON",
        "It counts once somebody else vouches for it: omnicase key countersign {id} --by PERSON",
    ),
    "vouched": (
        "{by} ondertekende sleutel {id} van {person} ({roles}) mee.",
        "{by} countersigned key {id} of {person} ({roles}).",
    ),
    "counts": ("Sleutel {id} van {person} telt vanaf nu.", "Key {id} of {person} counts from now on."),
    "waiting": (
        "Hij telt zodra die van {by} telt: de eerste twee mensen ondertekenen elkaars sleutel.",
        "It counts once that of {by} does: the first two people countersign each other's.",
    ),
    "revoked": (
        "Sleutel {id} van {person} telt niet meer sinds {moment}.",
        "Key {id} of {person} counts for nothing since {moment}.",
    ),
    "none": (
        "Er zijn geen sleutels. Maak er een met `omnicase key new`.",
        "There are no keys. Make one with `omnicase key new`.",
    ),
    "countersigned by": ("medeondertekend door {names}", "countersigned by {names}"),
    "not countersigned": ("niet medeondertekend", "not countersigned"),
    "state valid": ("geldig", "valid"),
    "state revoked": ("ingetrokken", "revoked"),
    "state expired": ("verlopen", "expired"),
    "state not yet valid": ("nog niet geldig", "not yet valid"),
}


def made_lines(made: MadeKey, lang: str) -> Iterator[str]:
    """Return what is said of a new key: what it is, where its halves lie, and what comes next."""
    key = made.key
    end = key.valid_until or _word(lang, "no end")
    yield _of(lang, "made", key, start=key.valid_from, end=end)
    yield _of(lang, "public", key)
    yield _word(lang, "private", place=made.private or _word(lang, "in the keyring"))
    yield _of(lang, "next", key)


def vouched_lines(done: Countersigned, by: str, lang: str) -> Iterator[str]:
    """Return which keys a person countersigned, and which count from now on."""
    yield from (_of(lang, "vouched", key, by=by) for key in done.keys)
    yield from (_of(lang, "counts", key) for key in done.counting)
    if done.waiting:
        yield _word(lang, "waiting", by=by)


def listed_lines(found: Sequence[Mapping[str, Any]], lang: str) -> Iterator[str]:
    """Return one line per key."""
    for each in found:
        names = ", ".join(each["countersigned_by"])
        vouched = _word(lang, "countersigned by", names=names) if each["counts"] else _word(lang, "not countersigned")
        state = _word(lang, f"state {each['state']}")
        yield (
            f"{each['key']}  {state:<15}  {each['person']:<24}  {', '.join(each['roles'])}"
            f"  ({each['from']} … {each['revoked'] or each['until'] or ''})  {vouched}"
        )
    if not found:
        yield _word(lang, "none")


def revoked_lines(gone: TrustedKey, lang: str) -> Iterator[str]:
    """Return since when a key counts for nothing."""
    yield _of(lang, "revoked", gone, moment=gone.revoked)


def _of(lang: str, name: str, key: TrustedKey, **parts: object) -> str:
    return _word(lang, name, id=key.id, person=key.person, roles=", ".join(key.roles), **parts)


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
