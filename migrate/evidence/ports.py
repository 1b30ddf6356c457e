"""What the outbox asks of whoever records, so that it knows neither workspaces nor keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from runbooks import Origin, SigningKey


class Chains(Protocol):
    """Where entries come from, who signs them, and where their projection lies."""

    @property
    def file(self) -> Path:
        """The projection of the chain."""

    @property
    def origin(self) -> Origin:
        """Where the entries come from."""

    @property
    def signer(self) -> SigningKey | None:
        """The machine's key, which signs heads; None when it has none here."""

    def keys(self) -> list[dict[str, Any]]:
        """Return the public keys of the workspace, for the first entry of a chain."""


class Records(Protocol):
    """Who takes what is told."""

    def add(self, connection: sa.Connection, kind: str, what: Mapping[str, Any]) -> None:
        """Append an entry in the transaction of what it tells of."""

    def add_later(self, kind: str, what: Mapping[str, Any]) -> None:
        """Let an entry be appended at the end of the invocation."""
