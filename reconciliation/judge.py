"""The judge: one pass over both sides of every mapping, in batches, and one verdict.

It imports nothing that reads, maps or loads: it sees two sides and compares.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from casemodel import UsageError
from reconciliation.checks.accounting import STOCK
from reconciliation.checks.children import check_children
from reconciliation.checks.controls import check_control
from reconciliation.checks.distribution import Distributions
from reconciliation.checks.fields import VALUES
from reconciliation.checks.keys import TO_TARGET, KeysToSource
from reconciliation.checks.rules import Rules, not_asked
from reconciliation.checks.schema import check_schema
from reconciliation.findings import SAMPLE_LIMIT, FindingBook, Watched
from reconciliation.journal import Journal, Judged, kept_groups, restore
from reconciliation.kept_findings import KeptFindings
from reconciliation.reading import FOLLOWED, Reading
from reconciliation.sides import MappingProof, TargetProof
from reconciliation.verdict import LEVELS, SAMPLED, Check, Distribution, RuleResult, Verdict, decide


def judge(
    proofs: Iterable[MappingProof],
    levels: Sequence[str] = LEVELS,
    *,
    target: TargetProof | None = None,
    sample_limit: int = SAMPLE_LIMIT,
    kept: KeptFindings | None = None,
    watched: Watched | None = None,
    sample: float | None = None,
    journal: Journal | None = None,
    clock: Callable[[], float] = time.perf_counter,
    progress: Callable[[str, int], None] | None = None,
) -> Verdict:
    """Compare both sides of every mapping and judge.

    Args:
        proofs: one per mapping; both sides must stay open until the judge returns, since a table is read once more
            after the last mapping that fills it.
        levels: which of `LEVELS` to run; `in_balance` needs those of `MINIMUM`.
        target: what is asked of the target as a whole: its form, rules, distributions.
        sample_limit: findings kept per group in memory; all are counted.
        kept: where all findings are kept, for the reports that hold all.
        watched: by mapping the keys whose findings are held in memory beyond that (`watched_keys`).
        sample: the share of the records that both sides were limited to; None: they give all.
        journal: keeps what was judged mapping by mapping, and knows what an interrupted reconciliation kept.
        clock: seconds, for the time each check took.
        progress: called with mapping and source rows after each batch.

    Raises:
        UsageError: REC-001 a level that does not exist.
    """
    asked, whole = _levels(levels), target or TargetProof()
    known = list(proofs)
    owners = {each.facts.mapping: each.facts.owner for each in known}
    made = _Made(whole, asked, owners, sample_limit, kept, watched or {}, clock, sample)
    if "schema" in asked:
        made.ask_schemas()
    for proof in known:
        if proof.facts.target in made.unreadable:
            made.checks.extend(_not_readable(proof, asked))
            continue
        made.judge(proof, journal, progress)
    made.close_tables()
    if "rules" in asked:
        made.ask_rules(known)
    return made.verdict()


def _levels(levels: Sequence[str]) -> tuple[str, ...]:
    unknown = [level for level in levels if level not in LEVELS]
    if unknown or not levels:
        raise UsageError(
            "REC-001", f"there is no level '{unknown[0] if unknown else ''}'", hint=f"Choose from: {', '.join(LEVELS)}."
        )
    return tuple(level for level in LEVELS if level in levels)


class _Made:
    """What the judge has gathered so far."""

    def __init__(
        self, target: TargetProof, levels: tuple[str, ...], owners: dict[str, str], sample_limit: int,
        kept: KeptFindings | None, watched: Watched, clock: Callable[[], float], sample: float | None,
    ) -> None:  # fmt: skip
        self.target, self.levels, self.clock, self._sample = target, levels, clock, sample
        self.checks: list[Check] = []
        self.unreadable: frozenset[str] = frozenset()
        """Tables that lack something, so that they cannot be read."""
        self.seconds: dict[str, float] = {}
        """Spent on the distribution of a table."""
        self._limit, self._kept, self._watched = sample_limit, kept, watched
        self._books: dict[tuple[str, str], FindingBook] = {}
        self._signals: dict[tuple[str, str], FindingBook] = {}
        self._more: list[FindingBook] = []
        self._tables: dict[str, KeysToSource] = {}
        self._divided: dict[str, Distributions] = {}
        self._rules: list[RuleResult] = []
        self._shown: list[Distribution] = []
        self._owners = owners
        self._anew: set[str] = set()
        self.taken_over: list[str] = []

    def book(self, mapping: str, table: str) -> FindingBook:
        """Return the book of findings of a mapping, or of a table's records that no mapping made."""
        if (mapping, table) not in self._books:
            self._books[mapping, table] = self._new(mapping, table, self._kept)
        return self._books[mapping, table]

    def judge(
        self, proof: MappingProof, journal: Journal | None, progress: Callable[[str, int], None] | None
    ) -> None:
        """Judge a mapping, or take over what the journal has of it.

        What was counted of a table is counted on from mapping to mapping: after one that is judged anew nothing of the
        table is taken over.
        """
        name, table = proof.facts.mapping, proof.facts.target
        book = self.book(name, table)
        taken = journal.taken(name) if journal is not None and table not in self._anew else None
        followed, divided = self.table(proof), self.divided(proof)
        if taken is not None:
            self.taken_over.append(name)
            self.checks.extend(taken.checks)
            restore(book, taken.groups)
            if followed is not None:
                followed.add_proof(proof, book)
                for piece in taken.ids:
                    followed.add_hashes(piece)
            if divided is not None and taken.divided is not None:
                divided.add_proof(proof)
                divided.restore(taken.divided)
            return
        self._anew.add(table)
        checks = _judge_mapping(proof, self, book, progress)
        self.checks.extend(checks)
        if journal is not None:
            ids: Iterable[pl.Series] = () if followed is None else followed.of_last
            state = None if divided is None else divided.state()
            journal.keep(name, Judged(tuple(checks), kept_groups(book), ids, state))

    def _signals_of(self, mapping: str, table: str) -> FindingBook:
        """Return the book of signals of a mapping; people look at examples, and the query of a rule gives the rest."""
        if (mapping, table) not in self._signals:
            self._signals[mapping, table] = self._new(mapping, table, None)
        return self._signals[mapping, table]

    def _new(self, mapping: str, table: str, kept: KeptFindings | None) -> FindingBook:
        watched = self._watched.get(mapping, frozenset())
        return FindingBook(mapping, table, self._owners.get(mapping, ""), self._limit, kept, watched)

    def table(self, proof: MappingProof) -> KeysToSource | None:
        """Return what follows the records of the mapping's table back."""
        if not {"keys", "distribution"} & set(self.levels):
            return None
        return self._tables.setdefault(proof.facts.target, KeysToSource(self._kept, self._watched))

    def divided(self, proof: MappingProof) -> Distributions | None:
        """Return what divides the records of the mapping's table; None: nothing does."""
        table = proof.facts.target
        dimensions = [each for each in self.target.dimensions if each.target == table]
        if "distribution" not in self.levels or not dimensions:
            return None
        if table not in self._divided:
            self._divided[table] = Distributions(dimensions)
        return self._divided[table]

    def ask_schemas(self) -> None:
        """Compare the forms of target and sources."""
        for proof in self.target.schemas:
            started = self.clock()
            check, lacking = check_schema(proof, self.book(proof.mapping, proof.target))
            self.checks.append(replace(check, seconds=round(self.clock() - started, 3)))
            if proof.check == "schema.model":
                self.unreadable |= lacking

    def close_tables(self) -> None:
        """Ask what can be asked when all mappings of a table were read."""
        for name, table in self._tables.items():
            if "keys" in self.levels:
                started = self.clock()
                check, book = table.check()
                self.checks.append(replace(check, seconds=round(self.clock() - started, 3)))
                if all(book is not each for each in self._books.values()):
                    self._more.append(book)
            if name in self._divided:
                self._close_distribution(name, table)

    def _close_distribution(self, name: str, table: KeysToSource) -> None:
        started, divided = self.clock(), self._divided[name]
        divided.leave_out(table.kept())
        book = self._new(divided.mappings, name, self._kept)
        self._more.append(book)
        for check, made in divided.checks(book):
            spent = self.clock() - started + self.seconds.pop(name, 0.0)
            self.checks.append(replace(check, seconds=round(spent, 3)))
            started = self.clock()
            if made is not None:
                self._shown.append(made)

    def ask_rules(self, proofs: Sequence[MappingProof]) -> None:
        """Ask the rules of the tables that the mappings fill."""
        rules = Rules(proofs, self.book, self._signals_of)
        filled = {proof.facts.target for proof in proofs}
        for rule in self.target.rules:
            if rule.target not in filled:
                continue
            if (rule.reads | {rule.target}) & self.unreadable:
                self.checks.append(not_asked(rule))
                continue
            started = self.clock()
            check, result = rules.ask(rule)
            self.checks.append(replace(check, seconds=round(self.clock() - started, 3)))
            self._rules.append(result)

    def verdict(self) -> Verdict:
        """Judge."""
        groups = [group for book in (*self._books.values(), *self._more) for group in book.groups()]
        signals = [group for book in self._signals.values() for group in book.groups()]
        checks = [
            replace(check, share=self._sample) if self._sample is not None and check.level in SAMPLED else check
            for check in self.checks
        ]
        judged = decide(self.levels, checks, groups, signals=signals, rules=self._rules, distributions=self._shown)
        return replace(judged, sample=self._sample, taken_over=tuple(self.taken_over))


def _not_readable(proof: MappingProof, levels: tuple[str, ...]) -> list[Check]:
    """Return a check per level that could not be made, since the table lacks what is to be read."""
    facts = proof.facts
    names = {"accounting": STOCK, "keys": TO_TARGET, "fields": VALUES}
    return [
        Check(
            check=check, level=level, mapping=facts.mapping, target=facts.target, outcome="not_applicable",
            reason="table_differs", meaning=facts.meaning,
        )
        for level, check in names.items() if level in levels
    ]  # fmt: skip


def _judge_mapping(
    proof: MappingProof, made: _Made, book: FindingBook, progress: Callable[[str, int], None] | None
) -> list[Check]:
    own = _own_checks(proof, made.levels, book, made.clock)
    if not FOLLOWED & set(made.levels):
        return own
    divided = made.divided(proof)
    table = made.table(proof)
    if table is not None:
        table.add_proof(proof, book)
    if divided is not None:
        divided.add_proof(proof)
    reading = Reading(proof, book, made.levels, table, divided, made.clock)
    reading.run(progress)
    if divided is not None:
        name = proof.facts.target
        made.seconds[name] = made.seconds.get(name, 0.0) + reading.seconds_of_distribution
    return [*reading.checks(), *own]


def _own_checks(
    proof: MappingProof, levels: tuple[str, ...], book: FindingBook, clock: Callable[[], float]
) -> list[Check]:
    """Make the checks that read for themselves: controls and children."""
    asked: list[Callable[[], Check]] = []
    if "controls" in levels:
        asked += [partial(check_control, control, proof.facts, book) for control in proof.controls]
    if "children" in levels:
        asked += [partial(check_children, child, proof, book) for child in proof.children]
    made = []
    for ask in asked:
        started = clock()
        made.append(replace(ask(), seconds=round(clock() - started, 3)))
    return made
