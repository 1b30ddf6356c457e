"""What `workspace.yml` says of one record type of a fixed layout: its fields, its parent, what it states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.config import SystemConfig, known_options, list_option, number_option, refuse, text_option
from connectors.sources.fixed.layout import FixedField, RecordType, Total
from connectors.sources.fixed.recode import BINARY_LENGTHS, MOST_PACKED

_ROW_OPTIONS = ("relation", "fields", "length", "key", "personal", "parent")
_ROLE_OPTIONS = ("role", "fields", "length", "count", "sum")
_SIGNS = ("none", "leading", "trailing", "overpunch")


def read_type(
    config: SystemConfig, code: str, options: Any, length: int, before: Mapping[str, RecordType], where: str
) -> RecordType:
    """Read the settings of a record type.

    Args:
        config: of the system, for errors.
        code: what the type field holds.
        options: its settings.
        length: of the layout's records; 0: as long as the fields.
        before: the types declared before it, among them its parent.
        where: for errors.

    Raises:
        RefusedError: CON-003 a wrong setting (exit 4).
    """
    if not isinstance(options, Mapping) or ("relation" in options) == ("role" in options):
        raise refuse(
            config,
            f"{where.rstrip('.')} is neither a relation nor a header or trailer",
            "Write {relation: NAME, fields: …}, {role: header, fields: …} or {role: trailer, fields: …}.",
        )
    rows = "relation" in options
    known_options(config, options, _ROW_OPTIONS if rows else _ROLE_OPTIONS, where)
    fields = _fields(config, options.get("fields"), where)
    length = number_option(config, options, "length", 0) or length or max(each.stop for each in fields)
    if max(each.stop for each in fields) > length:
        raise refuse(
            config,
            f"{where}fields reach beyond the record's length of {length}",
            "Check the positions, and record_length.",
        )
    if not rows:
        role = _role(config, options, before, where)
        return RecordType(code, role, length, fields, totals=_totals(config, options, fields, where))
    _check_cover(config, fields, length, where)
    parent, taken = _parent(config, options.get("parent"), before, where)
    names = [*(new.casefold() for _, new in taken), *(each.name.casefold() for each in fields)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise refuse(
            config,
            f"{where}the column {twice.upper()} stands there twice",
            "Give a column of the parent another name: parent: {record: CODE, columns: {OLD: NEW}}.",
        )
    return RecordType(
        code=code,
        role="rows",
        length=length,
        fields=fields,
        relation=text_option(config, options, "relation"),
        key=list_option(config, options, "key"),
        personal=list_option(config, options, "personal") if "personal" in options else None,
        parent=parent,
        taken=taken,
    )


def _role(config: SystemConfig, options: Mapping[str, Any], before: Mapping[str, RecordType], where: str) -> str:
    role = text_option(config, options, "role")
    if role not in ("header", "trailer"):
        raise refuse(config, f"{where}role is neither header nor trailer", "Write role: trailer.")
    if role in {each.role for each in before.values()}:
        raise refuse(config, f"{where}role: there are two record types {role}", "A file has one at most.")
    return role


def _fields(config: SystemConfig, value: Any, where: str) -> tuple[FixedField, ...]:
    if not isinstance(value, Mapping) or not value:
        raise refuse(config, f"{where}fields is not a map", "Write fields: {NAME: [first position, length]}.")
    fields = []
    for name, options in value.items():
        if not isinstance(options, Mapping):
            options = {"at": options}
        known_options(config, options, ("at", "sign", "decimals", "type"), f"{where}fields.{name}.")
        at = options.get("at")
        numbers = [str(part) for part in at] if isinstance(at, list | tuple) else []
        if len(numbers) != 2 or not all(part.isascii() and part.isdecimal() and int(part) > 0 for part in numbers):
            raise refuse(
                config,
                f"{where}fields.{name} does not say where it stands",
                f"Write {name}: [first position, length]; positions start at 1.",
            )
        if name.casefold() in ("_ref", "_file"):
            raise refuse(config, f"{where}fields.{name} is a name that the toolkit uses itself", "Take another name.")
        decimals = number_option(config, options, "decimals", 0)
        sign = str(options["sign"]) if "sign" in options else "none" if "decimals" in options else None
        if sign is not None and sign not in _SIGNS:
            raise refuse(config, f"{where}fields.{name}.sign is none of {', '.join(_SIGNS)}", "Write sign: overpunch.")
        form = _form(config, options, int(numbers[1]), f"{where}fields.{name}")
        if form is not None and "sign" not in options:
            sign = "leading"
        fields.append(FixedField(str(name), int(numbers[0]), int(numbers[1]), sign, decimals, form))
    return tuple(fields)


def _form(config: SystemConfig, options: Mapping[str, Any], length: int, where: str) -> str | None:
    """Read in which form a number lies that is no text."""
    if "type" not in options:
        return None
    form = str(options["type"])
    if form not in ("packed", "zoned", "binary"):
        raise refuse(config, f"{where}.type is none of packed, zoned, binary", "Leave it out for a text.")
    if "sign" in options and (form != "binary" or options["sign"] != "none"):
        raise refuse(
            config,
            f"{where}.sign: a {form} number has its sign in itself",
            "Leave sign out; a binary number without one has sign: none.",
        )
    if form == "binary" and length not in BINARY_LENGTHS:
        raise refuse(config, f"{where}: a binary number has 1, 2, 4 or 8 bytes", "Check the positions.")
    if form == "packed" and length > MOST_PACKED:
        raise refuse(config, f"{where}: a packed number has at most {MOST_PACKED} bytes", "Check the positions.")
    return form


def _check_cover(config: SystemConfig, fields: tuple[FixedField, ...], length: int, where: str) -> None:
    """Refuse positions that no field names, or two: what stands there would be lost, or be said twice."""
    position = 1
    for each in sorted(fields, key=lambda found: found.start):
        if each.start < position:
            raise refuse(
                config, f"{where}fields.{each.name} begins before the field before it ends", "Check the positions."
            )
        if each.start > position:
            raise _gap(config, where, position, each.start - 1)
        position = each.stop + 1
    if position <= length:
        raise _gap(config, where, position, length)


def _gap(config: SystemConfig, where: str, first: int, last: int) -> Exception:
    return refuse(
        config,
        f"{where}fields: no field names the positions {first} to {last}",
        f"Add FILLER: [{first}, {last - first + 1}]; a mapping may ignore it with a reason.",
    )


def _parent(
    config: SystemConfig, value: Any, before: Mapping[str, RecordType], where: str
) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    if value is None:
        return None, ()
    options = value if isinstance(value, Mapping) else {"record": value}
    known_options(config, options, ("record", "columns"), f"{where}parent.")
    code = text_option(config, options, "record")
    if code not in before or before[code].role == "trailer":
        raise refuse(
            config,
            f"{where}parent names no record type that is declared before it",
            'Declare the parent first and write parent: "10".',
        )
    known = before[code]
    columns = options.get("columns")
    if isinstance(columns, Mapping):
        taken = tuple((str(old), str(new)) for old, new in columns.items())
    else:
        names = list_option(config, options, "columns") or known.key
        taken = tuple((name, name) for name in names)
    if not taken:
        raise refuse(
            config,
            f"{where}parent: the record type {code} has no key that its children could have",
            "Give it key: [FIELD], or write parent: {record: CODE, columns: [FIELD]}.",
        )
    for old, _ in taken:
        if old not in known.columns:
            raise refuse(
                config, f"{where}parent: the record type {code} has no column {old}", "Check the name of the column."
            )
    return code, taken


def _totals(
    config: SystemConfig, options: Mapping[str, Any], fields: tuple[FixedField, ...], where: str
) -> tuple[Total, ...]:
    found = []
    for option in ("count", "sum"):
        value = options.get(option, {})
        if not isinstance(value, Mapping):
            raise refuse(config, f"{where}{option} is not a map", 'Write count: {FIELD: ["10"]}, sum: {FIELD: "10.X"}.')
        for name, said in value.items():
            if name not in {each.name for each in fields}:
                raise refuse(config, f"{where}{option}: there is no field {name}", "Check the name of the field.")
            parts = [str(part) for part in ([said] if isinstance(said, str) else list(said or ()))]
            if option == "count":
                found.append(Total(str(name), tuple((part, None) for part in parts)))
                continue
            if not all("." in part for part in parts):
                raise refuse(config, f"{where}sum: {name} does not say what is summed", 'Write "10.FIELD".')
            found.append(Total(str(name), tuple((part.partition(".")[0], part.partition(".")[2]) for part in parts)))
    return tuple(found)
