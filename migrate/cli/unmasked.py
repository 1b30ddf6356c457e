"""The options of verbs that can show personal values as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from migrate.cli.free_text import FREE_TEXT


def unmasked_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--unmasked`` and ``--reason``."""
    command = click.option("--reason", type=FREE_TEXT, help="Why they are needed; kept with --unmasked.")(command)
    return click.option(
        "--unmasked",
        is_flag=True,
        help="Show personal values as they are; the ledger keeps who saw what, when and why.",
    )(command)
