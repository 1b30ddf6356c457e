"""What must become of hand-outs: properties of the case that the document was asked for in."""

from __future__ import annotations

import polars as pl

from migrate.demo.key_cases import of_case
from migrate.demo.key_rows import key_rows

_STATUS = {"U": "uitgereikt", "V": "vernietigd", "N": "niet opgehaald"}


def hand_out_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the answer key of uitreik.case_property for rows of `handouts.hand_out_rows`."""
    errors, outside, case = of_case()
    cents = pl.col("cents").abs()
    sign = pl.when(pl.col("cents") < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    amount = sign + (cents // 100).cast(pl.String) + "," + (cents % 100).cast(pl.String).str.zfill(2)
    slots = {
        "uitgereikt_op": ("datum", pl.col("DATUITR")),
        "leges_document": ("getal", amount),
        "naam_op_document": ("tekst", pl.col("NAAM")),
        "documentstatus": ("tekst", pl.col("STATUS").replace_strict(_STATUS, return_dtype=pl.String)),
    }
    made = [
        key_rows(
            frame,
            pl.col("AANVRNR") + f"|{slot}",
            case | {"name": pl.lit(slot), "format": pl.lit(kind), "value": value},
            errors=errors,
            outside=outside,
        )
        for slot, (kind, value) in slots.items()
    ]
    return pl.concat(made)
