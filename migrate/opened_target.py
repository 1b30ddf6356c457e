"""The target of a workspace, opened to be read: all that `status` needs, so it imports neither mappings nor loading."""

from __future__ import annotations

from casemodel import Target
from connectors import open_target
from migrate.database import require_current
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
