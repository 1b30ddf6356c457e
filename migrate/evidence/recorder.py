"""Who records: one recorder for one invocation, with all that its entries say of where they come from."""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from casemodel import OmnicaseError
from migrate.evidence.outbox import append
from migrate.keys import machine_name, machine_signer, workspace_trust
from migrate.workspace import Workspace
from runbooks import Happening, Origin, SigningKey, Trust

FOLDER = "evidence"
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass
class Recorder:
    """What an invocation needs to add entries.

    Args:
        workspace: whose evidence it is.
        invocation: id that the entries of one invocation share.
    """

    workspace: Workspace
    invocation: str = field(default_factory=lambda: Happening("command", {}).id)
    told: list[Happening] = field(default_factory=list)
    """What is to be chained at the end of the invocation, since no transaction of the target tells of it."""

    @cached_property
    def target(self) -> str:
        """The name of the target in file names, without host, role and password."""
        return target_name(self.workspace)

    @property
    def file(self) -> Path:
        """The projection of the chain."""
        return self.workspace.root / FOLDER / f"{self.target}.jsonl"

    @property
    def pending(self) -> Path:
        """What waits until the target can be reached."""
        return self.workspace.root / FOLDER / f"{self.target}.pending"

    @cached_property
    def origin(self) -> Origin:
        """Where the entries come from."""
        where = {
            "host": socket.gethostname(),
            "machine": machine_name(),
            "workspace": self.workspace.name,
            "environment": self.workspace.env or "",
            "target": self.target,
        }
        return Origin("", {"user": getpass.getuser()}, where)

    @cached_property
    def signer(self) -> SigningKey | None:
        """The machine's key, which signs heads; None when it has none here."""
        try:
            return machine_signer(self.workspace)
        except OmnicaseError:
            return None

    @cached_property
    def trust(self) -> Trust:
        """The public keys of the workspace; none when they cannot be read."""
        try:
            return workspace_trust(self.workspace)
        except OmnicaseError:
            return Trust({})

    def keys(self) -> list[dict[str, Any]]:
        """Return the public keys of the workspace, for the first entry of a chain."""
        try:
            return [key.as_dict() for key in workspace_trust(self.workspace).keys.values()]
        except OmnicaseError:
            return []

    def add(self, connection: sa.Connection, kind: str, what: Mapping[str, Any]) -> None:
        """Append an entry in the transaction of what it tells of."""
        append(connection, self, self._happening(kind, what))

    def add_later(self, kind: str, what: Mapping[str, Any]) -> None:
        """Let an entry be appended at the end of the invocation."""
        self.told.append(self._happening(kind, what))

    def _happening(self, kind: str, what: Mapping[str, Any]) -> Happening:
        return Happening(kind, {"invocation": self.invocation, **what})


def target_name(workspace: Workspace) -> str:
    """Return the name of the target in file names: of its database, and of an environment with a target of its own.

    So two environments whose databases bear one name on two servers have two chains.
    """
    url = sa.make_url(workspace.target_url)
    name = Path(url.database or "").stem if url.get_backend_name() == "sqlite" else str(url.database or "")
    of_environment = workspace.env is not None and workspace.model.environments[workspace.env].target is not None
    whole = f"{workspace.env}.{name or 'target'}" if of_environment else name
    return _ODD.sub("-", whole)[:80].strip(".-") or "target"
