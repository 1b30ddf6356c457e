"""What can be wrong with evidence: a kind for each, in words, and the verdict that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from runbooks.evidence.entries import Head

MOST = 100
"""So many problems are listed; what follows a break is seldom worth more."""

KINDS: Final = {
    "missing": "there is no evidence at all",
    "malformed": "the line is no entry: not JSON, or a field is missing, unknown or of another type",
    "not-canonical": "the entry is not written in canonical JSON (RFC 8785)",
    "edited": "its bytes are not those of which the next entry holds the hash, or its number or project was changed",
    "removed": "an entry that stood here is gone",
    "reordered": "the entry stands further on",
    "duplicated": "an entry stands here a second time",
    "inserted": "an entry stands here that no other entry names",
    "forked": "a second entry follows the same entry",
    "another-project": "the entry belongs to another project",
    "torn": "the last line breaks off",
    "cut-off": "entries that were seen once are gone from the end",
    "rewritten": "at this number stood another entry when somebody signed or kept its hash",
    "line-endings": "an editor or a transfer changed line endings or blanks at their ends, or put a mark in front",
    "no-genesis": "the first entry does not begin a chain",
    "clock": "the clock stands before that of the entry before, and the entry does not say so",
    "unsigned": "the machine has a key and did not sign the entry",
    "unknown-key": "it is signed with a key that is not in the trust folder",
    "unannounced-key": "a key of the trust folder that no entry tells of, or tells of otherwise",
    "uncountersigned-key": "a key, or its revocation, that nobody countersigned who may, or not yet",
    "missing-key": "a key that entries tell of is not in the trust folder",
    "revoked-key": "it is signed with a key that was revoked",
    "expired-key": "it is signed with a key that did not count yet or no longer",
    "wrong-role": "it is signed by somebody without the role that was asked for",
    "bad-signature": "the signature is not that of its key under what it stands under",
    "self-approval": "whoever runs approved it",
    "replayed-approval": "an approval stands here a second time, or for something else than it was given for",
}
"""Every kind of problem."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong.

    Args:
        entry: number of the entry, or of the place where it should stand; 0: the evidence as a whole.
        kind: one of `KINDS`.
        message: what, in a sentence without values of people.
    """

    entry: int
    kind: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as JSON values."""
        return {"entry": self.entry, "kind": self.kind, "message": self.message}


@dataclass(frozen=True)
class Verdict:
    """What verification found.

    Args:
        entries: how many lines were read as entries.
        head: the last of them.
        problems: what is wrong, by entry; none: it is valid.
        notes: what the evidence says of itself (late entries, declared clocks).
        unproven: what cannot be proven from what was given.
    """

    entries: int
    head: Head
    project: str
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    unproven: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as the JSON of the command-line contract."""
        return {
            "valid": self.valid,
            "entries": self.entries,
            "head": self.head.hash,
            "seq": self.head.seq,
            "project": self.project,
            "problems": [each.as_dict() for each in self.problems],
            "notes": list(self.notes),
            "unproven": list(self.unproven),
        }
