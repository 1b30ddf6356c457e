"""``omnicase doctor``."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.doctor import Diagnosis, examine, exit_status

_SIGNS = {"passed": "ok  ", "finding": "!   ", "failed": "FAIL", "not_applicable": "-   "}


@click.command()
@pass_invocation
def doctor(invocation: Invocation) -> int:
    """Say what is wrong with settings, connections, rights and limits.

    Nothing is changed.  Exit status 3 when something should be better, 4 to 6 when something cannot work.
    """
    answers = examine(invocation.workspace_dir, invocation.env)
    status = exit_status(answers)
    lines = [line for answer in answers for line in _lines(answer)]
    verdict = {0: "All is well.", 3: "It works; what is marked ! should be better."}.get(status, "It cannot work yet.")
    invocation.emit({"healthy": status == 0, "checks": [answer.as_dict() for answer in answers]}, [*lines, "", verdict])
    return status


def _lines(answer: Diagnosis) -> list[str]:
    code = f" {answer.code}" if answer.code else ""
    where = f" ({answer.where})" if answer.where else ""
    first = f"{_SIGNS[answer.outcome.value]} {answer.check}:{code} {answer.message}{where}"
    return [first, f"       {answer.hint}"] if answer.hint else [first]
