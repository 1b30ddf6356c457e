"""The mapping language: models, parser, codes of errors."""

from mappings.language.code_tables import CodeTable
from mappings.language.error_codes import MAPPING_CODES
from mappings.language.models import (
    BranchSpec,
    Chain,
    FieldSpec,
    MappingModel,
    Rule,
    Source,
    ValueSpec,
    WithSpec,
)
from mappings.language.parse import MappingFile, load_mapping, load_mappings, parse_mapping

__all__ = [
    "MAPPING_CODES",
    "BranchSpec",
    "Chain",
    "CodeTable",
    "FieldSpec",
    "MappingFile",
    "MappingModel",
    "Rule",
    "Source",
    "ValueSpec",
    "WithSpec",
    "load_mapping",
    "load_mappings",
    "parse_mapping",
]
