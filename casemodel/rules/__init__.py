"""The business rules of the case model that can be asked of a target, and what becomes of the others."""

from __future__ import annotations

from casemodel.rules import case_parts, cases, counter, links, parties
from casemodel.rules.coverage import ENFORCED, NOT_ASKED
from casemodel.rules.rule import BusinessRule, Moment

SUBJECTS = (parties, cases, case_parts, counter, links)
"""The modules that hold the rules, one per subject."""

__all__ = ["ENFORCED", "NOT_ASKED", "SUBJECTS", "BusinessRule", "Moment", "business_rules"]


def business_rules(moment: Moment) -> tuple[BusinessRule, ...]:
    """Return every rule that can be asked of a target, by subject."""
    return tuple(rule for subject in SUBJECTS for rule in subject.rules(moment))
