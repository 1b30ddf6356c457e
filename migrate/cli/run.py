"""`run`, `plan` and `status`: loading, and what it did."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.free_text import FREE_TEXT
from migrate.cli.lang import lang_option

if TYPE_CHECKING:
    from casemodel import RefusedError
    from migrate.running.options import RunResult
    from migrate.session import Session
    from migrate.workspace import Workspace


def _share(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,3}(?:[.,]\d{1,6})?)%", value, re.ASCII)
    share = float(found[1].replace(",", ".")) / 100 if found else 2
    if share > 1:
        raise click.BadParameter("write a percentage such as 5%")
    return share


def _share_of(asked: float | None, workspace: Workspace) -> float | None:
    """Return the share of rejects that was asked for, 0% too, else that of the workspace."""
    return workspace.max_rejects if asked is None else asked


def _day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    from datetime import date

    if value is not None:
        try:
            date.fromisoformat(value)
        except ValueError:
            raise click.BadParameter("write a date such as 2026-11-24") from None
    return value


def _name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Return a name as one line: it stands in tables."""
    name = None if value is None else " ".join(value.split())
    if name is not None and (not name.isprintable() or len(name) > _LONGEST_NAME):
        raise click.BadParameter(f"write at most {_LONGEST_NAME} signs, on one line")
    return name or None


_LONGEST_NAME = 100
_MOST_KEYS = 20
_AS_OF = click.option("--as-of", callback=_day, metavar="DATE", help="What 'today' is in mappings (default: today).")
_FULL = click.option(
    "--full",
    is_flag=True,
    help="Compare every row, also where a cursor or an unchanged source says that nothing changed.",
)
_WAVE = click.option(
    "--wave", metavar="NAME", help="Load only this wave, and what belongs to none; a planned wave begins."
)
_MAX_REJECTS = click.option(
    "--max-rejects", callback=_share, metavar="SHARE", help="Stop when more of the rows are rejected, e.g. 5%."
)


_WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    is_eager=True,
    metavar="N",
    help="Map in N processes (default: a thread).",
)


def _alone(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and ctx.get_parameter_source("workers") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("Choose one of --workers and --scheduler.")
    return value


_SCHEDULER = click.option(
    "--scheduler", callback=_alone, metavar="URL", help="Map on the workers of this Dask scheduler."
)


_LIMIT = click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Read at most N rows of each relation, in whole batches."
)
_KEYS = click.option(
    "--keys",
    multiple=True,
    metavar="KEY|FILE",
    help="Read only these source keys of one mapping: a key (parts joined by |), a file with one a line, or - for"
    " standard input; may be given more than once.",
)
_STRICT = click.option(
    "--strict", is_flag=True, help="Refuse what is known before a row is read and otherwise only warned of."
)


@click.command()
@click.argument("mappings", nargs=-1, metavar="[MAPPING]…")
@_WAVE
@_LIMIT
@_KEYS
@_STRICT
@_WORKERS
@_SCHEDULER
@click.option("--bulk", is_flag=True, help="Rebuild indexes and links after the load; only into empty tables.")
@click.option("--label", type=FREE_TEXT, callback=_name, help="A name for this run, e.g. 'rehearsal 3'.")
@click.option("--reason", type=FREE_TEXT, help="Why it is run; kept in the ledger.")
@click.option("--resume", is_flag=True, help="Go on with the unfinished run, or refuse.")
@_FULL
@_MAX_REJECTS
@_AS_OF
@pass_invocation
def run(
    invocation: Invocation,
    mappings: tuple[str, ...],
    wave: str | None,
    limit: int | None,
    keys: tuple[str, ...],
    strict: bool,
    workers: int,
    scheduler: str | None,
    bulk: bool,
    label: str | None,
    reason: str | None,
    resume: bool,
    full: bool,
    max_rejects: float | None,
    as_of: str | None,
) -> int:
    """Load: read the old systems, map, and write what changed.

    Without names every mapping is loaded, parents first. A run that was interrupted goes on by itself.
    """
    from migrate.opening import open_session
    from migrate.running.options import RunOptions
    from migrate.running.run import as_of_date, load, refuse_if_locked
    from migrate.running.selection import key_texts
    from migrate.status.show_books import run_lines

    workspace = invocation.workspace()
    refuse_if_locked(workspace)
    texts = key_texts(keys)
    with open_session(workspace, as_of_date(as_of), mappings) as session:
        options = RunOptions(
            mappings,
            label,
            reason,
            resume,
            full,
            wave,
            _share_of(max_rejects, workspace),
            workers,
            scheduler,
            bulk=bulk,
            limit=limit,
            keys=texts,
            strict=strict,
        )
        result = load(session, options)
        warnings = _warnings(session, mappings)
        said = _sources_said(session, mappings)
    for line in said:
        invocation.say(line)
    for warning in warnings:
        invocation.say(f"{warning.code}  {warning.place}: {warning.message}")
    _say_unknown(invocation, result)
    _say_how(invocation, result)
    document = result.books.as_dict() | {"unknown_keys": list(result.unknown_keys)}
    invocation.emit(document, run_lines(result.books, "run"))
    return 3 if result.books.findings or warnings or result.unknown_keys else 0


def _warnings(session: Session, mappings: tuple[str, ...]) -> list[RefusedError]:
    """Return what is to be warned of before a row is read."""
    from migrate.deliveries import converted_twice, detected

    names = session.selected(mappings)
    told = [*session.oddities(mappings), *detected(session, names), *converted_twice(session, names)]
    return [*session.check.warnings, *session.unmapped, *told]


def _sources_said(session: Session, mappings: tuple[str, ...]) -> list[str]:
    """Return what is told of the sources that were read: how old a snapshot is, what was skipped in files."""
    from casemodel import KeyRanges
    from migrate.deliveries import skipped_lines

    ages = {name: each.snapshot_age for name, each in session.sources.items() if isinstance(each, KeyRanges)}
    return [
        *(f"{name} was read as it was {age / 60:.1f} minutes before the end of the run." for name, age in ages.items()),
        *skipped_lines(session, session.selected(mappings)),
    ]


def _say_how(invocation: Invocation, result: RunResult) -> None:
    """Say from where the run went on, and which run it gave up."""
    if result.abandoned is not None:
        invocation.say(
            f"Run {result.abandoned} was given up, since mappings, sources or target changed since it started."
        )
    if result.resumed:
        invocation.say(f"Run {result.books.run} was resumed after its last committed batch.")
    if result.moved_on:
        invocation.say(
            f"The sources of {', '.join(result.moved_on)} may have been written to between the two starts: what changed"
            " in the part that was read before comes with the next run."
        )


def _say_unknown(invocation: Invocation, result: RunResult) -> None:
    """Name the keys that were asked for and that no row has."""
    for key in result.unknown_keys[:_MOST_KEYS]:
        invocation.say(f"The source has no row with the key {key}.")
    if len(result.unknown_keys) > _MOST_KEYS:
        invocation.say(f"… and {len(result.unknown_keys) - _MOST_KEYS} more keys; see unknown_keys of --format json")


@click.command()
@click.argument("mappings", nargs=-1, metavar="[MAPPING]…")
@_WAVE
@_LIMIT
@_KEYS
@_STRICT
@_FULL
@_MAX_REJECTS
@_AS_OF
@pass_invocation
def plan(
    invocation: Invocation,
    mappings: tuple[str, ...],
    wave: str | None,
    limit: int | None,
    keys: tuple[str, ...],
    strict: bool,
    full: bool,
    max_rejects: float | None,
    as_of: str | None,
) -> int:
    """Say what a run would do, changing nothing."""
    from migrate.opening import open_session
    from migrate.running.options import RunOptions
    from migrate.running.plan import predict
    from migrate.running.run import as_of_date
    from migrate.running.selection import key_texts
    from migrate.status.show_books import run_lines

    workspace = invocation.workspace()
    texts = key_texts(keys)
    with open_session(workspace, as_of_date(as_of), mappings) as session:
        share = _share_of(max_rejects, workspace)
        options = RunOptions(
            mappings, full=full, wave=wave, max_rejects=share, limit=limit, keys=texts, strict=strict
        )
        result = predict(session, options)
        warnings = _warnings(session, mappings)
    for warning in warnings:
        invocation.say(f"{warning.code}  {warning.place}: {warning.message}")
    _say_unknown(invocation, result)
    document = result.books.as_dict() | {"state": "planned", "unknown_keys": list(result.unknown_keys)}
    invocation.emit(document, run_lines(result.books, "plan"))
    return 3 if result.books.findings or warnings or result.unknown_keys else 0


@click.command()
@click.argument("run_number", metavar="[RUN]", required=False, type=int)
@click.option("--history", is_flag=True, help="Show the last runs side by side; their targets may be gone.")
@lang_option("--history")
@pass_invocation
def status(invocation: Invocation, run_number: int | None, history: bool, lang: str) -> int:
    """Show the books of a run (default: the last) and what waits for whom."""
    if history:
        from migrate.status.rehearsals import read_history
        from migrate.status.show_rehearsals import history_lines

        past = read_history(invocation.workspace())
        invocation.emit(past.as_dict(), history_lines(past, lang))
        return 0
    from migrate.status.runs import read_status
    from migrate.status.show_books import status_lines

    found = read_status(invocation.workspace(), run_number)
    invocation.emit(found.as_dict(), status_lines(found))
    return 0 if found.books is None or found.books.balanced else 8
