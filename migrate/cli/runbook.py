"""`runbook`: procedures that run, step by step, with people and gates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.free_text import FREE_TEXT
from migrate.cli.lang import lang_option

if TYPE_CHECKING:
    from migrate.runbook.runs import Run
    from migrate.workspace import Workspace

_LANG = lang_option()
_RUN = click.argument("run", metavar="RUN")
_BY = click.option("--by", "person", metavar="PERSON", required=True, help="Who, as the runbook and keys/ name people.")
_REASON = click.option("--reason", type=FREE_TEXT, required=True, help="Why; kept in the run and in the evidence.")


@click.group()
def runbook() -> None:
    """Check and run the procedures of rehearsal, cutover and rollback, with people and gates."""


@runbook.command("list")
@_LANG
@pass_invocation
def list_command(invocation: Invocation, lang: str) -> int:
    """List the runbooks of the workspace and how their last runs ended."""
    from migrate.runbook.show import list_lines
    from migrate.runbook.status import listed

    found = listed(invocation.workspace())
    invocation.emit({"runbooks": found}, list_lines(found, lang))
    return 0


@runbook.command("lint")
@click.argument("names", metavar="[NAME]…", nargs=-1)
@click.option(
    "--sarif", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write the findings as SARIF too."
)
@_LANG
@pass_invocation
def lint_command(invocation: Invocation, names: tuple[str, ...], sarif: Path | None, lang: str) -> int:
    """Say what is wrong with runbooks, all without a name; nothing is run.

    Exit status 3 with warnings, 4 with errors.
    """
    from migrate.cli import root
    from migrate.runbook.files import lint_runbooks
    from migrate.runbook.show import lint_lines

    found = lint_runbooks(invocation.workspace(), names, root)
    if sarif is not None:
        from migrate.paper import write_paper
        from migrate.runbook.sarif import sarif_of

        write_paper(sarif, json.dumps(sarif_of(found), ensure_ascii=False, indent=1) + "\n")
    invocation.emit(found.as_dict(), lint_lines(found, lang))
    return found.exit_status


@runbook.command("run")
@click.argument("name", metavar="NAME")
@click.option("--by", "person", metavar="PERSON", help="Who runs it (default: your account on this machine).")
@click.option("--wave", metavar="NAME", help="The wave, where the runbook leaves it open.")
@click.option("--dry-run", is_flag=True, help="Show every step and how the gates stand; do nothing.")
@click.option("--rollback", "back", is_flag=True, help="Take back what the run under way has done, the last first.")
@_LANG
@pass_invocation
def run_command(
    invocation: Invocation, name: str, person: str | None, wave: str | None, dry_run: bool, back: bool, lang: str
) -> int:
    """Run a runbook, or go on with its run that is not over.

    Each step is shown, done, and noted. The run stops at the first failure, at a gate that is closed, and where a
    person must do something; the same command goes on from there. Exit status 6 says that it waits.
    """
    from migrate.cli import root
    from migrate.runbook.runs import do_run, dry_views, to_run, witness
    from migrate.runbook.show import TerminalTalk, dry_lines, status_lines
    from migrate.runbook.status import run_status

    workspace, found = to_run(invocation.workspace_dir, invocation.env, name, wave, root)
    if dry_run:
        views = dry_views(workspace, found)
        invocation.emit(
            {"runbook": found.name, "steps": [step.id for step in found.forward]}, dry_lines(found, views, lang)
        )
        return 0
    talk = TerminalTalk(invocation.say, lang)
    run, waits = do_run(workspace, found, talk, person, witness(workspace), back=back)
    status = run_status(workspace, run.journal.folder.name)
    if waits is not None and waits.error is not None:
        raise waits.error
    invocation.emit(status.as_dict(), status_lines(status, lang))
    return 0 if waits is None else 6


@runbook.command("status")
@click.argument("run", metavar="[RUN]", default="last")
@_LANG
@pass_invocation
def status_command(invocation: Invocation, run: str, lang: str) -> int:
    """Show who must do what now in a run (default: the newest), and how long its steps took."""
    from migrate.runbook.runs import run_names
    from migrate.runbook.show import status_lines, word
    from migrate.runbook.status import run_status

    workspace = invocation.workspace()
    if run == "last" and not run_names(workspace):
        invocation.emit({"run": None}, [word(lang, "none")])
        return 0
    found = run_status(workspace, run)
    invocation.emit(found.as_dict(), status_lines(found, lang))
    return 0


@runbook.command("confirm")
@_RUN
@click.argument("step", metavar="STEP")
@_BY
@click.option("--failed", type=FREE_TEXT, help="It failed, and why; the run stops there.")
@_LANG
@pass_invocation
def confirm_command(invocation: Invocation, run: str, step: str, person: str, failed: str | None, lang: str) -> int:
    """Say that a step which people do by hand is done, or that it failed."""
    from migrate.runbook.people import confirm_step

    workspace, opened = _opened(invocation, run)
    confirm_step(opened, workspace, step, person, failed=failed)
    what, status = ("confirmed", "done") if failed is None else ("said failed", "failed")
    _answer(invocation, lang, opened, {"step": step, "by": person, "status": status}, what, "go on")
    return 0


@runbook.command("approve")
@_RUN
@click.argument("gate", metavar="GATE")
@_BY
@_LANG
@pass_invocation
def approve_command(invocation: Invocation, run: str, gate: str, person: str, lang: str) -> int:
    """Approve a gate as it stands now, signed with your key; or a step that is to be left out."""
    from migrate.cli.passphrase import ask_passphrase
    from migrate.runbook.people import approve_gate, gate_view
    from migrate.runbook.runs import evidence_head, open_run, run_environment, witness
    from migrate.runbook.show import gate_lines, word

    workspace = run_environment(invocation.workspace_dir, invocation.env, run)
    opened = open_run(workspace, run, witness(workspace))
    view = gate_view(opened, workspace, gate)
    invocation.say(word(lang, "signs", person=person))
    for line in gate_lines(view, lang):
        invocation.say(line)
    approval = approve_gate(opened, workspace, view, person, ask_passphrase, evidence_head(workspace))
    document = {"gate": gate, "by": person, "approval": approval}
    _answer(invocation, lang, opened, document, "approved gate", "go on")
    return 0


@runbook.command("withdraw")
@_RUN
@click.argument("gate", metavar="GATE")
@_BY
@_REASON
@_LANG
@pass_invocation
def withdraw_command(invocation: Invocation, run: str, gate: str, person: str, reason: str, lang: str) -> int:
    """Withdraw your approval of a gate, signed with your key, before what it guards has begun."""
    from migrate.cli.passphrase import ask_passphrase
    from migrate.runbook.people import withdraw_approval

    workspace, opened = _opened(invocation, run)
    approval = withdraw_approval(opened, workspace, gate, person, reason, ask_passphrase)
    _answer(invocation, lang, opened, {"gate": gate, "by": person, "approval": approval}, "withdrew")
    return 0


@runbook.command("skip")
@_RUN
@click.argument("step", metavar="STEP")
@_BY
@_REASON
@_LANG
@pass_invocation
def skip_command(invocation: Invocation, run: str, step: str, person: str, reason: str, lang: str) -> int:
    """Ask to leave a step out: a deviation, which somebody else approves with their key."""
    from migrate.runbook.people import ask_to_skip

    _, opened = _opened(invocation, run)
    ask_to_skip(opened, step, person, reason)
    _answer(invocation, lang, opened, {"step": step, "by": person}, "asked to skip", "approve skip")
    return 0


@runbook.command("end")
@_RUN
@_BY
@_REASON
@_LANG
@pass_invocation
def end_command(invocation: Invocation, run: str, person: str, reason: str, lang: str) -> int:
    """Give a run up that will not be finished: what was done stays done."""
    from migrate.runbook.people import give_up

    _, opened = _opened(invocation, run)
    give_up(opened, person, reason)
    _answer(invocation, lang, opened, {"by": person, "state": "given up"}, "gave up")
    return 0


def _opened(invocation: Invocation, run: str) -> tuple[Workspace, Run]:
    from migrate.runbook.runs import open_run, witness

    workspace = invocation.workspace()
    return workspace, open_run(workspace, run, witness(workspace))


def _answer(invocation: Invocation, lang: str, opened: Run, said: Mapping[str, Any], *sentences: str) -> None:
    """Answer with what somebody did in a run, and with sentences about it."""
    from migrate.runbook.show import word

    document = {"run": opened.journal.folder.name, **said}
    facts = {**document, "person": said["by"], "name": opened.runbook.name}
    invocation.emit(document, [word(lang, each, **facts) for each in sentences])
