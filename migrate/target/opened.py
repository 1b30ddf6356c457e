"""The target of a workspace, opened to be read: all that `status` needs, so it imports neither mappings nor loading."""

from __future__ import annotations

from casemodel import GuardError, Target
from connectors import open_target, shares_a_connection
from migrate.target.database import require_current
from migrate.workspace import Workspace


def workspace_target(workspace: Workspace) -> Target:
    """Open the workspace's target, upgraded and ready to be read.

    Raises:
        GuardError: DBS-003 it is not upgraded (exit 6).
    """
    target = open_target(workspace.target_url)
    try:
        require_current(target.engine)
    except BaseException:
        target.close()
        raise
    return target


def refuse_pooler(target: Target) -> None:
    """Refuse to write through a pooler that lends a connection for one transaction at a time.

    Raises:
        GuardError: TGT-026 (exit 6).
    """
    if target.dialect == "postgresql" and shares_a_connection(target.engine):
        raise GuardError(
            "TGT-026",
            "a pooler stands before the target and lends connections for one transaction at a time",
            hint="Connect to the server itself, or to a pool with pool_mode = session.",
            place="target.url",
        )
