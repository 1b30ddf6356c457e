"""`mapping diff`."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option


@click.command()
@click.argument("other", metavar="REV|DIR")
@click.option("--impact", is_flag=True, help="Also count which loaded records it would touch; nothing is written.")
@lang_option()
@pass_invocation
def diff(invocation: Invocation, other: str, impact: bool, lang: str) -> int:
    """Show what changed in meaning since another version of the mappings.

    That version is a revision of git, or the folder of a workspace.  Fields, values, scope, rules and every code of the
    code tables are compared; comments, reasons and tests change no meaning.  With --impact the changed mappings are run
    on a copy of the target, and what differs then is counted per field and per state of a row.
    """
    from migrate.mapping.diff import compare, diff_lines

    workspace = invocation.workspace()
    found = compare(workspace.root, other)
    document, lines = found.as_dict(), list(diff_lines(found, lang))
    if impact:
        from migrate.mapping.impact import impact_lines, impact_of
        from migrate.opening import open_session
        from migrate.running.run import as_of_date

        with open_session(workspace, as_of_date(None)) as session:
            touched = impact_of(session, found)
        document["impact"] = [each.as_dict() for each in touched]
        lines += impact_lines(touched, lang)
    invocation.emit(document, lines)
    return 0
