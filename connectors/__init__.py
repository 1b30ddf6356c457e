"""Connectors: nothing but this package opens a database or a source file (DESIGN.md, section 7)."""

from connectors.codes import CODES
from connectors.config import SystemConfig, url_holds_secret
from connectors.prefetch import ahead
from connectors.registry import kinds, open_source
from connectors.scratch import Scratch
from connectors.targets import SqliteTarget, open_target

__all__ = [
    "CODES",
    "Scratch",
    "SqliteTarget",
    "SystemConfig",
    "ahead",
    "kinds",
    "open_source",
    "open_target",
    "url_holds_secret",
]
