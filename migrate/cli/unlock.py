"""`unlock`: a target whose holder is dead."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.free_text import FREE_TEXT


@click.command()
@click.option("--reason", type=FREE_TEXT, required=True, help="How you know that it is dead; kept in the ledger.")
@pass_invocation
def unlock(invocation: Invocation, reason: str) -> int:
    """Release a target that a dead run on another machine still holds.

    A dead run on this machine needs no unlock: the next run takes it over.
    """
    from migrate.unlock import unlock as release

    done = release(invocation.workspace(), reason)
    if done.run is None:
        lines = ["Nobody holds the target."]
    else:
        lines = [
            f"Run {done.run} (process {done.pid} on {done.host}) held the target since {done.taken_at} UTC.",
            "The target is free.",
            "Should that process still live, it stops at its next batch and writes nothing more. Next: omnicase run",
        ]
    invocation.emit(done.as_dict(), lines)
    return 0
