"""`--strict`: what a run would only warn of is refused, as far as it is known before a row is read."""

from __future__ import annotations

from collections.abc import Sequence

from casemodel import GuardError, SystemFailure
from migrate.deliveries import detected
from migrate.session import Session


def refuse_warnings(session: Session, names: Sequence[str]) -> None:
    """Refuse source columns that no mapping uses or ignores, and the warnings of `mapping check`.

    Raises:
        SystemFailure: RUN-054 a system has columns that the mappings do not know of.
        GuardError: RUN-053 the check of the mappings warns, or the encoding of a file is not declared.
    """
    unmapped = session.unmapped
    if unmapped:
        raise SystemFailure(
            "RUN-054",
            f"--strict: {unmapped[0].message}{_more(len(unmapped))}",
            hint="Use the columns or ignore them with a reason; `omnicase mapping coverage` lists them.",
            place=unmapped[0].place,
        )
    warnings = [*session.check.warnings, *detected(session, names)]
    if warnings:
        raise GuardError(
            "RUN-053",
            f"--strict: {warnings[0].code} {warnings[0].message}{_more(len(warnings))}",
            hint="See `omnicase mapping check`; run without --strict to load all the same.",
            place=warnings[0].place,
        )


def _more(count: int) -> str:
    return f", and {count - 1} more" if count > 1 else ""
