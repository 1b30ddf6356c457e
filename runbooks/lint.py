"""`runbook lint`: everything that can be known to be wrong with a runbook before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from casemodel import RefusedError, read_regular_file
from runbooks.findings import ERROR, LintFinding
from runbooks.lint_commands import command_findings
from runbooks.lint_gates import gate_findings
from runbooks.lint_order import order_findings
from runbooks.lint_text import text_findings
from runbooks.parse import Parsed, parse_runbook
from runbooks.surroundings import Surroundings

FOLDER: Final = "runbooks"
_SOME_WAVE: Final = "some-wave"


def runbook_files(root: Path) -> list[Path]:
    """Return the runbooks of a workspace, sorted by their place."""
    return sorted(path for path in (root / FOLDER).rglob("*.md") if path.name.lower() != "readme.md")


def read_runbook(path: Path, root: Path) -> Parsed:
    """Read a file of a workspace as a runbook.

    Raises:
        RefusedError: RBK-001 the file cannot be read.
    """
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    try:
        return parse_runbook(read_regular_file(path), shown)
    except OSError as error:
        raise RefusedError(
            "RBK-001",
            f"the runbook cannot be read ({error.strerror or 'unknown reason'})",
            hint="Check that it is a file that you may read.",
            place=shown,
        ) from None


def lint(parsed: Parsed, around: Surroundings) -> tuple[LintFinding, ...]:
    """Return everything that is wrong with one runbook, in the order of its lines."""
    return tuple(sorted([*parsed.findings, *_findings(parsed, around)], key=lambda each: (each.line, each.code)))


def _findings(parsed: Parsed, around: Surroundings) -> Iterator[LintFinding]:
    runbook = parsed.runbook
    yield from text_findings(parsed, around)
    if runbook is None:
        return
    yield from _settings(parsed, around)
    if runbook.asks_for_wave:
        # Any wave will do: the run names one, and asks the lint again.
        around = around if around.waves else replace(around, waves=(_SOME_WAVE,))
        runbook = runbook.about_wave(around.waves[0])
    else:
        runbook = runbook.about_wave(None)
    yield from command_findings(runbook, around)
    yield from order_findings(runbook, around)
    yield from gate_findings(runbook, around)


def _settings(parsed: Parsed, around: Surroundings) -> Iterator[LintFinding]:
    runbook = parsed.runbook
    assert runbook is not None
    for name, value, known in (
        ("environment", runbook.environment, tuple(around.environments)),
        ("wave", runbook.wave, around.waves),
    ):
        if value is not None and value not in known:
            hint = f"Known: {', '.join(known)}." if known else f"Remove {name}:, or add it to workspace.yml."
            message = f"the workspace has no {name} '{value}'"
            yield LintFinding(runbook.file, runbook.lines.get(name, 1), "RBK-170", message, hint)


def twins(runbooks: Sequence[Parsed]) -> Iterator[LintFinding]:
    """Find runbooks of the same name: `runbook run NAME` would not know which."""
    first: dict[str, str] = {}
    for parsed in runbooks:
        runbook = parsed.runbook
        if runbook is None or not runbook.name:
            continue
        if runbook.name in first:
            message = f"the name '{runbook.name}' is that of {first[runbook.name]} too"
            line = runbook.lines.get("runbook", 1)
            yield LintFinding(runbook.file, line, "RBK-105", message, "Give one of them another name.")
        first.setdefault(runbook.name, runbook.file)


def errors(findings: Sequence[LintFinding]) -> list[LintFinding]:
    """Return the findings with which a runbook does not run."""
    return [each for each in findings if each.severity == ERROR]
