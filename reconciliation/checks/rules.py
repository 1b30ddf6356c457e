"""Level rules: what the case model and the municipality ask of the records of the target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import polars as pl

from casemodel import TimeIsUp
from reconciliation.findings import Example, FindingBook, GroupKey
from reconciliation.sides import MappingProof, RuleProof
from reconciliation.verdict import Check, RuleResult, outcome_of

MODEL, OWN = "rules.model", "rules.own"
BROKEN, OVERDUE = "rule broken", "rule not answered"


class Rules:
    """Asks rules of the target.  Findings and signals are kept with the mapping that made the record.

    Args:
        proofs: the mappings that were asked for.
        book_of: gives the book of findings of a mapping; "" is the one of records that no mapping made.
        signals_of: the same for signals.
    """

    def __init__(
        self,
        proofs: Sequence[MappingProof],
        book_of: Callable[[str, str], FindingBook],
        signals_of: Callable[[str, str], FindingBook],
    ) -> None:
        self._proofs: Mapping[str, MappingProof] = {proof.facts.mapping: proof for proof in proofs}
        self._book_of, self._signals_of = book_of, signals_of

    def ask(self, rule: RuleProof) -> tuple[Check, RuleResult]:
        """Ask one rule, and keep the records that break it."""
        mine = [proof for proof in self._proofs.values() if proof.facts.target == rule.target]
        names = [proof.facts.mapping for proof in mine]
        others = [name for proof in mine[:1] for name in proof.table_mappings if name not in names]
        compared, broken, elsewhere, answered = rule.count(), 0, 0, True
        try:
            for page in rule.offenders() if compared else ():
                asked = page.filter(~pl.col("mapping").is_in(others).fill_null(False))
                broken, elsewhere = broken + asked.height, elsewhere + page.height - asked.height
                self._keep(rule, asked)
        except TimeIsUp:
            answered = False
            self._book_of("", rule.target).add(GroupKey(_name(rule), None, OVERDUE, rule.id), 1, lambda _room: [])
        error = rule.severity == "error"
        findings = int(not answered) + (broken if error else 0)
        check = Check(
            check=_name(rule), level="rules", mapping=" + ".join(names), target=rule.target,
            about=rule.id, outcome=outcome_of(findings, compared), compared_target=compared,
            findings=findings, signals=0 if error else broken,
            explained={"of a mapping not asked for": elsewhere} if elsewhere else {},
            reason=None if compared else "nothing_to_compare", meaning=mine[0].facts.meaning if len(mine) == 1 else "",
        )  # fmt: skip
        return check, RuleResult(
            id=rule.id, severity=rule.severity, target=rule.target, dutch=rule.dutch, english=rule.english,
            own=rule.own, compared=compared, broken=broken, answered=answered,
        )  # fmt: skip

    def _keep(self, rule: RuleProof, offenders: pl.DataFrame) -> None:
        book_of = self._book_of if rule.severity == "error" else self._signals_of
        group = GroupKey(_name(rule), None, BROKEN, rule.id)
        for (mapping,), part in offenders.group_by("mapping", maintain_order=True):
            proof = self._proofs.get(str(mapping))
            book = book_of(proof.facts.mapping if proof else "", rule.target)
            book.add(group, part.height, partial(_examples, part, proof))


def _name(rule: RuleProof) -> str:
    return OWN if rule.own else MODEL


def not_asked(rule: RuleProof) -> Check:
    """Return the check of a rule that looks at a table that cannot be read."""
    return Check(
        check=_name(rule), level="rules", mapping="", target=rule.target, about=rule.id,
        outcome="not_applicable", reason="table_differs",
    )  # fmt: skip


def _examples(part: pl.DataFrame, proof: MappingProof | None, room: int) -> Iterable[Example]:
    for target_id, key in part.select("id", "key").head(room).iter_rows():
        shown = (target_id,) if proof is None or key is None else proof.mask_key(key)
        yield Example(shown, None, target_id)
