"""A figure that the ledger does not have: it stays visibly blank, with the reason, and is never made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

DOTS: Final = "………"

REASONS: Final[dict[str, tuple[str, str]]] = {
    "by_hand": ("in te vullen door de gemeente", "to be filled in by the municipality"),
    "never_ended": ("nog niet beëindigd", "not ended yet"),
    "never_run": ("nooit geladen", "never loaded"),
    "no_environment": ("geen omgeving gekozen", "no environment was chosen"),
    "no_evidence": ("er is geen bewijsketen", "there is no chain of evidence"),
    "no_mapping_file": ("het mappingbestand is er niet meer", "the mapping file is no longer there"),
    "no_reason": ("er is geen reden opgegeven", "no reason was given"),
    "no_verdict": ("er is geen aansluiting vastgelegd", "no reconciliation was recorded"),
    "not_approved": ("door niemand goedgekeurd", "approved by nobody"),
    "not_decided": ("niet vermeld in de mapping", "not said in the mapping"),
    "not_kept": ("niet vastgelegd in het logboek", "not kept in the ledger"),
    "not_loaded": ("er is niets geladen", "nothing was loaded"),
    "sources_closed": ("de oude systemen zijn nu niet te lezen", "the old systems cannot be read now"),
}
"""Why a figure is blank: Dutch and English."""


@dataclass(frozen=True, slots=True)
class Blank:
    """What stands where a figure is not known.  reason: a key of `REASONS`."""

    reason: str

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise KeyError(self.reason)

    def __bool__(self) -> bool:
        return False

    def text(self, lang: str) -> str:
        """Return the reason in the words of a language."""
        return REASONS[self.reason][0 if lang == "nl" else 1]


def known(value: Any, reason: str) -> Any:
    """Return a value, or a blank where there is none; an empty text is none."""
    return Blank(reason) if value is None or value == "" else value


def plain(value: Any) -> Any:
    """Return a document as JSON values; a blank is an object with the reason."""
    if isinstance(value, Blank):
        return {"blank": value.reason}
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def blanks(value: Any) -> int:
    """Count the blanks of a document."""
    if isinstance(value, Blank):
        return 1
    if isinstance(value, dict):
        return sum(blanks(each) for each in value.values())
    return sum(blanks(each) for each in value) if isinstance(value, list | tuple) else 0
