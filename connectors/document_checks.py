"""What can be said of documents before a run: whether their folders can be read and their store be written."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from casemodel import SystemFailure
from connectors.config import SystemConfig
from connectors.document_places import open_place
from connectors.document_rules import read_rules
from connectors.shared_store import reach_store


@dataclass(frozen=True, slots=True)
class StoreRoom:
    """A content store as it is found.

    Args:
        writable: by this user; None: only writing would tell.
        free: bytes left; None: the other machine does not tell.
        open_to_others: whether others may enter it.
    """

    writable: bool | None
    free: int | None
    open_to_others: bool


def check_folders(config: SystemConfig) -> int:
    """Look at the folders and shares of the documents of a system, and return of how many relations they are.

    Raises:
        RefusedError: CON-003 a wrong setting, CON-004 what reads the share is not installed (exit 4).
        SystemFailure: CON-078 a folder is not there or may not be read, CON-079 a share fails (exit 5).
    """
    rules = read_rules(config)
    for folder in {rule.folder for several in rules.values() for rule in several if not rule.blob}:
        open_place(config, folder)
        if "://" not in folder and not os.access(config.located(folder), os.R_OK | os.X_OK):
            raise SystemFailure(
                "CON-078",
                "the folder of the documents may not be read",
                hint="Give yourself the right to list and read it.",
                place=Path(folder).name,
            )
    return len(rules)


def look_at_store(place: str) -> StoreRoom:
    """Look at a content store without making it.

    Raises:
        RefusedError: CON-004 what writes to this kind of URL is not installed (exit 4).
        SystemFailure: CON-077 it cannot be reached (exit 5).
    """
    if "://" in place:
        reach_store(place)
        return StoreRoom(None, None, False)
    folder = there = Path(place)
    while not there.exists():
        there = there.parent
    open_to_others = there == folder and bool(stat.S_IMODE(folder.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return StoreRoom(writable, shutil.disk_usage(there).free, open_to_others)
