"""What a file with fixed positions looks like: its record types, their fields, and what header and trailer state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class FixedField:
    """A field: its first position (from 1) and length; ``sign`` None and ``decimals`` None: a text.

    ``sign`` is one of ``none``, ``leading``, ``trailing``, ``overpunch``; ``form``, of a number that is no text, one of
    ``packed``, ``zoned``, ``binary``. ``lies`` are its first and last position in the file, where these differ.
    """

    name: str
    start: int
    length: int
    sign: str | None = None
    decimals: int = 0
    form: str | None = None
    lies: tuple[int, int] | None = None

    @property
    def stop(self) -> int:
        """The last position."""
        return self.start + self.length - 1


@dataclass(frozen=True, slots=True)
class Total:
    """A control total: a field of a header or trailer that states how many records there are, or their sum.

    ``of`` names record types that are counted, or (type, field) pairs that are summed.
    """

    field: str
    of: tuple[tuple[str, str | None], ...]

    @property
    def sums(self) -> bool:
        """Whether it is a sum."""
        return any(name is not None for _, name in self.of)


@dataclass(frozen=True, slots=True)
class RecordType:
    """A kind of record: the rows of a relation, a header, or a trailer.

    Args:
        code: what its type field holds.
        role: ``rows``, ``header`` or ``trailer``.
        relation: the name of the relation whose rows these are.
        length: of the record, without its line end.
        parent: the code of the record type that a record belongs to: the last one before it.
        taken: columns of the parent by the name that they get here.
    """

    code: str
    role: str
    length: int
    fields: tuple[FixedField, ...]
    relation: str | None = None
    key: tuple[str, ...] = ()
    personal: tuple[str, ...] | None = None
    parent: str | None = None
    taken: tuple[tuple[str, str], ...] = ()
    totals: tuple[Total, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a row: those of the parent first."""
        return (*(new for _, new in self.taken), *(each.name for each in self.fields))

    def field(self, name: str) -> FixedField:
        """Return a field that is known to be there."""
        return next(each for each in self.fields if each.name == name)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the bytes of a file become records: for most files as declared, for a named one as its exception says."""

    encoding: str
    characters: bool
    page: str | None = None
    """The code page of a mainframe."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A difference of a control total that somebody looked into and answers for."""

    file: str
    field: str
    stated: str
    found: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files of one delivery are written.

    Args:
        type_field: where the code of the record type stands; None: there is one type.
        lines: whether records end with a line end; without, all have one length.
        fill: whether a line that is too short is filled with spaces.
        skipped: codes of record types that are not read.
        exceptions: by file name.
        own: how records lie in the file, where `recode.Recoding` makes texts of them; these are what the others tell.
    """

    name: str
    files: tuple[str, ...]
    reading: Reading
    type_field: FixedField | None
    lines: bool
    fill: bool
    types: tuple[RecordType, ...]
    skipped: tuple[str, ...]
    allow_empty: bool
    place: str
    exceptions: Mapping[str, Reading] = field(default_factory=dict)
    explained: tuple[Explained, ...] = ()
    own: Layout | None = None

    def by_code(self, code: str) -> RecordType:
        """Return a record type that is known to be there."""
        return next(each for each in self.types if each.code == code)

    def reading_of(self, file: str) -> Reading:
        """Return how a file is read."""
        return self.exceptions.get(file, self.reading)


@dataclass(frozen=True, slots=True)
class FixedRelation:
    """The rows of one record type, as `files.relation.FileRelation` asks."""

    layout: Layout
    rows: RecordType
    place: str

    @property
    def name(self) -> str:
        """The relation's name."""
        return str(self.rows.relation)

    @property
    def files(self) -> tuple[str, ...]:
        """Names or patterns of its files."""
        return self.layout.files

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that identify a row, as far as the settings say so."""
        return self.rows.key

    @property
    def personal(self) -> tuple[str, ...] | None:
        """Columns that are personal; None: all of them."""
        return self.rows.personal

    def form(self) -> str:
        """Return what of the settings decides how bytes become rows; an explanation does not."""
        return repr((self.rows.code, replace(self.layout, explained=(), place="", exceptions={}))) + repr(
            sorted(self.layout.exceptions.items(), key=lambda pair: pair[0])
        )
