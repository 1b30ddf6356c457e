"""What the account of a database may do besides reading, as each database says it of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from casemodel import Rights

_MOST_NAMES = 5
_MYSQL_READS = ("USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES")
_ORACLE_READS = re.compile(r"CREATE SESSION|SELECT ANY TABLE|READ ANY TABLE|SELECT ANY DICTIONARY|FLASHBACK ANY TABLE")
_SQLSERVER_READS = ("CONNECT", "SELECT", "SHOWPLAN", "REFERENCES")
_SQLSERVER_SHOWS = re.compile(r"VIEW .*")
_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?:TABLE )?(?P<where>\S+) TO .*", re.IGNORECASE | re.DOTALL)

ASKED: dict[str, tuple[str, ...]] = {
    "mysql": ("SELECT CURRENT_USER()", "SHOW GRANTS"),
    "oracle": (
        "SELECT SYS_CONTEXT('USERENV', 'CURRENT_USER') FROM dual",
        "SELECT privilege FROM session_privs",
        "SELECT privilege || ' ON ' || table_name FROM user_tab_privs_recd"
        " WHERE privilege NOT IN ('SELECT', 'READ', 'EXECUTE')",
        "SELECT 'OWNS ' || table_name FROM user_tables",
    ),
    "mssql": (
        "SELECT SUSER_SNAME()",
        "SELECT permission_name FROM fn_my_permissions(NULL, 'DATABASE')",
        "SELECT DISTINCT p.permission_name + ' ON ' + o.name FROM sys.objects o"
        " CROSS APPLY fn_my_permissions(QUOTENAME(SCHEMA_NAME(o.schema_id)) + '.' + QUOTENAME(o.name), 'OBJECT') p"
        " WHERE o.type IN ('U', 'V') AND p.subentity_name = ''"
        " AND p.permission_name IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER', 'CONTROL', 'TAKE OWNERSHIP')",
    ),
    "postgresql": (
        "SELECT current_user",
        "SELECT 'SUPERUSER' WHERE current_setting('is_superuser') = 'on'",
        "SELECT DISTINCT privilege_type || ' ON ' || table_name FROM information_schema.table_privileges"
        " WHERE privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')"
        " AND table_schema NOT IN ('pg_catalog', 'information_schema')",
    ),
}
"""Per dialect what is asked: first who reads, then what it may do."""


def rights_of(connection: sa.Connection) -> Rights:
    """Return what the account of a connection may do; of a dialect that is not known here, that nothing is known."""
    dialect = connection.dialect
    version = ".".join(str(part) for part in getattr(dialect, "server_version_info", None) or ())
    server = f"{dialect.name} {version}".strip()
    name = "mysql" if dialect.name == "mariadb" else dialect.name
    if name == "sqlite":
        return Rights(server, "of this process")
    if name not in ASKED:
        return Rights(server, "given", ("what it may do cannot be asked of this database",))
    who, *questions = ASKED[name]
    role = str(connection.exec_driver_sql(who).scalar())
    answers = [[str(row[0]) for row in connection.exec_driver_sql(each).all()] for each in questions]
    return Rights(server, role, EXCESS[name](*answers))


def _mysql(grants: Sequence[str]) -> tuple[str, ...]:
    """Read the answer to SHOW GRANTS."""
    writes, roles = [], []
    for grant in grants:
        found = _GRANT.fullmatch(grant.strip())
        if found is None:
            roles.append(grant)
            continue
        # The columns that a privilege is limited to are no privileges of their own.
        held = [each.strip().upper() for each in re.sub(r"\([^)]*\)", "", found["what"]).split(",")]
        writes += [f"{each} ON {found['where']}" for each in held if each not in _MYSQL_READS]
        writes += [f"GRANT OPTION ON {found['where']}"] if "WITH GRANT OPTION" in grant.upper() else []
    return (*_named("it has", writes), *_named("it has roles whose rights are not told:", ["a role"] if roles else []))


def _oracle(system: Sequence[str], objects: Sequence[str], owned: Sequence[str]) -> tuple[str, ...]:
    return (
        *_named("it has", [each for each in system if not _ORACLE_READS.fullmatch(each)]),
        *_named("it has", objects),
        *_named("it owns", [each.removeprefix("OWNS ") for each in owned]),
    )


def _sqlserver(database: Sequence[str], objects: Sequence[str]) -> tuple[str, ...]:
    held = [each for each in database if each not in _SQLSERVER_READS and not _SQLSERVER_SHOWS.fullmatch(each)]
    return (*_named("it has", held), *_named("it has", objects))


def _postgresql(superuser: Sequence[str], tables: Sequence[str]) -> tuple[str, ...]:
    return (*(["it is a superuser"] if superuser else []), *_named("it has", tables))


EXCESS: dict[str, Callable[..., tuple[str, ...]]] = {
    "mysql": _mysql,
    "oracle": _oracle,
    "mssql": _sqlserver,
    "postgresql": _postgresql,
}
"""Per dialect how the answers are read: what goes beyond reading, a sentence each without its end."""


def _named(what: str, names: Iterable[Any]) -> list[str]:
    listed = sorted(set(map(str, names)))
    more = f" and {len(listed) - _MOST_NAMES} more" if len(listed) > _MOST_NAMES else ""
    return [f"{what} {', '.join(listed[:_MOST_NAMES])}{more}"] if listed else []
