"""The passphrase of a private key: out of the environment in batch, else typed, never an argument."""

from __future__ import annotations

import os
import sys

import click

VARIABLE = "OMNICASE_PASSPHRASE"


def ask_passphrase(person: str) -> str:
    """Return the passphrase of a person's key; GuardError KEY-015 when there is nobody to ask."""
    return _asked(person, confirm=False)


def ask_new_passphrase(person: str) -> str:
    """Return a new passphrase, typed twice; GuardError KEY-015 when there is nobody to ask."""
    return _asked(person, confirm=True)


def _asked(person: str, *, confirm: bool) -> str:
    given = os.environ.get(VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        from casemodel import GuardError

        raise GuardError(
            "KEY-015",
            f"the key of {person} needs a passphrase, and there is no terminal to ask on",
            hint=f"Give it in the environment variable {VARIABLE}.",
            place=VARIABLE,
        )
    return str(click.prompt(f"Passphrase of {person}", hide_input=True, confirmation_prompt=confirm, err=True))
