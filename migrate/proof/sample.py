"""A sample of the records, the same in every run and on every machine, taken alike on both sides.

The id of a record is a hash (UUIDv5) of its source key under the secret of the workspace, so its first bits are a fair
draw that nobody can aim at.  The old system's rows are asked by the id that their key gives, the target's records by
the id they have: what is in the sample on one side is in it on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import polars as pl

from casemodel import UsageError

_ALL = 1 << 128


@dataclass(frozen=True, slots=True)
class Sample:
    """A share of all ids: those below a bound.

    share: more than 0, less than 1.
    """

    share: float

    @property
    def below(self) -> str:
        """The first id that is not in the sample."""
        return str(UUID(int=int(self.share * _ALL)))

    def holds(self, ids: pl.Expr) -> pl.Expr:
        """Return whether ids are in the sample; no id is not."""
        return (ids < self.below).fill_null(False)


def sample_of(text: str | None) -> Sample | None:
    """Return the sample that ``--sample 1%`` asks for; None when all is to be compared.

    Raises:
        UsageError: REC-040.
    """
    if text is None:
        return None
    try:
        share = float(text.strip().removesuffix("%").replace(",", ".")) / 100 if text.strip().endswith("%") else 0.0
    except ValueError:
        share = 0.0
    if not 1e-6 <= share < 1:
        raise UsageError(
            "REC-040",
            "a sample is a share of the records, more than nothing and less than all",
            hint="Write --sample 1% or 0.5%; leave it out to compare all.",
            place="--sample",
        )
    return Sample(share)
