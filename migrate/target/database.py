"""The target's schema: bring it up to date, say where it stands, compare it with what it should be.

Both histories of an upgrade run in one transaction, on SQLite too.  A SQLite file that holds data is copied beside
itself first; the copy is put back when the upgrade fails, and removed when it is done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from casemodel import GuardError, RefusedError, SystemFailure
from connectors import postgresql_failure
from migrate.history import HISTORIES, History
from migrate.target.check import Difference, differences

__all__ = ["Difference", "check", "current", "heads", "is_current", "require_current", "target_engine", "upgrade"]

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
COPY_SUFFIX = ".before-upgrade"
_ADVISORY_LOCK = 0x6F6D6E69  # "omni": one upgrade at a time per PostgreSQL database


def target_engine(url: str) -> sa.Engine:
    """Return an engine for upgrading and comparing a target; it shows no values and does not wait for ever.

    Args:
        url: SQLAlchemy URL of a SQLite or PostgreSQL database.

    Raises:
        RefusedError: DBS-005, the URL cannot be used.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise _unusable("it is neither SQLite nor PostgreSQL")
        waits = (
            {"timeout": LOCK_SECONDS} if parsed.get_backend_name() == "sqlite" else {"connect_timeout": CONNECT_SECONDS}
        )
        return sa.create_engine(parsed, poolclass=sa.NullPool, hide_parameters=True, connect_args=waits)
    except sa.exc.ArgumentError:
        raise _unusable("it is not a database URL") from None
    except ImportError:
        raise _unusable("its driver is not installed") from None


def _unusable(cause: str) -> RefusedError:
    return RefusedError(
        "DBS-005",
        f"the URL of the target cannot be used: {cause}",
        hint="Write sqlite:///target.db, or postgresql://HOST/DATABASE with the extra omnicase[postgresql] installed.",
        place="target.url",
    )


def heads(only: str | None = None) -> dict[str, str]:
    """Return the newest revision of each history (``model``, ``ledger``), or of one."""
    return {history.name: history.head for history in _selected(only)}


def current(engine: sa.Engine) -> dict[str, str | None]:
    """Return the revision of each history in a database; None where it was never upgraded.  Changes nothing."""
    if _is_missing_file(engine):
        return {history.name: None for history in HISTORIES}
    with _connected(engine) as connection:
        try:
            return _revisions(connection)
        except sa.exc.DBAPIError as error:
            raise postgresql_failure(error.orig) or error from None


def is_current(engine: sa.Engine) -> bool:
    """Return whether both histories are at their newest revision."""
    return current(engine) == heads()


def require_current(engine: sa.Engine) -> None:
    """Raise GuardError DBS-003 (exit 6) unless both histories are at their newest revision."""
    found = current(engine)
    behind = [name for name, head in heads().items() if found[name] != head]
    if behind:
        raise GuardError(
            "DBS-003",
            f"the target is not upgraded: {' and '.join(behind)} {'is' if len(behind) == 1 else 'are'} not at the"
            " revision that this version needs",
            hint="Run `omnicase db upgrade`.",
        )


def upgrade(engine: sa.Engine, only: str | None = None) -> dict[str, tuple[str | None, str]]:
    """Bring a database to the newest revision; all of it or nothing.

    Args:
        engine: the target, SQLite or PostgreSQL.
        only: ``model`` or ``ledger``; None is both.

    Returns:
        Per history the revision before and after.

    Raises:
        GuardError: DBS-004, the database is newer than this program.
        SystemFailure: DBS-001 it cannot be reached, DBS-002 the upgrade failed and was undone.
    """
    selected = _selected(only)
    _mend(engine)
    before = current(engine)
    _refuse_newer(before, selected)
    if all(before[history.name] == history.head for history in selected):
        return {history.name: (before[history.name], history.head) for history in selected}
    copy = _copy_aside(engine)
    try:
        with _connected(engine) as connection:
            _begin(connection)
            for history in selected:
                _run(connection, history)
            connection.commit()
    except Exception as error:
        if copy is not None:
            _put_back(engine, copy)
        raise _failed(error) from None
    if copy is not None:
        copy.unlink()
    return {history.name: (before[history.name], history.head) for history in selected}


def check(engine: sa.Engine) -> list[Difference]:
    """Compare the database with model and ledger; only their tables are looked at, and nothing is changed."""
    if _is_missing_file(engine):
        raise SystemFailure(
            "DBS-001", "the target does not exist", hint="Run `omnicase db upgrade`.", place=_place(engine)
        )
    with _connected(engine) as connection:
        return [found for history in HISTORIES for found in differences(connection, history)]


def _selected(only: str | None) -> Sequence[History]:
    chosen = [history for history in HISTORIES if only in (None, history.name)]
    if not chosen:
        raise ValueError(f"there is no history {only!r}")
    return chosen


@contextmanager
def _connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Connect; a failure to do so is DBS-001, without the driver's text."""
    try:
        connection = engine.connect()
    except sa.exc.SQLAlchemyError as error:
        raise SystemFailure(
            "DBS-001",
            f"the target cannot be reached ({_reason(error)})",
            hint="Look at target: in workspace.yml or at OMNICASE_TARGET_URL, and whether the database is up.",
            place=_place(engine),
        ) from None
    with closing(connection):
        yield connection


def _reason(error: BaseException) -> str:
    """Name a driver's error by its class and code; its text may quote values."""
    origin = getattr(error, "orig", None) or error
    code = getattr(origin, "sqlstate", None) or getattr(origin, "sqlite_errorname", None)
    return f"{type(origin).__name__}{f', {code}' if code else ''}"


def _failed(error: Exception) -> Exception:
    if isinstance(error, SystemFailure):
        return error
    return SystemFailure(
        "DBS-002",
        f"the upgrade of the target failed and was undone ({_reason(error)})",
        hint="See that the role may create tables, that the disk has room and that nothing else uses the target.",
    )


def _revisions(connection: sa.Connection) -> dict[str, str | None]:
    inspector = sa.inspect(connection)
    found: dict[str, str | None] = {}
    for history in HISTORIES:
        schema = history.schema_on(connection.dialect.name)
        found[history.name] = None
        if inspector.has_table(history.version_table, schema=schema):
            table = sa.table(history.version_table, sa.column("version_num"), schema=schema)
            found[history.name] = connection.execute(sa.select(table.c.version_num)).scalar()
    return found


def _refuse_newer(found: dict[str, str | None], selected: Sequence[History]) -> None:
    """Refuse a revision that this program does not know: a later version of it made the database."""
    for history in selected:
        revision = found[history.name]
        if revision is not None and not (history.folder / "versions" / f"{revision}.py").is_file():
            raise GuardError(
                "DBS-004",
                f"the {history.name} of the target is at revision {revision}, which this version does not know",
                hint="Use the version of omnicase that made it, or a later one.",
            )


def _begin(connection: sa.Connection) -> None:
    """Open the transaction that holds the whole upgrade, and keep a second upgrade out of it."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        return
    connection.begin()
    raw: Any = connection.connection.dbapi_connection
    if not raw.in_transaction:
        # Python's sqlite3 opens no transaction for DDL by itself.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _run(connection: sa.Connection, history: History) -> None:
    from alembic import command
    from alembic.config import Config

    schema = history.schema_on(connection.dialect.name)
    if schema is not None:
        connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
    config = Config()
    config.set_main_option("script_location", str(history.folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, history=history)
    command.upgrade(config, history.head)


def _file(engine: sa.Engine) -> str | None:
    name = engine.url.database
    return name if engine.dialect.name == "sqlite" and name and name != ":memory:" else None


def _place(engine: sa.Engine) -> str:
    """Name the target without secrets, which may also stand in the query part of a URL."""
    return _file(engine) or f"{engine.dialect.name}://{engine.url.host or ''}/{engine.url.database or ''}"


def _is_missing_file(engine: sa.Engine) -> bool:
    """Return whether the target is a SQLite file that does not exist; connecting would create it."""
    file = _file(engine)
    return file is not None and not Path(file).exists()


def _copy_aside(engine: sa.Engine) -> Path | None:
    """Copy a SQLite file that holds something; return the copy, complete or not at all there."""
    file = _file(engine)
    if file is None or not Path(file).exists() or Path(file).stat().st_size == 0:
        return None
    copy = Path(file + COPY_SUFFIX)
    partial = copy.with_name(copy.name + ".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    _copy_database(Path(file), partial)
    return partial.replace(copy)


def _copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database as SQLite sees it, journal included, into another, in one transaction."""
    with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(target)) as writer:
        reader.backup(writer)


def _put_back(engine: sa.Engine, copy: Path) -> None:
    file = _file(engine)
    if file is not None:
        engine.dispose()
        _copy_database(copy, Path(file))
        copy.unlink()


def _mend(engine: sa.Engine) -> None:
    """Deal with the copy that a killed upgrade left.

    SQLite's journal normally leaves the file as it was before the upgrade or as it is after; then the copy goes, since
    others may have written to the target in the meantime.  Only a file that is neither gets the copy put back.
    """
    file = _file(engine)
    copy = Path(f"{file}{COPY_SUFFIX}") if file else None
    if file is None or copy is None or not copy.exists():
        return
    known = [_file_revisions(copy), dict(heads())]
    if _file_revisions(Path(file)) in known:
        copy.unlink()
    else:
        _put_back(engine, copy)


def _file_revisions(file: Path) -> dict[str, str | None] | None:
    """Return the revisions of a SQLite file, or None when it cannot be read as a whole."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(file)), poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                return None
            return _revisions(connection)
    except sa.exc.DatabaseError:
        return None
