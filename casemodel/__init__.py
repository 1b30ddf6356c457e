"""The ground: the omnichannel case model and the words that all other packages use (DESIGN.md, section 10)."""

from typing import TYPE_CHECKING, Any

from casemodel.errors import (
    BrokenError,
    BugError,
    GuardError,
    LockedError,
    OmnicaseError,
    Place,
    RefusedError,
    RefusedMany,
    SystemFailure,
    TimeIsUp,
    UsageError,
)
from casemodel.issue_codes import ISSUE_CODES, IssueCode
from casemodel.keys import (
    Secrets,
    canonical_text,
    derive_secrets,
    duplicate_scan,
    identity_id,
    join_key,
    json_text,
    key_text,
    keyed_hash,
    record_id,
    split_key,
)
from casemodel.masking import difference_kind, kind_of, printable, show, token
from casemodel.ports import (
    FingerprintsAhead,
    KeepsDocuments,
    KeyRanges,
    Links,
    RunsQueries,
    Source,
    Target,
    TellsFiles,
    TellsOddities,
    TellsRights,
    TellsUnread,
)
from casemodel.strict_yaml import (
    PlacedDict,
    PlacedList,
    parse_strict_yaml,
    read_regular_file,
    read_strict_yaml,
    read_yaml_bytes,
)
from casemodel.values import (
    DETECTED,
    OMITTED,
    OUTCOMES,
    Counted,
    DeliveredFile,
    Extract,
    LinkRequest,
    Mapped,
    Partition,
    Query,
    Relation,
    Rights,
    SideJoin,
    SourceColumn,
    Tally,
)

if TYPE_CHECKING:
    from casemodel.contracts import ContractBreach, check_contract, source_contract, target_contract
    from casemodel.dimensions import DIMENSIONS, Dimension
    from casemodel.model import (
        ENUMS,
        ColumnInfo,
        PartialUnique,
        RowCheck,
        ValueCheck,
        column_info,
        metadata,
        partial_unique_keys,
        polars_schema,
        required,
        row_checks,
        tables,
        unique_keys,
        value_checks,
    )
    from casemodel.model.types import Day, Flag, Instant, JsonValue, Uuid
    from casemodel.rules import BusinessRule, Moment, business_rules

__all__ = [
    "DETECTED",
    "DIMENSIONS",
    "ENUMS",
    "ISSUE_CODES",
    "OMITTED",
    "OUTCOMES",
    "BrokenError",
    "BugError",
    "BusinessRule",
    "ColumnInfo",
    "ContractBreach",
    "Counted",
    "Day",
    "DeliveredFile",
    "Dimension",
    "Extract",
    "FingerprintsAhead",
    "Flag",
    "GuardError",
    "Instant",
    "IssueCode",
    "JsonValue",
    "KeepsDocuments",
    "KeyRanges",
    "LinkRequest",
    "Links",
    "LockedError",
    "Mapped",
    "Moment",
    "OmnicaseError",
    "PartialUnique",
    "Partition",
    "Place",
    "PlacedDict",
    "PlacedList",
    "Query",
    "RefusedError",
    "RefusedMany",
    "Relation",
    "Rights",
    "RowCheck",
    "RunsQueries",
    "Secrets",
    "SideJoin",
    "Source",
    "SourceColumn",
    "SystemFailure",
    "Tally",
    "Target",
    "TellsFiles",
    "TellsOddities",
    "TellsRights",
    "TellsUnread",
    "TimeIsUp",
    "UsageError",
    "Uuid",
    "ValueCheck",
    "business_rules",
    "canonical_text",
    "check_contract",
    "column_info",
    "derive_secrets",
    "difference_kind",
    "duplicate_scan",
    "identity_id",
    "join_key",
    "json_text",
    "key_text",
    "keyed_hash",
    "kind_of",
    "metadata",
    "parse_strict_yaml",
    "partial_unique_keys",
    "polars_schema",
    "printable",
    "read_regular_file",
    "read_strict_yaml",
    "read_yaml_bytes",
    "record_id",
    "required",
    "row_checks",
    "show",
    "source_contract",
    "split_key",
    "tables",
    "target_contract",
    "token",
    "unique_keys",
    "value_checks",
]

_LATE = {
    "casemodel.contracts": (
        "ContractBreach",
        "check_contract",
        "source_contract",
        "target_contract",
    ),
    "casemodel.dimensions": ("DIMENSIONS", "Dimension"),
    "casemodel.model": (
        "ENUMS",
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
    ),
    "casemodel.model.types": ("Day", "Flag", "Instant", "JsonValue", "Uuid"),
    "casemodel.rules": ("BusinessRule", "Moment", "business_rules"),
}
"""What is imported when it is first asked for: SQLAlchemy and pandera cost a quarter of a second each."""


def __getattr__(name: str) -> Any:
    for module, names in _LATE.items():
        if name in names:
            from importlib import import_module

            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
