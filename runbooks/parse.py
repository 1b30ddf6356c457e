"""From the text of a runbook to its steps; whatever is wrong is a finding with its line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from casemodel import PlacedDict, RefusedError, parse_strict_yaml
from runbooks.findings import LintFinding, nearest
from runbooks.opening import NAME, Wrong, check_keys, check_values, count, names, read_pairs, seconds, statuses
from runbooks.runbook import CONSOLE, KINDS, Runbook, Step

_FRONT: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_FRONT_KEYS: Final = ("runbook", "title", "version", "environment", "wave", "roles")
_FRONT_NEEDED: Final = ("runbook", "title", "version", "roles")
_PERSON: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,79}")
_MOST_BYTES: Final = 1_000_000
_MOST_STEPS: Final = 500


@dataclass(frozen=True)
class Parsed:
    """A runbook and what is wrong with it; without a front matter that can be read there is no runbook."""

    runbook: Runbook | None
    findings: tuple[LintFinding, ...]
    tokens: tuple[Token, ...] = ()
    first_line: int = 0
    """How many lines stand before the first line of the Markdown."""


def parse_runbook(data: bytes, file: str) -> Parsed:
    """Read a runbook.

    Args:
        data: the bytes of the file.
        file: how it is named in findings.
    """
    if len(data) > _MOST_BYTES:
        return _unreadable(file, f"the file is larger than {_MOST_BYTES:,} bytes", "Split the procedure.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _unreadable(file, "the file is not UTF-8 text", "Save it as UTF-8.")
    front = _FRONT.match(text)
    if front is None:
        hint = "Begin with a line ---, the keys runbook, title, version and roles, and a line ---."
        return _unreadable(file, "there is no front matter", hint)
    try:
        # The line of the dashes stays, empty, so that the lines of what is wrong are those of the file.
        settings = parse_strict_yaml(b"\n" + front[1].encode(), shown_as=file)
    except RefusedError as error:
        found = LintFinding(file, error.place.line or 1, "RBK-101", f"front matter: {error.message}", error.hint)
        return Parsed(None, (found,))
    before = text[: front.end()].count("\n") + 1
    tokens = tuple(MarkdownIt("commonmark").parse(text[front.end() :].partition("\n")[2]))
    findings = list(_front_findings(settings, file))
    steps, wrong = _steps(tokens, text.splitlines(), before, file)
    runbook = _runbook(settings, steps, file, data, text)
    return Parsed(runbook, tuple(sorted([*findings, *wrong])), tokens, before)


def _unreadable(file: str, message: str, hint: str) -> Parsed:
    return Parsed(None, (LintFinding(file, 1, "RBK-101", message, hint),))


def _front_findings(settings: PlacedDict, file: str) -> Iterator[LintFinding]:
    for name in settings:
        if name not in _FRONT_KEYS:
            hint = nearest(name, _FRONT_KEYS)
            yield LintFinding(file, settings.key_places[name][0], "RBK-103", f"the key '{name[:40]}' is unknown", hint)
    for name in _FRONT_NEEDED:
        if name not in settings:
            yield LintFinding(file, 1, "RBK-102", f"the front matter has no {name}", f"Add {name}: between the dashes.")
    for name, (good, hint) in _FORMS.items():
        if name in settings and not (isinstance(settings[name], str) and re.fullmatch(good, settings[name])):
            yield LintFinding(file, settings.value_places[name][0], "RBK-104", f"the value of {name} is wrong", hint)
    if "roles" in settings:
        yield from _role_findings(settings, file)


_FORMS: Final = {
    "runbook": (r"[a-z0-9][a-z0-9_-]{0,39}", "Small letters, digits, - and _, at most 40."),
    "title": (r"[^\n]{1,120}", "One line of at most 120 characters."),
    "version": (r"[1-9]\d{0,5}", "A whole number from 1; raise it with each change."),
    "environment": (r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}", "Name an entry of environments: in workspace.yml."),
    "wave": (r"[a-z0-9][a-z0-9_-]{0,39}", "Name a wave of workspace.yml."),
}


def _role_findings(settings: PlacedDict, file: str) -> Iterator[LintFinding]:
    roles = settings["roles"]
    if not isinstance(roles, PlacedDict) or not roles:
        hint = "Write roles: with a line role: [person, person] for each."
        yield LintFinding(file, settings.value_places["roles"][0], "RBK-104", "roles is not a list of roles", hint)
        return
    for role, persons in roles.items():
        line = roles.key_places[role][0]
        if not NAME.fullmatch(role):
            yield LintFinding(
                file, line, "RBK-104", f"'{role[:40]}' is no name of a role", "Small letters, digits, - and _."
            )
        given = [] if persons == "" else persons
        if not isinstance(given, list) or not all(isinstance(each, str) and _PERSON.fullmatch(each) for each in given):
            yield LintFinding(
                file, line, "RBK-104", f"the persons of {role[:40]} are wrong", "Write [m.engineer, f.beheer]."
            )
        elif len(set(given)) < len(given):
            yield LintFinding(file, line, "RBK-104", f"a person stands twice in {role[:40]}", "Remove one of the two.")


def _runbook(settings: PlacedDict, steps: tuple[Step, ...], file: str, data: bytes, text: str) -> Runbook:
    def text_of(name: str) -> str:
        value = settings.get(name, "")
        return value if isinstance(value, str) else ""

    roles: dict[str, tuple[str, ...]] = {}
    given: Any = settings.get("roles")
    if isinstance(given, PlacedDict):
        for role, persons in given.items():
            listed = persons if isinstance(persons, list) else []
            roles[role] = tuple(each for each in listed if isinstance(each, str))
    version = text_of("version")
    lines = {name: place[0] for name, place in settings.key_places.items()}
    if isinstance(given, PlacedDict):
        lines |= {f"roles.{role}": place[0] for role, place in given.key_places.items()}
    return Runbook(
        text_of("runbook"),
        text_of("title"),
        int(version) if version.isascii() and version.isdigit() else 0,
        text_of("environment") or None,
        text_of("wave") or None,
        roles,
        steps,
        file,
        hashlib.sha256(data).hexdigest(),
        text,
        lines,
    )


def _steps(
    tokens: tuple[Token, ...], lines: list[str], before: int, file: str
) -> tuple[tuple[Step, ...], list[LintFinding]]:
    steps: list[Step] = []
    found: list[LintFinding] = []
    title, about = "", ""
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            title, about = tokens[position + 1].content, ""
        elif token.type == "inline" and tokens[position - 1].type == "paragraph_open":
            about = f"{about}\n\n{token.content}".strip()
        elif token.type == "fence" and token.map is not None:
            line = before + token.map[0] + 1
            step, wrong = _step(token, line, title, about)
            if not _closed(token, lines, before):
                hint = "Close it with a line of as many ` as it opens with; all that follows is inside it now."
                wrong.append(Wrong("RBK-118", "the block is not closed", hint))
            found += [LintFinding(file, line, each.code, each.message, each.hint) for each in wrong]
            if step is not None:
                twin = next((each for each in steps if each.id == step.id), None)
                if twin is not None:
                    message = f"the id '{step.id}' is that of the step on line {twin.line} too"
                    found.append(LintFinding(file, line, "RBK-116", message, "Give one of them another id."))
                steps.append(step)
                about = ""
    if len(steps) > _MOST_STEPS:
        found.append(
            LintFinding(file, 1, "RBK-104", f"there are more than {_MOST_STEPS} steps", "Split the procedure.")
        )
    return tuple(steps), found


def _closed(token: Token, lines: list[str], before: int) -> bool:
    assert token.map is not None
    last = lines[min(before + token.map[1], len(lines)) - 1].strip().lstrip("> ")
    inside = token.content.count("\n") + 1
    return token.map[1] - token.map[0] > inside and set(last) == {token.markup[0]} and len(last) >= len(token.markup)


def _step(token: Token, line: int, title: str, about: str) -> tuple[Step | None, list[Wrong]]:
    """Read one fenced block; what is no step gives none."""
    kind, _, rest = token.info.strip().partition(" ")
    if kind not in KINDS:
        if re.search(r"(^|\s)(id|owner|timeout)=", rest) or nearest(kind, KINDS, "?") != "?":
            return None, [Wrong("RBK-110", f"'{kind[:40]}' is no kind of step", nearest(kind, KINDS))]
        return None, []
    pairs, wrong = read_pairs(rest)
    wrong += check_keys(kind, pairs)
    wrong += check_values(pairs)
    body = [(line + number, text.strip()) for number, text in enumerate(token.content.splitlines(), 1)]
    commands = tuple((at, text) for at, text in body if text) if kind == CONSOLE else ()
    if not token.content.strip():
        what = {"console": "a command", "manual": "what to do", "gate": "a condition"}[kind]
        wrong.append(Wrong("RBK-117", "the step is empty", f"Write {what} between the fences."))
    step = Step(
        kind,
        pairs.get("id", ""),
        pairs.get("owner", ""),
        seconds(pairs.get("timeout", "")),
        title,
        about,
        commands,
        "" if kind == CONSOLE else token.content.strip(),
        statuses(pairs.get("expect", "0")) or (0,),
        pairs.get("rollback") or None,
        pairs.get("irreversible") or None,
        count(pairs.get("approvals", "")) or 0,
        names(pairs.get("roles", "")),
        line,
        line + 1,
    )
    return (step if step.id else None), wrong
