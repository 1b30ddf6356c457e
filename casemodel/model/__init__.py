"""The omnichannel case model: tables, their types and rules."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa

from casemodel.model import case, catalogue, contact, counter, document, journey, party
from casemodel.model.base import ColumnInfo, PartialUnique, RowCheck, metadata
from casemodel.model.enums import ENUMS
from casemodel.model.rules import (
    ValueCheck,
    column_info,
    partial_unique_keys,
    polars_schema,
    required,
    row_checks,
    unique_keys,
    value_checks,
)

SUBJECTS = (party, contact, counter, catalogue, case, document, journey)
"""The modules that hold the tables, one per subject."""

tables: Mapping[str, sa.Table] = MappingProxyType({built.name: built for built in metadata.sorted_tables})
"""Every table by its name, tables that others link to first."""

__all__ = [
    "ENUMS",
    "SUBJECTS",
    "ColumnInfo",
    "PartialUnique",
    "RowCheck",
    "ValueCheck",
    "column_info",
    "metadata",
    "partial_unique_keys",
    "polars_schema",
    "required",
    "row_checks",
    "tables",
    "unique_keys",
    "value_checks",
]
