"""The mapping language: models, parser, codes of errors."""

from typing import TYPE_CHECKING, Any

from mappings.language.error_codes import MAPPING_CODES

if TYPE_CHECKING:
    from mappings.language.code_tables import CodeTable
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

_LATE = {
    "mappings.language.code_tables": ("CodeTable",),
    "mappings.language.models": (
        "BranchSpec",
        "Chain",
        "FieldSpec",
        "MappingModel",
        "Rule",
        "Source",
        "ValueSpec",
        "WithSpec",
    ),
    "mappings.language.parse": ("MappingFile", "load_mapping", "load_mappings", "parse_mapping"),
}
"""What is imported when it is first asked for: the codes alone must come fast."""


def __getattr__(name: str) -> Any:
    for module, names in _LATE.items():
        if name in names:
            from importlib import import_module

            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
