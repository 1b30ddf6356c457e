"""What one invocation of the command line knows: its workspace, its environment, how it answers."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from migrate.workspace import Workspace

# Control characters and turns of direction would let a value steer the terminal; tab and newline are layout.
_TURNS = [*range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
_CONTROL = {code: f"\\x{code:02x}" for code in [*range(0x20), 0x7F, *range(0x80, 0xA0)] if chr(code) not in "\t\n"}
_CONTROL |= {code: f"\\u{code:04x}" for code in _TURNS}
ONE_LINE = {**_CONTROL, 0x09: "\\x09", 0x0A: "\\x0a"}
"""For messages, which are one line each: a name that somebody typed must not begin another one."""


@dataclass
class Invocation:
    """The global options of one invocation.

    Args:
        workspace_dir: the folder of ``-C``, by default the current one.
        env: the name of ``--env``, an entry of ``environments:`` in workspace.yml.
        format: ``text`` or ``json``.
        debug: whether a traceback may be shown.
    """

    workspace_dir: Path = field(default_factory=Path)
    env: str | None = None
    format: str = "text"
    debug: bool = False
    answer: Any = field(default_factory=hashlib.sha256)
    """SHA-256 of what was answered, for the evidence."""
    answered: bool = False

    def workspace(self) -> Workspace:
        """Read workspace.yml and return the workspace; raise RefusedError (WSP-…) when it cannot be used."""
        from migrate.workspace import load_workspace

        return load_workspace(self.workspace_dir, self.env)

    def emit(self, document: Mapping[str, Any] | Iterator[str], lines: Iterable[str]) -> None:
        """Write the answer to standard output: the document with ``--format json``, else the lines of text.

        A document that memory need not hold comes as text in pieces.
        """
        said = self._said(document) if self.format == "json" else (f"{line.translate(_CONTROL)}\n" for line in lines)
        for piece in said:
            self.answered = True
            self.answer.update(piece.encode("utf-8", "backslashreplace"))
            sys.stdout.write(piece)

    @staticmethod
    def _said(document: Mapping[str, Any] | Iterator[str]) -> Iterable[str]:
        if not isinstance(document, Mapping):
            return document
        return [json.dumps(document, ensure_ascii=False, indent=2), "\n"]

    def say(self, text: str) -> None:
        """Write a message for the person at the terminal to standard error."""
        print(text.translate(_CONTROL), file=sys.stderr)


pass_invocation = click.make_pass_decorator(Invocation)
