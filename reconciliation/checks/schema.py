"""Level schema: target and sources have the form that model and mappings were made for."""

from __future__ import annotations

from functools import partial

from reconciliation.findings import Example, FindingBook, GroupKey
from reconciliation.sides import SchemaAnswer, SchemaDifference, SchemaProof
from reconciliation.verdict import Check, outcome_of

_READ_BY_NAME = ("table", "column")
"""What must be there for a table to be read at all."""


def check_schema(proof: SchemaProof, book: FindingBook) -> tuple[Check, frozenset[str]]:
    """Compare one form; return the answer and the tables that cannot be read for what they lack."""
    answer = proof.compare()
    for each in answer.differences:
        group = GroupKey(proof.check, None, f"form {each.kind}", each.what)
        book.add(group, 1, partial(_example, each))
    return _check(proof, answer), frozenset(
        each.table for each in answer.differences if each.kind == "missing" and each.what in _READ_BY_NAME
    )


def _check(proof: SchemaProof, answer: SchemaAnswer) -> Check:
    findings = len(answer.differences)
    outcome = outcome_of(findings, answer.compared)
    return Check(
        check=proof.check, level="schema", mapping=proof.mapping, target=proof.target, outcome=outcome,
        compared_source=answer.compared, compared_target=answer.compared - _missing(answer), findings=findings,
        reason=(answer.reason or "nothing_to_compare") if outcome == "not_applicable" else None, meaning=proof.meaning,
    )  # fmt: skip


def _missing(answer: SchemaAnswer) -> int:
    return min(answer.compared, sum(each.kind == "missing" for each in answer.differences))


def _example(difference: SchemaDifference, _room: int) -> list[Example]:
    key = (difference.table,) if difference.name == difference.table else (difference.table, difference.name)
    return [Example(key, difference.expected, difference.found)]
