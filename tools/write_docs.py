"""Write the generated pages of docs/: cli.md from the click commands, errors.md, rules.md and steps.md from the code.

Usage: python tools/write_docs.py [--check]     with --check nothing is written; exit status 1 names stale pages
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rules_page import rules_page

from casemodel import ISSUE_CODES, printable
from mappings import MAPPING_CODES
from mappings.expressions.functions import FUNCTIONS
from mappings.stages import TOKENS
from mappings.steps import PARTS, STEPS
from migrate.cli import root
from runbooks import LINT_CODES

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PACKAGES = ("casemodel", "connectors", "mappings", "migrate", "reconciliation", "runbooks")
CLASSES = {
    "BugError": ("bug", 1), "UsageError": ("usage", 2), "RefusedError": ("refused", 4), "SystemFailure": ("system", 5),
    "ConnectionLost": ("system", 5), "TimeIsUp": ("system", 5), "GuardError": ("guard", 6),
    "LockedError": ("locked", 7), "BrokenError": ("broken", 8),
}
NOTE = "<!-- Written by tools/write_docs.py from the code; `make docs` writes it again. -->\n"
STATUSES = [
    (0, "done and clean"), (1, "our bug"), (2, "usage"),
    (3, "done, with findings: rejects, conflicts, differences, failed tests, warnings"),
    (4, "workspace, mapping or runbook refused"),
    (5, "a system or the target cannot be reached, read or written, or differs from what it should be"),
    (6, "a gate or guard refused: limit, approval, permission, target not upgraded"),
    (7, "another run holds the lock"), (8, "evidence or checkpoint is broken"), (130, "interrupted, resumable"),
]


@dataclass(frozen=True, order=True)
class Raised:
    """One place in the code that raises an error of ours."""

    code: str
    kind: str
    status: int
    message: str
    hint: str


def cli_page() -> str:
    """Return docs/cli.md."""
    out = [NOTE, "# Every verb\n", _block(root, ["omnicase"])]
    out.append("## Exit statuses\n\n| status | means |\n|---|---|")
    out += [f"| {status} | {means} |" for status, means in STATUSES]
    out.append("\nUnknown means failure. Answers go to standard output, progress and messages to standard error. With\n"
               "`--format json` an error is one object `{code, class, where, message, hint}` on standard output.\n")
    out += list(_verbs(root, ["omnicase"]))
    return "\n".join(out).rstrip() + "\n"


def _verbs(group: click.Group, words: list[str]) -> Iterator[str]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        yield f"{'#' * min(len(words) + 1, 4)} {' '.join([*words, name])}\n"
        yield _block(command, [*words, name])
        if isinstance(command, click.Group):
            yield from _verbs(command, [*words, name])
        for inner, own in getattr(command, "inner", {}).items():
            yield f"### {' '.join([*words, name, inner])}\n"
            yield _block(own, [*words, name, inner])


def _block(command: click.Command, words: list[str]) -> str:
    ctx = click.Context(command, info_name=" ".join(words), terminal_width=100, max_content_width=100)
    ctx.help_option_names = ["-h", "--help"]
    return f"```text\n{command.get_help(ctx)}\n```\n"


def errors_page() -> str:
    """Return docs/errors.md."""
    out = [NOTE, "# Every error and issue code\n", _INTRO, "\n## Errors\n",
           "| code | class | exit | what was found | what to do |", "|---|---|---|---|---|"]
    found = sorted(set(_raised()))
    out += [f"| `{each.code}` | {each.kind} | {each.status} | {each.message} | {each.hint} |" for each in found]
    out += ["\n## Mapping files\n", "`mapping check` names file, line and column with each.\n",
            "| code | means |", "|---|---|"]
    out += [f"| `{code}` | {_cell(text)} |" for code, text in sorted(MAPPING_CODES.items())]
    out += ["\n## Runbooks\n", "`runbook lint` names file and line with each.\n",
            "| code | severity | means |", "|---|---|---|"]
    out += [f"| `{code}` | {severity} | {_cell(text)} |" for code, (severity, text) in sorted(LINT_CODES.items())]
    out += ["\n## Issues\n", "One thing wrong with one field of one source row. An error rejects the row, a warning"
            " loads it with\na recorded loss.\n", "| code | English | Nederlands | wat te doen |", "|---|---|---|---|"]
    out += [f"| `{code}` | {_cell(each.english)} | {_cell(each.dutch)} | {_cell(each.remedy_dutch)} |"
            for code, each in ISSUE_CODES.items()]
    return "\n".join(out) + "\n"


_INTRO = """An *error* ends the program: one code, the place, what was found, what to do, and the exit status of its
class. An *issue* is about one field of one source row: it never ends a batch, the row is rejected or loaded with a
recorded loss. Words between ‹ › stand for what the program fills in."""


def _raised() -> Iterator[Raised]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield from _of_call(node)


def _of_call(node: ast.Call) -> Iterator[Raised]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    words = [_words(argument) for argument in node.args]
    if name in CLASSES and len(words) >= 2 and _is_code(words[0]):
        hint = next((_words(keyword.value) for keyword in node.keywords if keyword.arg == "hint"), "")
        yield Raised(words[0], *CLASSES[name], _cell(words[1]), _cell(hint))
    elif name == "refuse" and len(words) == 3 and words[0] == "‹config›":
        code = next((_words(keyword.value) for keyword in node.keywords if keyword.arg == "code"), "CON-003")
        yield Raised(code, *CLASSES["RefusedError"], _cell(words[1]), _cell(words[2]))
    elif name in {"failed", "finding"} and len(words) >= 4 and _is_code(words[1]):
        kind, status = ("doctor", 5) if name == "failed" else ("doctor", 3)
        yield Raised(words[1], kind, status, _cell(words[2]), _cell(words[3]))
    elif name == "_object" and len(words) == 5 and _is_code(words[0]):
        status = next(status for kind, status in CLASSES.values() if kind == words[1])
        yield Raised(words[0], words[1], status, _cell(words[3]), _cell(words[4]))


def _is_code(text: str) -> bool:
    head, _, number = text.partition("-")
    return head.isalpha() and head.isupper() and len(number) == 3 and number.isdigit()


def _words(node: ast.expr) -> str:
    """Return the text of a string literal; what is filled in at run time becomes ‹name›."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _words(node.left) + _words(node.right)
    if isinstance(node, ast.FormattedValue):
        return _words(node.value) if isinstance(node.value, ast.Constant) else f"‹{_name(node.value)}›"
    return f"‹{_name(node)}›"


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id.strip("_").lower()
    if isinstance(node, ast.Call):
        return _name(node.args[0]) if node.args else _name(node.func)
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.BoolOp):
        return _name(node.values[0])
    if isinstance(node, ast.IfExp):
        return _name(node.body)
    return "…"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def steps_page() -> str:
    """Return docs/steps.md."""
    out = [NOTE, "# Steps and functions\n", "## Steps of `do`\n", _STEPS, "",
           "| step | what it does | for example |", "|---|---|---|"]
    for step in STEPS.values():
        repairs = " A change is counted as a repair." if step.repairs else ""
        examples = "; ".join(f"{_shown(given)} → {_shown(made)}" for given, made in step.examples)
        out.append(f"| `{_cell(step.written)}` | {_cell(step.doc)}{repairs} | {examples} |")
    out += ["\n### Parts that `part` can take\n", "| part | what it is | for example |", "|---|---|---|"]
    for part in PARTS.values():
        examples = "; ".join(f"{_shown(given)} → {_shown(made, 'NULL')}" for given, made in part.examples)
        out.append(f"| `{part.name}` | {_cell(part.doc)} | {examples} |")
    out += ["\n## Formats of dates and times\n", _FORMATS, "", "| token | what it reads |", "|---|---|"]
    out += [f"| `{token}` | {_cell(what[-1])} |" for token, what in TOKENS.items()]
    out += ["\n## Functions of expressions\n", _FUNCTIONS, "", "| function | gives |", "|---|---|"]
    out += [f"| `{_cell(written)}` | {_cell(meaning)} |" for written, meaning in FUNCTIONS.items()]
    return "\n".join(out) + "\n"


_STEPS = """Text in, text out, in the order in which they are written. A step that cannot treat a text makes an issue of
that row; NULL stays NULL."""
_FUNCTIONS = """`where`, `when`, `check`, `warn_if` and `expr` are SQL expressions of columns, values, texts,
numbers, `CASE`, `AND`, `OR`, `NOT`, `IN`, `BETWEEN`, `LIKE`, `IS NULL`, comparisons and arithmetic, and of these
functions. Nothing else can be called.

* The grammar is PostgreSQL's; a name stands in double quotes when it has other signs than letters, digits and `_`
  (`"concept:name"`), a text in single quotes, and a backslash in it is a backslash. Names match in any case.
* NULL works as in SQL: a comparison with NULL is NULL, `AND` and `OR` know three values, `x NOT IN (…, NULL)` is never
  true, `WHEN` takes only true. `CONCAT`, `CONCAT_WS`, `GREATEST` and `LEAST` skip NULLs as in PostgreSQL, `||` does
  not.
* A source column is text. Beside a number it needs `TRY_CAST(x AS INTEGER)`; without it the mapping is refused.
* Whole numbers have 64 bits; what does not fit, a division by zero and a day outside the years 1 to 9999 are NULL.
  Other numbers are floating, with 15 digits; an amount that is only copied goes through the stage `number`, which is
  exact. `/` always gives such a number, `%` has the sign of the first number, `ROUND` takes a half away from zero.
* Texts compare by code point, `LENGTH`, `LEFT` and the like count code points, `TRIM` removes blanks only (the step
  `trim` all white space). `LIKE` and regular expressions are case-sensitive; `ILIKE` and `~*` are not. In `LIKE` a
  backslash makes the next sign plain, `ESCAPE` names another one. Regular expressions are those of Rust: linear in
  time, without look-around and back references; a dot does not match a line end.
* Windows order NULLs last, whichever the direction, and equal rows by the source key."""
_FORMATS = """The whole text must match; signs between tokens and `T` stand for themselves. Formats of one field are
tried in their order. Digits are 0 to 9 only. A token of one or two digits cannot stand right before another token."""


def _shown(text: str | None, nothing: str = "*fails*") -> str:
    if text is None:
        return nothing
    return f"`{printable(text).replace('|', chr(92) + '|')}`" if text else "*(empty)*"


PAGES = {"cli.md": cli_page, "errors.md": errors_page, "rules.md": rules_page, "steps.md": steps_page}


def main() -> int:
    """Write the pages, or compare them with ``--check``, and return the exit status."""
    stale = []
    for name, page in PAGES.items():
        file = DOCS / name
        text = page()
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                file.write_text(text, encoding="utf-8")
    if "--check" in sys.argv[1:] and stale:
        print(f"Stale: {', '.join(stale)}. Run `make docs`.", file=sys.stderr)
        return 1
    print(f"Written: {', '.join(stale) or 'nothing, all is current'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
