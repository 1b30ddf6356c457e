"""SQLite as target: who is interrupted leaves it unlocked (R10)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from connectors import SqliteTarget


def test_r10_an_interrupted_statement_leaves_no_lock(tmp_path: Path) -> None:
    """The traceback holds the statement in its midst, so the connection cannot be closed: its transaction is ended."""
    with closing(SqliteTarget(f"sqlite:///{tmp_path / 'target.db'}", create=True)) as target:
        with target.transaction() as connection:
            connection.exec_driver_sql("CREATE TABLE kept (n INTEGER)")

        def interrupted(_connection: sa.Connection, _cursor: object, statement: str, *_more: object) -> None:
            if "FROM kept" in statement:
                raise KeyboardInterrupt

        event.listen(target.engine, "after_cursor_execute", interrupted)
        with pytest.raises(KeyboardInterrupt) as struck, target.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO kept VALUES (1), (2), (3)")
            connection.exec_driver_sql("SELECT n FROM kept")
        assert struck.tb is not None
        with target.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO kept VALUES (4)")
        event.remove(target.engine, "after_cursor_execute", interrupted)
        with target.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT n FROM kept").fetchall() == [(4,)]
