"""How an exception ends the program: one text or JSON object, one exit status, never a value of a source.

Texts of drivers and libraries quote cells, so they are never passed on; what is shown of a foreign
exception is its class, its error number and the place in our own code.
"""

from __future__ import annotations

import errno
import json
import sqlite3
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import click

from migrate.cli.context import ONE_LINE

_MOST = 1_000
_HOME = Path(__file__).resolve().parents[2]
_OURS = {"casemodel", "connectors", "mappings", "migrate", "reconciliation", "runbooks"}
_SQLITE = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the database may not be written",
    "SQLITE_CANTOPEN": "the database cannot be opened",
    "SQLITE_BUSY": "the database is locked by another program",
    "SQLITE_LOCKED": "the database is locked by another program",
    "SQLITE_IOERR": "the disk gave an error",
    "SQLITE_CORRUPT": "the database is damaged",
    "SQLITE_NOTADB": "the file is not a database",
    "SQLITE_PERM": "access is denied",
}


def report(error: Exception, *, format: str, debug: bool, lang: str = "en") -> int:
    """Show what went wrong and return the exit status that belongs to it.

    Args:
        format: ``text``, in the language of the command, or ``json``, in English, which machines compare.
    """
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and format == "text":
        print(error.format_message(), file=sys.stderr)
        return 2
    described, status = describe(error)
    objects = [_shortened(item) for item in described]
    if format == "json":
        print(json.dumps(objects[0] if len(objects) == 1 else objects[0] | {"errors": objects}, ensure_ascii=False))
        return status
    for item in objects:
        where = f"  {item['where']}:" if item["where"] else " "
        message, hint = _said(item["message"], item["hint"], lang)
        texts = (f"{item['code']}{where} {message}", f"  {hint}")
        for line in texts:
            print(line.translate(ONE_LINE), file=sys.stderr)
    return status


def _said(message: str, hint: str, lang: str) -> tuple[str, str]:
    """Return both sentences in one language: Dutch where the verb speaks it and both have a Dutch form."""
    if lang == "nl":
        from migrate.dutch import in_dutch

        dutch, advice = in_dutch(message), in_dutch(hint) if hint else ""
        if dutch is not None and advice is not None:
            return dutch, f"advies: {advice}"
    return message, f"hint: {hint}"


def describe(error: Exception) -> tuple[list[dict[str, str]], int]:
    """Return the error objects {code, class, where, message, hint} of an exception and its exit status."""
    if isinstance(error, click.ClickException):
        return [_usage(error)], 2
    if isinstance(error, ModuleNotFoundError):
        return [_not_whole(error)], 5
    # Imported here: the package loads Polars and SQLAlchemy, which a usage error has no need of.
    from casemodel import OmnicaseError, RefusedMany

    if isinstance(error, RefusedMany):
        return [each.as_dict() for each in error.errors], error.exit_status
    if isinstance(error, OmnicaseError):
        return [error.as_dict()], error.exit_status
    for cause in _chain(error):
        outside = _outside(cause)
        if outside is not None:
            return [outside], 5
    return [_bug(error)], 1


def _usage(error: click.ClickException) -> dict[str, str]:
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx is not None else "omnicase"
    message = "A verb is missing." if isinstance(error, click.exceptions.NoArgsIsHelpError) else error.format_message()
    return _object("CLI-001", "usage", path, message, f"See '{path} --help'.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and what it was made from: SQLAlchemy keeps the driver's own in ``orig``."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        pending += [each.__context__, each.__cause__, getattr(each, "orig", None)]


def _outside(error: BaseException) -> dict[str, str] | None:
    """Describe what the machine refused (disk, rights, memory), or return None when it is something else."""
    if isinstance(error, MemoryError):
        return _object(
            "SYS-003",
            "system",
            "",
            "There is not enough memory.",
            "Lower run.batch_rows in workspace.yml or give the program more memory, then run again.",
        )
    if isinstance(error, sqlite3.Error):
        name = str(getattr(error, "sqlite_errorname", ""))
        cause = next((text for prefix, text in _SQLITE.items() if name.startswith(prefix)), None)
        if cause is not None:
            return _object(
                "SYS-002",
                "system",
                "",
                f"A SQLite database failed: {cause} ({name}).",
                "Free space, correct rights or close the other program; what is committed stays.",
            )
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, BrokenPipeError):
        name = errno.errorcode.get(error.errno, str(error.errno))
        where = str(error.filename) if isinstance(error.filename, (str, Path)) else ""
        return _object(
            "SYS-001",
            "system",
            where,
            f"A file or connection failed: {error.strerror or name} ({name}).",
            "Correct the path, the rights or the free space and run again; what is committed stays.",
        )
    return None


def _not_whole(error: ModuleNotFoundError) -> dict[str, str]:
    return _object(
        "SYS-004",
        "system",
        "",
        f"The program is not installed whole: the module {error.name} is missing.",
        "Install it again in an environment of its own, for example with `pipx install omnicase`.",
    )


def _bug(error: Exception) -> dict[str, str]:
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        file = Path(frame.filename)
        if file.is_relative_to(_HOME) and file.relative_to(_HOME).parts[0] in _OURS:
            place = f"{file.relative_to(_HOME)}:{frame.lineno}"
    message = f"The program failed in a way it does not know ({type(error).__name__}): our bug."
    return _object(
        "BUG-000",
        "bug",
        place,
        message,
        "Run again with --debug for a traceback (it may show personal data) and report it with this place.",
    )


def _object(code: str, kind: str, where: str, message: str, hint: str) -> dict[str, str]:
    return {"code": code, "class": kind, "where": where, "message": message, "hint": hint}


def _shortened(item: dict[str, str]) -> dict[str, str]:
    """Cut what somebody pasted by mistake and a message repeats."""
    return {name: text if len(text) <= _MOST else f"{text[: _MOST - 1]}…" for name, text in item.items()}
