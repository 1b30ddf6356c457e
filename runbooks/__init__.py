"""Runbooks of rehearsal, cutover and rollback.

The shipped ones lie in ``library/`` as Markdown; a workspace gets copies, and what runs is the copy.
"""

from runbooks.shipped import shipped_runbooks

__all__ = ["shipped_runbooks"]
