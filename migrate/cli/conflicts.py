"""`conflicts`: records that were not written, since people edited or made them."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.free_text import FREE_TEXT
from migrate.cli.lang import lang_option
from migrate.cli.unmasked import unmasked_options

_LANG = lang_option()


@click.group()
def conflicts() -> None:
    """List, show and settle records that people edited or made in the target."""


@conflicts.command("list")
@click.argument("mappings", nargs=-1, metavar="[MAPPING]…")
@click.option("--code", metavar="CODE", help="Only edited-in-target, or only record-exists.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many rows.")
@_LANG
@pass_invocation
def list_command(invocation: Invocation, mappings: tuple[str, ...], code: str | None, limit: int, lang: str) -> int:
    """List the conflicts that the last runs found, and what was chosen for them."""
    from migrate.conflicts.listed import list_conflicts
    from migrate.conflicts.show import list_lines
    from migrate.opening import open_session
    from migrate.running.run import as_of_date

    with open_session(invocation.workspace(), as_of_date(None)) as session:
        found = list_conflicts(session, mappings, code, limit)
    invocation.emit(found.as_dict(), list_lines(found, lang))
    return 3 if found.total else 0


@conflicts.command("show")
@click.argument("mapping")
@click.argument("key")
@unmasked_options
@_LANG
@pass_invocation
def show_command(
    invocation: Invocation, mapping: str, key: str, unmasked: bool, reason: str | None, lang: str
) -> int:
    """Show both sides of a conflict, field by field: what the source maps to now, and what the target holds."""
    from migrate.conflicts.listed import show_conflict
    from migrate.conflicts.show import conflict_lines
    from migrate.disclosure import checked_reason
    from migrate.opening import open_session
    from migrate.running.run import as_of_date

    why = checked_reason(unmasked, reason)
    with open_session(invocation.workspace(), as_of_date(None)) as session:
        found = show_conflict(session, mapping, key, why)
    invocation.emit(found.as_dict(), conflict_lines(found, lang))
    return 0


@conflicts.command("resolve")
@click.argument("mapping")
@click.argument("key")
@click.option("--keep-target", "choices", flag_value="keep-target", multiple=True, help="The target's values stay.")
@click.option("--take-source", "choices", flag_value="take-source", multiple=True, help="The source's values win.")
@click.option("--adopt", "choices", flag_value="adopt", multiple=True, help="A record of others becomes ours.")
@click.option("--reason", type=FREE_TEXT, help="Why; kept in the ledger with your name.")
@_LANG
@pass_invocation
def resolve_command(
    invocation: Invocation, mapping: str, key: str, choices: tuple[str, ...], reason: str | None, lang: str
) -> int:
    """Settle one conflict by name; the next run does what was chosen."""
    from migrate.conflicts.resolve import resolve
    from migrate.conflicts.show import resolved_lines
    from migrate.opening import open_session
    from migrate.running.run import as_of_date

    if len(set(choices)) != 1:
        raise click.UsageError("Choose one of --keep-target, --take-source and --adopt.")
    with open_session(invocation.workspace(), as_of_date(None)) as session:
        done = resolve(session, mapping, key, choices[0], reason)
    invocation.emit(done.as_dict(), resolved_lines(done, lang))
    return 0
