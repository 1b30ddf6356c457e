"""What is really in an old system: measured in one pass over batches, shown without one personal value."""

from migrate.profile.build import Profiled, named_relation, profile
from migrate.profile.findings import ColumnProfile, RelationProfile
from migrate.profile.formats import format_warnings
from migrate.profile.saved import saved_profile

__all__ = [
    "ColumnProfile",
    "Profiled",
    "RelationProfile",
    "format_warnings",
    "named_relation",
    "profile",
    "saved_profile",
]
