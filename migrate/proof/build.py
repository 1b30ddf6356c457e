"""Building the proof of every selected mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from casemodel import Target, column_info, show
from connectors import open_target
from mappings import children_of, null_texts_of, tolerances_of
from migrate.ledger.renames import ledger_numbers
from migrate.ledger.store import fully_read
from migrate.ledger.waves import known_waves
from migrate.pipeline.adopted import Adopted, adopted_records
from migrate.pipeline.context import RunWaves, Shared
from migrate.pipeline.contributions import shared_records
from migrate.pipeline.links import LedgerLinks
from migrate.proof.actual import TargetAgain
from migrate.proof.books import ChildrenAgain, control_proofs
from migrate.proof.expected import SourceAgain
from migrate.proof.facts import mapping_facts
from migrate.proof.keys import KeysAgain
from migrate.proof.sample import Sample
from migrate.proof.target import TargetChecks
from migrate.proof.ways import Ways
from migrate.session import DeclaredWaves, Session
from migrate.shown import Shown
from migrate.waves.declared import run_waves
from reconciliation import MappingProof, ProofColumn, TargetProof, Tolerance

MOST_ROWS = 20_000
"""Rows of a batch: of three there is something in memory, as read, mapped, and compared."""


@dataclass(frozen=True)
class Proofs:
    """What the judge needs: of every mapping, and of the target as a whole."""

    mappings: list[MappingProof]
    target: TargetProof


@contextmanager
def build_proofs(
    session: Session, target: Target, names: Sequence[str], now: datetime, sample: Sample | None = None
) -> Iterator[Proofs]:
    """Give the proofs of the mappings and the target; what they hold open is closed when the block ends.

    Args:
        now: when the rules are asked, aware.
        sample: the records to compare; None: all.
    """
    with target.engine.connect() as connection:
        numbers = ledger_numbers(connection, (session.mapping(each) for each in session.check.order))
        full, adopted = fully_read(connection), adopted_records(connection)
        waves = run_waves(session.waves or DeclaredWaves(), known_waves(connection))
    shared = shared_records((session.mapping(name) for name in session.check.order), numbers, adopted)
    by_record = frozenset(name for name in session.check.order if session.mapping(name).records_by_group)
    links = LedgerLinks(target, numbers, by_record, full)
    sides: list[TargetAgain] = []
    reader = _Reader(session.workspace.target_url)
    made = _Sides(session, target, links, numbers, shared, waves, adopted, sides, sample, reader)
    whole = TargetChecks(session, target, names, numbers, now, sample)
    try:
        yield Proofs([_proof(made, name) for name in names], whole.proof())
    finally:
        whole.close()
        for side in sides:
            side.close()
        reader.close()


class _Reader:
    """The target once more, opened when the thread that reads records first asks for it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: Target | None = None

    def target(self) -> Target:
        """Return the open target."""
        if self._opened is None:
            self._opened = open_target(self._url)
        return self._opened

    def close(self) -> None:
        """Close it, if it was opened."""
        if self._opened is not None:
            self._opened.close()


@dataclass(frozen=True)
class _Sides:
    """What the sides of every mapping are made of."""

    session: Session
    target: Target
    links: LedgerLinks
    numbers: Mapping[str, int]
    shared: Mapping[str, Shared]
    waves: RunWaves
    adopted: Adopted
    opened: list[TargetAgain]
    sample: Sample | None
    reader: _Reader

    def expected(self, name: str) -> SourceAgain:
        """Return the source side of a mapping."""
        return replace(self.children(name), sample=self.sample)

    def children(self, name: str, carried: tuple[str, ...] = ()) -> SourceAgain:
        """Return the source side of a mapping of children, whole: the sample is one of their parents."""
        mapping, workspace = self.session.mapping(name), self.session.workspace
        return SourceAgain(
            self.target,
            mapping,
            self.session.source(mapping.system),
            self.links,
            self.numbers.get(name, -1),
            workspace.secrets.namespace,
            min(workspace.model.run.batch_rows, MOST_ROWS),
            self.shared.get(name),
            self.waves,
            carried,
            self.adopted.get(mapping.target, {}),
        )

    def actual(self, name: str, sample: Sample | None = None) -> TargetAgain:
        """Return the target side of a mapping."""
        secrets = self.session.workspace.secrets
        side = TargetAgain(self.target, self.session.mapping(name).target, secrets.hash_key, sample, self.reader.target)
        self.opened.append(side)
        return side


_CATALOGUE = ("channel", "case_type", "status_type", "result_type", "role_type")
"""Tables whose records are codes to those that link to them."""


def _column(
    table: str, name: str, tolerances: Mapping[str, Tolerance], null_texts: tuple[str, ...]
) -> ProofColumn:
    info = column_info(table, name)
    coded = info["enum"] is not None or info["references"] in _CATALOGUE
    return ProofColumn(name, bool(info["personal"]), info["kind"], coded, tolerances.get(name), null_texts)


def _proof(made: _Sides, name: str) -> MappingProof:
    session = made.session
    mapping = session.mapping(name)
    source = session.source(mapping.system)
    secrets = session.workspace.secrets
    shown = Shown(session)
    personal = {column: bool(column_info(mapping.target, column)["personal"]) for column in mapping.fields}

    def mask(column: str, value: str | None) -> str:
        return show(value, personal=personal.get(column, True), key=secrets.mask_key)

    def mask_key(key: str) -> tuple[str, ...]:
        return shown.key(mapping, key)

    expected = made.expected(name)
    tolerances = {each: Tolerance(it.text, it.most) for each, it in tolerances_of(session.files[name]).items()}
    return MappingProof(
        facts=mapping_facts(session, made.target, mapping, source, made.numbers.get(name, -1), shown),
        expected=expected,
        keys=KeysAgain(expected).proof(),
        actual=made.actual(name, made.sample),
        columns=tuple(
            _column(mapping.target, column, tolerances, null_texts_of(session.files[name], column))
            for column in mapping.fields
        ),
        table_mappings=tuple(each for each in session.check.order if session.mapping(each).target == mapping.target),
        mask=mask,
        mask_key=mask_key,
        stages=Ways(mapping, expected, made.links, shown).stages,
        controls=control_proofs(session, made.target, name),
        children=tuple(
            ChildrenAgain(
                mapping,
                child,
                made.children(child.mapping, child.by),
                made.actual(child.mapping),
                made.links,
                made.sample,
            ).proof()
            for child in children_of(session.files[name], session.files)
        ),
    )
