"""The option ``--lang`` of commands that speak Dutch and English."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import click


def lang_option(of: str = "the text", *, default: Literal["nl", "en"] = "nl") -> Callable[[Any], Any]:
    """Return the option; ``of`` is what is written in that language."""
    choice = click.Choice(["nl", "en"])
    return click.option("--lang", type=choice, default=default, show_default=True, help=f"Language of {of}.")
