"""`explain`: where a value comes from."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option
from migrate.cli.unmasked import unmasked_options


@click.command()
@click.argument("mapping")
@click.argument("key")
@unmasked_options
@lang_option()
@pass_invocation
def explain(invocation: Invocation, mapping: str, key: str, unmasked: bool, reason: str | None, lang: str) -> int:
    """Show a source row's way to its record, stage by stage.

    Personal values are masked.
    """
    from migrate.disclosure import checked_reason
    from migrate.explain.row import explain as explain_row
    from migrate.explain.show import explain_lines
    from migrate.opening import open_session
    from migrate.running.run import as_of_date

    why = checked_reason(unmasked, reason)
    with open_session(invocation.workspace(), as_of_date(None)) as session:
        found = explain_row(session, mapping, key, why)
    invocation.emit(found.as_dict(), explain_lines(found, lang))
    return 0
