"""Reconciliation: two sides of every mapping, judged and reported (DESIGN.md, section 8)."""

from reconciliation.sides import (
    ActualSide,
    ExpectedBatch,
    ExpectedSide,
    Facts,
    IssueCount,
    MappingProof,
    ProofColumn,
    SampleRow,
)

__all__ = [
    "ActualSide",
    "ExpectedBatch",
    "ExpectedSide",
    "Facts",
    "IssueCount",
    "MappingProof",
    "ProofColumn",
    "SampleRow",
]
