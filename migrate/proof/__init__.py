"""Proof: builds the two sides that the judge compares, reading source and target again (DESIGN.md, section 8)."""

from migrate.proof.build import Proofs, build_proofs

__all__ = ["Proofs", "build_proofs"]
