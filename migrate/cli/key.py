"""`key`: whose signatures count in this workspace."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.free_text import FREE_TEXT
from migrate.cli.lang import lang_option

_LANG = lang_option()


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        given = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("write a date such as 2027-12-31, or a moment with its zone") from None
    return given if given.tzinfo is not None else given.replace(tzinfo=UTC)


@click.group()
def key() -> None:
    """Make, countersign, list and revoke the keys whose signatures count."""


@key.command("new")
@click.option("--person", metavar="NAME", help="Whose it is, e.g. p.eigenaar.")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="In which role they sign; may be repeated.")
@click.option("--machine", is_flag=True, help="A key of this machine, which signs heads of the evidence.")
@click.option("--from", "valid_from", callback=_moment, metavar="DATE", help="From when it counts (default: now).")
@click.option("--until", "valid_until", callback=_moment, metavar="DATE", help="Until when it counts.")
@click.option("--keyring", is_flag=True, help="Keep the private key in the keyring of the system, not in a file.")
@_LANG
@pass_invocation
def new_command(
    invocation: Invocation,
    person: str | None,
    roles: tuple[str, ...],
    machine: bool,
    valid_from: datetime | None,
    valid_until: datetime | None,
    keyring: bool,
    lang: str,
) -> int:
    """Make an Ed25519 key: the public half into keys/, the private one into a file of your own.

    The private file lies in ~/.config/omnicase/keys (or the folder that OMNICASE_KEYS names; of a demo in the demo's
    keys/private), encrypted with a passphrase, which is asked for or taken from OMNICASE_PASSPHRASE.
    """
    from migrate.cli.passphrase import ask_new_passphrase
    from migrate.key_lines import made_lines
    from migrate.keys import machine_name, make_key

    if machine == (person is not None) or machine == bool(roles):
        raise click.UsageError("Give --person and --role, or --machine alone.")
    name, given = (machine_name(), ("machine",)) if person is None else (person, roles)
    made = make_key(invocation.workspace(), name, given, valid_from, valid_until, ask_new_passphrase, keyring=keyring)
    invocation.emit(made.as_dict(), made_lines(made, lang))
    return 0


@key.command("countersign")
@click.argument("key_ids", metavar="KEY…", nargs=-1, required=True)
@click.option("--by", "person", metavar="PERSON", required=True, help="Who vouches: an administrator or owner.")
@_LANG
@pass_invocation
def countersign_command(invocation: Invocation, key_ids: tuple[str, ...], person: str, lang: str) -> int:
    """Vouch with your key for keys of others, which count from then on: read their ids aloud before.

    The first two people, administrator or owner, countersign each other's keys.
    """
    from migrate.cli.passphrase import ask_passphrase
    from migrate.countersign import countersign_keys
    from migrate.key_lines import vouched_lines

    made = countersign_keys(invocation.workspace(), key_ids, person, ask_passphrase)
    invocation.emit(made.as_dict(), vouched_lines(made, person, lang))
    return 0


@key.command("list")
@_LANG
@pass_invocation
def list_command(invocation: Invocation, lang: str) -> int:
    """List the keys: person, roles, from when until when, whether they are valid, and who countersigned them."""
    from migrate.countersign import listed_keys
    from migrate.key_lines import listed_lines

    found = listed_keys(invocation.workspace())
    invocation.emit({"keys": found}, listed_lines(found, lang))
    return 0


@key.command("revoke")
@click.argument("key_id", metavar="KEY")
@click.option("--reason", type=FREE_TEXT, required=True, help="Why; kept in the key and in the evidence.")
@click.option("--by", "person", metavar="PERSON", help="Who signs it: another administrator or owner.")
@_LANG
@pass_invocation
def revoke_command(invocation: Invocation, key_id: str, reason: str, person: str | None, lang: str) -> int:
    """Let a key count for nothing from now on; what it signed before stays signed.

    Once keys were countersigned, somebody else signs the revocation of one.
    """
    from migrate.cli.passphrase import ask_passphrase
    from migrate.countersign import revoke_key
    from migrate.key_lines import revoked_lines
    from migrate.keys import described

    gone = revoke_key(invocation.workspace(), key_id, reason, person, ask_passphrase)
    invocation.emit(described(gone), revoked_lines(gone, lang))
    return 0
