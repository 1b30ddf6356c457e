"""The answer to one question of the doctor, and what all answers come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from casemodel import OmnicaseError

FINDINGS = 3


class Outcome(StrEnum):
    """How one question was answered."""

    PASSED = "passed"
    FINDING = "finding"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The answer to one question.

    Args:
        check: the name of the question.
        outcome: passed, finding (works, but should be better), failed (cannot work), not_applicable.
        message: what was found, without values of a source.
        hint: what to do; empty when nothing is to be done.
        where: the place, if there is one.
        code: the code of the error, if one was met.
        status: the exit status that a failed one gives.
    """

    check: str
    outcome: Outcome
    message: str
    hint: str = ""
    where: str = ""
    code: str = ""
    status: int = 0

    def as_dict(self) -> dict[str, str]:
        """Return the answer as a part of the JSON document."""
        return {"check": self.check, "outcome": self.outcome.value, "code": self.code, "where": self.where,
                "message": self.message, "hint": self.hint}


def passed(check: str, message: str, where: str = "") -> Diagnosis:
    """Return the answer that all is well."""
    return Diagnosis(check, Outcome.PASSED, message, where=where)


def finding(check: str, code: str, message: str, hint: str, where: str = "") -> Diagnosis:
    """Return the answer that it works but should be better."""
    return Diagnosis(check, Outcome.FINDING, message, hint, where, code)


def failed(check: str, code: str, message: str, hint: str, where: str = "", *, status: int = 5) -> Diagnosis:
    """Return the answer that it cannot work, and the exit status of that."""
    return Diagnosis(check, Outcome.FAILED, message, hint, where, code, status)


def of_error(check: str, error: OmnicaseError, *, outcome: Outcome = Outcome.FAILED) -> Diagnosis:
    """Turn an error of ours into the answer of a check."""
    return Diagnosis(check, outcome, error.message, error.hint, str(error.place), error.code, error.exit_status)


def guarded(check: str, ask: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    """Yield the answers of a check; an error of ours ends this check only."""
    try:
        yield from ask()
    except OmnicaseError as error:
        yield of_error(check, error)


def exit_status(answers: list[Diagnosis]) -> int:
    """Return 0 when all is well, 3 with findings, else the status of the first thing that cannot work."""
    failed = [answer.status for answer in answers if answer.outcome is Outcome.FAILED]
    if failed:
        return failed[0]
    return FINDINGS if any(answer.outcome is Outcome.FINDING for answer in answers) else 0
