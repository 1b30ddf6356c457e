"""Waivers for the terminal, in Dutch and English."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from casemodel import join_key, printable
from migrate.waivers.imported import Imported
from migrate.waivers.kept import KeptWaiver

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "none": ("Er zijn geen besluiten.", "There are no waivers."),
    "proposed": ("voorgesteld, nog niet goedgekeurd", "proposed, not approved yet"),
    "approved": ("goedgekeurd", "approved"),
    "expired": ("verlopen", "expired"),
    "revoked": ("ingetrokken", "revoked"),
    "unsigned": ("niet ondertekend", "not signed"),
    "signed": ("ondertekend", "signed"),
    "broken": ("handtekening klopt niet", "the signature does not hold"),
    "group": ("groep {id}", "group {id}"),
    "keys": ("sleutels {keys}", "keys {keys}"),
    "most": ("ten hoogste {n}, tot en met {until}", "at most {n}, up to and including {until}"),
    "by": ("voorstel {proposer}, goedkeuring {approver}", "proposed by {proposer}, approved by {approver}"),
    "withdrawn": ("ingetrokken door {person}: “{reason}”", "revoked by {person}: “{reason}”"),
    "imported": (
        "voorgesteld: {n}; al bekend: {known} regels; geweigerd: {refused} regels",
        "proposed: {n}; known already: {known} lines; refused: {refused} lines",
    ),
    "refused": ("blad {sheet}, rij {row}: {code} {message}", "sheet {sheet}, row {row}: {code} {message}"),
    "next": (
        "Iemand anders keurt het goed: omnicase waiver approve {number} --by NAAM",
        "Somebody else approves it: omnicase waiver approve {number} --by NAME",
    ),
    "counts": (
        "Het telt mee vanaf de volgende aansluiting: omnicase reconcile",
        "It counts from the next reconciliation on: omnicase reconcile",
    ),
    "idle": (
        "Niet ondertekend: in productie telt het niet mee. Maak sleutels met omnicase key new.",
        "Not signed: in production it does not count. Make keys with omnicase key new.",
    ),
}
_KEYS_SHOWN: Final = 5


def list_lines(found: Sequence[KeptWaiver], lang: str) -> Iterator[str]:
    """Return what each waiver accepts and what became of it."""
    if not found:
        yield _word(lang, "none")
    for kept in found:
        each = kept.waiver
        signature = f", {_word(lang, each.signature)}" if each.signature else ""
        yield f"{each.number}. {each.check}  {each.mapping}  {_word(lang, kept.state)}{signature}"
        about = [] if each.group is None else [_word(lang, "group", id=each.group)]
        if each.keys:
            shown = ", ".join(join_key(key) for key in each.keys[:_KEYS_SHOWN])
            about.append(_word(lang, "keys", keys=shown + (" …" if len(each.keys) > _KEYS_SHOWN else "")))
        most = _word(lang, "most", n=each.maximum, until=each.until.isoformat())
        yield f"   {'; '.join([*about, most])}"
        yield f"   “{printable(each.reason)}”"
        people = {"proposer": printable(each.proposed_by), "approver": printable(each.approved_by) or "–"}
        yield f"   {_word(lang, 'by', **people)}"
        if kept.revoked_by is not None:
            said = printable(kept.revoked_reason or "")
            yield f"   {_word(lang, 'withdrawn', person=printable(kept.revoked_by), reason=said)}"


def proposed_lines(kept: KeptWaiver, lang: str) -> Iterator[str]:
    """Return the proposal and who is next."""
    yield from list_lines([kept], lang)
    yield _word(lang, "next", number=kept.waiver.number)


def approved_lines(kept: KeptWaiver, lang: str, *, production: bool) -> Iterator[str]:
    """Return the waiver and what it does from now on."""
    yield from list_lines([kept], lang)
    unsigned = kept.waiver.signature == "unsigned"
    yield _word(lang, "idle" if unsigned and production else "counts")


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)


def imported_lines(done: Imported, lang: str) -> Iterator[str]:
    """Return the waivers that a work list proposed, and the lines that it could not."""
    yield _word(lang, "imported", n=len(done.proposed), known=done.known, refused=len(done.refused))
    yield from list_lines(done.proposed, lang) if done.proposed else ()
    for each in done.refused:
        yield _word(lang, "refused", sheet=printable(each.sheet), row=each.row, code=each.code, message=each.message)
