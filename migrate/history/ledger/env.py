"""Called by alembic; connection and history come from `migrate.database`."""

from migrate.history import run_revisions

run_revisions()
