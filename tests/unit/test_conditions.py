"""Conditions of gates: what is not known never makes one true."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runbooks.condition import ConditionError, read_condition

KNOWN = {"books.balanced": True, "rejects.rate": Decimal("0.005"), "late.count": 0}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("books.balanced", True), ("not books.balanced", False), ("late.count == 0 and rejects.rate <= 0.5%", True),
        ("rejects.rate < 0.5%", False), ("late.count > 0 or books.balanced", True),
        ("reconcile.in_balance", False), ("not reconcile.in_balance", False), ("not (reconcile.findings > 0)", False),
        ("reconcile.findings != 0", False), ("reconcile.findings == reconcile.waived", False),
        ("reconcile.in_balance and books.balanced", False), ("reconcile.in_balance or not books.balanced", False),
        ("not (reconcile.in_balance and late.count > 0)", True), ("reconcile.in_balance or books.balanced", True),
    ],
)  # fmt: skip
def test_what_is_not_known_makes_no_condition_true(text: str, holds: bool) -> None:
    assert read_condition(text).holds(KNOWN) is holds


@pytest.mark.parametrize("text", ["late.count", "late.count < 1%", "books.balanced > false", "late.count == 0 1", "(late.count == 0"])
def test_what_compares_nothing_that_can_be_compared_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        read_condition(text)
