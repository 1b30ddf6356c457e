"""The command line: ``omnicase [-C WORKSPACE] [--env NAME] [--format text|json] VERB …``.

Standard output carries the answer, standard error progress and messages.  A verb is a function that
returns its exit status (None for 0) or raises one of casemodel's errors; how an error is shown and which
status it gives is decided here, once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from migrate import __version__
from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lazy import LazyGroup
from migrate.cli.verbs import VERBS
from migrate.running.allocators import give_memory_back
from migrate.running.interrupt import heard, only_while_heard
from migrate.running.lean import leave_pandas_out

__all__ = ["Invocation", "main", "pass_invocation", "root"]

_HELP = """Move the records of old counter and case systems to the omnichannel case model, and prove it.

Exit status: 0 done and clean; 1 our bug; 2 usage; 3 done, with findings; 4 workspace, mapping or runbook refused;
5 a system or the target failed or differs; 6 a gate or guard refused; 7 another run holds the lock; 8 evidence or
checkpoint is broken; 130 interrupted, resumable.

The options below may stand before or after the verb."""

_WITH_VALUE = ("-C", "--workspace", "--env", "--format")
_FLAGS = ("--debug",)
_SILENT = logging.NullHandler()


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        print(f"omnicase {__version__}")
        ctx.exit()


root = LazyGroup(
    "omnicase",
    verbs=VERBS,
    help=_HELP,
    params=[
        click.Option(
            ["-C", "--workspace"],
            type=click.Path(path_type=Path),
            default=Path(),
            metavar="DIR",
            help="Folder of the workspace (default: the current folder).",
        ),
        click.Option(["--env"], metavar="NAME", help="An entry of environments: in workspace.yml."),
        click.Option(
            ["--format"], type=click.Choice(["text", "json"]), default="text", help="How to answer (default: text)."
        ),
        click.Option(
            ["--debug"], is_flag=True, help="Show a traceback when something fails; it may show personal data."
        ),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version and stop.",
        ),
    ],
)


def _remember(workspace: Path, env: str | None, format: str, debug: bool) -> None:
    click.get_current_context().obj = Invocation(workspace, env, format, debug)


root.callback = _remember


def main(argv: Sequence[str] | None = None) -> int:
    """Run one invocation and return its exit status.

    Args:
        argv: the arguments without the program's name; by default those of the process.
    """
    if argv is None:
        only_while_heard()
    give_memory_back()
    leave_pandas_out()
    args = _globals_first(list(sys.argv[1:] if argv is None else argv))
    try:
        with _civil_process():
            return _answered(args)
    except KeyboardInterrupt:
        return _interrupted()


def _answered(args: list[str]) -> int:
    """Run the verb, show what went wrong, and return the exit status."""
    try:
        status = _invoke(list(args))  # click takes away what it has read
        sys.stdout.flush()
        return status
    except (click.Abort, KeyboardInterrupt):
        return _interrupted()
    except BrokenPipeError:
        return _reader_left()
    except Exception as error:
        from migrate.cli.failures import report

        asked_json, debug = _last_value(args, "--format") == "json", "--debug" in args
        return report(error, format="json" if asked_json else "text", debug=debug, lang=_language(args))


def _interrupted() -> int:
    print("Interrupted. What was committed is kept; the same command goes on from there.", file=sys.stderr)
    return 130


def _invoke(args: list[str]) -> int:
    """Run the verb; click's own ``main`` is not used, since it hides a closed pipe behind exit status 1."""
    # The folder of the workspace may have any name; all else is kept, compared and shown as text.
    for before, arg in zip(["", *args], args, strict=False):
        if before not in ("-C", "--workspace") and any("\ud800" <= sign <= "\udfff" for sign in arg):
            raise click.UsageError("An argument is not UTF-8 text.")
    try:
        with root.make_context("omnicase", args) as ctx:
            return int(root.invoke(ctx) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code


def _globals_first(args: list[str]) -> list[str]:
    """Return the arguments with the global options moved before the verb, wherever they stood."""
    front: list[str] = []
    rest: list[str] = []
    left = iter(args)
    for arg in left:
        if arg == "--":
            rest += [arg, *left]
        elif arg in _WITH_VALUE:
            front += [arg, *[value for value in [next(left, None)] if value is not None]]
        elif arg in _FLAGS or arg.startswith(tuple(f"{name}=" for name in _WITH_VALUE if name.startswith("--"))):
            front.append(arg)
        else:
            rest.append(arg)
    return front + rest


def _language(args: list[str]) -> str:
    """Return the language of the verb that the arguments name; one that speaks one language speaks English."""
    command: click.Command | None = root
    left = iter(args)
    for arg in left:
        if arg in _WITH_VALUE:
            next(left, None)
        elif not arg.startswith("-") and isinstance(command, click.Group):
            command = command.get_command(click.Context(command), arg)
    given = next((param for param in command.params if param.name == "lang"), None) if command is not None else None
    return "en" if given is None else _last_value(args, "--lang") or str(given.default)


def _last_value(args: list[str], option: str) -> str | None:
    found = None
    for position, arg in enumerate(args):
        if arg == "--":
            break
        if arg == option and position + 1 < len(args):
            found = args[position + 1]
        elif arg.startswith(f"{option}="):
            found = arg.partition("=")[2]
    return found


def _reader_left() -> int:
    """End quietly when the reader of our output went away (``| head``): the answer did not arrive in full."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 5


@contextlib.contextmanager
def _civil_process() -> Iterator[None]:
    """Set up the process: private files, UTF-8 output, SIGTERM as an interrupt, no modules from the current folder,
    nothing said by libraries.
    """
    # Worker processes start with the current folder on their module path unless this is set.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    _open_closed_streams()
    # What libraries log quotes drivers, and drivers quote cells: without a handler Python would print it.
    logging.getLogger().addHandler(_SILENT)
    mask = os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with heard():
            yield
    finally:
        os.umask(mask)
        logging.getLogger().removeHandler(_SILENT)


def _open_closed_streams() -> None:
    """Open what was closed (``>&-``) on the null device, lest a database be opened in the place of a stream."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
