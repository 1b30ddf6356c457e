"""``omnicase init DIR``."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.new_workspace import make_workspace


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@pass_invocation
def init(invocation: Invocation, folder: Path) -> int:
    """Make an empty workspace with commented examples.

    DIR must not exist yet, or be empty.  The workspace gets a secret of its own (keys/namespace): back it up.
    """
    made = make_workspace(folder.absolute())
    steps = [f"omnicase -C {folder} {verb}" for verb in ("doctor", "db upgrade", "run")]
    invocation.emit(
        {"workspace": str(folder.absolute()), "files": made, "next": steps},
        [
            f"Made a workspace in {folder}:",
            *(f"  {name}" for name in made),
            "",
            "keys/namespace is the secret from which all ids follow: it is not for git, so back it up.",
            "Next: fill in workspace.yml, then",
            *(f"  {step}" for step in steps),
        ],
    )
    return 0
