"""Errors that belong to the user: a stable code, the place, one sentence of cause, one of remedy.

Exit statuses are the contract of the command line (DESIGN.md, section 9).  Messages never hold raw
values of a source or texts of drivers, since those quote cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found; every part is optional, lines and columns count from 1."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    row: str | None = None

    def __str__(self) -> str:
        text = self.file or ""
        if self.line is not None:
            text += f":{self.line}" if text else f"line {self.line}"
            if self.column is not None:
                text += f":{self.column}"
        if self.row is not None:
            text += f" row {self.row}" if text else f"row {self.row}"
        return text


def _again(kind: type[OmnicaseError], facts: dict[str, Any], args: tuple[Any, ...]) -> OmnicaseError:
    found = kind.__new__(kind)
    found.args = args
    found.__dict__.update(facts)
    return found


class OmnicaseError(Exception):
    """Base of every error shown to a user.

    Args:
        code: stable code such as ``MAP-012``.
        message: what was found and what was expected, in one sentence, without raw values.
        hint: what to do, in one sentence.
        place: where it was found.
    """

    exit_status: ClassVar[int] = 1
    kind: ClassVar[str] = "bug"

    def __init__(self, code: str, message: str, *, hint: str, place: Place | str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.place = Place(file=place) if isinstance(place, str) else (place or Place())

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error come out of a worker process as it is."""
        return _again, (type(self), self.__dict__.copy(), self.args)

    def as_dict(self) -> dict[str, str]:
        """Return the error as the JSON object of the command-line contract."""
        return {
            "code": self.code,
            "class": self.kind,
            "where": str(self.place),
            "message": self.message,
            "hint": self.hint,
        }


class BugError(OmnicaseError):
    """Something that only a mistake of ours can cause (exit 1)."""


class UsageError(OmnicaseError):
    """The command line asks for something that does not exist (exit 2)."""

    exit_status = 2
    kind = "usage"


class RefusedError(OmnicaseError):
    """A workspace, mapping or runbook is refused (exit 4)."""

    exit_status = 4
    kind = "refused"


class SystemFailure(OmnicaseError):
    """A system or the target cannot be reached, read or written, or differs from what it should be (exit 5)."""

    exit_status = 5
    kind = "system"


class TimeIsUp(SystemFailure):
    """A question to the target took longer than it may: what it would have answered is not known."""


class GuardError(OmnicaseError):
    """A gate or guard refused: a limit, an approval, a permission, a target not upgraded (exit 6)."""

    exit_status = 6
    kind = "guard"


class LockedError(OmnicaseError):
    """Another run holds the lock (exit 7)."""

    exit_status = 7
    kind = "locked"


class BrokenError(OmnicaseError):
    """Evidence or a checkpoint is broken (exit 8)."""

    exit_status = 8
    kind = "broken"


class RefusedMany(RefusedError):
    """Several refusals found in one pass, shown together; code and place are those of the first."""

    def __init__(self, errors: list[RefusedError]) -> None:
        first = errors[0]
        super().__init__(first.code, first.message, hint=first.hint, place=first.place)
        self.errors = errors
