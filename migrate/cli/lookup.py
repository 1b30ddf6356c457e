"""`lookup`: where a record of the target comes from."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option
from migrate.cli.unmasked import unmasked_options


@click.command()
@click.argument("table", metavar="TARGET_TABLE")
@click.argument("record_id", metavar="ID")
@unmasked_options
@lang_option()
@pass_invocation
def lookup(invocation: Invocation, table: str, record_id: str, unmasked: bool, reason: str | None, lang: str) -> int:
    """Show from which source rows a record of the target was made.

    With each row its mapping, the run that last changed the record, and the version of the mapping then.  Personal
    values are masked.
    """
    from migrate.disclosure import checked_reason
    from migrate.explain.lookup import lookup as look
    from migrate.explain.lookup import lookup_lines
    from migrate.opening import open_session
    from migrate.running.run import as_of_date

    why = checked_reason(unmasked, reason)
    with open_session(invocation.workspace(), as_of_date(None)) as session:
        found = look(session, table, record_id, why)
    invocation.emit(found.as_dict(), lookup_lines(found, lang))
    return 0
