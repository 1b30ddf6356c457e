"""The mapping language: parse, check, compile, coverage, explain; and the shipped mapping sets, as data."""

from typing import TYPE_CHECKING, Any

from mappings.language.error_codes import MAPPING_CODES

if TYPE_CHECKING:
    from mappings.books import (
        ChildSql,
        ControlColumn,
        ControlSql,
        CursorRule,
        DeleteRule,
        children_of,
        controls_of,
        cursor_rule,
        delete_rule,
        null_texts_of,
    )
    from mappings.check import CheckResult, check_mappings
    from mappings.compile import CompiledMapping, compile_mapping
    from mappings.compile_program import Followed
    from mappings.coverage import ColumnCoverage, Coverage, RelationCoverage, TargetCoverage
    from mappings.draft import Decision, Draft, LinkTarget, draft_mapping
    from mappings.explain import StageValue, stage_values
    from mappings.language.decisions import PersonDecision
    from mappings.language.own_rules import OwnRule, load_own_rules
    from mappings.language.parse import MappingFile, load_mapping, load_mappings, parse_mapping
    from mappings.language.parse_tests import PlacedTest, load_tests
    from mappings.language.schema import defaults_schema, mapping_schema, schema_of, tests_schema
    from mappings.slices import Slice, slice_of
    from mappings.stages.fits import fits_format
    from mappings.tolerances import declared_tolerances, tolerance_of, tolerances_of
    from mappings.trial import Miss, Tried, errors_of_test, try_test

__all__ = [
    "MAPPING_CODES",
    "CheckResult",
    "ChildSql",
    "ColumnCoverage",
    "CompiledMapping",
    "ControlColumn",
    "ControlSql",
    "Coverage",
    "CursorRule",
    "Decision",
    "DeleteRule",
    "Draft",
    "Followed",
    "LinkTarget",
    "MappingFile",
    "Miss",
    "OwnRule",
    "PersonDecision",
    "PlacedTest",
    "RelationCoverage",
    "Slice",
    "StageValue",
    "TargetCoverage",
    "Tried",
    "check_mappings",
    "children_of",
    "compile_mapping",
    "controls_of",
    "cursor_rule",
    "declared_tolerances",
    "defaults_schema",
    "delete_rule",
    "draft_mapping",
    "errors_of_test",
    "fits_format",
    "load_mapping",
    "load_mappings",
    "load_own_rules",
    "load_tests",
    "mapping_schema",
    "null_texts_of",
    "parse_mapping",
    "schema_of",
    "slice_of",
    "stage_values",
    "tests_schema",
    "tolerance_of",
    "tolerances_of",
    "try_test",
]

_LATE = {
    "mappings.books": (
        "ChildSql",
        "ControlColumn",
        "ControlSql",
        "CursorRule",
        "DeleteRule",
        "children_of",
        "controls_of",
        "cursor_rule",
        "delete_rule",
        "null_texts_of",
    ),
    "mappings.check": ("CheckResult", "check_mappings"),
    "mappings.compile": ("CompiledMapping", "compile_mapping"),
    "mappings.compile_program": ("Followed",),
    "mappings.coverage": ("ColumnCoverage", "Coverage", "RelationCoverage", "TargetCoverage"),
    "mappings.draft": ("Decision", "Draft", "LinkTarget", "draft_mapping"),
    "mappings.explain": ("StageValue", "stage_values"),
    "mappings.language.decisions": ("PersonDecision",),
    "mappings.language.own_rules": ("OwnRule", "load_own_rules"),
    "mappings.language.parse": ("MappingFile", "load_mapping", "load_mappings", "parse_mapping"),
    "mappings.language.parse_tests": ("PlacedTest", "load_tests"),
    "mappings.language.schema": ("defaults_schema", "mapping_schema", "schema_of", "tests_schema"),
    "mappings.slices": ("Slice", "slice_of"),
    "mappings.stages.fits": ("fits_format",),
    "mappings.tolerances": ("declared_tolerances", "tolerance_of", "tolerances_of"),
    "mappings.trial": ("Miss", "Tried", "errors_of_test", "try_test"),
}
"""What is imported when it is first asked for: pydantic, Polars and sqlglot take long to load."""


def __getattr__(name: str) -> Any:
    for module, names in _LATE.items():
        if name in names:
            from importlib import import_module

            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
