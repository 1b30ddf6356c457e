"""Triggers that keep rows of the ledger before a run changes them: no statement of ours can forget to.

They do nothing but while a run holds the lock with ``images_of``, and nothing for a row that this run made.
"""

from __future__ import annotations

from sqlalchemy import MetaData, Table

from migrate.ledger.evidence_tables import evidence_statements, evidence_triggers
from migrate.ledger.tables import ledger_named
from migrate.ledger.undo_tables import TWINS, UNDO_RUN


def trigger_statements(metadata: MetaData, dialect: str) -> list[str]:
    """Return the SQL that makes the triggers of a dialect (``sqlite`` or ``postgresql``)."""
    made = []
    for name in TWINS:
        original = ledger_named(metadata, name)
        made += _postgresql(name, original) if dialect == "postgresql" else _sqlite(name, original)
    return made + evidence_statements(dialect)


def trigger_names(dialect: str) -> list[str]:
    """Return the names of all triggers."""
    prefix = "" if dialect == "postgresql" else "migration_"
    kept = [f"{prefix}keep_{name}_{event}" for name in TWINS for event in ("update", "delete")]
    return kept + evidence_triggers(prefix)


def _sqlite(name: str, original: Table) -> list[str]:
    columns = [column.name for column in original.columns]
    twin = f"migration_before_{name}"
    old = ", ".join(f'OLD."{column}"' for column in columns)
    same = " AND ".join(f'"{key.name}" = OLD."{key.name}"' for key in original.primary_key.columns)
    keep = (
        f"INSERT INTO {twin} ({UNDO_RUN}, {_named(columns)}) SELECT images_of, {old} FROM migration_lock"
        f" WHERE id = 1 AND images_of <> OLD.run_id AND NOT EXISTS"
        f" (SELECT 1 FROM {twin} WHERE {UNDO_RUN} = images_of AND {same})"
    )
    return [
        f"CREATE TRIGGER migration_keep_{name}_{event.lower()} BEFORE {event} ON {original.name}"
        f" FOR EACH ROW BEGIN {keep}; END"
        for event in ("UPDATE", "DELETE")
    ]


def _postgresql(name: str, original: Table) -> list[str]:
    columns = [column.name for column in original.columns]
    old = ", ".join(f'o."{column}"' for column in columns)
    keep = (
        f"INSERT INTO migration.before_{name} ({UNDO_RUN}, {_named(columns)}) SELECT l.images_of, {old}"
        " FROM old_rows o JOIN migration.lock l ON l.id = 1 AND l.images_of <> o.run_id ON CONFLICT DO NOTHING"
    )
    function = (
        f"CREATE FUNCTION migration.keep_{name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {keep}; RETURN NULL; END $$"
    )
    return [
        function,
        *(
            f"CREATE TRIGGER keep_{name}_{event.lower()} AFTER {event} ON migration.{name} REFERENCING OLD TABLE AS"
            f" old_rows FOR EACH STATEMENT EXECUTE FUNCTION migration.keep_{name}()"
            for event in ("UPDATE", "DELETE")
        ),
    ]


def _named(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
