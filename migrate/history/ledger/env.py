"""Called by alembic; connection and history come from `migrate.target.database`."""

from migrate.history import run_revisions

run_revisions()
