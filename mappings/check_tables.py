"""What `mapping check` warns of: codes that cannot occur, days without a code, links that leave their policy unsaid."""

from __future__ import annotations

from typing import Final

import polars as pl

from casemodel import RefusedError
from mappings.check_books import cursor_warnings
from mappings.compile_names import Refusals
from mappings.language import Chain, CodeTable, MappingFile
from mappings.steps import STEPS

_TWICE_AS_ONCE: Final = frozenset({"trim", "collapse_space", "upper", "lower", "strip_accents", "digits", "remove"})
"""Steps that change nothing that they made: a code that one of them changes can never come out of it."""
_SHOWN = 3


def table_warnings(file: MappingFile, warnings: Refusals) -> None:
    """Note what may be meant in the tables, links and cursor of a mapping, but often is not."""
    cursor_warnings(file, warnings)
    for _, path, chain in file.chains():
        table = file.tables.get(".".join(str(part) for part in path))
        if table is not None and chain.codes is not None:
            place = file.place(*path, "codes")
            if table.gaps:
                warnings.add(
                    "MAP-090",
                    f"the periods of {_named(list(table.gaps))} leave days out",
                    hint="Close the gap, if the code was used on those days.",
                    place=place,
                )
            if unused := unused_codes(file, chain, table):
                warnings.add(
                    "MAP-090",
                    f"{_named(unused)} of the code table cannot occur here",
                    hint="null_if or do change these texts before the table is asked: write the codes as they arrive.",
                    place=place,
                )
        owner = getattr(file.model, str(path[0]))[path[1]]
        if chain.link is not None and chain.missing is None and owner.missing is None:
            warnings.add(
                "MAP-090",
                "the link does not say what happens to a row whose record is missing (it is parked)",
                hint='Write missing: park, reject or "null".',
                place=file.place(*path, "link", key=True),
            )


def unused_codes(file: MappingFile, chain: Chain, table: CodeTable) -> list[str]:
    """Return codes of a table with one part that no text can become, because of ``null_if`` or ``do``."""
    if table.parts != 1:
        return []
    codes = list(dict.fromkeys(key[0] for key in table.rows))
    nulls = set(chain.null_if.texts) if chain.null_if else set()
    nulls |= set(file.texts[chain.null_if.file]) if chain.null_if and chain.null_if.file else set()
    found = {code for code in codes if code in nulls}
    if chain.do and not table.fold and (last := chain.do[-1]).name in _TWICE_AS_ONCE and last.name in STEPS:
        try:
            made = STEPS[last.name].build(pl.col("code"), last.params, place=None)
        except RefusedError:  # a wrong step has its own error
            return [code for code in codes if code in found]
        after = pl.DataFrame({"code": codes}, schema={"code": pl.String}).select(made.value).to_series().to_list()
        found |= {code for code, text in zip(codes, after, strict=True) if code != text}
    return [code for code in codes if code in found]


def _named(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
