"""What is known while a mapping compiles: one `Compiler` per mapping, one `Flow` per chain of stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from casemodel import LinkRequest, Place, Relation
from mappings.compile_names import Columns, Made, Refusals
from mappings.compile_program import Flag, Program, Wait
from mappings.language import MappingFile

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Compiler:
    """The state of compiling one mapping.

    sides: the other relations of ``with`` by its names, where known (then their columns are checked).
    cycle_links: mappings to which a nullable, parking link closes a permitted cycle.
    """

    file: MappingFile
    others: Mapping[str, MappingFile]
    program: Program
    columns: Columns
    refusals: Refusals
    as_of: date
    relation: Relation
    sides: Mapping[str, Relation] = field(default_factory=dict)
    cycle_links: frozenset[str] = frozenset()
    required_values: frozenset[str] = frozenset()
    namespace: str = ""
    """UUID text of the target ids; keys are made without."""
    values: dict[str, Made] = field(default_factory=dict)
    fields: dict[str, Made] = field(default_factory=dict)
    finals: dict[str, Made] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    active: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    links: dict[LinkRequest, None] = field(default_factory=dict)
    part_of: dict[str, None] = field(default_factory=dict)
    """Mappings that a required field links to."""
    parking: dict[tuple[str, str], bool] = field(default_factory=dict)
    """Value or field and mapping of the links that park, and whether a row may be loaded without to open a circle."""
    lookups: dict[tuple[str, tuple[str, ...]], None] = field(default_factory=dict)
    defaulted: dict[str, str] = field(default_factory=dict)
    """With an identity: fields with a default, and the Boolean column that says where it stands in for a value."""
    lead_deps: list[Made] = field(default_factory=list)
    """What the lead row of a record gives (``one_per``): everything but fields with ``take``."""
    uses_as_of: bool = False
    has_windows: bool = False
    side_hits: list[str] = field(default_factory=list)
    """Columns that say how many rows answered to a look beside of which only one may."""
    relation_columns: tuple[str, ...] = ()
    """Names of the columns of the relation itself, technical ones included."""
    value_of: Callable[[str], Made | None] = lambda name: None
    field_of: Callable[[str], Made | None] = lambda name: None

    def __post_init__(self) -> None:
        self.relation_columns = tuple(column.name for column in self.relation.columns)

    @property
    def fields_with_try(self) -> list[str]:
        """Names of the fields that have alternatives, and so a branch taken."""
        return [name for name, spec in self.file.model.fields.items() if spec.alternatives or spec.otherwise]

    def refuse(self, code: str, message: str, path: Path, *, hint: str, key: bool = False) -> None:
        """Note an error at a part of the file."""
        self.refusals.add(code, message, hint=hint, place=self.place(path, key=key))

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return the place of a part of the file."""
        return self.file.place(*path, key=key)


@dataclass(slots=True)
class Flow:
    """A chain of stages while it is compiled.

    owner: the value or field; issues are shown under this name.
    parts: the columns of the program that hold the values now; several only before a stage that joins them.
    severity: of the issues of the stages before ``required``.
    """

    owner: str
    path: Path
    parts: list[str]
    severity: str = "error"
    lead_only: bool = True
    required: bool = False
    flags: list[Flag] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    linked: list[Wait] = field(default_factory=list)
    parks: list[str] = field(default_factory=list)
    follows: list[tuple[str, str]] = field(default_factory=list)
    deps: list[Made] = field(default_factory=list)
    texts: frozenset[str] | None = None
    taken: str | None = None
    timezone: str | None = None
    sort: str = ""
    repaired: list[tuple[str, str, str]] = field(default_factory=list)
    """Per step that repairs: Boolean column of changed values, columns of the text before and after."""
    code_uses: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def column(self) -> str:
        """The one column that holds the value."""
        return self.parts[0]

    def flag(self, column: str, code: str | None, severity: str | None = None) -> None:
        """Note a column that says which rows have an issue."""
        self.flags.append(Flag(column, self.owner, code, severity or self.severity, self.owner, self.lead_only))

    def error_columns(self) -> list[str]:
        """Return the columns of a finished chain that reject or park a row or put it out of scope (see `raises`)."""
        errors = [flag.column for flag in self.flags if flag.severity == "error"]
        return [*self.parks, *errors, *(column for column, _ in self.follows)]


def raises(program: Program, column: str) -> pl.Expr:
    """Return where a column of an issue says that there is one: it is true, or holds a code.  Never NULL."""
    there = pl.col(column)
    return there.is_not_null() if type(program.dtype(column)) is pl.String else there.fill_null(False)
