"""Models of the tests of a mapping: in its own file under ``tests``, or in ``mappings/tests/*.yml``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mappings.language.base import Model
from mappings.language.scalars import Filled, Texts, choice

BECOMES = ("loaded", "merged", "rejected", "parked", "out_of_scope")
"""What a row can become in a test."""


def _rows(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _nullable(value: Any) -> Any:
    """``~`` and ``null`` are NULL."""
    if value is None or value == "null":
        return None
    if isinstance(value, str):
        return value
    raise PydanticCustomError("form", "expected text or null")


Cell = Annotated[str | None, BeforeValidator(_nullable)]
"""A text, or NULL."""


class LinkedKeys(Model):
    """Which keys of a mapping, or values of a table, exist in a test; with ``linked`` all other keys are orphans."""

    linked: Texts | None = Field(default=None, description="Keys that are loaded; all others are orphans.")
    waiting: Texts = Field(default=(), description="Keys that are rejected, parked or not yet read.")
    orphan: Texts = Field(default=(), description="Keys that do not exist.")
    out_of_scope: Texts = Field(default=(), description="Keys whose row is out of scope.")
    ambiguous: Texts = Field(default=(), description="Keys or values that several records have.")

    expects = "a list of keys, or {linked: [keys], waiting: [keys], orphan: [keys], …}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """A text and a list are the keys that are loaded; an empty list says that nothing is."""
        return {"linked": value} if isinstance(value, str) or (isinstance(value, list) and value) else value


class MappingTest(Model):
    """One test: rows as read, and what they must become."""

    name: Filled = Field(description="What the test shows, in a few words.")
    given: Annotated[tuple[dict[str, Cell], ...], BeforeValidator(_rows)] = Field(
        description="The row as read, column to text, or a list of rows; columns left out are NULL. A column of a look "
        "beside is written `name.COLUMN`."
    )
    links: dict[str, LinkedKeys] = Field(
        default={},
        description="Which keys exist, by mapping linked to (`zaak.case`) or table looked up in (`channel`); of those "
        "not named here every key exists.",
    )
    expect: dict[str, Cell] = Field(
        default={},
        description="Field or value to the text it must have; `null` for no value, `mapping key` for a link.",
    )
    rejects: dict[str, Filled] = Field(default={}, description="Field, or name of a rule, to the code of its error.")
    warns: dict[str, Filled] = Field(default={}, description="Field, or name of a rule, to the code of its warning.")
    becomes: Annotated[str, choice(*BECOMES)] | None = Field(
        default=None, description="What the first row becomes as a whole."
    )
    out_of_scope: Filled | None = Field(default=None, description="The reason why the first row is out of scope.")


class TestsFile(Model):
    """A file of tests beside the mappings."""

    __test__ = False

    mapping: Filled = Field(description="The mapping that the tests are of.")
    tests: tuple[MappingTest, ...] = Field(description="The tests.")
