"""`waiver`: differences that two people accept for a time."""

from __future__ import annotations

import getpass

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option

_LANG = lang_option()
_BY = click.option("--by", metavar="PERSON", help="Who you are: the person of your key (default: your user name).")


@click.group()
def waiver() -> None:
    """Accept differences for a time: one person proposes, another approves."""


@waiver.command("propose")
@click.option("--check", metavar="CHECK", help="Which check, such as fields.values; needed with --key.")
@click.option("--mapping", metavar="MAPPING", help="Of which mapping, as the report names it; needed with --key.")
@click.option("--group", metavar="ID", help="A group of like differences, by its id in the report.")
@click.option("--key", "keys", multiple=True, metavar="KEY", help="A source key as the report shows it; repeatable.")
@click.option("--max", "maximum", type=int, metavar="N", help="More differences, and it no longer counts.")
@click.option("--reason", required=True, metavar="TEXT", help="Why this may differ; shown in every report.")
@click.option("--until", required=True, metavar="DATE", help="The last day on which it counts, such as 2027-06-30.")
@_BY
@_LANG
@pass_invocation
def propose_command(
    invocation: Invocation,
    check: str | None,
    mapping: str | None,
    group: str | None,
    keys: tuple[str, ...],
    maximum: int | None,
    reason: str,
    until: str,
    by: str | None,
    lang: str,
) -> int:
    """Propose to accept what the last reconciliation found: a group, or keys of one check.

    Bound to the mapping as it was then: when its meaning changes, the waiver no longer counts.  Without --max it
    accepts as many as there are now (with --key as many as there are keys).
    """
    from migrate.cli.passphrase import ask_passphrase
    from migrate.opening import open_session
    from migrate.running.run import as_of_date
    from migrate.target.opened import workspace_target
    from migrate.waivers.decide import Proposal, propose
    from migrate.waivers.show import proposed_lines

    proposal = Proposal(check, mapping, group, keys, maximum, until, reason)
    with open_session(invocation.workspace(), as_of_date(None)) as session:
        target = workspace_target(session.workspace)
        try:
            kept = propose(session, target, proposal, by or getpass.getuser(), ask_passphrase)
        finally:
            target.close()
    invocation.emit(kept.as_dict(), proposed_lines(kept, lang))
    return 0


@waiver.command("approve")
@click.argument("number", type=click.IntRange(1), metavar="ID")
@_BY
@_LANG
@pass_invocation
def approve_command(invocation: Invocation, number: int, by: str | None, lang: str) -> int:
    """Approve a waiver of somebody else, for a mapping that is not yours."""
    from migrate.cli.passphrase import ask_passphrase
    from migrate.opening import open_session
    from migrate.running.run import as_of_date
    from migrate.target.opened import workspace_target
    from migrate.waivers.decide import approve
    from migrate.waivers.show import approved_lines

    with open_session(invocation.workspace(), as_of_date(None)) as session:
        target = workspace_target(session.workspace)
        try:
            kept = approve(session, target, number, by or getpass.getuser(), ask_passphrase)
        finally:
            target.close()
    invocation.emit(kept.as_dict(), approved_lines(kept, lang, production=session.workspace.production))
    return 0


@waiver.command("list")
@_LANG
@pass_invocation
def list_command(invocation: Invocation, lang: str) -> int:
    """List every waiver: what it accepts, until when, who proposed and approved it."""
    from migrate.target.opened import workspace_target
    from migrate.waivers.kept import kept_waivers
    from migrate.waivers.show import list_lines

    workspace = invocation.workspace()
    target = workspace_target(workspace)
    try:
        found = kept_waivers(target, workspace)
    finally:
        target.close()
    invocation.emit({"waivers": [each.as_dict() for each in found]}, list_lines(found, lang))
    return 0


@waiver.command("revoke")
@click.argument("number", type=click.IntRange(1), metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the ledger with your name.")
@_BY
@_LANG
@pass_invocation
def revoke_command(invocation: Invocation, number: int, reason: str, by: str | None, lang: str) -> int:
    """Let a waiver count for nothing from now on."""
    from migrate.target.opened import workspace_target
    from migrate.waivers.decide import revoke
    from migrate.waivers.show import list_lines

    workspace = invocation.workspace()
    target = workspace_target(workspace)
    try:
        kept = revoke(workspace, target, number, by or getpass.getuser(), reason)
    finally:
        target.close()
    invocation.emit(kept.as_dict(), list_lines([kept], lang))
    return 0
