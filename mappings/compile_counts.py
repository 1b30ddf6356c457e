"""What is counted of the rows of a batch: repaired values, and uses of codes."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mappings.compile_program import Repair

_EXAMPLES = 3
"""So many repaired values of a field are shown, of each batch."""


def repairs_of(
    repairs: Sequence[Repair], frame: pl.DataFrame
) -> tuple[dict[str, tuple[int, int]], dict[str, list[tuple[str, str]]]]:
    """Count repaired values per field of rows that load, and return a few of them as they were and are."""
    loads = pl.col("outcome") == "record"
    owners: dict[str, list[Repair]] = {}
    for each in repairs:
        owners.setdefault(each.owner, []).append(each)
    exprs = []
    for number, found in enumerate(owners.values()):
        some = pl.any_horizontal([pl.col(each.column).fill_null(False) for each in found])
        exprs.append((loads & some).sum().alias(f"{number}:n"))
        exprs.append((loads & pl.col(found[0].value).is_not_null()).sum().alias(f"{number}:of"))
        for place, each in enumerate(found):
            both = pl.struct(pl.col(each.before).alias("before"), pl.col(each.after).alias("after"))
            changed = (loads & pl.col(each.column)).fill_null(False)
            exprs.append(both.filter(changed).head(_EXAMPLES).implode().alias(f"{number}:{place}"))
    if not exprs:
        return {}, {}
    row = frame.select(exprs).row(0, named=True)
    counts = {owner: (row[f"{number}:n"], row[f"{number}:of"]) for number, owner in enumerate(owners)}
    examples = {
        owner: [
            (pair["before"], pair["after"] or "") for place in range(len(found)) for pair in row[f"{number}:{place}"]
        ][:_EXAMPLES]
        for number, (owner, found) in enumerate(owners.items())
    }
    return counts, {owner: pairs for owner, pairs in examples.items() if pairs}


def codes_of(uses: Sequence[tuple[str, str, str]], frame: pl.DataFrame) -> dict[tuple[str, str], int]:
    """Count uses of codes."""
    used: dict[tuple[str, str], int] = {}
    counts = [
        pl.when(pl.col(unknown))
        .then(pl.lit("?"))
        .otherwise(pl.col(code))
        .filter(pl.col("_member") & pl.col(code).is_not_null())
        .value_counts(name="n")
        .struct.rename_fields(["code", "n"])
        .implode()
        .alias(str(place))
        for place, (_, code, unknown) in enumerate(uses)
    ]
    for (table, _, _), found in zip(uses, frame.select(counts).row(0) if counts else (), strict=True):
        for each in found:
            used[(table, each["code"])] = used.get((table, each["code"]), 0) + each["n"]
    return used
