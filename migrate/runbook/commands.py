"""What the command line says of the commands in runbooks, without running one."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any, Final

import click

from runbooks import CHANGES, FORBIDDEN, READS, CommandCheck

_READS: Final = {
    ("conflicts", "list"), ("conflicts", "show"), ("db", "check"), ("db", "current"), ("declaration", "render"),
    ("doctor",), ("drift",), ("evidence", "export"), ("evidence", "head"), ("evidence", "seal"), ("evidence", "verify"),
    ("explain",), ("key", "list"), ("lookup",), ("mapping", "check"), ("mapping", "coverage"), ("mapping", "diff"),
    ("mapping", "doc"), ("mapping", "schema"), ("mapping", "test"), ("plan",), ("profile",), ("reconcile",),
    ("rejects", "export"), ("rejects", "list"), ("rejects", "show"), ("runbook", "lint"), ("runbook", "list"),
    ("runbook", "status"), ("status",), ("waiver", "list"), ("wave", "list"), ("wave", "status"),
}  # fmt: skip
"""What changes neither target nor ledger but for what is recorded of it; whatever is not named here changes."""
_FORBIDDEN: Final = {
    ("demo",), ("init",), ("key", "countersign"), ("key", "new"), ("key", "revoke"), ("runbook", "approve"),
    ("runbook", "confirm"), ("runbook", "end"), ("runbook", "run"), ("runbook", "skip"), ("runbook", "withdraw"),
    ("waiver", "approve"),
}  # fmt: skip
"""What a person must do, since it is their name that it is done in; or what makes another workspace."""


def check_command(root: click.Group, words: Sequence[str]) -> CommandCheck:
    """Return what the command line makes of a command.

    Args:
        root: our command line.
        words: those after ``omnicase``.
    """
    path: list[str] = []
    try:
        # --help prints as soon as it is read.
        with contextlib.redirect_stdout(io.StringIO()):
            parameters = _parsed(root, list(words), path)
    except click.exceptions.Exit:
        return CommandCheck(READS, "the command only shows help", "Remove --help.")
    except click.ClickException as error:
        called = " ".join(["omnicase", *path])
        return CommandCheck(_effect(path), f"{called}: {error.format_message()}", f"See `{called} --help`.")
    effect = _effect(path)
    if effect == FORBIDDEN:
        hint = "Make it a manual step: somebody does it in their own name."
        return CommandCheck(effect, f"`omnicase {' '.join(path)}` must not stand in a runbook", hint)
    if parameters.get("unmasked"):
        return CommandCheck(FORBIDDEN, "the output of a step is kept, so it must not be unmasked", "Remove --unmasked.")
    wave = parameters.get("name") if path[0] == "wave" else parameters.get("wave")
    return CommandCheck(effect, wave=wave if isinstance(wave, str) else None)


def _effect(path: Sequence[str]) -> str:
    if tuple(path) in _FORBIDDEN:
        return FORBIDDEN
    return READS if tuple(path) in _READS else CHANGES


def _parsed(root: click.Group, words: list[str], path: list[str]) -> dict[str, Any]:
    """Find the command of the words, note it in the path and return its options.

    Callbacks of options run, the command does not.
    """
    group, ctx = root, click.Context(root, info_name="omnicase")
    while True:
        if not words:
            raise click.UsageError("A verb is missing.", ctx)
        name, command, words = group.resolve_command(ctx, words)
        if name is None or command is None:
            raise click.UsageError("There is no such verb.", ctx)
        path.append(name)
        if not isinstance(command, click.Group):
            return command.make_context(name, list(words), parent=ctx).params
        group, ctx = command, click.Context(command, parent=ctx, info_name=name)
