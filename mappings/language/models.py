"""Models of a mapping file (LANGUAGE.md): the whole language, also what this version refuses to run."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mappings.language.base import Model
from mappings.language.books import Child, Control, Incremental
from mappings.language.mapping_tests import MappingTest
from mappings.language.scalars import Filled, Flag, Name, Names, Text, Texts, Whole, Within, choice
from mappings.language.stages import (
    Ambiguous,
    BooleanFormat,
    Codes,
    DateFormats,
    Gap,
    JsonSpec,
    Link,
    Lookup,
    Missing,
    NullIf,
    NumberFormat,
    OnError,
    Pivot,
    Spread,
    Steps,
    Take,
    Truncate,
    Unknown,
    Write,
)

_MAPPING_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def _mapping_name(value: Any) -> Any:
    if isinstance(value, str) and _MAPPING_NAME.fullmatch(value):
        return value
    raise PydanticCustomError(
        "form", "expected <system>.<name> in lower case letters, digits and underscores, such as zaak.case"
    )


MappingName = Annotated[str, BeforeValidator(_mapping_name, json_schema_input_type=str)]


class Chain(Model):
    """What values, fields and branches share: one origin and the stages after it."""

    origin_from: Names = Field(default=(), alias="from")
    expr: Filled | None = None
    const: Text | None = None
    json_: JsonSpec | None = Field(default=None, alias="json")
    use: Filled | None = None
    null_if: NullIf | None = None
    do: Steps = ()
    codes: Codes | None = None
    unknown: Unknown = Unknown()
    date: DateFormats | None = None
    datetime: Texts = ()
    number: NumberFormat | None = None
    boolean: BooleanFormat | None = None
    timezone: Filled | None = None
    ambiguous: Ambiguous = Ambiguous()
    gap: Gap = "reject"
    pivot_year: Whole | None = None
    pivot: Pivot | None = None
    as_of: Filled | None = None
    spread: Spread | None = None
    write: Write | None = None
    link: Link | None = None
    lookup: Lookup | None = None
    missing: Missing | None = None
    on_error: OnError | None = None


class BranchSpec(Chain):
    """One alternative of ``try``."""

    when: Filled | None = None


class _Whole(Chain):
    """A value or a field, which may have alternatives and a default."""

    alternatives: dict[str, BranchSpec] = Field(default={}, alias="try")
    otherwise: tuple[BranchSpec, ...] = Field(default=(), alias="else")
    default: Text | None = None


class ValueSpec(_Whole):
    """A value: computed once, used by name, not written."""


class FieldSpec(_Whole):
    """A field: what is written to a column of the target."""

    truncate: Truncate = "false"
    required: Flag = False
    warn_if: Filled | None = None
    take: Take | None = None
    rank: Whole | None = None
    tolerance: Within | None = None


class KeyPart(Model):
    """A part of the source key: a column, perhaps with steps."""

    column: Filled = Field(alias="from")
    do: Steps = ()

    expects = "a column, or {from: column, do: [steps]}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """A text is the column itself."""
        return {"from": value} if isinstance(value, str) else value


def _parts(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _other_keys(value: Any) -> Any:
    if not isinstance(value, list):
        raise PydanticCustomError("form", "expected a list of keys, such as [[ZAAKID_OUD]]")
    return tuple(tuple(item) if isinstance(item, list) else (item,) for item in value)


def _order(value: Any) -> Any:
    """Split ``COLUMN DESC`` into column and direction."""
    items = value if isinstance(value, list) else [value]
    result = []
    for item in items:
        if not isinstance(item, str) or not item.strip():
            raise PydanticCustomError("form", "expected a column, or a column and DESC")
        name, _, direction = item.rpartition(" ")
        known = direction.upper() in ("ASC", "DESC") and name
        result.append((name.strip(), direction.upper() == "DESC") if known else (item, False))
    return tuple(result)


Order = Annotated[tuple[tuple[str, bool], ...], BeforeValidator(_order, json_schema_input_type=str | list[str])]


class WithSpec(Model):
    """A look beside: a left join to at most one row of another relation of the system."""

    relation: Filled | None = None
    by: dict[str, Filled] = Field(default={})
    take: Annotated[str, choice("only", "first", "last", "count")] = "only"
    order: Order = ()
    where: Filled | None = None
    climb: Filled | None = None
    max: Whole | None = None


class Unpivot(Model):
    """One row into many: a row per slot."""

    into: Names
    columns: dict[str, Names]
    drop_empty: Flag = False


class OnePer(Model):
    """One record out of many rows."""

    by: Names
    order: Order = ()
    differ: Annotated[str, choice("warn", "reject", "ignore")] = "warn"


class Accounts(Model):
    """The relation whose rows a query accounts for; a key that it does not return is out of scope, or a finding."""

    relation: Filled
    by: Names
    reason: Filled | None = None


class Source(Model):
    """What is read, and what makes a row."""

    relation: Filled | None = None
    query: Filled | None = None
    accounts: Accounts | None = None
    key: Annotated[tuple[KeyPart, ...], BeforeValidator(_parts)]
    other_keys: Annotated[tuple[tuple[Filled, ...], ...], BeforeValidator(_other_keys)] = ()
    beside: dict[Name, WithSpec] = Field(default={}, alias="with")
    unpivot: Unpivot | None = None
    together: Names = ()
    one_per: OnePer | None = None
    on_duplicate: Annotated[str, choice("same_content", "latest_delivery")] | None = None


class Scope(Model):
    """Which rows move; the others are out of scope, with the reason."""

    where: Filled
    reason: Filled


def _groups(value: Any) -> Any:
    if not isinstance(value, list) or any(not isinstance(item, list) for item in value):
        raise PydanticCustomError("form", "expected lists of fields, such as [[surname_prefix, surname]]")
    return value


class IdentityPart(Model):
    """A named part of an identity: a column or value, perhaps with steps."""

    origin: Filled = Field(alias="from")
    do: Steps = ()

    expects = "a column or value, or {from: column, do: [steps]}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """A text is the column itself."""
        return {"from": value} if isinstance(value, str) else value


class Identity(Model):
    """By what rows of several systems become one record; the lowest rank wins."""

    by: tuple[Annotated[dict[Name, IdentityPart], Field(min_length=1)], ...] = Field(min_length=1)
    rank: Whole = 1
    agree: Names = ()
    newest: Filled | None = None
    together: Annotated[tuple[Names, ...], BeforeValidator(_groups, json_schema_input_type=list[list[str]])] = ()


class Unfilled(Model):
    """Target columns that stay empty, and why."""

    columns: Names
    reason: Filled


class Ignore(Model):
    """Source columns that are left behind, and why."""

    columns: Names
    reason: Filled
    approved_by: Filled | None = None
    evidence: Filled | None = None


class Rule(Model):
    """A condition that a mapped record must hold."""

    name: Filled
    check: Filled
    otherwise: Annotated[str, choice("reject", "warn", "skip")] = "reject"


class FrameStep(Model):
    """A plug-in on whole batches: it reads some columns and writes others, and is held to it."""

    step: Filled
    reads: Names
    writes: Annotated[tuple[Name, ...], BeforeValidator(_parts)]


class MappingModel(Model):
    """A mapping file: one relation, one target table."""

    mapping: MappingName
    formerly: Annotated[tuple[MappingName, ...], BeforeValidator(_parts, json_schema_input_type=str | list[str])] = ()
    owner: Filled | None = None
    target: Filled
    source: Source
    scope: Scope | None = None
    incremental: Incremental | None = None
    identity: Identity | None = None
    use: tuple[FrameStep, ...] = ()
    values: dict[Name, ValueSpec] = Field(default={})
    fields: dict[Name, FieldSpec]
    unfilled: tuple[Unfilled, ...] = ()
    ignore: tuple[Ignore, ...] = ()
    rules: tuple[Rule, ...] = ()
    controls: tuple[Control, ...] = ()
    children: tuple[Child, ...] = ()
    tests: tuple[MappingTest, ...] = ()

    @property
    def id_name(self) -> str:
        """The name that the target ids hold: the first that the mapping ever had."""
        return self.formerly[0] if self.formerly else self.mapping
