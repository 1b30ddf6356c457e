"""The line that opens a step: ``console id=load owner=engineer timeout=2h expect=0,3 rollback=undo-load``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runbooks.findings import nearest
from runbooks.runbook import CONSOLE, GATE, MANUAL

_OF_ALL: Final = ("id", "owner", "timeout")
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    CONSOLE: (*_OF_ALL, "expect", "rollback", "irreversible"),
    MANUAL: (*_OF_ALL, "rollback", "irreversible"),
    GATE: (*_OF_ALL, "approvals", "roles"),
}
"""The keys of each kind of step."""
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    CONSOLE: _OF_ALL,
    MANUAL: _OF_ALL,
    GATE: ("id", "owner", "approvals", "roles"),
}
"""Those that it must have; a gate without a timeout lets an approval count for a day."""
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_PAIR = re.compile(r'\s*([^\s="]+)(?:=(?:"([^"]*)"|([^\s"]+)))?(?=\s|$)')
_SPAN = re.compile(r"([1-9]\d{0,4})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_MOST_SECONDS: Final = 366 * 86_400
_MOST_APPROVALS: Final = 9


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault in an opening line: code, message and hint of a finding."""

    code: str
    message: str
    hint: str


def read_pairs(text: str) -> tuple[dict[str, str], list[Wrong]]:
    """Return the keys and values after the kind, and what is wrong with the line."""
    found: dict[str, str] = {}
    wrong: list[Wrong] = []
    at = 0
    while text[at:].strip():
        pair = _PAIR.match(text, at)
        if pair is None:
            shape = 'Write key=value, or key="several words", with spaces between.'
            return found, [
                *wrong,
                Wrong("RBK-111", f"the line cannot be read from '{text[at:].strip()[:30]}' on", shape),
            ]
        name, value = pair[1], pair[2] if pair[2] is not None else pair[3]
        if value is None:
            wrong.append(Wrong("RBK-111", f"'{name[:40]}' has no value", f"Write {name[:40]}=value."))
        elif name in found:
            wrong.append(Wrong("RBK-113", f"the key '{name}' stands twice", "Remove one of the two."))
        else:
            found[name] = value
        at = pair.end()
    return found, wrong


def check_keys(kind: str, pairs: Mapping[str, str]) -> list[Wrong]:
    """Find unknown and lacking keys of a step."""
    wrong = [
        Wrong("RBK-112", f"a {kind} step has no key '{name[:40]}'", nearest(name, KEYS[kind]))
        for name in pairs
        if name not in KEYS[kind]
    ]
    lacking = [name for name in NEEDED[kind] if not pairs.get(name)]
    hints = {
        "id": "Add id=name: small letters, digits, - and _.",
        "owner": "Add owner=role, a role of the front matter.",
        "timeout": "Add timeout=30m (s, m, h or d).",
        "approvals": "Add approvals=2: how many people must approve.",
        "roles": "Add roles=owner,administrator: who may approve.",
    }
    return wrong + [Wrong("RBK-114", f"the step has no {name}", hints[name]) for name in lacking]


def check_values(pairs: Mapping[str, str]) -> list[Wrong]:
    """Find values that mean nothing."""
    wrong = []
    for name in ("id", "owner", "rollback"):
        if pairs.get(name) and not NAME.fullmatch(pairs[name]):
            hint = "Small letters, digits, - and _, at most 40, beginning with a letter or digit."
            wrong.append(Wrong("RBK-115", f"{name}={pairs[name][:40]} is no name", hint))
    if pairs.get("timeout") and seconds(pairs["timeout"]) is None:
        hint = "Write a number with s, m, h or d, such as 90s, 30m, 2h or 2d; at most 366d."
        wrong.append(Wrong("RBK-115", f"timeout={pairs['timeout'][:40]} is no span of time", hint))
    if "expect" in pairs and statuses(pairs["expect"]) is None:
        hint = "Write exit statuses with commas, such as 0,3."
        wrong.append(Wrong("RBK-115", f"expect={pairs['expect'][:40]} lists no exit statuses", hint))
    if pairs.get("approvals") and count(pairs["approvals"]) is None:
        hint = f"Write a number from 1 to {_MOST_APPROVALS}."
        wrong.append(Wrong("RBK-115", f"approvals={pairs['approvals'][:40]} is no number of people", hint))
    if "irreversible" in pairs and len(pairs["irreversible"].strip()) < 3:
        wrong.append(Wrong("RBK-115", "irreversible has no reason", 'Write irreversible="why it cannot be undone".'))
    return wrong


def seconds(text: str) -> int | None:
    """Return a span of time in seconds, or None when the text is none."""
    found = _SPAN.fullmatch(text)
    span = int(found[1]) * _SECONDS[found[2]] if found else 0
    return span if 0 < span <= _MOST_SECONDS else None


def statuses(text: str) -> tuple[int, ...] | None:
    """Return exit statuses of a list with commas, or None when the text is none."""
    parts = text.split(",")
    if not all(re.fullmatch(r"\d{1,3}", part, re.ASCII) and int(part) <= 255 for part in parts):
        return None
    return tuple(sorted({int(part) for part in parts}))


def count(text: str) -> int | None:
    """Return a number of approvals, or None when the text is none."""
    found = int(text) if re.fullmatch(r"\d", text, re.ASCII) else 0
    return found if 0 < found <= _MOST_APPROVALS else None


def names(text: str) -> tuple[str, ...]:
    """Return the names of a list with commas."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
