"""What is said of the rows of a batch beside their outcomes: issues, repaired values, and uses of codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from casemodel import UNKNOWN_CODE
from mappings.compile_program import Repair

ISSUES = {
    "_row": pl.UInt32(),
    "_key": pl.String(),
    "field": pl.String(),
    "code": pl.String(),
    "severity": pl.String(),
    "detail": pl.String(),
}
_EXAMPLES = 3
"""So many repaired values of a field are shown, of each batch."""


def repairs_asked(repairs: Sequence[Repair]) -> list[pl.Expr]:
    """Return what makes the one row that `repairs_of` reads, of a frame with outcomes."""
    loads = pl.col("outcome") == "record"
    exprs = []
    for number, found in enumerate(_by_owner(repairs).values()):
        some = pl.any_horizontal([pl.col(each.column).fill_null(False) for each in found])
        exprs.append((loads & some).sum().alias(f"{number}:n"))
        exprs.append((loads & pl.col(found[0].value).is_not_null()).sum().alias(f"{number}:of"))
        for place, each in enumerate(found):
            both = pl.struct(pl.col(each.before).alias("before"), pl.col(each.after).alias("after"))
            changed = (loads & pl.col(each.column)).fill_null(False)
            exprs.append(both.filter(changed).head(_EXAMPLES).implode().alias(f"{number}:{place}"))
    return exprs


def repairs_of(
    repairs: Sequence[Repair], counted: pl.DataFrame
) -> tuple[dict[str, tuple[int, int]], dict[str, list[tuple[str, str]]]]:
    """Return repaired values per field of rows that load, and a few of them as they were and are."""
    if not repairs:
        return {}, {}
    owners = _by_owner(repairs)
    row = counted.row(0, named=True)
    counts = {owner: (row[f"{number}:n"], row[f"{number}:of"]) for number, owner in enumerate(owners)}
    examples = {
        owner: [
            (pair["before"], pair["after"] or "") for place in range(len(found)) for pair in row[f"{number}:{place}"]
        ][:_EXAMPLES]
        for number, (owner, found) in enumerate(owners.items())
    }
    return counts, {owner: pairs for owner, pairs in examples.items() if pairs}


def _by_owner(repairs: Sequence[Repair]) -> Mapping[str, list[Repair]]:
    owners: dict[str, list[Repair]] = {}
    for each in repairs:
        owners.setdefault(each.owner, []).append(each)
    return owners


def codes_asked(uses: Sequence[tuple[str, str, str]]) -> list[pl.Expr]:
    """Return what makes the one row that `codes_of` reads."""
    return [
        pl.when(pl.col(unknown))
        .then(pl.lit(UNKNOWN_CODE))
        .otherwise(pl.col(code))
        .filter(pl.col("_member") & pl.col(code).is_not_null())
        .value_counts(name="n")
        .struct.rename_fields(["code", "n"])
        .implode()
        .alias(str(place))
        for place, (_, code, unknown) in enumerate(uses)
    ]


def codes_of(uses: Sequence[tuple[str, str, str]], counted: pl.DataFrame) -> dict[tuple[str, str], int]:
    """Return how often each code of each table was used."""
    used: dict[tuple[str, str], int] = {}
    for (table, _, _), found in zip(uses, counted.row(0) if uses else (), strict=True):
        for each in found:
            used[(table, each["code"])] = used.get((table, each["code"]), 0) + each["n"]
    # Polars counts in no order, and the same input is to give the same ledger.
    return dict(sorted(used.items()))


class Note(NamedTuple):
    """Issues of one cause, not looked for yet: all causes of a batch are looked for at once."""

    field: str
    severity: str
    rows: pl.LazyFrame


def issues_of(notes: list[Note], rows: list[pl.DataFrame], key_issues: pl.DataFrame) -> pl.DataFrame:
    """Return the issues in the order of their rows, each once: two parts of one field may fail for one reason."""
    found = [(note, each) for note, each in zip(notes, rows, strict=True) if each.height]
    frames = [each for each in (key_issues, *(each for _, each in found)) if each.height]
    if not frames:
        return pl.DataFrame(schema=ISSUES)
    issues = pl.concat(frames)
    if len({(note.field, note.severity) for note, _ in found}) < len(found):
        issues = issues.unique(maintain_order=True)
    return issues.sort("_row", maintain_order=True)
