"""Proof: builds the two sides that the judge compares, reading source and target again (DESIGN.md, section 8)."""

from migrate.proof.build import Proofs, build_proofs
from migrate.proof.journal import journal_of
from migrate.proof.sample import Sample, sample_of

__all__ = ["Proofs", "Sample", "build_proofs", "journal_of", "sample_of"]
