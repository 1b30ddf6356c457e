"""Reconciliation: two sides of every mapping, judged and reported (DESIGN.md, section 8)."""

from reconciliation.differences import difference_kind_expr
from reconciliation.files import require_place, write_atomically, write_report
from reconciliation.findings import Finding, FindingGroup, GroupKey
from reconciliation.journal import Journal, Judged, judged_from
from reconciliation.judge import judge
from reconciliation.kept_findings import KeptFindings
from reconciliation.naming import tolerance_text
from reconciliation.pairs import PAIR_DIFFERS, NoLedger, PairPart, judge_pair
from reconciliation.render_html import render_html
from reconciliation.render_json import reconcile_schema, render_json, verdict_chunks, verdict_document
from reconciliation.render_terminal import render_terminal
from reconciliation.report import Report, ReportContext, TrendRun, WaveLine, build_report
from reconciliation.sides import (
    ActualSide,
    ChildProof,
    ControlProof,
    DimensionProof,
    ExpectedBatch,
    ExpectedSide,
    Facts,
    IssueCount,
    KeysProof,
    MappingProof,
    ProofColumn,
    RuleProof,
    SampleRow,
    SchemaAnswer,
    SchemaDifference,
    SchemaProof,
    TargetProof,
)
from reconciliation.tolerance import Tolerance
from reconciliation.verdict import LEVELS, Check, Distribution, DistributionGroup, RuleResult, Verdict
from reconciliation.waiver import Waiver, WaiverUse
from reconciliation.waivers import (
    Terms,
    may_be_waived,
    meaning_of,
    watched_keys,
    with_waivers,
)
from reconciliation.words import difference_text, figure, has_text, issue_text, text
from reconciliation.work_list import WorkSheet, key_of_line, work_sheets
from reconciliation.workbook import Column, Row, Sheet, write_workbook

__all__ = [
    "LEVELS",
    "PAIR_DIFFERS",
    "ActualSide",
    "Check",
    "ChildProof",
    "Column",
    "ControlProof",
    "DimensionProof",
    "Distribution",
    "DistributionGroup",
    "ExpectedBatch",
    "ExpectedSide",
    "Facts",
    "Finding",
    "FindingGroup",
    "GroupKey",
    "IssueCount",
    "Journal",
    "Judged",
    "KeptFindings",
    "KeysProof",
    "MappingProof",
    "NoLedger",
    "PairPart",
    "ProofColumn",
    "Report",
    "ReportContext",
    "Row",
    "RuleProof",
    "RuleResult",
    "SampleRow",
    "SchemaAnswer",
    "SchemaDifference",
    "SchemaProof",
    "Sheet",
    "TargetProof",
    "Terms",
    "Tolerance",
    "TrendRun",
    "Verdict",
    "Waiver",
    "WaiverUse",
    "WaveLine",
    "WorkSheet",
    "build_report",
    "difference_kind_expr",
    "difference_text",
    "figure",
    "has_text",
    "issue_text",
    "judge",
    "judge_pair",
    "judged_from",
    "key_of_line",
    "may_be_waived",
    "meaning_of",
    "reconcile_schema",
    "render_html",
    "render_json",
    "render_terminal",
    "require_place",
    "text",
    "tolerance_text",
    "verdict_chunks",
    "verdict_document",
    "watched_keys",
    "with_waivers",
    "work_sheets",
    "write_atomically",
    "write_report",
    "write_workbook",
]
