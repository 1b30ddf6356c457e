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
    "demo": Verb("migrate.cli.demo:demo", "Make a complete workspace with generated old systems."),
    "init": Verb("migrate.cli.init:init", "Make an empty workspace with commented examples."),
    "db": Verb("migrate.cli.db:db", "Bring the target's model and ledger up to date, and compare them."),
    "doctor": Verb("migrate.cli.doctor:doctor", "Say what is wrong with settings, connections, rights and limits."),
    "profile": Verb(
        "migrate.cli.profile:profile", "Show what is really in an old system: types, forms, keys, dates, values."
    ),
    "mapping": Verb("migrate.cli.mapping:mapping", "Check, test, cover, document and compare the mapping files."),
    "plan": Verb("migrate.cli.run:plan", "Say what a run would do, changing nothing."),
    "run": Verb("migrate.cli.run:run", "Load: read the old systems, map, and write what changed."),
    "status": Verb("migrate.cli.run:status", "Show the books of a run (default: the last) and what waits for whom."),
    "unlock": Verb("migrate.cli.unlock:unlock", "Release a target that a dead run on another machine still holds."),
    "rollback": Verb("migrate.cli.rollback:rollback", "Take a run back, the newest first; RUN is its number, or last."),
    "purge": Verb(
        "migrate.cli.purge:purge",
        "Remove the rows as read of rejects, and the before-images of records, from the ledger.",
    ),
    "wave": Verb("migrate.cli.wave:wave", "Move the old systems wave by wave: follow, cut over, take back, close."),
    "runbook": Verb(
        "migrate.cli.runbook:runbook",
        "Check and run the procedures of rehearsal, cutover and rollback, with people and gates.",
    ),
    "conflicts": Verb(
        "migrate.cli.conflicts:conflicts", "List, show and settle records that people edited or made in the target."
    ),
    "explain": Verb("migrate.cli.explain:explain", "Show a source row's way to its record, stage by stage."),
    "lookup": Verb("migrate.cli.lookup:lookup", "Show from which source rows a record of the target was made."),
    "rejects": Verb("migrate.cli.rejects:rejects", "List, show and export the rows that were not loaded."),
    "reconcile": Verb(
        "migrate.cli.reconcile:reconcile", "Compare the old systems with the target, value by value, and report."
    ),
    "drift": Verb(
        "migrate.cli.drift:drift",
        "Say what changed on either side since a run: rows of the old system, records that people touched in the new.",
    ),
    "evidence": Verb(
        "migrate.cli.evidence:evidence", "Verify the record of what was run, seal it, show its head, export it."
    ),
    "declaration": Verb(
        "migrate.cli.declaration:declaration",
        "Fill the declaration of migration (verklaring van migratie) from the ledger.",
    ),
    "waiver": Verb(
        "migrate.cli.waiver:waiver", "Accept differences for a time: one person proposes, another approves."
    ),
    "key": Verb("migrate.cli.key:key", "Make, countersign, list and revoke the keys whose signatures count."),
}
