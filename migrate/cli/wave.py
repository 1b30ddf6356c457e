"""`wave`: the slices of the old systems that move one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.free_text import FREE_TEXT
from migrate.cli.lang import lang_option

if TYPE_CHECKING:
    from migrate.waves.moves import LateRow

_LANG = lang_option()


@click.group()
def wave() -> None:
    """Move the old systems wave by wave: follow, cut over, take back, close."""


@wave.command("list")
@_LANG
@pass_invocation
def list_command(invocation: Invocation, lang: str) -> int:
    """List the waves with their conditions, and every step of their journey."""
    from migrate.waves.show import list_lines
    from migrate.waves.status import list_waves

    found = list_waves(invocation.workspace())
    invocation.emit(found.as_dict(), list_lines(found, lang))
    return 0


@wave.command("status")
@click.argument("name", metavar="[WAVE]", required=False)
@_LANG
@pass_invocation
def status_command(invocation: Invocation, name: str | None, lang: str) -> int:
    """Show how much of every wave is over, how much is left and what is late; of one wave the late rows too.

    Exit status 3 when rows are late.
    """
    from migrate.waves.show import journey_lines, wave_lines
    from migrate.waves.status import read_journey

    workspace = invocation.workspace()
    found = read_journey(workspace, name)
    late = sum(each.stand.counts.get("late", 0) for each in found.waves)
    if name is None:
        invocation.emit(found.as_dict(), journey_lines(found, lang))
        return 3 if late else 0
    rows: list[LateRow] = []
    total = 0
    if late:
        from migrate.opening import open_session
        from migrate.running.run import as_of_date
        from migrate.waves.moves import late_rows

        with open_session(workspace, as_of_date(None)) as session:
            rows, total = late_rows(session, name)
    document = found.as_dict() | {"late_rows": [each.as_dict() for each in rows]}
    invocation.emit(document, wave_lines(found.waves[0], rows, total, lang))
    return 3 if late else 0


@wave.command("live")
@click.argument("name", metavar="WAVE")
@click.option("--reason", type=FREE_TEXT, help="Why now; kept in the ledger.")
@_LANG
@pass_invocation
def live_command(invocation: Invocation, name: str, reason: str | None, lang: str) -> int:
    """Fix the moment of cutover: what still changes in the old system is late from now on, and not loaded."""
    from migrate.waves.moves import go_live
    from migrate.waves.show import moved_lines

    moved = go_live(invocation.workspace(), name, reason)
    invocation.emit(moved.as_dict(), moved_lines(moved, lang))
    return 0


@wave.command("back")
@click.argument("name", metavar="WAVE")
@click.option("--reason", type=FREE_TEXT, required=True, help="Why; kept in the ledger.")
@_LANG
@pass_invocation
def back_command(invocation: Invocation, name: str, reason: str, lang: str) -> int:
    """Return a live wave to rehearsing, and list what was made or edited in the new system since.

    Exit status 3 when something was.
    """
    from migrate.waves.moves import go_back
    from migrate.waves.show import moved_lines

    moved = go_back(invocation.workspace(), name, reason)
    invocation.emit(moved.as_dict(), moved_lines(moved, lang))
    return 3 if moved.touched else 0


@wave.command("close")
@click.argument("name", metavar="WAVE")
@click.option("--reason", type=FREE_TEXT, help="Why, although rows are late; kept in the ledger.")
@_LANG
@pass_invocation
def close_command(invocation: Invocation, name: str, reason: str | None, lang: str) -> int:
    """Close a live wave: its journey is over; rows that are late need a reason."""
    from migrate.waves.moves import close
    from migrate.waves.show import moved_lines

    moved = close(invocation.workspace(), name, reason)
    invocation.emit(moved.as_dict(), moved_lines(moved, lang))
    return 0
