"""``omnicase db``: the target's schema."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation


@click.group("db")
def db() -> None:
    """Bring the target's model and ledger up to date, and compare them."""


@db.command("upgrade")
@click.option("--only", type=click.Choice(["model", "ledger"]), help="Leave the other one alone.")
@pass_invocation
def upgrade(invocation: Invocation, only: str | None) -> int:
    """Bring the target to the newest revision, all of it or nothing.

    A SQLite target that holds data is copied beside itself first; the copy is put back when the upgrade fails.
    """
    from migrate.target import database

    done = database.upgrade(database.target_engine(invocation.workspace().target_url), only)
    invocation.emit(
        {"upgraded": {name: {"from": before, "to": after} for name, (before, after) in done.items()}},
        [
            f"{name}: {after}, nothing to do" if before == after else f"{name}: {before or 'nothing'} -> {after}"
            for name, (before, after) in done.items()
        ],
    )
    return 0


@db.command("current")
@pass_invocation
def current(invocation: Invocation) -> int:
    """Show at which revisions the target is; exit 0 also when it is behind."""
    from migrate.target import database

    found = database.current(database.target_engine(invocation.workspace().target_url))
    heads = database.heads()
    invocation.emit(
        {"current": {name: {"revision": found[name], "head": head} for name, head in heads.items()}},
        [
            f"{name}: {found[name] or 'not there'}"
            + ("" if found[name] == head else f" (this version needs {head}: run `omnicase db upgrade`)")
            for name, head in heads.items()
        ],
    )
    return 0


@db.command("check")
@pass_invocation
def check(invocation: Invocation) -> int:
    """List what differs between the target and the model and ledger; exit 5 when something does.

    Only tables of ours are looked at, and nothing is changed.
    """
    from migrate.target import database

    found = database.check(database.target_engine(invocation.workspace().target_url))
    lines = [str(difference) for difference in found]
    summary = "1 difference" if len(found) == 1 else f"{len(found)} differences" if found else "no differences"
    invocation.emit({"differences": [difference.as_dict() for difference in found]}, [*lines, summary])
    return 5 if found else 0
