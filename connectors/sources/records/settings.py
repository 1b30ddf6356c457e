"""What `workspace.yml` says of relations whose records are trees: xml and json."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.config import SystemConfig, flag_option, known_options, list_option, number_option, refuse, text_option
from connectors.sources.files.settings import relation_settings
from connectors.volume import VOLUME_OPTIONS, read_volume

_SYSTEM_OPTIONS = ("folder", "encoding", "limits", "relations", "personal")
_RELATION_OPTIONS = ("files", "encoding", "limits", "record", "each", "fields", "key", "allow_empty", "personal")
_UNITS = {"": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one record may hold at most: bytes of it and of one text, levels, attributes of one element."""

    record: int = 10_000_000
    text: int = 1_000_000
    depth: int = 256
    attributes: int = 1_000


@dataclass(frozen=True, slots=True)
class RecordRelation:
    """How the files of one relation are written.

    Args:
        record: the path of a record.
        each: the path, from a record, of the repeated part that is a row; empty: the record is the row.
        fields: column and path of each field.
        more: settings of one kind only, by name.
    """

    name: str
    files: tuple[str, ...]
    encoding: str
    record: str
    each: str
    fields: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    allow_empty: bool
    personal: tuple[str, ...] | None
    limits: Limits
    more: tuple[tuple[str, Any], ...]
    place: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in their order."""
        return tuple(column for column, _ in self.fields)

    def option(self, name: str) -> Any:
        """Return a setting of this kind only; None: not set."""
        return dict(self.more).get(name)

    def form(self) -> str:
        """Return what of the settings decides how bytes become rows: part of the fingerprint."""
        return repr((self.encoding, self.record, self.each, self.fields, self.key, self.limits, self.more))


def read_relations(
    config: SystemConfig,
    system: Mapping[str, Callable[[Any], Any]],
    relation: Mapping[str, Callable[[Any], Any]],
    encoding: Callable[[str], str],
) -> dict[str, RecordRelation]:
    """Return the relations of a system by name; raise CON-003 for a wrong setting (exit 4).

    Args:
        system, relation: settings of this kind only, and what reads each; those of the system count for its relations.
        encoding: reads the name of an encoding.
    """
    known_options(config, config.options, (*_SYSTEM_OPTIONS, *system))
    found = {}
    for name, options in relation_settings(config, "{files: …, record: …, fields: …}").items():
        known_options(config, options, (*_RELATION_OPTIONS, *VOLUME_OPTIONS, *relation), f"relations.{name}.")
        read_volume(config, name)
        own = ("relations", "folder", "limits")
        inherited = {key: value for key, value in config.options.items() if key not in own}
        if isinstance(inherited.get("personal"), Mapping):
            inherited.pop("personal")
        merged = inherited | dict(options)
        more = {key: read(merged[key]) for key, read in {**system, **relation}.items() if key in merged}
        found[name] = _relation(config, name, merged, more, encoding)
    return found


def _relation(
    config: SystemConfig,
    name: str,
    merged: Mapping[str, Any],
    more: Mapping[str, Any],
    encoding: Callable[[str], str],
) -> RecordRelation:
    fields = merged.get("fields")
    if not isinstance(fields, Mapping) or not fields or not all(isinstance(path, str) for path in fields.values()):
        raise refuse(config, f"relation {name} has no fields", "Write fields: {column: path, …}.")
    names = [str(column).casefold() for column in fields]
    for column in fields:
        if str(column).startswith("_") or names.count(str(column).casefold()) > 1:
            raise refuse(
                config,
                f"relation {name} cannot have a column {column}",
                "Names differ in more than case and do not begin with an underscore.",
            )
    key = list_option(config, merged, "key")
    for part in key:
        if part.casefold() not in names:
            raise refuse(config, f"the key of relation {name} names no field", f"Add {part} to fields.")
    return RecordRelation(
        name=name,
        files=list_option(config, merged, "files") or (name,),
        encoding=encoding(text_option(config, merged, "encoding", "utf-8")),
        record=text_option(config, merged, "record", ""),
        each=text_option(config, merged, "each", ""),
        fields=tuple((str(column), str(path)) for column, path in fields.items()),
        key=key,
        allow_empty=flag_option(config, merged, "allow_empty", False),
        personal=list_option(config, merged, "personal") if "personal" in merged else None,
        limits=_limits(config, merged.get("limits")),
        more=tuple(sorted(more.items())),
        place=f"{config.name}.{name}",
    )


def _limits(config: SystemConfig, value: Any) -> Limits:
    if value is None:
        return Limits()
    if not isinstance(value, Mapping):
        raise refuse(config, "the setting limits is not a map", "Write limits: {record: 50 MB, depth: 500}.")
    known_options(config, value, Limits.__slots__, "limits.")
    default = Limits()
    return Limits(
        record=_size(config, value, "record", default.record),
        text=_size(config, value, "text", default.text),
        depth=number_option(config, value, "depth", default.depth),
        attributes=number_option(config, value, "attributes", default.attributes),
    )


def _size(config: SystemConfig, value: Mapping[str, Any], name: str, default: int) -> int:
    found = re.fullmatch(r"(\d{1,9})\s*(|kb|mb|gb)", str(value.get(name, default)).strip().lower())
    if not found:
        raise refuse(config, f"the setting limits.{name} is not a size", f"Write {name}: 50 MB.")
    return int(found[1]) * _UNITS[found[2]]


def names_of(value: Any) -> Sequence[str]:
    """Return a list of texts; one text is a list of one."""
    return (value,) if isinstance(value, str) else tuple(map(str, value or ()))
