"""Building the proof of every selected mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from casemodel import column_info, show
from connectors import SqliteTarget
from migrate.ledger.renames import ledger_numbers
from migrate.ledger.store import fully_read
from migrate.pipeline.context import Shared
from migrate.pipeline.contributions import shared_records
from migrate.pipeline.links import LedgerLinks
from migrate.proof.actual import TargetAgain
from migrate.proof.expected import SourceAgain
from migrate.proof.facts import mapping_facts
from migrate.session import Session
from migrate.shown import Shown
from reconciliation import MappingProof, ProofColumn


@contextmanager
def build_proofs(session: Session, target: SqliteTarget, names: Sequence[str]) -> Iterator[list[MappingProof]]:
    """Give the proofs of the mappings; what they hold open is closed when the block ends."""
    with target.engine.connect() as connection:
        numbers = ledger_numbers(connection, (session.mapping(each) for each in session.check.order))
        full = fully_read(connection)
    shared = shared_records((session.mapping(name) for name in session.check.order), numbers)
    by_record = frozenset(name for name in session.check.order if session.mapping(name).records_by_group)
    links = LedgerLinks(target, numbers, by_record, full)
    sides: list[TargetAgain] = []
    try:
        yield [_proof(session, target, name, numbers.get(name, -1), links, sides, shared.get(name)) for name in names]
    finally:
        for side in sides:
            side.close()


def _proof(
    session: Session,
    target: SqliteTarget,
    name: str,
    number: int,
    links: LedgerLinks,
    sides: list[TargetAgain],
    shared: Shared | None,
) -> MappingProof:
    mapping = session.mapping(name)
    source = session.source(mapping.system)
    secrets = session.workspace.secrets
    shown = Shown(session)
    personal = {column: bool(column_info(mapping.target, column)["personal"]) for column in mapping.fields}
    actual = TargetAgain(target, mapping.target, secrets.hash_key)
    sides.append(actual)

    def mask(column: str, value: str | None) -> str:
        return show(value, personal=personal.get(column, True), key=secrets.mask_key)

    def mask_key(key: str) -> tuple[str, ...]:
        return shown.key(mapping, key)

    batch_rows = session.workspace.model.run.batch_rows
    return MappingProof(
        facts=mapping_facts(session, target, mapping, source, number, shown),
        expected=SourceAgain(target, mapping, source, links, number, secrets.namespace, batch_rows, shared),
        actual=actual,
        columns=tuple(ProofColumn(column, personal[column]) for column in mapping.fields),
        table_mappings=tuple(each for each in session.check.order if session.mapping(each).target == mapping.target),
        mask=mask,
        mask_key=mask_key,
    )
