"""Which verbs leave an entry in the evidence, and the wrapper that adds it: no verb does so itself."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from migrate.cli.context import Invocation

if TYPE_CHECKING:
    from migrate.evidence.invocation import Kept
    from migrate.evidence.recorder import Recorder

CHANGES = frozenset(
    {
        *("conflicts resolve", "db upgrade", "declaration render", "evidence export", "evidence seal"),
        *("key countersign", "key new", "key revoke", "purge", "rollback", "run"),
        *("runbook approve", "runbook confirm", "runbook end", "runbook run", "runbook skip", "runbook withdraw"),
        *("unlock", "waiver approve", "waiver propose", "waiver revoke", "wave back", "wave close", "wave live"),
    }
)
"""Verbs that change target, ledger, keys or a run of a runbook, or hand something out."""
VERDICTS = frozenset({"db check", "drift", "mapping test", "reconcile"})
"""Verbs that judge the target, the systems, or what mappings make of rows."""
RECORDED = CHANGES | VERDICTS
"""Verbs that add an entry; showing personal values as they are is recorded, too."""
SHOWS = frozenset(
    {
        *("conflicts list", "conflicts show", "db current", "declaration template", "evidence head", "explain"),
        *("key list", "lookup", "mapping coverage", "mapping diff", "mapping doc", "mapping schema", "plan", "profile"),
        *("rejects export", "rejects list", "rejects show", "runbook list", "runbook status", "status"),
        *("waiver list", "wave list", "wave status"),
    }
)
"""Verbs that say what is there, and judge nothing."""
WORKSHOP = frozenset({"demo", "doctor", "init", "mapping check", "mapping new", "runbook lint"})
"""Verbs that make or judge texts of the workspace and the machine, also without a target."""
WITHOUT_ENTRY = frozenset({"evidence verify"})
"""It judges the evidence, which must not move under who looks at it."""

_OPEN = frozenset(
    {
        *("as_of", "before", "by", "check", "choice", "choices", "code", "environment", "gate", "kinds", "key_id"),
        *("key_ids", "label", "lang", "levels", "limit", "mapping", "mappings", "max_rejects", "name", "names"),
        *("only", "person", "reason", "report", "role", "roles", "run", "run_id", "runbook", "scheduler"),
        *("step", "table", "target", "failed", "group", "run_number", "sample", "until", "valid_from", "valid_until"),
        *("since", "wave", "workers"),
    }
)
"""Parameters whose values are names, counts, dates or reasons; what is not named here is shown as a token."""


def with_evidence(command: click.Command, path: str) -> click.Command:
    """Return a verb that leaves its entry; its sub-verbs too."""
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            with_evidence(each, f"{path} {name}")
        return command
    shows = any(param.name == "unmasked" for param in command.params)
    callback = command.callback
    if (path in RECORDED or shows) and callback is not None and not hasattr(callback, "__wrapped_by_evidence__"):
        command.callback = _recorded(callback, path)
    return command


def _recorded(callback: Callable[..., Any], path: str) -> Callable[..., Any]:
    @functools.wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        ctx = click.get_current_context()
        invocation = ctx.find_object(Invocation)
        if invocation is None or (path not in RECORDED and not ctx.params.get("unmasked")):
            return callback(*args, **kwargs)
        recorder = _recorder(invocation)
        if recorder is None:
            return callback(*args, **kwargs)
        return _run(recorder, invocation, ctx, path, functools.partial(callback, *args, **kwargs))

    run.__wrapped_by_evidence__ = True  # type: ignore[attr-defined]
    return run


def _recorder(invocation: Invocation) -> Recorder | None:
    """Return what records; None where there is no workspace to record in: the verb says so itself."""
    from casemodel import OmnicaseError
    from migrate.evidence.recorder import Recorder

    try:
        recorder = Recorder(invocation.workspace())
        return recorder if recorder.origin else None
    except OmnicaseError:
        return None


def _run(recorder: Recorder, invocation: Invocation, ctx: click.Context, path: str, callback: Callable[[], Any]) -> Any:
    from migrate.cli.failures import describe
    from migrate.evidence.invocation import Command, finish
    from migrate.evidence.record import recording

    command = Command(_words(recorder, ctx, path))
    status, code = 1, ""
    try:
        with recording(recorder):
            result = callback()
        status = int(result or 0)
        return result
    except (KeyboardInterrupt, click.Abort):
        status = 130
        raise
    except Exception as error:
        described, status = describe(error)
        code = described[0]["code"]
        raise
    finally:
        output = invocation.answer.hexdigest() if invocation.answered else None
        _say(invocation, recorder, finish(recorder, [*recorder.told, command.told(recorder, status, code, output)]))


def _words(recorder: Recorder, ctx: click.Context, path: str) -> list[str]:
    from casemodel import OmnicaseError, token
    from migrate.evidence.invocation import shown_words

    try:
        key = recorder.workspace.secrets.mask_key
    except OmnicaseError:
        # The namespace is missing: then nobody can make a token either.
        key = b""
    given = {}
    for param in ctx.command.params:
        name = str(param.name)
        if ctx.get_parameter_source(name) in (None, click.core.ParameterSource.DEFAULT):
            continue
        is_option = isinstance(param, click.Option)
        shown = param.opts[-1] if is_option else name
        safe = name in _OPEN or not isinstance(param.type, click.types.StringParamType)
        value = ctx.params.get(name)
        if isinstance(param, click.Option) and isinstance(param.flag_value, str):
            # Several flags share a name: each says only that it was given.
            value = param.flag_value == value or (isinstance(value, tuple) and param.flag_value in value)
        given[shown] = (is_option, safe, value)
    return list(shown_words(path, given, lambda text: f"#{token(text, key)}" if key else "#"))


def _say(invocation: Invocation, recorder: Recorder, kept: Kept) -> None:
    """Tell the person at the terminal what did not go as it should; the command itself went as it went."""
    file = recorder.file.relative_to(recorder.workspace.root)
    if kept.lost:
        invocation.say(
            f"The evidence of this command could not be kept: neither target nor {file.parent}/ can be written."
        )
    elif kept.chained and not kept.projected:
        invocation.say(f"{file} is not what the ledger holds: see `omnicase evidence verify`.")
