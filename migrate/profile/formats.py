"""What the kept profiles say of the date formats in mapping files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from casemodel import RefusedError
from mappings import MappingFile
from migrate.profile.findings import ColumnProfile
from migrate.profile.forms import FORMATS
from migrate.profile.saved import saved_profile
from migrate.workspace import Workspace

_TRIED = frozenset(name for name, _, _ in FORMATS)
_FEWEST = 20
"""Values below which shares say nothing."""
_MOST_SHOULD_FIT, _FEW = 0.9, 0.01


def format_warnings(workspace: Workspace, files: Iterable[MappingFile]) -> list[RefusedError]:
    """Return a warning MAP-091 for every date or datetime stage whose formats fit few values of the last profile.

    Only stages that read one column as it is are held against it; a relation without a kept profile says nothing.
    """
    return [warning for file in files for warning in _of_file(workspace, file)]


def _of_file(workspace: Workspace, file: MappingFile) -> Iterator[RefusedError]:
    kept = saved_profile(workspace, file.system, file.relation)
    columns = {column.name.casefold(): column for column in kept.columns} if kept else {}
    for _, path, chain in file.chains():
        formats = chain.date.formats_ if chain.date else chain.datetime
        column = columns.get(chain.origin_from[0].casefold()) if len(chain.origin_from) == 1 else None
        if column is None or chain.do or not formats or not set(formats) <= _TRIED:
            continue
        found = _few(column, formats)
        if found:
            part = "date" if chain.date else "datetime"
            best = ", ".join(f"{each.kind} ({each.share:.1%})" for each in column.dates[:3]) or "no format known to us"
            yield RefusedError(
                "MAP-091",
                f"{found} of {column.name} in the last profile",
                hint=f"They fit {best}. Profile again if the source changed.",
                place=file.place(*path, part),
            )


def _few(column: ColumnProfile, formats: tuple[str, ...]) -> str:
    telling = column.measured - sum(each.count for each in column.null_texts)
    if telling < _FEWEST:
        return ""
    shares = {each.kind: each.share for each in column.date_shares}
    # two formats that read the same values read no more together
    together = min(sum(shares.get(each, 0.0) for each in formats), max(column.dates_together, *shares.values(), 0.0))
    if together < _MOST_SHOULD_FIT:
        return f"the formats {', '.join(formats)} fit only {together:.1%} of the values"
    idle = [each for each in formats if shares.get(each, 0.0) < _FEW]
    return f"the format {idle[0]} fits hardly any of the values" if idle else ""
