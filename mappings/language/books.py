"""What a mapping says about the books: controls, children, and how changes and deletes are found (LANGUAGE.md)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mappings.language.base import Model
from mappings.language.scalars import Amount, Duration, Filled, Name, Names, Text, Texts, choice
from mappings.language.stages import Ambiguous, DateFormats, Gap, NumberFormat


def _percent(value: Any) -> float:
    text = value if isinstance(value, str) else ""
    number = text.removesuffix("%")
    if not text.endswith("%") or not number.replace(".", "", 1).isdigit() or float(number) > 100:
        raise PydanticCustomError("form", "expected a percentage such as 2%")
    return float(number)


Percent = Annotated[float, BeforeValidator(_percent, json_schema_input_type=str)]
"""A percentage from 0% to 100%."""


class Control(Model):
    """The same sums on both sides, in SQL written apart from the fields: columns ``g`` (group) and ``n`` (number)."""

    name: Filled
    source: Filled
    target: Filled
    tolerance: Amount | None = None


class Child(Model):
    """A mapping whose rows belong to the records of this one: per record as many as the source had."""

    mapping: Filled
    by: Names


class Cursor(Model):
    """The column that says when a row last changed, with the one stage that makes it comparable."""

    column: Filled = Field(alias="from")
    date: DateFormats | None = None
    datetime: Texts = ()
    number: NumberFormat | None = None
    timezone: Filled | None = None
    ambiguous: Ambiguous = Ambiguous()
    gap: Gap = "reject"


class Deletes(Model):
    """What becomes of a record whose row is gone: it is kept, removed, or closed by setting columns."""

    policy: Annotated[str, choice("keep", "remove", "close")] = Field(default="keep", alias="_policy")
    close: dict[Name, Text] = Field(default={})

    expects = "keep, remove or {close: {column: value}}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """``keep`` and ``{close: {archive_status: gearchiveerd}}``."""
        if isinstance(value, str):
            if value == "close":
                raise PydanticCustomError("form", "expected keep, remove or {close: {column: value}}, found 'close'")
            return {"_policy": value}
        return {**value, "_policy": "close"} if isinstance(value, dict) and set(value) == {"close"} else value


class Incremental(Model):
    """How changes are found."""

    cursor: Cursor | None = None
    lag: Duration | None = None
    deletes: Deletes = Deletes()
    max_deletes: Percent | None = None
