"""Drift: what changed on either side since a run (`drift --since RUN`)."""

from migrate.drift.find import Drift, MappingDrift, TableDrift, find_drift
from migrate.drift.schema import drift_schema
from migrate.drift.show import drift_lines

__all__ = ["Drift", "MappingDrift", "TableDrift", "drift_lines", "drift_schema", "find_drift"]
