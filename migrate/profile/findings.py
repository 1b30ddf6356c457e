"""What a profile says, as frozen values: nothing in them is a value that must not be seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LEAST = 5
"""A value, pattern or null text seen fewer times than this is never shown."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A text that may be shown, how often it was seen and its share of the values measured."""

    text: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column seems to hold (``bsn``, ``postcode``, …) and the share of its values that fits."""

    kind: str
    share: float


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """The key of a relation in which the values of a column are found.

    share: of the different values of the column, how many are keys there.
    sampled: whether that was computed from a sample of the values.
    """

    relation: str
    column: str
    share: float
    sampled: bool


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of a relation.

    measured: values (not NULL) from which patterns, kinds, dates and top values were taken.
    sampled: whether that was a sample of the rows.
    distinct: different values; an estimate unless ``distinct_exact``.
    null_texts: texts that mean "no value"; ``rare_null_texts`` counts those that are too rare to be shown.
    dates: formats in which values are real days between 1800 and 2100, the best one first.
    dates_together: share of the values, null texts apart, that fit at least one of these formats.
    date_shares: every format tried that reads values, also those that an earlier one of `dates` reads already.
    open_values: the top values as they are, empty where the column is personal; never printed for a personal column.
    """

    name: str
    declared_type: str
    personal: bool
    rows: int
    nulls: int
    empty: int
    shortest: int | None
    longest: int | None
    distinct: int
    distinct_exact: bool
    unique: bool
    measured: int
    sampled: bool
    null_texts: tuple[Counted, ...] = ()
    rare_null_texts: int = 0
    patterns: tuple[Counted, ...] = ()
    other_patterns: float = 0.0
    top: tuple[Counted, ...] = ()
    kinds: tuple[Kind, ...] = ()
    dates: tuple[Kind, ...] = ()
    dates_together: float = 0.0
    date_shares: tuple[Kind, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    open_values: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class RelationProfile:
    """One relation: its rows, its keys and its columns.

    whole: False when only the first rows were read, as asked.
    step: the sample holds every so manieth row; 1 means all.
    candidate_keys: columns that are filled and different in every row read.
    aside: what the files hold beside values, in English.
    unread: where values stand that no relation reads, and how many.
    """

    system: str
    relation: str
    rows: int
    unreadable: int
    whole: bool
    step: int
    declared_key: tuple[str, ...]
    candidate_keys: tuple[tuple[str, ...], ...]
    columns: tuple[ColumnProfile, ...]
    aside: tuple[str, ...] = ()
    unread: tuple[Counted, ...] = ()

    @property
    def name(self) -> str:
        """System and relation as the command line writes them."""
        return f"{self.system}.{self.relation}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def relation_profile(document: dict[str, Any]) -> RelationProfile:
    """Build a profile from its JSON values; raises KeyError or TypeError when they are not those of a profile."""

    def counted(items: Any) -> tuple[Counted, ...]:
        return tuple(Counted(**item) for item in items)

    def column(item: dict[str, Any]) -> ColumnProfile:
        parts = {name: counted(item[name]) for name in ("null_texts", "patterns", "top", "open_values")}
        kinds = {name: tuple(Kind(**each) for each in item[name]) for name in ("kinds", "dates", "date_shares")}
        keys = tuple(ForeignKey(**each) for each in item["foreign_keys"])
        return ColumnProfile(**{**item, **parts, **kinds, "foreign_keys": keys})

    return RelationProfile(
        **{
            **document,
            "declared_key": tuple(document["declared_key"]),
            "candidate_keys": tuple(tuple(key) for key in document["candidate_keys"]),
            "columns": tuple(column(item) for item in document["columns"]),
            "aside": tuple(document.get("aside", ())),
            "unread": counted(document.get("unread", ())),
        }
    )
