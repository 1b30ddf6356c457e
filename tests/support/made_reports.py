"""Reports that hold all that a report can hold, or nothing that differs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import polars as pl
from two_sides import KEY, Row, loaded, proof_of

from casemodel import show
from reconciliation import (
    DimensionProof,
    Finding,
    FindingGroup,
    IssueCount,
    ReportContext,
    RuleProof,
    SampleRow,
    SchemaAnswer,
    SchemaDifference,
    SchemaProof,
    TargetProof,
    TrendRun,
    WaveLine,
    build_report,
    judge,
)

EVIL = "<script>alert(1)</script>"
BSN = "999993653"


def context(**changes):
    zone = timezone(timedelta(hours=1))
    made = ReportContext(
        workspace="voorbeeld", reconciled_at=datetime(2026, 11, 24, 21, 14, tzinfo=zone), municipality="Voorbeeld",
        environment="acceptatie", label="proefconversie 3", run="run-1", as_of=date(2026, 11, 24),
        run_started=datetime(2026, 11, 24, 20, 2, tzinfo=zone), program_version="omnicase 0.1.0",
        machine="Linux, 2 processors", target="sqlite target.db", user="m.engineer",
    )  # fmt: skip
    return replace(made, **changes)


def dirty_report(**changes):
    """Return a report over two systems with all it can hold: differences, rejects, losses, scope, evil texts."""
    rows, target = loaded(6)
    rows += [
        Row("r", "rejected", "date-invalid", "rejected"), Row("p", "parked", "link-waiting", "parked"),
        Row("o", "out_of_scope", EVIL, "out_of_scope"), Row(None, "rejected", "key-missing", None),
    ]  # fmt: skip
    target.database.execute(
        "UPDATE record SET end_date = '2011-10-29' WHERE id IN ('zaak.case:2011.00001', 'zaak.case:2011.00002')"
    )
    target.database.execute("UPDATE record SET surname = ? WHERE id = 'zaak.case:2011.00003'", (EVIL,))
    target.database.execute("UPDATE record SET identification = ? WHERE id = 'zaak.case:2011.00004'", (EVIL,))
    target.database.execute("DELETE FROM record WHERE id = 'zaak.case:2011.00005'")
    sample = SampleRow("date-invalid", "start_date", ("r",), (("DATSTART", "20110230"), ("ONDERWERP", EVIL),
                       ("BSN", show(BSN, personal=True, key=KEY))))  # fmt: skip
    case = proof_of(
        rows, target, target_label="Zaak", labels={"end_date": "einddatum", "surname": "achternaam"},
        issues=(
            IssueCount("date-invalid", "start_date", "error", 1), IssueCount("key-missing", "", "error", 1),
            IssueCount("link-waiting", "parent_case_id", "error", 1),
            IssueCount("truncated", "description", "warning", 2),
        ),
        samples=(sample,), scope_reasons={EVIL: 1}, repaired={"description": (3, 10)},
        repair_examples={"description": (("‹ a #11112222›", "‹a #33334444›"), (EVIL, EVIL))}, gone={"kept": 1},
        ignored=(("INVUSER", "Technical column"),), unfilled=(("publication_date", EVIL),), from_rows=10,
        mapping_digest="d" * 64, fingerprint="sha256:" + "f" * 64,
    )  # fmt: skip
    channels, channel_target = loaded(2, "seed.channel")
    seed = replace(proof_of(channels, channel_target, "seed.channel"))
    seed = replace(seed, facts=replace(seed.facts, target="channel", relation="channel"))
    verdict = judge([seed, case], clock=lambda: 0.0, target=whole_target())
    tolerates = {"tolerances": {"end_date": "1 second", EVIL: "0.005"}, "tolerated": {"end_date": 2}}
    verdict = replace(verdict, checks=tuple(
        replace(check, **tolerates) if (check.level, check.mapping) == ("fields", "zaak.case") else check
        for check in verdict.checks
    ))  # fmt: skip
    return build_report(verdict, [seed.facts, case.facts], context(**changes))


def whole_target():
    """Return a target of which a column is another, a rule is broken of either severity, and a month lacks cases."""
    offender = pl.DataFrame(
        {"id": ["zaak.case:2011.00003"], "mapping": ["zaak.case"], "key": ["2011.00003"]}
    )  # fmt: skip

    def rule(name, severity, pages, **more):
        return RuleProof(
            id=name, severity=severity, target="case_file", dutch=f"Een zaak hoort {EVIL} te zijn",
            english=f"A case should be {EVIL}", count=lambda: 6, offenders=lambda: iter(pages), **more,
        )  # fmt: skip

    differs = SchemaDifference("case_file", "description", "type", "differs", "VARCHAR(80)", "TEXT")
    counts = pl.DataFrame({"value": ["2011-10", "2011-12"], "n": [3, 7]})
    return TargetProof(
        schemas=(
            SchemaProof(check="schema.model", compare=lambda: SchemaAnswer(684, (differs,))),
            SchemaProof(check="schema.source", mapping="zaak.case", target="case_file",
                        compare=lambda: SchemaAnswer(0, reason="never_ran")),
        ),
        rules=(
            rule("CA-05 result", "signal", [offender]), rule("CA-06 status type", "error", [offender]),
            rule("CA-02 type valid", "signal", []), rule(f"own {EVIL}", "signal", [offender], own=True),
        ),
        dimensions=(
            DimensionProof(target="case_file", by="month", column="end_date", length=7, counts=lambda: counts),
        ),
    )  # fmt: skip


def clean_report():
    rows, target = loaded()
    proof = proof_of(rows, target)
    return build_report(judge([proof], clock=lambda: 0.0), [proof.facts], context())


def full_report():
    """Return the dirty report with all that a report may have: runs before it, waves, ways of values."""
    report = dirty_report()
    zone = timezone(timedelta(hours=1))
    runs = [
        TrendRun(
            run=str(number), label=f"proefconversie {number}", started=datetime(2026, 11, 20 + number, 20, 2, tzinfo=zone),
            seconds=4000.0 - 300 * number, target="A", part="--limit 100" if number == 2 else "", read=1000 + number,
            rejected=rejected, parked=number % 2, differences=None if number == 1 else rejected * 2,
            verdict="" if number == 1 else "findings", here=number == 4,
        )
        for number, rejected in enumerate((254, 90, 42, 2), 1)
    ]  # fmt: skip
    counts = {"over": 3, "left": 0, "rejected": 2, "parked": 1, "conflict": 0, "late": 0}
    waves = [
        WaveLine("parking", "live", date(2026, 11, 1), 6, counts), WaveLine("rest", "planned", None, 4, counts),
        WaveLine(None, "loaded", None, 1, counts),
    ]  # fmt: skip
    way = (("column: DATEIND", "30102011"), ("null_if", "30102011"), ("date", "2011-10-30"), ("do trim", EVIL))
    groups = tuple(
        replace(group, findings=tuple(replace(each, stages=way) for each in group.findings)) if group.field else group
        for group in report.verdict.groups
    )
    return replace(
        report, trend=tuple(runs), waves=tuple(waves), verdict=replace(report.verdict, groups=groups)
    )


def huge_report(findings):
    """Return a report with as many findings in 400 kinds, each with a sample of 250 in memory."""
    report, kinds = dirty_report(), 400
    each = findings // kinds
    groups = tuple(
        FindingGroup(
            id=f"{kind:012x}", check="fields.values", mapping=f"zaak.mapping_{kind % 40}", target="case_file", owner="",
            field=f"veld_{kind}", cause="value differs", difference="one day later", count=each,
            findings=tuple(
                Finding(f"{kind * each + number:012x}", "fields.values", "zaak.case", (f"2011.{number:05}",), "veld",
                        "value differs", "one day later", "2011-10-30", "2011-10-31")
                for number in range(250)
            ),
        )
        for kind in range(kinds)
    )  # fmt: skip
    checks = [replace(check, findings=0) for check in report.verdict.checks]
    checks[-1] = replace(checks[-1], findings=each * kinds, outcome="failed")
    return replace(report, verdict=replace(report.verdict, groups=groups, checks=tuple(checks)))
