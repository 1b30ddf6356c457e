"""Which stages turn a column, as profiled, into a column of the model; and what of that a person must decide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from casemodel import ColumnInfo

_TRUE: Final = frozenset({"J", "JA", "Y", "YES", "1", "T", "TRUE", "WAAR", "ACTIEF"})
_FALSE: Final = frozenset({"N", "NEE", "NO", "0", "F", "FALSE", "ONWAAR", "INACTIEF"})
_ENUM_WORDS: Final[Mapping[str, str]] = {
    "man": "m", "vrouw": "v", "onbekend": "o", "w": "v", "b": "blijvend_bewaren", "bewaren": "blijvend_bewaren",
    "vernietig": "vernietigen", "bv": "besloten_vennootschap", "nv": "naamloze_vennootschap",
    "st": "stichting", "ve": "vereniging", "vof": "vennootschap_onder_firma",
}  # fmt: skip
ZONE: Final = "Europe/Amsterdam"
_FITS, _ALL = 0.5, 0.9995
_NO_TIME: Final = "these are days without a time: join a column with the time, from: [DAY, TIME]"
_TIMES: Final[Mapping[str, str]] = {"9999": "HHmm", "999999": "HHmmss", "99:99": "HH:mm", "99:99:99": "HH:mm:ss"}


@dataclass
class Stages:
    """The parts of a field in the order in which they are written, as YAML text, and what they leave open."""

    parts: dict[str, str] = field(default_factory=dict)
    open_points: list[str] = field(default_factory=list)
    wants_time: bool = False


def quoted(text: str) -> str:
    """Return a text as a scalar of YAML's flow style that reads back as the same text."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text) and text.casefold() not in ("null", "true", "false"):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_escaped(char) for char in escaped) + '"'


def _escaped(char: str) -> str:
    if char.isprintable() or char == " ":
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def listed(texts: Sequence[str]) -> str:
    """Return texts as a list of YAML's flow style."""
    return f"[{', '.join(quoted(text) for text in texts)}]"


def stages_for(column: Mapping[str, Any], info: ColumnInfo, required: bool) -> Stages | None:
    """Return the stages, or None where the column cannot be what the model asks.

    Args:
        column: a column of a profile, as its JSON says it.
        info: what the model says of the target column.
        required: whether the target column must be filled.
    """
    made = Stages({"from": quoted(column["name"])})
    if column["nulls"] == column["rows"]:
        return None
    blanks = _blanks(column)
    if blanks:
        made.parts["null_if"] = listed(blanks)
    kind = info["kind"]
    if kind == "text" and info["enum"] is not None:
        fits = _codes(column, info["enum"], made)
    elif kind == "text":
        fits = _text(column, info, made)
    elif kind in ("date", "instant"):
        fits = _moment(column, kind, made)
    elif kind == "boolean":
        fits = _boolean(column, made)
    elif kind in ("integer", "decimal"):
        fits = _number(column, kind, made)
    else:
        fits = False
    if not fits:
        return None
    empty = column["nulls"] + sum(each["count"] for each in column["null_texts"])
    if required and empty:
        counted = f"{'at least ' if column['sampled'] else ''}{empty:,} rows"
        made.open_points.append(f"{counted} have no value here and would be rejected: add a default, or let them")
    return made


def _blanks(column: Mapping[str, Any]) -> list[str]:
    blanks = [each["text"] for each in column["null_texts"]]
    if column["empty"] and "" not in blanks:
        blanks.append("")
    zeros = column["longest"] == 8 and any(each["kind"].startswith("YYYYMMDD") for each in column["dates"])
    if zeros and column["rare_null_texts"] and "00000000" not in blanks:
        blanks.append("00000000")
    return blanks


def _text(column: Mapping[str, Any], info: ColumnInfo, made: Stages) -> bool:
    length = info["length"]
    if info["exact"] and not column["shortest"] == column["longest"] == length:
        return False
    if length is not None and column["longest"] > length:
        made.parts["truncate"] = "word" if length > 40 else "true"
        made.open_points.append(
            f"texts are up to {column['longest']:,} characters long, {length} fit: what is cut off is lost"
        )
    return True


def _codes(column: Mapping[str, Any], allowed: Sequence[str], made: Stages) -> bool:
    """Match the values that are seen often with the allowed ones; a personal column shows none."""
    known = {_plain(each): each for each in allowed}
    found, unknown = {}, []
    for each in column["open_values"]:
        plain = _plain(each["text"])
        meant = known.get(plain) or known.get(_ENUM_WORDS.get(plain, ""))
        if meant is None:
            unknown.append(each["text"])
        else:
            found[each["text"]] = meant
    if not found or len(unknown) > len(found) + 10:
        return False
    made.parts["codes"] = "{" + ", ".join(f"{quoted(a)}: {quoted(b)}" for a, b in found.items()) + "}"
    if unknown:
        made.open_points.append(f"say what these codes mean: {', '.join(quoted(each) for each in unknown[:20])}")
    return True


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.strip().casefold()).strip("_")


def _moment(column: Mapping[str, Any], kind: str, made: Stages) -> bool:
    if not column["dates"] or column["dates_together"] < _FITS:
        return False
    formats = [each["kind"] for each in column["dates"]]
    timed = [each for each in formats if "H" in each]
    if kind == "instant" and not timed:
        made.wants_time = True
        made.open_points.append(_NO_TIME)
    if kind == "instant" or timed:
        made.parts["datetime"] = listed(formats)
        made.parts["timezone"] = ZONE
    else:
        made.parts["date"] = listed(formats)
    if any("YY" in each and "YYYY" not in each for each in formats):
        made.parts["pivot_year"] = "1950"
        made.open_points.append("a year of two digits is read as 1950 to 2049")
    if column["dates_together"] < _ALL:
        left = 1 - column["dates_together"]
        made.open_points.append(
            f'{left:.1%} of the values fit no format and would be rejected: add a format, or on_error: "null"'
        )
    return True


def time_format(column: Mapping[str, Any]) -> str:
    """Return the format of a column of times, by its name and its commonest pattern; empty for another one."""
    if not re.search(r"tijd|time|uur", column["name"], re.IGNORECASE) or column["dates"]:
        return ""
    commonest = next((each for each in column["patterns"] if each["text"]), None)
    return _TIMES.get(commonest["text"], "") if commonest and commonest["share"] >= _FITS else ""


def join_time(made: Stages, day: str, time: str, written: str) -> None:
    """Make a moment of a day and the column with its time; a NULL in one of them leaves no moment."""
    days = made.parts["datetime"].strip("[]").split(", ")
    made.parts["from"] = f"[{quoted(day)}, {quoted(time)}]"
    made.parts["datetime"] = listed([f"{each.strip(chr(34))} {written}" for each in days])
    made.open_points.remove(_NO_TIME)


def _boolean(column: Mapping[str, Any], made: Stages) -> bool:
    values = [each["text"] for each in column["open_values"]]
    true = [each for each in values if each.strip().upper() in _TRUE]
    false = [each for each in values if each.strip().upper() in _FALSE]
    if not values or len(true) + len(false) < len(values) or column["distinct"] > 2 * len(values) + 6:
        return False
    both = bool(true) and bool(false)
    made.parts["boolean"] = f"{{true: {listed(true or ['J'])}, false: {listed(false or ['N'])}}}"
    if not both:
        made.open_points.append("only one of yes and no was seen: check what stands for the other")
    return True


def _number(column: Mapping[str, Any], kind: str, made: Stages) -> bool:
    held = {each["kind"]: each["share"] for each in column["kinds"]}
    if held.get("integer", 0) >= 0.95:
        made.parts["number"] = "true"
        return True
    if kind == "decimal" and "decimal" in held:
        comma = sum(each["share"] for each in column["patterns"] if "," in each["text"])
        made.parts["number"] = '{decimal: ","}' if comma > 0.5 else "true"
        return True
    return False
