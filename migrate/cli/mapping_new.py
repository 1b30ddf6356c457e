"""`mapping new`: a first mapping out of a profile."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation


@click.command()
@click.argument("asked", metavar="SYSTEM.RELATION")
@click.option("--target", required=True, metavar="TABLE", help="The table of the model that it fills.")
@click.option("--name", metavar="SYSTEM.NAME", help="Name of the mapping (default: system and relation).")
@click.option("--owner", metavar="WHO", help="Who owns the mapping.")
@pass_invocation
def new(invocation: Invocation, asked: str, target: str, name: str | None, owner: str | None) -> int:
    """Write a first mapping of a relation, from its profile.

    Likely fields get their stages; what only a person can decide is listed, and stands at the end of the file.  A
    file that exists is never overwritten.  Without a kept profile the relation is profiled first.
    """
    from dataclasses import asdict

    from migrate.new_mapping import new_mapping

    made = new_mapping(invocation.workspace(), asked, target, name=name, owner=owner)
    document = {
        "mapping": made.name,
        "file": made.file,
        "target": made.target,
        "fields": list(made.fields),
        "profiled": made.profiled,
        "decisions": [asdict(each) for each in made.decisions],
    }
    asking = sum(bool(each.code) for each in made.decisions)
    lines = [
        f"{made.file}: {len(made.fields)} likely fields of {made.target}: {', '.join(made.fields) or 'none'}",
        *(f"decide {each.code or '-':<7}  {each.about}: {each.message}" for each in made.decisions),
        f"{asking} of {len(made.decisions)} decisions are asked by `omnicase mapping check` until they are made.",
        f"Next: read and complete {made.file}, then omnicase mapping check",
    ]
    invocation.emit(document, lines)
    return 3 if made.decisions else 0
