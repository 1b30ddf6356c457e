"""Every command that changes something or gives a verdict adds an entry to the evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
from command_line import in_process
from tiny_workspace import make_workspace

from migrate.cli import root
from migrate.cli.recorded import CHANGES, SHOWS, VERDICTS, WITHOUT_ENTRY, WORKSHOP


def verbs(command: click.Command, path: str = "") -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield path
        return
    ctx = click.Context(command)
    for name in command.list_commands(ctx):
        below = command.get_command(ctx, name)
        assert below is not None
        yield from verbs(below, f"{path} {name}".strip())


def test_every_verb_is_of_one_kind():
    """A new verb must say whether it changes, judges or shows: what is of no kind would leave no trace."""
    kinds = [CHANGES, VERDICTS, SHOWS, WORKSHOP, WITHOUT_ENTRY]
    assert sorted(verbs(root)) == sorted(name for kind in kinds for name in kind)


def test_verdicts_leave_an_entry_whatever_they_say(tmp_path: Path):
    folder = make_workspace(tmp_path / "w")
    for verb in (("db", "upgrade"), ("run",)):
        assert in_process("-C", folder, *verb).status in (0, 3)
    words = [("db", "check"), ("drift", "--since", "1"), ("mapping", "test", "kcc.contact"), ("doctor",), ("mapping", "check"), ("status",)]
    statuses = [in_process("-C", folder, *each).status for each in words]
    lines = [json.loads(line) for line in (folder / "evidence/target.jsonl").read_text().splitlines()]
    told = [(entry["what"]["command"], entry["what"]["status"]) for entry in lines if entry["kind"] == "command"]
    assert told[2:] == [(list(each), status) for each, status in zip(words[:3], statuses, strict=False)]
    assert all("output_sha256" in entry["what"] for entry in lines if entry["kind"] == "command")
