"""What `workspace.yml` says of the relations of a csv system."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.config import SystemConfig, flag_option, known_options, list_option, number_option, refuse, text_option
from connectors.sources.files.bytes import Bytes
from connectors.sources.files.encoding import DETECT
from connectors.sources.files.finding import read_limits
from connectors.sources.files.settings import Trailer, read_aliases, read_trailer, relation_settings
from connectors.volume import VOLUME_OPTIONS, read_volume

_SYSTEM_OPTIONS = ("folder", "encoding", "delimiter", "quote", "escape", "comment", "relations", "limits")
_RELATION_OPTIONS = (
    "files",
    "encoding",
    "delimiter",
    "quote",
    "escape",
    "comment",
    "header",
    "repeated_header",
    "columns",
    "key",
    "aliases",
    "skip_lines",
    "trailer",
    "allow_empty",
    "personal",
    *VOLUME_OPTIONS,
)
_NAMED_BYTES = {"tab": "\t", "none": "", "space": " "}
_WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


@dataclass(frozen=True, slots=True)
class CsvRelation:
    """How the files of one relation are written.

    ``encodings`` are tried one after the other for each line; ``escape`` and ``comment`` are empty when there is none;
    ``repeated_header`` tells that lines equal to the header are skipped.
    """

    name: str
    files: tuple[str, ...]
    encodings: tuple[str, ...]
    delimiter: bytes
    quote: bytes
    escape: bytes
    comment: bytes
    header: bool
    repeated_header: bool
    columns: tuple[str, ...]
    key: tuple[str, ...]
    aliases: tuple[tuple[str, str], ...]
    skip_lines: int
    trailer: Trailer | None
    allow_empty: bool
    personal: tuple[str, ...] | None
    place: str

    def form(self) -> str:
        """Return what of the settings decides how bytes become rows: part of the fingerprint."""
        later = (self.encodings[1:], self.escape, self.comment, self.repeated_header)
        return repr(
            (
                self.encodings[0],
                self.delimiter,
                self.quote,
                self.header,
                self.columns,
                self.aliases,
                self.skip_lines,
                self.trailer,
                *(later if any(later) else ()),
            )
        )

    def encodings_of(self, source: Bytes) -> tuple[str, ...]:
        """Return the encodings of the lines of a file: a byte order mark overrules the first one."""
        return (source.text_encoding, *(() if source.wide else self.encodings[1:]))


def read_settings(config: SystemConfig) -> dict[str, CsvRelation]:
    """Return the relations of a csv system by name; raise CON-003 for a wrong setting (exit 4)."""
    known_options(config, config.options, _SYSTEM_OPTIONS)
    read_limits(config)
    found = relation_settings(config, '{files: "NAME_*.csv"}')
    return {name: _relation(config, name, options) for name, options in found.items()}


def _relation(config: SystemConfig, name: str, options: Mapping[str, Any]) -> CsvRelation:
    known_options(config, options, _RELATION_OPTIONS, f"relations.{name}.")
    read_volume(config, name)
    merged = {k: v for k, v in config.options.items() if k not in ("relations", "folder", "limits")} | dict(options)
    _check_apart(config, merged)
    columns, header = list_option(config, merged, "columns"), flag_option(config, merged, "header", True)
    if not header and not columns:
        raise refuse(config, f"relation {name} has neither a header nor columns", "Give columns: [first, second].")
    return CsvRelation(
        name=name,
        files=list_option(config, merged, "files") or (f"{name}.csv",),
        encodings=_encodings(config, merged),
        delimiter=_one_byte(config, "delimiter", text_option(config, merged, "delimiter", ",")),
        quote=_one_byte(config, "quote", text_option(config, merged, "quote", '"')),
        escape=_one_byte(config, "escape", text_option(config, merged, "escape", "none")),
        comment=text_option(config, merged, "comment", "").encode(),
        header=header,
        repeated_header=_repeated_header(config, merged, header),
        columns=columns,
        key=list_option(config, merged, "key"),
        aliases=read_aliases(config, merged.get("aliases")),
        skip_lines=number_option(config, merged, "skip_lines", 0),
        trailer=read_trailer(config, merged.get("trailer")),
        allow_empty=flag_option(config, merged, "allow_empty", False),
        personal=list_option(config, merged, "personal") if "personal" in merged else None,
        place=f"{config.name}.{name}",
    )


def _encodings(config: SystemConfig, options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the encodings of a file's lines: one, or several that are tried for each line."""
    found = list_option(config, options, "encoding") or ("utf-8",)
    if found == (DETECT,):
        return found
    names = tuple(dict.fromkeys(_encoding(config, text) for text in found))
    if len(names) > 1 and (names[0] not in ("utf-8", "ascii") or set(names) & set(_WIDE)):
        raise refuse(
            config,
            "the first of several encodings is not utf-8: every line would fit it, right or wrong",
            "Write encoding: [utf-8, cp1252].",
        )
    return names


def _repeated_header(config: SystemConfig, options: Mapping[str, Any], header: bool) -> bool:
    given = text_option(config, options, "repeated_header", "keep")
    if given not in ("keep", "skip") or (given == "skip" and not header):
        raise refuse(
            config,
            "the setting repeated_header is neither keep nor skip, or the files have no header",
            "Write repeated_header: skip where files were written one behind the other.",
        )
    return given == "skip"


def _encoding(config: SystemConfig, text: str) -> str:
    try:
        name = codecs.lookup(text).name
        plain = name in _WIDE or bytes(range(128)).decode(name) == "".join(map(chr, range(128)))
    except (LookupError, UnicodeError):
        plain = False
    # Only where ASCII bytes mean ASCII can quotes and line ends be found before decoding.
    if not plain or name in ("cp932", "shift_jis", "gbk", "gb18030", "big5", "cp950", "utf-7"):
        raise refuse(
            config,
            f"the encoding {text} is not one that can be read",
            "Use utf-8, utf-16, cp1252, cp850, latin-1 or another single-byte code page.",
        )
    return "utf-8" if name == "utf-8-sig" else name


def _check_apart(config: SystemConfig, options: Mapping[str, Any]) -> None:
    """Refuse two meanings of one character."""
    given = [
        _one_byte(config, name, text_option(config, options, name, usual))
        for name, usual in (("delimiter", ","), ("quote", '"'), ("escape", "none"))
    ]
    comment = text_option(config, options, "comment", "").encode()
    if comment and given[2]:
        raise refuse(
            config,
            "escape and comment are both declared: what an escape in a comment means nobody says",
            "Leave one of them out.",
        )
    used = [each for each in (*given, comment[:1]) if each]
    if len(set(used)) < len(used) or not comment.isascii() or b"\n" in comment or b"\r" in comment:
        raise refuse(
            config,
            "one character has two meanings among delimiter, quote, escape and comment",
            "Leave out escape where a quote in a text is doubled.",
        )


def _one_byte(config: SystemConfig, option: str, text: str) -> bytes:
    text = _NAMED_BYTES.get(text, text)
    allowed = len(text) == 1 and text.isascii() and text not in "\r\n\0"
    if allowed or (option in ("quote", "escape") and text == ""):
        return text.encode()
    raise refuse(
        config, f"the setting {option} is not one character", f'Write {option}: ";" or another character, or "tab".'
    )
