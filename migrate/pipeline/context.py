"""What every step of a run knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from casemodel import Secrets, Target
from mappings import PersonDecision, Slice
from migrate.pipeline.adopted import Adopted
from migrate.pipeline.patience import Patience

FARTHEST = 1_000_000
"""More than there are waves."""

@dataclass(frozen=True)
class Shared:
    """How a mapping with an identity gives to the records of its table.

    rank: of its contributions; the lowest wins.
    columns: what all mappings with an identity fill in the table together.
    mappings: their names by their numbers in the ledger.
    ranks: for columns with ranks of their own, the rank by mapping.
    together: columns that come from one contribution.
    agree: names of what contributions to one record must not contradict each other about.
    needed: columns that a record must have.
    decisions: what people decided about who is the same.
    adopted: the ids of adopted records by the ids that mappings give them.
    """

    table: str
    rank: int
    columns: tuple[str, ...]
    mappings: Mapping[int, str]
    ranks: Mapping[str, Mapping[str, int]]
    together: tuple[tuple[str, ...], ...]
    agree: tuple[str, ...]
    needed: tuple[str, ...]
    decisions: tuple[PersonDecision, ...]
    adopted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunWaves:
    """The waves of a run, by their ids in the ledger.

    planned: those that did not begin.
    loading: rehearsing waves that the run loads.
    frozen: those that are live or closed.
    slices: by root mapping, the condition of each wave.
    members: the mappings whose rows may belong to a wave.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    planned: frozenset[int] = frozenset()
    loading: frozenset[int] = frozenset()
    frozen: frozenset[int] = frozenset()
    slices: Mapping[str, tuple[tuple[int, Slice], ...]] = field(default_factory=dict)
    members: frozenset[str] = frozenset()

    @property
    def facts(self) -> list[list[str]]:
        """What a run does with each wave, to tell two runs apart."""
        doing = {**dict.fromkeys(self.loading, "loads"), **dict.fromkeys(self.frozen, "leaves")}
        return sorted([name, doing.get(number, "defers")] for number, name in self.names.items())

    @property
    def begun(self) -> list[int]:
        """The waves of which records may be in the new system."""
        return sorted(set(self.names) - self.planned)

    def how_far(self, number: int) -> int:
        """Return a number that is lower the less far a wave is; waves that are as far differ in it, too."""
        return (2 if number in self.frozen else 1 if number in self.loading else 0) * FARTHEST + number


@dataclass
class LoadContext:
    """The run that loads: its target, its keys, its place in the ledger.

    ``full_read`` holds the mappings of which every key was read, by this run or an earlier one; an unknown key
    of such a mapping is an orphan.
    """

    target: Target
    secrets: Secrets
    run_id: int
    epoch: int
    mapping_ids: dict[str, int]
    batch_rows: int
    full_read: set[str] = field(default_factory=set)
    by_record: frozenset[int] = frozenset()
    """Numbers of the mappings whose links go by the record's key (one_per)."""
    shared: Mapping[str, Shared] = field(default_factory=dict)
    """By mapping with an identity: how its records are made of contributions."""
    waves: RunWaves = field(default_factory=RunWaves)
    full: bool = False
    """Read every row, whatever the cursors of the mappings say."""
    adopted: Adopted = field(default_factory=dict)
    moved_on: set[str] = field(default_factory=set)
    """Mappings of which an earlier start of this run read rows that may have changed since."""
    patience: Patience = field(default_factory=Patience)
    """What was tried again since the connection was lost."""
