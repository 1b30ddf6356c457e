"""The report value: everything that a reconciliation tells, frozen, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from casemodel import OUTCOMES
from reconciliation.findings import FindingGroup
from reconciliation.sides import Facts, SampleRow
from reconciliation.verdict import Distribution, Verdict

SAMPLES_PER_CAUSE = 10
"""Rejected rows shown under one cause; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """Where and when the reconciliation was made, and by what."""

    workspace: str
    reconciled_at: datetime
    """Aware; shown in its own time zone."""
    municipality: str = ""
    environment: str = ""
    label: str = ""
    """Free name of the rehearsal, such as ``proefconversie 3``."""
    run: str = ""
    run_started: datetime | None = None
    run_finished: datetime | None = None
    as_of: date | None = None
    program_version: str = ""
    machine: str = ""
    target: str = ""
    """Kind and place of the target, without a password."""
    user: str = ""
    namespace_fingerprint: str = ""
    pair: tuple[str, str] | None = None
    """Two relations that were compared without a load between them; None: sources with the target."""


@dataclass(frozen=True, slots=True)
class BookLine:
    """The books of one mapping (or the sum of a system) in the last run."""

    name: str
    facts: Facts | None
    amounts: Mapping[str, int]
    """``read`` and every outcome."""
    balances: bool | None
    """None: the mapping never ran, there is nothing to add up."""


@dataclass(frozen=True, slots=True)
class SystemBooks:
    """The books of all mappings of one old system, and their sum."""

    system: str
    lines: tuple[BookLine, ...]
    total: BookLine


@dataclass(frozen=True, slots=True)
class CausePlace:
    """Where a cause occurs."""

    mapping: str
    field: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Cause:
    """All issues with one code and one severity, over all mappings."""

    code: str
    severity: str
    count: int
    share: float
    """Of the rows read by the mappings in which it occurs; 0 when none was read."""
    places: tuple[CausePlace, ...]
    samples: tuple[tuple[str, SampleRow], ...]
    """Mapping and row."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A counted reason of one mapping: a scope reason, a repaired field, a column left behind."""

    mapping: str
    name: str
    label: str
    count: int
    of: int = 0
    examples: tuple[tuple[str, str], ...] = ()
    """Of a repaired field: a few values, masked, as they were and as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRun:
    """One run of the history: what it left behind, and what a reconciliation found of it."""

    run: str
    label: str
    started: datetime
    seconds: float
    target: str
    """A letter: another one is another target, as when it was made anew between rehearsals."""
    part: str = ""
    """What was read of the relations, when not all: then its figures do not compare."""
    read: int = 0
    rejected: int = 0
    parked: int = 0
    differences: int | None = None
    """None: all of it was never reconciled as a whole."""
    verdict: str = ""
    """``in_balance`` or ``findings``; empty as `differences` is None."""
    here: bool = False
    """The run that this report is about."""


@dataclass(frozen=True, slots=True)
class WaveLine:
    """How one wave stands; the name None is what belongs to none although others of its mappings do."""

    name: str | None
    state: str
    """``planned``, ``rehearsing``, ``live``, ``closed``; ``loaded`` of what belongs to none."""
    since: date | None
    rows: int
    counts: Mapping[str, int]
    """``over``, ``left``, ``rejected``, ``parked``, ``conflict``, ``late``: each row is one of these."""


@dataclass(frozen=True, slots=True)
class Report:
    """One reconciliation, ready to render."""

    context: ReportContext
    verdict: Verdict
    facts: tuple[Facts, ...]
    systems: tuple[SystemBooks, ...]
    total: BookLine
    rejects: tuple[Cause, ...]
    losses: tuple[Cause, ...]
    repaired: tuple[Amount, ...]
    scope: tuple[Amount, ...]
    gone: tuple[Amount, ...]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Mapping -> target column -> Dutch term; the column "" is the table."""
    trend: tuple[TrendRun, ...] = ()
    """The last runs, oldest first."""
    waves: tuple[WaveLine, ...] = ()

    @property
    def decisions(self) -> tuple[FindingGroup, ...]:
        """The kinds of differences that somebody has to decide about, as the verdict orders them."""
        return tuple(group for group in self.verdict.groups if group.is_open)

    @property
    def signals(self) -> tuple[FindingGroup, ...]:
        """What rules point out to people."""
        return self.verdict.signals

    @property
    def distributions(self) -> tuple[Distribution, ...]:
        """How the records are divided, source against target: a chart each."""
        return self.verdict.distributions

    def label(self, mapping: str, column: str | None) -> str:
        """Return the Dutch term of a target column (of the table without one), empty when the model has none."""
        return self.labels.get(mapping, {}).get(column or "", "")


def build_report(
    verdict: Verdict,
    facts: Iterable[Facts],
    context: ReportContext,
    *,
    trend: Sequence[TrendRun] = (),
    waves: Sequence[WaveLine] = (),
) -> Report:
    """Gather what the verdict and the ledger say into one frozen value."""
    known = tuple(facts)
    systems = tuple(_system(name, known) for name in dict.fromkeys(each.system for each in known))
    lines = [line for system in systems for line in system.lines]
    return Report(
        context=context,
        verdict=verdict,
        facts=known,
        systems=systems,
        total=_sum("", lines),
        rejects=_causes(known, "error"),
        losses=_causes(known, "warning"),
        repaired=tuple(
            Amount(each.mapping, name, each.labels.get(name, ""), count, of, each.repair_examples.get(name, ()))
            for each in known
            for name, (count, of) in each.repaired.items()
            if count
        ),
        scope=tuple(
            Amount(each.mapping, reason, "", count, each.tally.get("read", 0))
            for each in known
            for reason, count in _largest(each.scope_reasons)
        ),
        gone=tuple(
            Amount(each.mapping, name, "", count) for each in known for name, count in each.gone.items() if count
        ),
        labels={each.mapping: {"": each.target_label, **each.labels} for each in known},
        trend=tuple(trend),
        waves=tuple(waves),
    )


def _system(name: str, facts: Sequence[Facts]) -> SystemBooks:
    lines = tuple(_line(each) for each in facts if each.system == name)
    return SystemBooks(name, lines, _sum(name, lines))


def _line(facts: Facts) -> BookLine:
    amounts = {name: facts.tally.get(name, 0) for name in ("read", *OUTCOMES)}
    balances = None if facts.run is None else amounts["read"] == sum(amounts[name] for name in OUTCOMES)
    return BookLine(facts.mapping, facts, amounts, balances)


def _sum(name: str, lines: Sequence[BookLine]) -> BookLine:
    amounts = {key: sum(line.amounts[key] for line in lines) for key in ("read", *OUTCOMES)}
    ran = [line.balances for line in lines if line.balances is not None]
    return BookLine(name, None, amounts, all(ran) if ran else None)


def _causes(facts: Sequence[Facts], severity: str) -> tuple[Cause, ...]:
    places: dict[str, list[CausePlace]] = {}
    read: dict[str, dict[str, int]] = {}
    for each in facts:
        for issue in each.issues:
            if issue.severity == severity and issue.count:
                label = each.labels.get(issue.field, "")
                places.setdefault(issue.code, []).append(CausePlace(each.mapping, issue.field, label, issue.count))
                read.setdefault(issue.code, {})[each.mapping] = each.tally.get("read", 0)
    causes = []
    for code, where in places.items():
        count, rows = sum(place.count for place in where), sum(read[code].values())
        samples = [
            (each.mapping, row) for each in facts for row in each.samples
            if row.code == code and any((p.mapping, p.field) == (each.mapping, row.field) for p in where)
        ]  # fmt: skip
        causes.append(
            Cause(
                code, severity, count, count / rows if rows else 0.0,
                tuple(sorted(where, key=lambda p: (-p.count, p.mapping, p.field))), tuple(samples[:SAMPLES_PER_CAUSE]),
            )
        )  # fmt: skip
    return tuple(sorted(causes, key=lambda cause: (-cause.count, cause.code)))


def _largest(amounts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((name, count) for name, count in amounts.items() if count), key=lambda pair: (-pair[1], pair[0]))
