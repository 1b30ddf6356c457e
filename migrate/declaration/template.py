"""The template of the declaration: the shipped one or the municipality's own, filled in a sandbox.

A template is data of the workspace, not code of ours: it reaches the facts and nothing else, what it shows is escaped,
and what it asks for and is not there is refused by name and line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from casemodel import Place, RefusedError, RefusedMany, printable, read_regular_file
from migrate.declaration.blanks import DOTS, Blank, blanks
from migrate.declaration.words import word
from reconciliation import figure, issue_text

FOLDER: Final = "declaration"
LANGUAGES: Final = ("nl", "en")
_ZONE = ZoneInfo("Europe/Amsterdam")
_LARGEST = 1_000_000
_LONGEST_PAGE = 50_000_000
_VERSION = re.compile(r"""{%-?\s*set\s+template_version\s*=\s*["']([^"'\n]{1,40})["']\s*-?%}""")


@dataclass(frozen=True)
class Template:
    """The text of a template: its name as it may be shown, and where it came from."""

    name: str
    source: str
    shipped: bool

    @property
    def version(self) -> str | None:
        """What the template says its version is: ``{% set template_version = "3" %}``."""
        found = _VERSION.search(self.source)
        return found.group(1) if found else None

    def as_dict(self) -> dict[str, Any]:
        """Return name, version and digest, as they stand in a declaration."""
        return {
            "name": self.name,
            "version": self.version or Blank("not_kept"),
            "sha256": hashlib.sha256(self.source.encode()).hexdigest(),
            "shipped": self.shipped,
        }


def shipped_template(lang: str) -> Template:
    """Return the template that comes with the program."""
    name = f"declaration.{lang}.html.j2"
    return Template(name, (files("migrate") / "templates" / name).read_text("utf-8"), shipped=True)


def find_template(root: Path, lang: str, named: Path | None) -> Template:
    """Return the template to fill: the named one, else ``declaration/LANG.html.j2`` of the workspace, else ours.

    Raises:
        RefusedError: DCL-001 it cannot be read, is too large or is no text.
    """
    own = root / FOLDER / f"{lang}.html.j2"
    if named is None and not (own.exists() or own.is_symlink()):
        return shipped_template(lang)
    path = named or own
    shown = named.name if named else f"{FOLDER}/{own.name}"
    if named is None and (own.is_symlink() or own.parent.is_symlink()):
        _unreadable(shown, "it is a symbolic link")
    try:
        content = read_regular_file(path)
    except (OSError, ValueError) as error:
        _unreadable(shown, getattr(error, "strerror", None) or "the name cannot be used")
    if len(content) > _LARGEST:
        _unreadable(shown, f"it is larger than {_LARGEST} bytes")
    try:
        return Template(shown, content.decode("utf-8"), shipped=False)
    except UnicodeDecodeError as error:
        _unreadable(shown, f"it is not UTF-8 text (byte {error.start})")


def fill(template: Template, facts: dict[str, Any], lang: str) -> str:
    """Return the page: the template with the facts in it.

    Raises:
        RefusedError: DCL-002 it is no template; DCL-003 it asks for something that is not there; DCL-004 it asks for
            what a template may not; DCL-005 it cannot be filled.
    """
    variables = {**facts, "template": template.as_dict(), "lang": lang, "blank_count": blanks(facts)}
    environment = _environment(template, lang)
    _look_over(environment, template, {*variables, *environment.globals})
    page: list[str] = []
    length = 0
    try:
        for part in environment.get_template(template.name).generate(variables):
            length += len(part)
            if length > _LONGEST_PAGE:
                _refuse(template, "DCL-005", "the page becomes too long", None)
            page.append(part)
    except _Unknown as error:
        _refuse(template, "DCL-003", f"it asks for '{printable(error.name)}', which a declaration does not have", error)
    except SecurityError as error:
        _refuse(template, "DCL-004", "it asks for something that a template may not reach", error)
    except TemplateNotFound as error:
        _refuse(template, "DCL-004", "it asks for another file; a template is one file", error)
    except (
        TemplateError,
        ArithmeticError,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        RecursionError,
    ) as error:
        _refuse(template, "DCL-005", "it cannot be filled: a calculation or filter does not fit the value", error)
    return "".join(page)


class _Unknown(Exception):
    """A name that the facts do not have."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Absent(StrictUndefined):
    """What stands for a name that is not there: whatever is done with it is refused."""

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        if self._undefined_exception is SecurityError:
            raise SecurityError
        raise _Unknown(str(self._undefined_name or "?"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._fail_with_undefined_error()

    __iter__ = __str__ = __len__ = __bool__ = _fail_with_undefined_error
    __eq__ = __ne__ = __hash__ = __contains__ = _fail_with_undefined_error
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = __call__ = __getitem__ = _fail_with_undefined_error


class _Sandbox(ImmutableSandboxedEnvironment):
    """Facts and loops have attributes, texts and numbers have none, and no sum grows without end."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Tell whether a template may reach an attribute."""
        if isinstance(obj, dict):
            return attr in ("items", "keys", "values")
        return isinstance(obj, LoopContext) and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Multiply and divide small numbers; texts and powers can become as large as memory."""
        if operator == "**" or not all(isinstance(each, int | float) and abs(each) < 1e15 for each in (left, right)):
            raise ValueError(operator)
        return super().call_binop(context, operator, left, right)


def _environment(template: Template, lang: str) -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(
        loader=DictLoader({template.name: template.source}),
        undefined=_Absent,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: _shown(value, lang),
    )
    # What is shown is always escaped, the same every time, and no longer than what it shows.
    for name in ("safe", "pprint", "random", "xmlattr", "urlize", "center", "format", "indent", "tojson"):
        environment.filters.pop(name, None)
    for name in ("lipsum", "cycler", "joiner", "dict"):
        environment.globals.pop(name, None)
    environment.filters |= {
        "moment": lambda value: _moment(value, lang),
        "day": lambda value: _day(value, lang),
        "issue": lambda code: issue_text(lang, code) if isinstance(code, str) else code,
        "word": lambda key, kind: word(lang, kind, key) if isinstance(key, str) else key,
        "share": lambda part, of: _share(part, of, lang),
    }
    environment.tests["blank"] = lambda value: isinstance(value, Blank)
    return environment


def _shown(value: Any, lang: str) -> Any:
    """Return what a value looks like: a blank shows that it is one, and why."""
    if isinstance(value, Undefined):
        return str(value)
    if value is None:
        value = Blank("not_kept")
    if isinstance(value, Blank):
        return Markup('<span class="blank"><span aria-hidden="true">{}</span> <small>({})</small></span>').format(
            DOTS, value.text(lang)
        )
    if isinstance(value, int | datetime):
        return figure(lang, value)
    if not isinstance(value, str | float):
        raise TypeError("neither a text nor a figure")
    return value if isinstance(value, Markup | float) else printable(" ".join(value.split()))


def _moment(value: Any, lang: str) -> Any:
    """Return a moment of the ledger (UTC) as a person in the Netherlands reads it."""
    if not isinstance(value, str):
        return value
    found = datetime.strptime(value[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return figure(lang, found.astimezone(_ZONE))


def _day(value: Any, lang: str) -> Any:
    return value if not isinstance(value, str) else _moment(f"{value[:10]} 12:00:00", lang).rpartition(" ")[0]


def _share(part: Any, of: Any, lang: str) -> Any:
    if isinstance(part, Blank) or isinstance(of, Blank):
        return part or of
    shown = f"{100 * part / of if of else 0:.1f}"
    return f"{shown.replace('.', ',') if lang == 'nl' else shown} %"


def _look_over(environment: ImmutableSandboxedEnvironment, template: Template, names: set[str]) -> None:
    """Refuse what can be seen without filling: what is no template, unknown names, and what turns the escaping off."""
    try:
        tree = environment.parse(template.source, template.name)
        environment.compile(tree, template.name, template.name)
    except TemplateSyntaxError as error:
        cause = printable(str(error.message or "it cannot be understood")).rstrip(".")
        raise _refusal(template, "DCL-002", f"it is no template: {cause}", error.lineno) from None
    except (RecursionError, MemoryError):
        raise _refusal(template, "DCL-002", "it is no template: nested too deep", 1) from None
    for forbidden in tree.find_all((nodes.ScopedEvalContextModifier, nodes.EvalContextModifier)):
        raise _refusal(template, "DCL-004", "it turns the escaping of values off", forbidden.lineno)
    unknown = find_undeclared_variables(tree) - names
    if unknown:
        raise RefusedMany(list(_unknown(template, tree, unknown)))


def _unknown(template: Template, tree: nodes.Template, unknown: set[str]) -> Iterator[RefusedError]:
    for name in sorted(unknown):
        lines = [node.lineno for node in tree.find_all(nodes.Name) if node.name == name]
        cause = f"it asks for '{printable(name)}', which a declaration does not have"
        yield _refusal(template, "DCL-003", cause, min(lines, default=1))


_HINTS: Final = {
    "DCL-002": "Correct the template; `omnicase declaration template FILE` writes the shipped one to begin with.",
    "DCL-003": "See docs/declaration.md for what a template can ask for.",
    "DCL-004": "See docs/declaration.md for what a template may do.",
    "DCL-005": "Correct that line of the template.",
}


def _refuse(template: Template, code: str, cause: str, error: BaseException | None) -> NoReturn:
    raise _refusal(template, code, cause, _line(template, error)) from None


def _refusal(template: Template, code: str, cause: str, line: int) -> RefusedError:
    return RefusedError(
        code, f"the template is refused: {cause}", hint=_HINTS[code], place=Place(template.name, line, 1)
    )


def _line(template: Template, error: BaseException | None) -> int:
    """Return the line of the template where it went wrong: Jinja writes it into the traceback."""
    found, step = 1, error.__traceback__ if error else None
    while step is not None:
        if step.tb_frame.f_code.co_filename in (template.name, "<template>"):
            found = step.tb_lineno
        step = step.tb_next
    return found


def _unreadable(name: str, cause: str) -> NoReturn:
    raise RefusedError(
        "DCL-001",
        f"the template cannot be read ({cause})",
        hint="Name a file of UTF-8 text that you may read.",
        place=name,
    )
