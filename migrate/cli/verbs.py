"""The verbs of the command line: where each one lives and what it says about itself in ``--help``.

The module of a verb is imported when the verb is used, not before.  A verb that does not work yet has
no line here.  The short help repeats the first sentence of the command's own help; a test holds them equal.
"""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """One verb: the ``module:attribute`` of its click command, and its line in the list of commands."""

    target: str
    help: str


VERBS: dict[str, Verb] = {
    "init": Verb("migrate.cli.init:init", "Make an empty workspace with commented examples."),
    "db": Verb("migrate.cli.db:db", "Bring the target's model and ledger up to date, and compare them."),
    "doctor": Verb("migrate.cli.doctor:doctor", "Say what is wrong with settings, connections, rights and limits."),
}
