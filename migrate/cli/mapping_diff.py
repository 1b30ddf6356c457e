"""`mapping diff`."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation


@click.command()
@click.argument("other", metavar="REV|DIR")
@click.option("--lang", type=click.Choice(["nl", "en"]), default="nl", show_default=True, help="Language of the text.")
@pass_invocation
def diff(invocation: Invocation, other: str, lang: str) -> int:
    """Show what changed in meaning since another version of the mappings.

    That version is a revision of git, or the folder of a workspace.  Fields, values, scope, rules and every code of the
    code tables are compared; comments, reasons and tests change no meaning.
    """
    from migrate.mapping_diff import compare, diff_lines

    found = compare(invocation.workspace().root, other)
    invocation.emit(found.as_dict(), diff_lines(found, lang))
    return 0
