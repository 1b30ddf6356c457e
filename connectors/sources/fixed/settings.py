"""What `workspace.yml` says of the layouts of a fixed system."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from typing import Any

from casemodel import RefusedError
from connectors.config import (
    SystemConfig,
    flag_option,
    known_options,
    list_option,
    number_option,
    refuse,
    text_option,
)
from connectors.sources.files.ebcdic import PAGES, page_of
from connectors.sources.fixed.layout import Explained, FixedField, FixedRelation, Layout, Reading, RecordType
from connectors.sources.fixed.recode import recoded
from connectors.sources.fixed.records import read_type
from connectors.volume import VOLUME_OPTIONS, read_volume

_SYSTEM_OPTIONS = ("folder", "encoding", "layouts", "limits", "relations")
_LAYOUT_OPTIONS = (
    "files",
    "encoding",
    "positions",
    "record_length",
    "line_ends",
    "short_lines",
    "type",
    "records",
    "skip",
    "allow_empty",
    "exceptions",
    "explained",
)
_WIDE = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


def read_settings(config: SystemConfig) -> dict[str, FixedRelation]:
    """Return the relations of a fixed system by name; raise CON-003 for a wrong setting (exit 4)."""
    known_options(config, config.options, _SYSTEM_OPTIONS)
    layouts = config.options.get("layouts")
    if not isinstance(layouts, Mapping) or not layouts:
        raise refuse(config, "the system has no layouts", 'Add layouts: {NAME: {files: "NAME_*.TXT", records: …}}.')
    found: dict[str, FixedRelation] = {}
    for name, options in layouts.items():
        layout = _layout(config, str(name), options)
        for each in layout.types:
            if each.relation is None:
                continue
            if each.relation.casefold() in {known.casefold() for known in found}:
                raise refuse(
                    config,
                    f"two record types are the relation {each.relation}",
                    "Give each record type a relation of its own.",
                )
            found[each.relation] = FixedRelation(layout, each, f"{config.name}.{each.relation}")
    _check_volumes(config, found)
    return found


def _check_volumes(config: SystemConfig, known: Mapping[str, FixedRelation]) -> None:
    """Check what stands beside the layouts: how small a delivery of a relation may be."""
    relations = config.options.get("relations") or {}
    for name in relations if isinstance(relations, Mapping) else ():
        if name not in known or not isinstance(relations[name], Mapping):
            raise refuse(config, f"relations.{name} is no relation of a layout", f"Known are {', '.join(known)}.")
        known_options(config, relations[name], VOLUME_OPTIONS, f"relations.{name}.")
        read_volume(config, name)


def _layout(config: SystemConfig, name: str, options: Any) -> Layout:
    where = f"layouts.{name}."
    if not isinstance(options, Mapping):
        raise refuse(config, f"the layout {name} is not a map", f'Write {name}: {{files: "{name}_*.TXT", records: …}}.')
    known_options(config, options, _LAYOUT_OPTIONS, where)
    merged = {"encoding": config.options.get("encoding", "utf-8"), **options}
    lines = flag_option(config, merged, "line_ends", True)
    length = number_option(config, merged, "record_length", 0)
    if not lines and not length:
        raise refuse(
            config,
            f"{where}record_length is missing: without line ends nothing else tells where a record ends",
            "Write record_length: 140, or what the description of the file says.",
        )
    type_field = _type_field(config, merged.get("type"), where)
    types = _types(config, merged.get("records"), type_field, length, where)
    skipped = _skipped(config, merged.get("skip"), type_field, {each.code for each in types}, where)
    if not lines and any(each.length != length for each in types):
        raise refuse(
            config,
            f"{where}records have different lengths, but no line ends",
            "Give all record types the length of the layout.",
        )
    reading = _reading(config, merged, where)
    exceptions = _exceptions(config, merged, where)
    if not lines and any(each.characters for each in (reading, *exceptions.values())):
        raise refuse(
            config,
            f"{where}positions: without line ends they are bytes",
            "Write positions: bytes, or a single-byte encoding.",
        )
    layout = Layout(
        name=name,
        files=list_option(config, merged, "files") or (f"{name}.TXT",),
        reading=reading,
        type_field=type_field,
        lines=lines,
        fill=_choice(config, merged, "short_lines", ("refuse", "fill"), where) == "fill",
        types=types,
        skipped=skipped,
        allow_empty=flag_option(config, merged, "allow_empty", False),
        place=f"{config.name}.{name}",
        exceptions=exceptions,
        explained=_explained(config, merged.get("explained"), where),
    )
    return recoded(layout) if _needs_recoding(config, layout, where) else layout


def _needs_recoding(config: SystemConfig, layout: Layout, where: str) -> bool:
    """Tell whether records are no text, or in a code page of a mainframe; refuse what cannot be with it."""
    readings = (layout.reading, *layout.exceptions.values())
    forms = {each.form for kind in layout.types for each in kind.fields if each.form is not None}
    if not forms and not any(each.page for each in readings):
        return False
    what = "packed, zoned or binary numbers" if forms else "files of a mainframe"
    if layout.lines:
        raise refuse(
            config,
            f"{where}line_ends: {what} have none, since every byte may stand in a record",
            "Write line_ends: false and record_length; ask for a binary transfer of records of fixed length.",
        )
    if any(each.encoding in _WIDE for each in readings):
        raise refuse(config, f"{where}encoding: {what} are in a code page of one byte", "Write encoding: cp037.")
    if "zoned" in forms and not all(each.page for each in readings):
        raise refuse(
            config,
            f"{where}type: zoned numbers are of mainframes",
            "In another encoding write sign: overpunch, or declare a code page as cp037.",
        )
    return True


def _reading(config: SystemConfig, options: Mapping[str, Any], where: str) -> Reading:
    declared = text_option(config, options, "encoding")
    if (page := page_of(declared)) is not None:
        return Reading(page, characters=False, page=page)
    encoding = _encoding(config, declared, where)
    if encoding in _WIDE and "positions" not in options:
        raise refuse(
            config,
            f"{where}positions is missing: in {encoding} a character may take several bytes",
            "Write positions: bytes or positions: characters, as the description of the file says.",
        )
    counted = _choice(config, options, "positions", ("bytes", "characters"), where)
    if encoding.startswith(("utf-16", "utf-32")) and counted == "bytes":
        raise refuse(config, f"{where}positions cannot be bytes in {encoding}", "Write positions: characters.")
    # Where a character is a byte, nothing needs to be counted twice.
    return Reading(encoding, counted == "characters" and encoding in _WIDE)


def _encoding(config: SystemConfig, text: str, where: str) -> str:
    try:
        name = codecs.lookup(text).name
        plain = name in (*_WIDE, "utf-8-sig") or (
            len(bytes(range(256)).decode(name, "replace")) == 256
            and bytes(range(128)).decode(name) == "".join(map(chr, range(128)))
        )
    except (LookupError, UnicodeError):
        plain = False
    if not plain:
        raise refuse(
            config,
            f"{where}encoding: {text} is not one that can be read",
            "Use cp850, cp437, cp1252, latin-1 or another single-byte code page, utf-8, utf-16, or of a mainframe "
            f"{', '.join(PAGES)}.",
        )
    return "utf-8" if name == "utf-8-sig" else name


def _type_field(config: SystemConfig, value: Any, where: str) -> FixedField | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) != {"start", "length"}:
        raise refuse(config, f"{where}type does not say where it stands", "Write type: {start: 1, length: 2}.")
    start, length = number_option(config, value, "start", 0), number_option(config, value, "length", 0)
    if not start or not length:
        raise refuse(config, f"{where}type does not say where it stands", "Positions start at 1.")
    return FixedField("type", start, length)


def _types(
    config: SystemConfig, value: Any, type_field: FixedField | None, length: int, where: str
) -> tuple[RecordType, ...]:
    if not isinstance(value, Mapping) or not value:
        raise refuse(config, f"{where}records is not a map", 'Write records: {"10": {relation: NAME, fields: …}}.')
    types: dict[str, RecordType] = {}
    for code, options in value.items():
        known = types | {}
        types[str(code)] = read_type(config, str(code), options, length, known, f"{where}records.{code}.")
    if type_field is None and len(types) > 1:
        raise refuse(
            config,
            f"{where}type is missing: nothing tells the {len(types)} record types apart",
            "Write type: {start: 1, length: 2}.",
        )
    for each in types.values():
        if type_field is not None and (len(each.code) > type_field.length or type_field.stop > each.length):
            raise refuse(
                config,
                f"{where}records.{each.code} does not fit the type field",
                "Check the code's length and the positions of type.",
            )
        _check_totals(config, each, types, where)
    if not any(each.relation for each in types.values()):
        raise refuse(config, f"{where}records has no relation", "Give the record type of the details relation: NAME.")
    return tuple(types.values())


def _check_totals(config: SystemConfig, each: RecordType, types: Mapping[str, RecordType], where: str) -> None:
    for total in each.totals:
        known = {(code, name) for code, found in types.items() for name in (None, *(f.name for f in found.fields))}
        if not known.issuperset(total.of):
            raise refuse(
                config,
                f"{where}records.{each.code}: the control total of {total.field} names what is not declared",
                'Write count: {FIELD: ["10"]} or sum: {FIELD: "10.OTHER_FIELD"}.',
            )
        for code, name in total.of:
            if name is not None and types[code].field(name).sign is None:
                raise refuse(
                    config,
                    f"{where}records.{each.code}: {name} is summed, but it is a text",
                    "Give it sign: none, leading, trailing or overpunch.",
                )


def _skipped(
    config: SystemConfig, value: Any, type_field: FixedField | None, types: set[str], where: str
) -> tuple[str, ...]:
    if value is None:
        return ()
    named = isinstance(value, Mapping) and all(isinstance(reason, str) and reason for reason in value.values())
    if not named or type_field is None:
        raise refuse(
            config,
            f"{where}skip does not say why",
            'Write skip: {"05": "subtotals, printed only"}: a type and the reason.',
        )
    twice = sorted(types & {str(code) for code in value})
    if twice:
        raise refuse(config, f"{where}skip names the record type {twice[0]}, which is read", "Remove one of both.")
    return tuple(str(code) for code in value)


def _exceptions(config: SystemConfig, options: Mapping[str, Any], where: str) -> dict[str, Reading]:
    found = {}
    for item in _maps(config, options.get("exceptions"), "exceptions", ("file", "reason"), where):
        known_options(config, item, ("file", "reason", "encoding", "positions"), f"{where}exceptions.")
        given = {name: options[name] for name in ("encoding", "positions") if name in options}
        found[str(item["file"])] = _reading(config, given | dict(item), f"{where}exceptions.")
    return found


def _explained(config: SystemConfig, value: Any, where: str) -> tuple[Explained, ...]:
    names = ("file", "field", "stated", "found", "reason", "by")
    found = []
    for item in _maps(config, value, "explained", names, where):
        known_options(config, item, names, f"{where}explained.")
        found.append(Explained(*(str(item[name]) for name in names[:4])))
    return tuple(found)


def _maps(
    config: SystemConfig, value: Any, option: str, names: Sequence[str], where: str
) -> Sequence[Mapping[str, Any]]:
    if value is None:
        return ()
    whole = isinstance(value, list | tuple) and all(
        isinstance(item, Mapping) and all(isinstance(item.get(name), str) and item[name] for name in names)
        for item in value
    )
    if not whole:
        raise refuse(
            config,
            f"{where}{option} is not a list of maps with {', '.join(names)}",
            f"Write {option}: [{{{', '.join(f'{name}: …' for name in names)}}}].",
        )
    return tuple(value)


def _choice(config: SystemConfig, options: Mapping[str, Any], name: str, known: Sequence[str], where: str) -> str:
    value = str(options.get(name, known[0]))
    if value not in known:
        raise _not_one_of(config, f"{where}{name}", known)
    return value


def _not_one_of(config: SystemConfig, what: str, known: Sequence[str]) -> RefusedError:
    return refuse(config, f"the setting {what} is none of {', '.join(known)}", f"Write {known[0]} or {known[-1]}.")

