"""``omnicase init DIR``."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.new_workspace import make_workspace


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--machine-key/--no-machine-key",
    "with_key",
    default=True,
    help="Make the key with which this machine signs the evidence (default: yes).",
)
@pass_invocation
def init(invocation: Invocation, folder: Path, with_key: bool) -> int:
    """Make an empty workspace with commented examples.

    DIR must not exist yet, or be empty.  The workspace gets a secret of its own (keys/namespace): back it up.  This
    machine gets a key, whose private half lies outside the workspace (see `omnicase key new`).
    """
    from migrate.keys import give_machine_key, machine_key_lines

    made = make_workspace(folder.absolute())
    key = give_machine_key(folder.absolute()) if with_key else None
    if key is not None:
        made = sorted([*made, f"keys/{key.key.person}-{key.key.id}.json"])
    steps = [f"omnicase -C {folder} {verb}" for verb in ("doctor", "db upgrade", "run")]
    invocation.emit(
        {"workspace": str(folder.absolute()), "files": made, "next": steps},
        [
            f"Made a workspace in {folder}:",
            *(f"  {name}" for name in made),
            "",
            "keys/namespace is the secret from which all ids follow: it is not for git, so back it up.",
            *machine_key_lines(key),
            "Next: fill in workspace.yml, then",
            *(f"  {step}" for step in steps),
        ],
    )
    return 0
