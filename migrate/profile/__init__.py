"""What is really in an old system: measured in one pass over batches, shown without one personal value."""

from migrate.profile.build import Profiled, profile
from migrate.profile.findings import ColumnProfile, RelationProfile
from migrate.profile.saved import saved_profile

__all__ = ["ColumnProfile", "Profiled", "RelationProfile", "profile", "saved_profile"]
