"""`reconcile pairs`: two relations of any two systems compared by their keys, without a mapping and without a load."""

from __future__ import annotations

import getpass
import hashlib
import json
import math
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa

from casemodel import Relation, Source, UsageError, key_text, show, split_key
from connectors import Scratch, SystemConfig, open_source
from mappings import tolerance_of
from migrate import __version__
from migrate.workspace import Workspace
from reconciliation import (
    PAIR_DIFFERS,
    ActualSide,
    ExpectedSide,
    Facts,
    KeptFindings,
    MappingProof,
    NoLedger,
    PairPart,
    ProofColumn,
    Report,
    ReportContext,
    Tolerance,
    build_report,
    judge_pair,
    require_place,
    write_report,
)

TARGET = "target"
"""Name of the target of the workspace as a system, where no system is called so."""
_ZONE = ZoneInfo("Europe/Amsterdam")
_BATCH, _PART = 25_000, 100_000
"""Rows that are read, and that are compared at once."""
_MOST_PARTS = 256
_OURS = frozenset(
    ("id", "outcome", "reason", "state", "moved_on", "edited", "settled", "_key", "_present", "_cause", "_kind",
     "_part")
)  # fmt: skip
"""Names that the comparison has for itself: a column of such a name is called A.NAME."""
_MOMENTS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_NUMBER = r"^-?[0-9]{1,27}(\.[0-9]{0,9})?$"
_HOLD_ALL = frozenset(["json", "xlsx"])


@dataclass(frozen=True)
class PairAsked:
    """What is asked, as it was typed.

    first, second: ``system.relation``.
    keys, columns: ``COLUMN``, or ``COLUMN=COLUMN`` where the second side calls it otherwise.
    tolerances: ``COLUMN=1 second`` or ``COLUMN=0.005``, by the name on the first side.
    ignored: columns of either side that are not compared.
    """

    first: str
    second: str
    keys: Sequence[str]
    columns: Sequence[str] = ()
    tolerances: Sequence[str] = ()
    ignored: Sequence[str] = ()


@dataclass(frozen=True)
class Paired:
    """The report and the files it was written to; the columns that only one side has were not compared."""

    report: Report
    files: tuple[Path, ...]
    left_out: tuple[str, ...]


@contextmanager
def reconcile_pairs(
    workspace: Workspace, asked: PairAsked, kinds: Sequence[str], lang: str, *, listed: bool
) -> Iterator[Paired]:
    """Compare two relations and write the reports asked for.

    Args:
        kinds: ``html``, ``json``, ``junit``, ``txt``, ``xlsx``.
        listed: whether all findings are to be read from the report as long as the block lasts; else some are.

    Raises:
        UsageError: REC-046 no such system or no name of a relation, REC-047 a column or key that is not there, REC-048
            a tolerance that is none.
        SystemFailure: CON-… a side cannot be reached or read.
    """
    if kinds:
        require_place(workspace.reports, kinds)
    holds = listed or _HOLD_ALL & set(kinds)
    with KeptFindings(workspace.reports) if holds else nullcontext() as kept, closing(Scratch()) as scratch:
        sides = []
        try:
            for place, name in (("A", asked.first), ("B", asked.second)):
                sides.append(_side(workspace, name, place))
            plan = _planned(asked, sides[0], sides[1])
            report = _report(workspace, plan, sides[0], sides[1], scratch, kept)
            stamp = report.context.reconciled_at.strftime("%Y%m%d-%H%M%S")
            written = write_report(report, workspace.reports, f"paar-{stamp}", kinds, lang) if kinds else []
        finally:
            for side in sides:
                side.source.close()
        yield Paired(report, tuple(written), plan.left_out)


@dataclass(frozen=True)
class _Side:
    name: str
    source: Source
    relation: Relation
    personal: Mapping[str, bool]

    def column(self, name: str, asked: str) -> str:
        """Return a column as the relation spells it."""
        found = next((each for each in self.personal if each.casefold() == name.casefold()), None)
        if found is None:
            known = ", ".join(self.personal)
            raise UsageError(
                "REC-047", f"{self.name} has no column '{name}'", hint=f"Its columns: {known}.", place=asked
            )
        return found


def _side(workspace: Workspace, name: str, place: str) -> _Side:
    system, dot, relation = name.partition(".")
    config = workspace.systems.get(system)
    if config is None and system == TARGET:
        config = _target(workspace)
    if not dot or not relation or config is None:
        known = ", ".join([*sorted(workspace.systems), TARGET])
        raise UsageError(
            "REC-046", f"'{name}' names no relation of a system", hint=f"Write SYSTEM.RELATION; systems: {known}.",
            place=place,
        )  # fmt: skip
    source = open_source(config)
    found = source.relation(relation)
    personal = {each: workspace.is_personal(found, each) for each in found.column_names()}
    return _Side(f"{system}.{found.name}", source, found, personal)


def _target(workspace: Workspace) -> SystemConfig:
    """Return the target as a system to be read."""
    url = sa.make_url(workspace.target_url)
    if url.get_backend_name() == "sqlite":
        return SystemConfig(TARGET, "sqlite", {"path": url.database or ""}, workspace.root)
    return SystemConfig(
        TARGET, "postgresql", {}, workspace.root, url=workspace.target_url, production=workspace.production
    )


@dataclass(frozen=True)
class _Plan:
    """Which columns are held against each other.

    keys: column of the first side -> of the second.
    columns: what they are called in the report -> column of the first side, of the second.
    """

    keys: Mapping[str, str]
    columns: Mapping[str, tuple[str, str]]
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def _planned(asked: PairAsked, first: _Side, second: _Side) -> _Plan:
    def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for text in texts:
            left, _, right = text.partition("=")
            a, b = first.column(left.strip(), option), second.column((right or left).strip(), option)
            if found.get(a, b) != b or (a not in found and b in found.values()):
                raise UsageError(
                    "REC-047", f"a column of '{text}' is named twice", hint="Name each column once.", place=option
                )
            found[a] = b
        return found

    keys, named = pairs(asked.keys, "--key"), pairs(asked.columns, "--map")
    if not keys:
        raise UsageError("REC-047", "no key says which rows belong together", hint="Add --key COLUMN.", place="--key")
    ignored = {name.casefold() for name in asked.ignored}
    by_name = {name.casefold(): name for name in second.personal}
    taken = {*named, *keys}
    columns = named | {
        name: by_name[name.casefold()]
        for name in first.personal
        if name.casefold() in by_name and name not in taken and by_name[name.casefold()] not in named.values()
    }
    columns = {name: other for name, other in columns.items() if not {name.casefold(), other.casefold()} & ignored}
    used = {f"A.{name}" for name in {*keys, *columns}} | {f"B.{name}" for name in {*keys.values(), *columns.values()}}
    every = [f"A.{name}" for name in first.personal] + [f"B.{name}" for name in second.personal]
    left_out = tuple(name for name in every if name not in used and name[2:].casefold() not in ignored)
    called = {f"A.{a}" if a.casefold() in _OURS else a: (a, b) for a, b in columns.items()}
    return _Plan(keys, called, _tolerances(asked.tolerances, called, first), left_out)


def _tolerances(
    texts: Iterable[str], columns: Mapping[str, tuple[str, str]], first: _Side
) -> dict[str, Tolerance]:
    found, names = {}, {a: called for called, (a, _) in columns.items()}
    for text in texts:
        name, _, most = text.partition("=")
        known, amount = names.get(first.column(name.strip(), "--tolerance")), tolerance_of(most.strip())
        if amount is None or known is None:
            raise UsageError(
                "REC-048", f"'{text}' is no tolerance of a column that is compared",
                hint="Write --tolerance 'COLUMN=1 second', or --tolerance COLUMN=0.005.", place="--tolerance",
            )  # fmt: skip
        found[known] = Tolerance(amount.text, amount.most)
    return found


def _report(
    workspace: Workspace, plan: _Plan, first: _Side, second: _Side, scratch: Scratch, kept: KeptFindings | None
) -> Report:
    counts = (first.source.count(first.relation.name), second.source.count(second.relation.name))
    parts = max(1, min(_MOST_PARTS, math.ceil(max(counts) / _PART)))
    same, other = ({pair[side]: called for called, pair in plan.columns.items()} for side in (0, 1))
    folder = scratch.folder    # made here: two threads would make two
    with ThreadPoolExecutor(1, "omnicase-second") as beside:
        split = beside.submit(_split, second, list(plan.keys.values()), other, plan, parts, folder, "second")
        _split(first, list(plan.keys), same, plan, parts, folder, "first")
        split.result()
    proof = _proof(workspace, plan, first, second)
    both = (PairPart(_part(folder, "first", n, plan), _part(folder, "second", n, plan)) for n in range(parts))
    verdict = judge_pair(proof, both, counts, kept)
    now = datetime.now(_ZONE)
    context = ReportContext(
        workspace=workspace.name, municipality=workspace.municipality, environment=workspace.env or "",
        reconciled_at=now, program_version=__version__, machine=socket.gethostname(), user=getpass.getuser(),
        target=second.name, pair=(first.name, second.name),
        namespace_fingerprint=workspace.secrets.fingerprint,
    )  # fmt: skip
    return build_report(verdict, [proof.facts], context)


def _split(
    side: _Side, keys: Sequence[str], names: Mapping[str, str], plan: _Plan, parts: int, folder: Path, called: str
) -> None:
    """Write a side to scratch files by the hash of its keys, columns called as on the first side."""
    wanted = list(dict.fromkeys([*keys, *names]))
    for number, frame in enumerate(side.source.columns(side.relation.name, wanted, _BATCH)):
        texts = frame.with_columns(pl.all().cast(pl.String))
        rows = texts.select(
            key_text([pl.col(each) for each in keys]).alias("_key"),
            *(_comparable(pl.col(name), plan.tolerances.get(to)).alias(to) for name, to in names.items()),
        ).with_columns((pl.col("_key").fill_null("").hash() % parts).alias("_part"))
        for (part,), group in rows.group_by("_part"):
            group.drop("_part").write_ipc(folder / f"{called}-{part:03}-{number:06}.arrow", compression="lz4")


def _comparable(text: pl.Expr, tolerance: Tolerance | None) -> pl.Expr:
    """Return moments and numbers in one form where they are compared with a tolerance; other texts stay as they are."""
    if tolerance is None:
        return text
    if not isinstance(tolerance.most, int):
        number = pl.when(text.str.contains(_NUMBER)).then(text).cast(pl.Decimal(38, 9), strict=False).cast(pl.String)
        return pl.coalesce(number.str.strip_chars_end("0").str.strip_suffix("."), text)
    plain = text.str.replace("T", " ", literal=True)
    zoned = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", strict=False).dt.replace_time_zone(None)
    local = [plain.str.strip_suffix("Z").str.to_datetime(form, time_unit="us", strict=False) for form in _MOMENTS]
    return pl.coalesce([*(each.dt.strftime("%Y-%m-%d %H:%M:%S%.6f") for each in (*local, zoned)), text])


def _part(folder: Path, called: str, number: int, plan: _Plan) -> pl.DataFrame:
    schema = dict.fromkeys(("_key", *plan.columns), pl.String)
    files = sorted(folder.glob(f"{called}-{number:03}-*.arrow"))
    return pl.concat([pl.DataFrame(schema=schema), *(pl.read_ipc(each) for each in files)])


def _proof(workspace: Workspace, plan: _Plan, first: _Side, second: _Side) -> MappingProof:
    mask_with, keys = workspace.secrets.mask_key, list(plan.keys.items())
    hidden = [first.personal[a] or second.personal[b] for a, b in keys]
    personal = {called: first.personal[a] or second.personal[b] for called, (a, b) in plan.columns.items()}

    def mask(column: str, value: str | None) -> str:
        return show(value, personal=personal.get(column, True), key=mask_with)

    def mask_key(key: str) -> tuple[str, ...]:
        parts = zip(split_key(key), hidden, strict=True)
        return tuple(show(part, personal=each, key=mask_with) for part, each in parts)

    asked = json.dumps([keys, list(plan.columns.items()), {k: t.text for k, t in plan.tolerances.items()}])
    name = f"{first.name} = {second.name}"
    return MappingProof(
        facts=Facts(
            mapping=name, system=first.name.partition(".")[0], relation=first.relation.name, target=second.name,
            meaning=hashlib.sha256(f"{name} {asked}".encode()).hexdigest(),
        ),
        expected=cast(ExpectedSide, None), actual=cast(ActualSide, NoLedger()),
        columns=tuple(_column(name, personal[name], plan.tolerances.get(name)) for name in plan.columns),
        table_mappings=(name,), mask=mask, mask_key=mask_key, differs=PAIR_DIFFERS,
    )  # fmt: skip


def _column(name: str, personal: bool, tolerance: Tolerance | None) -> ProofColumn:
    kind = "text" if tolerance is None else "instant" if isinstance(tolerance.most, int) else "decimal"
    return ProofColumn(name, personal, kind, tolerance=tolerance)
