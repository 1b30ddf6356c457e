"""Settings that relations of several kinds of files have: other names of columns, and a last line with a count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.config import SystemConfig, known_options, number_option, refuse, text_option


@dataclass(frozen=True, slots=True)
class Trailer:
    """The last line of a file or sheet: what it looks like, and in which field (from 1) it states how many records
    there are (0: nowhere).
    """

    match: str
    count: int


def relation_settings(config: SystemConfig, example: str) -> dict[str, Mapping[str, Any]]:
    """Return the settings of a system's relations by name.

    Args:
        example: the settings of a relation as they may look, for the hint.

    Raises:
        RefusedError: CON-003 there are none, or they are not maps (exit 4).
    """
    relations = config.options.get("relations")
    if not isinstance(relations, Mapping) or not relations:
        raise refuse(config, "the system has no relations", f"Add relations: {{NAME: {example}}}.")
    for name, options in relations.items():
        if options is not None and not isinstance(options, Mapping):
            raise refuse(config, f"the settings of relation {name} are not a map", f"Write {name}: {example}.")
    return {str(name): options or {} for name, options in relations.items()}


def read_aliases(config: SystemConfig, value: Any) -> tuple[tuple[str, str], ...]:
    """Return the setting ``aliases``: pairs of a name in a header and the column it is; raise CON-003."""
    if value is None:
        return ()
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value.values()):
        return tuple((str(old), str(new)) for old, new in value.items())
    raise refuse(config, "the setting aliases is not a map of names", 'Write aliases: {"old header": column}.')


def read_trailer(config: SystemConfig, value: Any) -> Trailer | None:
    """Return the setting ``trailer``, None where there is none; raise CON-003."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise refuse(config, "the setting trailer is not a map", 'Write trailer: {match: "^Totaal", count: 4}.')
    known_options(config, value, ("match", "count"), "trailer.")
    match = text_option(config, value, "match")
    try:
        re.compile(match)
    except re.error:
        raise refuse(config, "the setting trailer.match is not a regular expression", "Check its brackets.") from None
    return Trailer(match, number_option(config, value, "count", 0))
