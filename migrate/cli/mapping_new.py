"""`mapping new`: a first mapping out of a profile."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option


@click.command()
@click.argument("asked", metavar="SYSTEM.RELATION")
@click.option("--target", required=True, metavar="TABLE", help="The table of the model that it fills.")
@click.option("--name", metavar="SYSTEM.NAME", help="Name of the mapping (default: system and relation).")
@click.option("--owner", metavar="WHO", help="Who owns the mapping.")
@lang_option()
@pass_invocation
def new(invocation: Invocation, asked: str, target: str, name: str | None, owner: str | None, lang: str) -> int:
    """Write a first mapping of a relation, from its profile.

    Likely fields get their stages; what only a person can decide is listed, and stands at the end of the file.  A
    file that exists is never overwritten.  Without a kept profile the relation is profiled first.
    """
    from dataclasses import asdict

    from migrate.mapping.new import new_mapping
    from migrate.mapping.show_new import new_lines

    made = new_mapping(invocation.workspace(), asked, target, name=name, owner=owner)
    document = {
        "mapping": made.name,
        "file": made.file,
        "target": made.target,
        "fields": list(made.fields),
        "profiled": made.profiled,
        "decisions": [asdict(each) for each in made.decisions],
    }
    invocation.emit(document, new_lines(made, lang))
    return 3 if made.decisions else 0
