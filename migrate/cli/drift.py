"""`drift`: what changed on either side since a run."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option


@click.command()
@click.argument("mappings", nargs=-1, metavar="[MAPPING]…")
@click.option("--since", default="last", show_default=True, metavar="RUN", help="The number of a run, or last.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Keys shown of each kind.")
@lang_option()
@pass_invocation
def drift(invocation: Invocation, mappings: tuple[str, ...], since: str, limit: int, lang: str) -> int:
    """Say what changed on either side since a run: rows of the old system, records that people touched in the new.

    Nothing but the entry of its verdict in the evidence is written.  Exit status 3 when something changed.
    """
    from migrate.drift import drift_lines, find_drift
    from migrate.opening import open_session
    from migrate.running.run import as_of_date

    if since != "last" and not (since.isdecimal() and since.isascii()):
        raise click.UsageError("--since takes the number of a run, or last.")
    with open_session(invocation.workspace(), as_of_date(None)) as session:
        found = find_drift(session, None if since == "last" else int(since), mappings, limit)
    invocation.emit(found.as_dict(), drift_lines(found, lang))
    return 3 if found.total else 0
