"""Models of the stages of a field: what each accepts, its shorthand made long (LANGUAGE.md, "Fields and values")."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mappings.language.base import Model
from mappings.language.scalars import Duration, Filled, Flag, Name, Names, Text, Texts, Whole, choice


def _plain(value: Any) -> Any:
    """Return a parameter without places: text, tuples and dicts."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return value


class StepSpec(Model):
    """One step of ``do``: a name, or a name with parameters."""

    name: Filled = Field(alias="_name")
    params: Any = Field(default=None, alias="_params")

    expects = "the name of a step, or one name with its parameters"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """``trim`` and ``{pad_left: [9, "0"]}``."""
        if isinstance(value, str):
            return {"_name": value}
        if isinstance(value, dict) and len(value) == 1:
            name, params = next(iter(value.items()))
            return {"_name": name, "_params": _plain(params)}
        if isinstance(value, dict):
            raise PydanticCustomError("form", "expected one step, found {count} keys", {"count": len(value)})
        return value


def _steps(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Steps = Annotated[tuple[StepSpec, ...], BeforeValidator(_steps)]


class NullIf(Model):
    """Texts that mean "no value": a list, or a file of a column ``from``."""

    texts: Texts = Field(default=(), alias="_texts")
    file: Filled | None = None
    shared: Filled | None = None
    """Name of a list in ``defaults.yml``."""
    also: Texts = ()
    """Texts besides those of the shared list."""

    expects = "a list of texts, {file: name.csv} or {shared: name}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """A text and a list are the texts themselves."""
        return {"_texts": value} if isinstance(value, str | list) else value


class Codes(Model):
    """A code table: inline, a file, or a file with options."""

    file: Filled | None = None
    inline: dict[str, Text] | None = Field(default=None, alias="_inline")
    fold: Flag = False
    at: Filled | None = None
    """Column or value that says on which day the code is looked up, for a table with periods."""

    expects = "a file name, {file: name.csv, fold: true, at: column} or codes with their values"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """A text is a file; keys without ``file`` are the codes themselves."""
        if isinstance(value, str):
            return {"file": value}
        if isinstance(value, dict) and "file" not in value:
            if not value:
                raise PydanticCustomError("form", "expected at least one code, found none")
            return {"_inline": dict(value)}
        return value


class Unknown(Model):
    """What happens to a code that the table does not know."""

    policy: Annotated[str, choice("reject", "null", "keep", "use")] = Field(default="reject", alias="_policy")
    use: Text | None = None

    expects = 'reject, "null", keep or {use: text}'

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """``keep`` and ``{use: onbekend}``."""
        if isinstance(value, str):
            if value == "use":
                raise PydanticCustomError("choice", "expected reject, \"null\", keep or {use: text}, found 'use'")
            return {"_policy": value}
        return {**value, "_policy": "use"} if isinstance(value, dict) and set(value) == {"use"} else value


class DateFormats(Model):
    """Formats of a date: a list, or a file that says which format each source file has."""

    formats_: Texts = Field(default=(), alias="_list")
    by: Filled | None = None
    formats: Filled | None = None
    otherwise: Texts = Field(default=(), alias="else")

    expects = "a list of formats, or {by: _file, formats: file.csv, else: [D-M-YYYY]}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """A text and a list are the formats themselves."""
        return {"_list": value} if isinstance(value, str | list) else value


class NumberFormat(Model):
    """How a number is written: the decimal sign and the sign between thousands."""

    decimal: Annotated[str, choice(".", ",")] = "."
    thousands: Text | None = None

    expects = "true, or {decimal: sign, thousands: sign}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """``true`` is a number with a decimal point."""
        return {} if value == "true" else value


class BooleanFormat(Model):
    """Which texts mean true and which mean false."""

    true: Texts
    false: Texts

    expects = "{true: [texts], false: [texts]}"


class Write(Model):
    """How a typed value is written back to text."""

    format: Filled | None = None
    decimal: Annotated[str, choice(".", ",")] | None = None

    expects = "a format such as YYYYMMDD, or {decimal: sign}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """A text is the format itself."""
        return {"format": value} if isinstance(value, str) else value


class Link(Model):
    """A link to the record that another mapping made."""

    mapping: Filled | None = None
    key: Names = ()
    identity: Filled | None = None

    expects = "the name of a mapping, {mapping: name, key: column} or {identity: table.name}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """A text is the mapping itself."""
        return {"mapping": value} if isinstance(value, str) else value


class Lookup(Model):
    """A record of the target, looked up by values of its columns."""

    table: Filled
    by: Names

    expects = "table.column, or {table: name, by: [columns]}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """``channel.code`` is table and column."""
        if not isinstance(value, str):
            return value
        table, dot, column = value.partition(".")
        if not dot or not table or not column:
            raise PydanticCustomError("form", "expected table.column, found '{text}'", {"text": value})
        return {"table": table, "by": [column]}


class Ambiguous(Model):
    """Which of the two moments a local time at the end of summer time means."""

    policy: Annotated[str, choice("reject", "earliest", "latest")] = Field(default="reject", alias="_policy")
    not_before: Name | None = None

    expects = "reject, earliest, latest or {not_before: field}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """``earliest`` and ``{not_before: issued_at}``."""
        if isinstance(value, str):
            return {"_policy": value}
        return value


class JsonSpec(Model):
    """A JSON text made of columns: an object, or the list in one column."""

    parts: dict[str, Filled] | None = Field(default=None, alias="_parts")
    items: Filled | None = Field(default=None, alias="list")
    split: Text | None = None
    skip: Whole = 0

    expects = "{key: column} or {list: column, split: sign, skip: number}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """Keys without ``list`` are the keys of the object."""
        if isinstance(value, dict) and "list" not in value:
            return {"_parts": dict(value)}
        return value


class Spread(Model):
    """Moments of one group that may not be equal: the later one moves up."""

    order: Names
    step: Duration

    expects = "{order: [columns], step: 1 second}"


Missing = Annotated[str, choice("park", "reject", "null")]
OnError = Annotated[str, choice("reject", "null")]
Gap = Annotated[str, choice("reject", "shift")]
Truncate = Annotated[str, choice("true", "false", "word")]
Take = Annotated[str, choice("min", "max", "count", "any")]
Pivot = Annotated[str, choice("past")]
