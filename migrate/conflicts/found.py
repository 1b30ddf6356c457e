"""A conflict as the ledger has it."""

from __future__ import annotations

from dataclasses import dataclass

EDITED, EXISTS = "edited-in-target", "record-exists"
CODES = (EDITED, EXISTS)


@dataclass(frozen=True)
class Found:
    """A conflict as the ledger has it.

    number: of the mapping.
    source_hash: of the row that the run mapped.
    detail: what the run found in the target (`migrate.pipeline.conflicts`).
    run: the run that found it.
    settled: what people chose already, for the next run to do.
    """

    mapping: str
    number: int
    key: str
    record_key: str | None
    target_id: str | None
    source_hash: str | None
    code: str
    detail: str
    run: int
    settled: str | None

    @property
    def holder(self) -> str | None:
        """The record that holds a unique value of ours and that we did not make."""
        return self.detail.rpartition("held by ")[2] or None if self.code == EXISTS else None
