"""What a step printed, as it may be kept: no secrets, no BSN, no signs that steer a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from casemodel import citizen_numbers, printable

_SHORTEST_SECRET: Final = 4
_CREDENTIALS: Final = re.compile(r"([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@", re.IGNORECASE)
HIDDEN: Final = "‹secret›"
CITIZEN: Final = "‹bsn›"


class Mask:
    """Masks lines of output.

    Args:
        secrets: texts that must never be kept: passwords, whole URLs; those under four characters are left out.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({each for each in secrets if len(each) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def line(self, text: str) -> str:
        """Return a line as it may be kept and shown."""
        if self._secrets is not None:
            text = self._secrets.sub(HIDDEN, text)
        text = _CREDENTIALS.sub(rf"\1:{HIDDEN}@", text)
        for found in reversed(list(citizen_numbers(text))):
            text = text[: found.start()] + CITIZEN + text[found.end() :]
        return "\t".join(printable(part) for part in text.split("\t"))
