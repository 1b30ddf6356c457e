"""`purge`: what the ledger holds of people, removed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import click

from migrate.cli.context import Invocation, pass_invocation

if TYPE_CHECKING:
    from migrate.purge import Purge


def _day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise click.BadParameter("write a date such as 2026-11-24") from None
    return value


@click.command()
@click.option("--before", callback=_day, metavar="DATE", help="What runs left that ended before this day (UTC).")
@click.option("--wave", metavar="NAME", help="What belongs to this wave, which is closed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_invocation
def purge(invocation: Invocation, before: str | None, wave: str | None, yes: bool) -> int:
    """Remove the rows as read of rejects, and the before-images of records, from the ledger.

    It says first what goes and what can no longer be done, and asks; without a terminal it needs --yes.
    """
    from casemodel import GuardError
    from migrate.purge import look
    from migrate.purge import purge as remove

    workspace = invocation.workspace()
    found = look(workspace, before, wave)
    if not found.total:
        invocation.emit(found.as_dict(), ["There is nothing to purge."])
        return 0
    if not yes:
        for line in _lines(found):
            invocation.say(line)
        if not sys.stdin.isatty():
            raise GuardError("PRG-003", "nothing was purged, since nobody said so", hint="Add --yes.", place="--yes")
        if not click.confirm("Purge this?", err=True):
            invocation.emit(found.as_dict(), ["Nothing was purged."])
            return 0
    done = remove(workspace, before, wave)
    invocation.emit(done.as_dict(), [*_lines(done), "It is purged, and recorded in the ledger (table purge)."])
    return 0


def _lines(found: Purge) -> Iterator[str]:
    for name, rows in found.removed.items():
        if rows:
            yield f"{rows:>12,}  {name}".replace(",", ".")
    yield "Rejected rows keep key, issues and a digest; `rejects show` and reports no longer show their values."
    if found.runs:
        runs = ", ".join(map(str, found.runs))
        yield f"Before-images go: these runs can no longer be rolled back: {runs}."
    yield "The old systems, backups, and pages that the database has not written over yet are not touched."
