"""`rollback`: a run taken back."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.free_text import FREE_TEXT


def _run_number(_ctx: click.Context, _param: click.Parameter, value: str) -> int | None:
    if value == "last":
        return None
    if not value.isascii() or not value.isdigit():
        raise click.BadParameter("write the number of a run, or last")
    return int(value)


@click.command()
@click.argument("run_number", metavar="RUN", callback=_run_number)
@click.option("--reason", type=FREE_TEXT, help="Why; kept in the ledger.")
@pass_invocation
def rollback(invocation: Invocation, run_number: int | None, reason: str | None) -> int:
    """Take a run back, the newest first; RUN is its number, or last.

    Records that people edited since, or that other records link to, stay as they are and are listed.
    """
    from migrate.rollback.show import rollback_lines
    from migrate.rollback.undo import roll_back

    done = roll_back(invocation.workspace(), run_number, reason)
    if done.resumed:
        invocation.say(f"The rollback of run {done.run} was interrupted before; it is finished now.")
    invocation.emit(done.as_dict(), rollback_lines(done))
    return 3 if done.spared_total else 0
