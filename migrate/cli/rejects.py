"""`rejects`: the rows that were not loaded."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option
from migrate.cli.unmasked import unmasked_options

_LANG = lang_option()


@click.group()
def rejects() -> None:
    """List, show and export the rows that were not loaded."""


@rejects.command("list")
@click.argument("mappings", nargs=-1, metavar="[MAPPING]…")
@click.option("--code", metavar="CODE", help="Only rows with this issue, e.g. date-invalid.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many rows.")
@_LANG
@pass_invocation
def list_command(invocation: Invocation, mappings: tuple[str, ...], code: str | None, limit: int, lang: str) -> int:
    """List rows that were not loaded, with their issues."""
    from migrate.opening import open_session
    from migrate.rejects.listed import list_rejects
    from migrate.rejects.show import list_lines
    from migrate.running.run import as_of_date

    with open_session(invocation.workspace(), as_of_date(None)) as session:
        found = list_rejects(session, mappings, code, limit)
    invocation.emit(found.as_dict(), list_lines(found, lang))
    return 3 if found.total else 0


@rejects.command("show")
@click.argument("mapping")
@click.argument("key")
@unmasked_options
@_LANG
@pass_invocation
def show_command(
    invocation: Invocation, mapping: str, key: str, unmasked: bool, reason: str | None, lang: str
) -> int:
    """Show one row that was not loaded: its issues, its values (masked), what it waits for."""
    from migrate.disclosure import checked_reason
    from migrate.opening import open_session
    from migrate.rejects.listed import show_reject
    from migrate.rejects.show import row_lines
    from migrate.running.run import as_of_date

    why = checked_reason(unmasked, reason)
    with open_session(invocation.workspace(), as_of_date(None)) as session:
        found = show_reject(session, mapping, key, why)
    invocation.emit(found.as_dict(), row_lines(found, lang))
    return 0


@rejects.command("export")
@click.argument("mapping")
@click.option("--code", metavar="CODE", help="Only rows with this issue, e.g. date-invalid.")
@pass_invocation
def export_command(invocation: Invocation, mapping: str, code: str | None) -> int:
    """Write the keys of the rows of a mapping that were not loaded, one a line, as `run --keys` takes them."""
    from casemodel import join_key
    from migrate.opening import open_session
    from migrate.rejects.listed import export_keys
    from migrate.running.run import as_of_date

    with open_session(invocation.workspace(), as_of_date(None)) as session:
        found = export_keys(session, mapping, code)
    invocation.emit({"mapping": mapping, "keys": [list(key) for key in found]}, map(join_key, found))
    return 0
