"""`mapping check`: what is wrong with mapping files and their tests, and what it says for people and machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from textwrap import wrap
from typing import Any, Final

from casemodel import RefusedError, RefusedMany, printable
from mappings import declared_tolerances, errors_of_test, load_tests
from migrate.dutch import in_dutch
from migrate.mapping.code_use import unused_warnings
from migrate.opening import open_session
from migrate.profile import format_warnings
from migrate.session import Session
from migrate.workspace import Workspace
from reconciliation import tolerance_text

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "error": ("fout", "error"),
    "warning": ("waarschuwing", "warning"),
    "hint": ("advies", "hint"),
    "good": (
        "{n} mappings zijn in orde. Ze laden in deze volgorde: {order}.",
        "{n} mappings are in order. They load in this order: {order}.",
    ),
    "bad": ("Fouten: {errors}, waarschuwingen: {warnings}.", "Errors: {errors}, warnings: {warnings}."),
    "tolerance": ("tolerantie bij het aansluiten", "tolerance when reconciling"),
    "next": ("Verder: omnicase plan, of omnicase run", "Next: omnicase plan, or omnicase run"),
}
_WIDEST: Final = 120


@dataclass(frozen=True)
class Checked:
    """What a check of a workspace's mappings found."""

    errors: tuple[RefusedError, ...]
    warnings: tuple[RefusedError, ...]
    order: tuple[str, ...]
    tolerances: tuple[tuple[str, str, str], ...] = ()
    """Mapping, field or control, and what it tolerates."""

    def as_dict(self) -> dict[str, Any]:
        """Return the result for a machine."""
        return {
            "errors": [_shown(error) for error in self.errors],
            "warnings": [_shown(error) for error in self.warnings],
            "order": list(self.order),
            "tolerances": [
                {"mapping": mapping, "name": name, "tolerance": most} for mapping, name, most in self.tolerances
            ],
        }


def check_workspace(workspace: Workspace, as_of: date) -> Checked:
    """Check every mapping file and every test of a workspace, all errors at once."""
    try:
        with open_session(workspace, as_of) as session:
            found = session.check
            warnings = [*found.warnings, *format_warnings(workspace, session.files.values())]
            warnings += unused_warnings(session)
            errors = [*found.errors, *_errors_of_tests(session)]
            tolerances = [(name, *each) for name in found.order for each in declared_tolerances(session.files[name])]
    except RefusedMany as unreadable:
        return Checked(tuple(unreadable.errors), (), ())
    return Checked(tuple(errors), tuple(warnings), found.order, tuple(tolerances))


def _errors_of_tests(session: Session) -> list[RefusedError]:
    """Return what tests name and their mapping does not know; of a mapping with errors not much is known."""
    root = session.workspace.root
    try:
        tests = load_tests(root / "mappings", root, session.files)
    except RefusedMany as many:
        return list(many.errors)
    sound = {name: session.mapping(name) for name in session.check.compiled}
    return [
        error
        for test in tests
        if (mapping := sound.get(test.mapping)) is not None
        for error in errors_of_test(mapping, session.relation(mapping.system, mapping.relation), test)
    ]


def check_lines(checked: Checked, lang: str) -> Iterator[str]:
    """Return the result for a person."""
    for kind, errors in (("error", checked.errors), ("warning", checked.warnings)):
        for error in errors:
            yield f"{_word(lang, kind)} {error.code}  {error.place}: {_said(lang, error.message)}"
            yield f"  {_word(lang, 'hint')}: {_said(lang, error.hint)}"
    if checked.errors:
        yield _word(lang, "bad", errors=len(checked.errors), warnings=len(checked.warnings))
    else:
        good = _word(lang, "good", n=len(checked.order), order=", ".join(checked.order))
        yield from wrap(good, _WIDEST, break_long_words=False, break_on_hyphens=False)
        for mapping, name, most in checked.tolerances:
            yield f"{_word(lang, 'tolerance')}: {mapping} · {name}: {tolerance_text(lang, most)}"
        yield _word(lang, "next")


def _said(lang: str, text: str) -> str:
    """Return a message or hint in the language asked, in English where it has no other form."""
    return printable((in_dutch(text) if lang == "nl" else None) or text)


def _shown(error: RefusedError) -> dict[str, object]:
    place = error.place
    return {
        "code": error.code,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "message": error.message,
        "hint": error.hint,
    }


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
