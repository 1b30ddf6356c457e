"""Case numbers as people type them."""

from __future__ import annotations

from typing import Final

import polars as pl

_AHEAD: Final = r"(?:\A|[^0-9a-z./\-]|(?:\A|[^0-9])[./\-])"
"""No day and month stand before the year: ``12-03-2014 - 2 personen`` names no case."""
_NUMBER: Final = r"(?:([0-9]{3,8})(?:[^0-9]|\z)|([0-9]{1,2})(?:\z|[^0-9./\-]|[./\-](?:\z|[^0-9])))"
"""A short number is no month: nor does ``2014-01-05``."""
_TYPED: Final = rf"(?i){_AHEAD}z?[ .\-/]{{0,2}}((?:19|20)[0-9]{{2}})[ ]{{0,2}}[./\-][ ]{{0,2}}{_NUMBER}"
_FIRST_WITH_LETTER: Final = 2014


def case_number(text: pl.Expr) -> pl.Expr:
    """Return the first case number in a text in the form of the case system, NULL where there is none.

    The form is ``2011.04567`` before 2014 (five digits) and ``Z2014-00001234`` from 2014 on (eight digits).
    """
    groups = text.str.extract_groups(_TYPED).struct.rename_fields(["year", "long", "short"])
    with_letter = pl.field("year").cast(pl.Int32, strict=False) >= _FIRST_WITH_LETTER
    bare = pl.coalesce(pl.field("long"), pl.field("short")).str.replace(r"\A0+([0-9])", "$1")
    old = pl.when(bare.str.len_bytes() <= 5).then(
        pl.concat_str(pl.field("year"), pl.lit("."), bare.str.pad_start(5, "0"))
    )
    new = pl.concat_str(pl.lit("Z"), pl.field("year"), pl.lit("-"), bare.str.pad_start(8, "0"))
    return groups.struct.with_fields(made=pl.when(with_letter).then(new).otherwise(old)).struct.field("made")
