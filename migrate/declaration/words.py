"""Words of the declaration that the reports do not have."""

from __future__ import annotations

import re
from typing import Final

from reconciliation import has_text, text

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "run.completed": ("klaar", "completed"),
    "run.rolled_back": ("teruggedraaid", "rolled back"),
    "run.rolling_back": ("half teruggedraaid", "half rolled back"),
    "run.interrupted": ("onderbroken", "interrupted"),
    "run.failed": ("mislukt", "failed"),
    "run.stopped": ("gestopt", "stopped"),
    "run.running": ("bezig", "running"),
    "run.abandoned": ("opgegeven", "abandoned"),
    "wave.planned": ("gepland", "planned"),
    "wave.rehearsing": ("in proef", "rehearsing"),
    "wave.live": ("in gebruik", "live"),
    "wave.closed": ("afgesloten", "closed"),
    "signature.signed": ("ondertekend", "signed"),
    "signature.unsigned": ("niet ondertekend", "unsigned"),
    "signature.broken": ("handtekening klopt niet", "signature does not hold"),
    "waiver.proposed": ("voorgesteld", "proposed"),
    "waiver.approved": ("goedgekeurd", "approved"),
    "waiver.expired": ("verlopen", "expired"),
    "waiver.revoked": ("ingetrokken", "revoked"),
    "reason.empty-slot": ("lege waarde, geen record nodig", "empty value, no record needed"),
    "conflict.edited-in-target": ("in het nieuwe systeem bewerkt", "edited in the new system"),
    "conflict.record-exists": ("stond al in het nieuwe systeem", "was in the new system already"),
    "choice.keep-target": ("het nieuwe behouden", "the new kept"),
    "choice.take-source": ("het oude genomen", "the old taken"),
    "choice.adopt": ("overgenomen", "adopted"),
}
_OUTDATED: Final = re.compile(r"^run (\d+) (loaded|was rolled back) after it$")
"""What `verdicts` says of a verdict that is out of date."""


def word(lang: str, kind: str, key: str) -> str:
    """Return a word of a kind, such as ``state`` and ``loaded``; one without a word stands for itself."""
    name = f"{kind}.{key}"
    if name in _WORDS:
        return _WORDS[name][0 if lang == "nl" else 1]
    if kind == "reason" and lang == "nl" and key.startswith("follows "):
        return key.replace("follows ", "volgt ", 1)
    if kind == "outdated" and lang == "nl":
        return _OUTDATED.sub(_outdated, key)
    return text(lang, name) if has_text(name) else key


def _outdated(found: re.Match[str]) -> str:
    return f"run {found[1]} " + ("heeft daarna geladen" if found[2] == "loaded" else "is daarna teruggedraaid")
