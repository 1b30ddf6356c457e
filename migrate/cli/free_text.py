"""Texts that people type and that others read in reports, evidence and declaration: no BSN in them (promise 9)."""

from __future__ import annotations

import click

_NINE = 9


class _FreeText(click.types.StringParamType):
    """A reason or a label."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text; refuse one with a number that may be a BSN, and do not repeat it."""
        text = str(super().convert(value, param, ctx))
        if sum(sign.isdecimal() for sign in text) >= _NINE:
            # Imported here: the package loads Polars, which few texts need.
            from casemodel import citizen_numbers

            if next(citizen_numbers(text), None) is not None:
                self.fail(
                    "the text holds a number that may be a BSN, and others will read it; name the record by its case"
                    " number.",
                    param,
                    ctx,
                )
        return text


FREE_TEXT = _FreeText()
"""The type of every option whose text is kept to be shown."""
