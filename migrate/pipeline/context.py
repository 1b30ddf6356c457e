"""What every step of a run knows."""

from __future__ import annotations

from dataclasses import dataclass, field

from casemodel import Secrets
from connectors import SqliteTarget


@dataclass
class LoadContext:
    """The run that loads: its target, its keys, its place in the ledger.

    ``full_read`` holds the mappings of which every key was read, by this run or an earlier one; an unknown key
    of such a mapping is an orphan.
    """

    target: SqliteTarget
    secrets: Secrets
    run_id: int
    epoch: int
    mapping_ids: dict[str, int]
    batch_rows: int
    full_read: set[str] = field(default_factory=set)
    by_record: frozenset[int] = frozenset()
    """Numbers of the mappings whose links go by the record's key (one_per)."""
