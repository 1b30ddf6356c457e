"""The runbooks of a workspace: found by name, and looked over by the lint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from casemodel import RefusedMany, UsageError
from migrate.countersign import counting_trust
from migrate.runbook.commands import check_command
from migrate.workspace import Workspace
from runbooks import (
    LintFinding,
    Parsed,
    Runbook,
    Surroundings,
    errors,
    key_roles,
    lint,
    moment,
    nearest,
    read_runbook,
    runbook_files,
    twins,
)


@dataclass(frozen=True)
class Linted:
    """Runbooks and what is wrong with them, in the order of their files and lines."""

    runbooks: tuple[Parsed, ...]
    findings: tuple[LintFinding, ...]

    @property
    def exit_status(self) -> int:
        """0 clean, or with notes only; 3 warnings; 4 errors."""
        severities = {each.severity for each in self.findings}
        return 4 if "error" in severities else 3 if "warning" in severities else 0

    def as_dict(self) -> dict[str, Any]:
        """Return {runbooks, findings} of the published schema."""
        return {
            "runbooks": [
                {
                    "runbook": each.runbook.name,
                    "title": each.runbook.title,
                    "version": each.runbook.version,
                    "file": each.runbook.file,
                    "steps": len(each.runbook.steps),
                }
                for each in self.runbooks
                if each.runbook is not None
            ],
            "findings": [each.as_dict() for each in self.findings],
        }


def surroundings(workspace: Workspace, root: click.Group) -> Surroundings:
    """Return what the lint must know of a workspace and of our command line."""
    environments = {name: each.production == "true" for name, each in workspace.model.environments.items()}
    return Surroundings(
        workspace.root,
        lambda words: check_command(root, words),
        tuple(workspace.model.waves),
        environments,
        key_roles(counting_trust(workspace), moment(datetime.now(UTC))),
    )


def all_runbooks(workspace: Workspace) -> list[Parsed]:
    """Read every runbook of the workspace.

    Raises:
        RefusedError: RBK-001 one cannot be read.
    """
    return [read_runbook(path, workspace.root) for path in runbook_files(workspace.root)]


def lint_runbooks(workspace: Workspace, names: Sequence[str], root: click.Group) -> Linted:
    """Look over the runbooks of these names, or all.

    Raises:
        UsageError: RBK-002 there is no such runbook.
    """
    everything = all_runbooks(workspace)
    wanted = [_named(everything, name) for name in names] or everything
    around = surroundings(workspace, root)
    found = [finding for each in wanted for finding in lint(each, around)]
    shown = {each.runbook.file for each in wanted if each.runbook is not None}
    found += [each for each in twins(everything) if each.file in shown]
    return Linted(tuple(wanted), tuple(sorted(found)))


def sound_runbook(workspace: Workspace, name: str, root: click.Group) -> Runbook:
    """Return a runbook that may run.

    Raises:
        UsageError: RBK-002 there is no such runbook.
        RefusedMany: the lint finds errors (exit 4).
    """
    linted = lint_runbooks(workspace, [name], root)
    wrong = errors(linted.findings)
    if wrong:
        raise RefusedMany([each.as_error() for each in wrong])
    runbook = linted.runbooks[0].runbook
    assert runbook is not None
    return runbook


def named_runbook(workspace: Workspace, name: str) -> Runbook | None:
    """Return a runbook by its name, whatever is wrong with it; None when its front matter cannot be read.

    Raises:
        UsageError: RBK-002 there is no such runbook.
    """
    return _named(all_runbooks(workspace), name).runbook


def _named(runbooks: Sequence[Parsed], name: str) -> Parsed:
    """Find a runbook by its name, by its file, or by its file in runbooks/ with or without .md."""
    for each in runbooks:
        if each.runbook is not None and each.runbook.name == name:
            return each
    for each in runbooks:
        file = each.runbook.file if each.runbook is not None else each.findings[0].file
        if name in (file, file.removeprefix("runbooks/"), file.removeprefix("runbooks/").removesuffix(".md")):
            return each
    known = [each.runbook.name for each in runbooks if each.runbook is not None]
    raise UsageError("RBK-002", f"there is no runbook '{name}'", hint=nearest(name, known), place="runbooks/")
