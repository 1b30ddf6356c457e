"""Names: what `from` and expressions can speak of, and what each of them is in the program.

Names match in any case.  A name spelled exactly as declared wins; among the others fields come before values and values
before source columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from casemodel import Place, RefusedError
from mappings.language.base import near


@dataclass(slots=True)
class Made:
    """What a value or field became: a column of the program and what may have gone wrong on the way.

    column: name of the column in the program.
    taken: column with the name of the branch taken, for chains with alternatives.
    errors: gives the columns that say where the row is rejected or parked or follows a link because of this chain.
    deps: the values and fields it was made from.
    texts: every text it can give, when that is known before a row is read.
    source: the source column that it is, when it is one.
    timezone: where an instant becomes a date.
    sort: ``json`` for JSON text, ``id:<table>`` for the id of a record, else empty.
    """

    name: str
    column: str
    taken: str | None = None
    errors: Callable[[], list[str]] = list
    deps: list[Made] = field(default_factory=list)
    texts: frozenset[str] | None = None
    source: str | None = None
    timezone: str | None = None
    sort: str = ""

    def sources(self, skip: frozenset[str] = frozenset()) -> dict[str, None]:
        """Return the source columns that it is made from, directly and through values other than those to skip."""
        if self.name.casefold() in skip:
            return {}
        found: dict[str, None] = {self.source: None} if self.source is not None else {}
        for made in self.deps:
            found.update(made.sources(skip))
        return found

    def all_errors(self) -> list[str]:
        """Return its own error columns and those of everything it was made from."""
        found: dict[str, None] = dict.fromkeys(self.errors())
        for made in self.deps:
            found.update(dict.fromkeys(made.all_errors()))
        return list(found)


@dataclass(slots=True)
class Refusals:
    """Errors found while compiling; compiling goes on after each, so that all are shown at once."""

    errors: list[RefusedError] = field(default_factory=list)

    def add(self, code: str, message: str, *, hint: str, place: Place) -> None:
        """Add an error."""
        error = RefusedError(code, message, hint=hint, place=place)
        if all(str(other.place) != str(place) or other.message != message for other in self.errors):
            self.errors.append(error)


@dataclass(slots=True)
class Columns:
    """The columns of the frame that a mapping may name, found in any case, and which of them it used.

    In the program they carry a prefix, since a target may have a column of the same name.
    """

    PREFIX: ClassVar[str] = "s:"

    names: list[str]
    used: dict[str, None] = field(default_factory=dict)
    open_sides: list[str] = field(default_factory=list)
    """Names of ``with`` whose columns are not known here: any column of them is taken as it is written."""
    on_new: Callable[[str], None] = lambda name: None
    _folded: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.names:
            self._folded.setdefault(name.casefold(), name)

    def add(self, name: str) -> None:
        """Add a column that is not part of the relation, such as an output of ``unpivot``."""
        self.names.append(name)
        self._folded.setdefault(name.casefold(), name)

    def find(self, name: str) -> str | None:
        """Return a column as the frame spells it, or None, without noting its use."""
        found = name if name in self.names else self._folded.get(name.casefold())
        side, dot, _ = name.partition(".")
        if found is None and dot and side in self.open_sides:
            self.add(name)
            self.on_new(self.PREFIX + name)
            return name
        return found

    def use(self, name: str) -> Made | None:
        """Return a column, and note that it is used."""
        found = self.find(name)
        if found is None:
            return None
        self.used[found] = None
        return Made(found, self.PREFIX + found, source=found)

    def near(self, name: str, more: Iterable[str] = ()) -> str:
        """Return a hint that names the nearest right name."""
        return near(name, [*self.names, *more]) or "Names are those of the relation, of `with`, `unpivot` and `values`."
