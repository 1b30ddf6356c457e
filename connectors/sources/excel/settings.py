"""What `workspace.yml` says of the relations of an excel system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.config import SystemConfig, flag_option, known_options, list_option, number_option, refuse
from connectors.sources.files import packed as file_packed
from connectors.sources.files.finding import read_limits, size_limit
from connectors.sources.files.settings import Trailer, read_aliases, read_trailer, relation_settings
from connectors.volume import VOLUME_OPTIONS, read_volume

_SYSTEM_OPTIONS = ("folder", "limits", "relations")
_RELATION_OPTIONS = (
    "files",
    "sheets",
    "header_row",
    "columns",
    "key",
    "aliases",
    "trailer",
    "allow_empty",
    "personal",
    *VOLUME_OPTIONS,
)


@dataclass(frozen=True, slots=True)
class Limits(file_packed.Limits):
    """What a workbook may cost besides: ``columns`` of a sheet, bytes of its shared ``texts``, which are in memory."""

    columns: int = 4_096
    texts: int = 64_000_000


@dataclass(frozen=True, slots=True)
class ExcelRelation:
    """How the sheets of one relation are filled in.

    ``header_row`` is the row (from 1) that holds the names of the columns; None: the row that holds those of
    ``columns``; 0: there is none.
    """

    name: str
    files: tuple[str, ...]
    sheets: tuple[str, ...]
    header_row: int | None
    columns: tuple[str, ...]
    key: tuple[str, ...]
    aliases: tuple[tuple[str, str], ...]
    trailer: Trailer | None
    allow_empty: bool
    personal: tuple[str, ...] | None
    limits: Limits
    place: str

    def form(self) -> str:
        """Return what of the settings decides how cells become rows: part of the fingerprint."""
        return repr((self.sheets, self.header_row, self.columns, self.aliases, self.trailer))


def read_settings(config: SystemConfig) -> dict[str, ExcelRelation]:
    """Return the relations of an excel system by name; raise CON-003 for a wrong setting (exit 4)."""
    known_options(config, config.options, _SYSTEM_OPTIONS)
    found = relation_settings(config, "{files: NAME.xlsx}")
    return {name: _relation(config, name, options) for name, options in found.items()}


def _relation(config: SystemConfig, name: str, options: Mapping[str, Any]) -> ExcelRelation:
    known_options(config, options, _RELATION_OPTIONS, f"relations.{name}.")
    read_volume(config, name)
    columns = list_option(config, options, "columns")
    return ExcelRelation(
        name=name,
        files=list_option(config, options, "files") or (f"{name}.xlsx",),
        sheets=list_option(config, options, "sheets") or ("*",),
        header_row=_header_row(config, name, options, columns),
        columns=columns,
        key=list_option(config, options, "key"),
        aliases=read_aliases(config, options.get("aliases")),
        trailer=read_trailer(config, options.get("trailer")),
        allow_empty=flag_option(config, options, "allow_empty", False),
        personal=list_option(config, options, "personal") if "personal" in options else None,
        limits=_limits(config),
        place=f"{config.name}.{name}",
    )


def _header_row(config: SystemConfig, name: str, options: Mapping[str, Any], columns: tuple[str, ...]) -> int | None:
    if "header_row" not in options:
        return None if columns else 1
    if str(options["header_row"]) != "none":
        row = number_option(config, options, "header_row", 1)
        if row == 0:
            raise refuse(config, "the setting header_row is 0", "Rows count from 1; write none if there is no header.")
        return row
    if not columns:
        raise refuse(config, f"relation {name} has neither a header nor columns", "Give columns: [first, second].")
    return 0


def _limits(config: SystemConfig) -> Limits:
    packed, usual = read_limits(config, "columns", "texts"), Limits()
    given = config.options.get("limits") or {}
    return Limits(
        packed.ratio,
        packed.total,
        packed.members,
        number_option(config, given, "columns", usual.columns),
        size_limit(config, "texts", usual.texts),
    )
