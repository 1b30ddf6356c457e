"""The facts that a gate may ask for: a fixed list, each with its kind and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

COUNT: Final = "count"
SHARE: Final = "share"
TRUTH: Final = "truth"
FactValue = int | bool | Decimal | None
"""A count, a truth, a share from 0 to 1, or None: not known, which never makes a condition true."""


class Fact(NamedTuple):
    """One fact: its kind, and what it says in English and Dutch."""

    kind: str
    english: str
    dutch: str


FACTS: Final[Mapping[str, Fact]] = {
    "run.last": Fact(COUNT, "number of the last run that stands", "nummer van de laatste run die er nog staat"),
    "run.finished": Fact(TRUTH, "the last run ended by itself", "de laatste run is uit zichzelf geëindigd"),
    "books.balanced": Fact(TRUTH, "the books of the last run balance", "de boeken van de laatste run kloppen"),
    "rejects.count": Fact(COUNT, "rows rejected, of all that were read", "rijen uitgevallen, van alle gelezen rijen"),
    "rejects.rate": Fact(
        SHARE, "share of the rows of the last run that was rejected", "deel van de rijen van de laatste run dat uitviel"
    ),
    "parked.count": Fact(COUNT, "rows that wait for another record", "rijen die op een andere registratie wachten"),
    "conflicts.count": Fact(COUNT, "records in conflict with people's work", "records die botsen met werk van mensen"),
    "late.count": Fact(
        COUNT,
        "rows changed in the old system after their wave went live",
        "rijen die na de overgang van hun golf nog zijn veranderd",
    ),
    "reconcile.in_balance": Fact(
        TRUTH, "the last whole reconciliation is in balance", "de laatste volledige aansluiting is in balans"
    ),
    "reconcile.findings": Fact(
        COUNT, "its findings that nobody accepted", "de bevindingen ervan die niemand heeft aanvaard"
    ),
    "reconcile.moved_on": Fact(
        COUNT, "rows whose source changed since their load", "rijen waarvan de bron sinds het laden is veranderd"
    ),
    "reconcile.waived": Fact(COUNT, "its findings that were accepted", "de bevindingen ervan die zijn aanvaard"),
    "waves.open": Fact(COUNT, "waves that are not closed", "golven die niet zijn afgesloten"),
}
"""The facts by name; those of waves are in `WAVE_FACTS`."""

WAVE_FACTS: Final[Mapping[str, Fact]] = {
    "rows": Fact(COUNT, "rows of the wave", "rijen van de golf"),
    "over": Fact(COUNT, "rows of it in the new system", "rijen ervan in het nieuwe systeem"),
    "left": Fact(COUNT, "rows of it that are not loaded yet", "rijen ervan die nog niet zijn geladen"),
    "rejected": Fact(COUNT, "rows of it that were rejected", "rijen ervan die uitvielen"),
    "parked": Fact(COUNT, "rows of it that wait", "rijen ervan die wachten"),
    "conflict": Fact(COUNT, "rows of it in conflict", "rijen ervan die botsen"),
    "late": Fact(COUNT, "rows of it that are late", "rijen ervan die te laat zijn"),
    "live": Fact(TRUTH, "the wave is live", "de golf is in gebruik"),
    "closed": Fact(TRUTH, "the wave is closed", "de golf is afgesloten"),
}
"""What ``wave.NAME.…`` may end in."""

_WAVE: Final = re.compile(r"wave\.([a-z0-9][a-z0-9_-]{0,39})\.([a-z_]+)")


def fact(name: str) -> Fact | None:
    """Return what is known of a fact by its name, or None when there is no such fact."""
    found = _WAVE.fullmatch(name)
    return WAVE_FACTS.get(found[2]) if found else FACTS.get(name)


def wave_of(name: str) -> str | None:
    """Return the wave that a fact is about."""
    found = _WAVE.fullmatch(name)
    return found[1] if found else None


def fact_names(waves: Iterable[str]) -> list[str]:
    """Return every name of a fact, with the waves given."""
    return [*FACTS, *(f"wave.{wave}.{each}" for wave in waves for each in WAVE_FACTS)]


def fact_text(value: FactValue) -> str | int | bool | None:
    """Return a value as it is signed and written to JSON: a share as text, so that no machine rounds it."""
    return format(value, "f") if isinstance(value, Decimal) else value
