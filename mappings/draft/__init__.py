"""A first mapping out of a profile: likely fields with their stages, the rest listed for a decision."""

from mappings.draft.draft import Decision, Draft, LinkTarget, draft_mapping

__all__ = ["Decision", "Draft", "LinkTarget", "draft_mapping"]
