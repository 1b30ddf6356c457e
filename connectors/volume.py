"""How small a delivery of files may be beside the one before it, as the settings of its relation say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.config import SystemConfig, refuse

VOLUME_OPTIONS = ("min_share", "confirmed")
"""Settings of a relation of every kind of files."""


@dataclass(frozen=True, slots=True)
class Volume:
    """The smallest ``share`` (0 to 1) of the last delivery's records.

    ``confirmed`` is the start of the digest of a delivery that is right although it holds less.
    """

    share: float
    confirmed: str = ""


def read_volume(config: SystemConfig, relation: str) -> Volume | None:
    """Return what the settings say of a relation's volume; None: nothing.

    Raises:
        RefusedError: CON-003 a setting has a wrong form (exit 4).
    """
    relations = config.options.get("relations")
    named = relations if isinstance(relations, Mapping) else {}
    options = next((found for name, found in named.items() if str(name).casefold() == relation.casefold()), None)
    if not isinstance(options, Mapping) or not set(VOLUME_OPTIONS) & set(options):
        return None
    share = re.fullmatch(r"(100|\d{1,2}(?:\.\d{1,3})?) ?%", str(options.get("min_share", "")))
    if share is None:
        raise refuse(
            config,
            f"the setting relations.{relation}.min_share is not a percentage",
            "Write min_share: 50%, the smallest share of the last delivery's records.",
        )
    confirmed = str(options.get("confirmed", ""))
    if not re.fullmatch(r"[0-9a-f]{12,64}|", confirmed):
        raise refuse(
            config,
            f"the setting relations.{relation}.confirmed is not the digest of a delivery",
            "Copy it from the message of the run that refused the delivery.",
        )
    return Volume(float(share[1]) / 100, confirmed)
