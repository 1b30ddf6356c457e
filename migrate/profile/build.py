"""`profile`: read relations of a system once and say what is in them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from casemodel import Partition, Relation, Source, TellsOddities, TellsUnread, UsageError, show
from migrate.opening import refuse_wrong_personal
from migrate.profile.findings import LEAST, ColumnProfile, Counted, RelationProfile
from migrate.profile.forms import Values, dates, kinds, null_texts, patterns, prepared
from migrate.profile.keys import Key, Pointer, composed_keys, foreign_keys, keys_of, pointers_of, read_key
from migrate.profile.measure import LONGEST, Column, Measurement
from migrate.profile.saved import save, saved_profile
from migrate.session import Session
from migrate.workspace import Workspace

_BATCH = 50_000
_TOP = 10
_OPEN = 60
_TELLS_PERSON = frozenset({"bsn", "email", "phone", "iban"})
_BSN_FORMS = re.compile(
    r"(?<![\d.])(?:\d{8,9}|\d{4}[ .\-]\d{2}[ .\-]\d{3}|\d{2}[ .\-]\d{3}[ .\-]\d{3,4}|\d{3}[ .\-]\d{3}[ .\-]\d{3})(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Profiled:
    """The profiles of a system's relations and the files they are kept in."""

    system: str
    relations: tuple[RelationProfile, ...]
    files: tuple[Path, ...]


def profile(workspace: Workspace, asked: str, first: int | None = None) -> Profiled:
    """Profile a system, or one relation of it, and keep the findings in reports/profiles/.

    Args:
        asked: ``SYSTEM`` or ``SYSTEM.RELATION``.
        first: read no more than so many rows of each relation.

    Raises:
        UsageError: PRF-001 unknown system, PRF-002 unknown relation.
        RefusedError: WSP-006 `personal` names what is not there.
        SystemFailure: the system cannot be reached or read.
    """
    system, name = _named(workspace, asked)
    session = Session(workspace, {}, date.min)
    with closing(session):
        source = session.source(system)
        chosen = [_relation(source, name)] if name else list(source.relations())
        refuse_wrong_personal(session, system)
        found, pointers, keys = _all(workspace, source, chosen, first)
        if name:
            keys += _other_keys(workspace, source, chosen[0])
    links = foreign_keys(pointers, keys)
    linked = tuple(
        replace(each, columns=tuple(
            replace(column, foreign_keys=links.get((each.relation, column.name), ())) for column in each.columns))
        for each in found
    )  # fmt: skip
    return Profiled(system, linked, tuple(save(workspace, each) for each in linked))


def named_relation(session: Session, asked: str) -> tuple[str, str]:
    """Return the system and the relation, as the system spells it, of ``SYSTEM.RELATION``.

    Raises:
        UsageError: PRF-001 unknown system, PRF-002 unknown relation, PRF-003 a system alone.
    """
    system, name = _named(session.workspace, asked)
    if not name:
        raise UsageError(
            "PRF-003", f"'{asked}' names no relation", hint=f"Write {system}.RELATION.", place=f"systems.{system}"
        )
    return system, _relation(session.source(system), name)


def _named(workspace: Workspace, asked: str) -> tuple[str, str]:
    """Split ``SYSTEM.RELATION``; either may hold dots of its own."""
    if asked in workspace.systems:
        return asked, ""
    for system in sorted(workspace.systems, key=len, reverse=True):
        if asked.startswith(f"{system}.") and len(asked) > len(system) + 1:
            return system, asked[len(system) + 1 :]
    given = asked.partition(".")[0]
    near = difflib.get_close_matches(given, workspace.systems, n=1)
    known = ", ".join(sorted(workspace.systems)) or "none"
    raise UsageError(
        "PRF-001",
        f"there is no system '{given}'",
        hint=f"Did you mean {near[0]}?" if near else f"Known systems: {known}.",
        place="workspace.yml",
    )


def _relation(source: Source, name: str) -> str:
    known = {each.casefold(): each for each in source.relations()}
    if name.casefold() in known:
        return known[name.casefold()]
    near = difflib.get_close_matches(name.casefold(), known, n=1, cutoff=0.5)
    listed = ", ".join(list(known.values())[:20]) or "none"
    raise UsageError(
        "PRF-002",
        f"the system {source.system} has no relation '{name}'",
        hint=f"Did you mean {known[near[0]]}?" if near else f"It has: {listed}.",
        place=f"systems.{source.system}",
    )


def _all(
    workspace: Workspace, source: Source, names: Sequence[str], first: int | None
) -> tuple[list[RelationProfile], list[Pointer], list[Key]]:
    found: list[RelationProfile] = []
    pointers: list[Pointer] = []
    keys: list[Key] = []
    for name in names:
        measured, whole = _measured(source, source.relation(name), first)
        made = _findings(workspace, source, measured, whole)
        found.append(made)
        pointers += pointers_of(measured, made)
        keys += keys_of(measured, made)
    return found, pointers, keys


def _measured(source: Source, relation: Relation, first: int | None) -> tuple[Measurement, bool]:
    measured = Measurement(relation)
    extracts = source.extract(Partition(relation.name, _BATCH if first is None else min(_BATCH, first + 1)))
    try:
        for extract in extracts:
            if first is not None and measured.rows + extract.frame.height > first:
                measured.add(replace(extract, frame=extract.frame.head(first - measured.rows), unreadable=None))
                return measured, False
            measured.add(extract)
    finally:
        if isinstance(extracts, Generator):
            extracts.close()
    return measured, True


def _other_keys(workspace: Workspace, source: Source, profiled: str) -> list[Key]:
    """Read the single-column keys of the system's other relations: declared ones, or those of an earlier profile."""
    keys = []
    for name in source.relations():
        if name == profiled:
            continue
        relation = source.relation(name)
        single = relation.primary_key if len(relation.primary_key) == 1 else ()
        if not single:
            earlier = saved_profile(workspace, source.system, name)
            known = set(relation.column_names())
            candidates = earlier.candidate_keys if earlier else ()
            single = next((key for key in candidates if len(key) == 1 and key[0] in known), ())
        key = read_key(source, name, single[0]) if single else None
        if key is not None:
            keys.append(key)
    return keys


def _findings(workspace: Workspace, source: Source, measured: Measurement, whole: bool) -> RelationProfile:
    relation = measured.relation
    unique = {column.name for column in measured.columns if measured.is_key(column)}
    single = tuple((column.name,) for column in measured.columns if column.name in unique)
    composed = composed_keys(measured, source) if whole and not single else ()
    return RelationProfile(
        relation.system,
        relation.name,
        measured.rows,
        measured.unreadable,
        whole,
        measured.step,
        relation.primary_key,
        single or composed,
        tuple(_column(workspace, measured, column, column.name in unique) for column in measured.columns),
        _aside(source, relation.name),
        _unread(source, relation.name) if whole else (),
    )


def _aside(source: Source, relation: str) -> tuple[str, ...]:
    return tuple(each.message for each in source.oddities(relation)) if isinstance(source, TellsOddities) else ()


def _unread(source: Source, relation: str) -> tuple[Counted, ...]:
    found = source.unread(relation) if isinstance(source, TellsUnread) else {}
    total = sum(found.values())
    return tuple(Counted(path, count, count / total) for path, count in found.items())


def _column(workspace: Workspace, measured: Measurement, column: Column, unique: bool) -> ColumnProfile:
    relation = measured.relation
    declared = next(each.declared_type for each in relation.columns if each.name == column.name)
    raw, sampled = measured.values(column)
    values = prepared(raw)
    blank, rare = null_texts(values)
    shapes, other = patterns(values)
    days, together, every_date = dates(values)
    held = kinds(column.name, values)
    personal = workspace.is_personal(relation, column.name) or any(each.kind in _TELLS_PERSON for each in held)
    key = workspace.secrets.mask_key
    common = () if any(each.kind == "bsn" for each in held) else _common(values)
    top = tuple(
        Counted(show(text.text, personal=personal or _holds_bsn(text.text), key=key), text.count, text.share)
        for text in common[:_TOP]
    )
    return ColumnProfile(
        name=column.name, declared_type=declared, personal=personal, rows=measured.rows, nulls=column.nulls,
        empty=column.empty, shortest=column.shortest, longest=column.longest, unique=unique,
        distinct=measured.rows if unique else column.distinct.count, distinct_exact=unique or column.distinct.exact,
        measured=values.total, sampled=sampled, null_texts=blank, rare_null_texts=rare, patterns=shapes,
        other_patterns=other, top=top, kinds=held, dates=days,
        dates_together=together, date_shares=every_date,
        open_values=() if personal else tuple(each for each in common if not _holds_bsn(each.text)),
    )  # fmt: skip


def _common(values: Values) -> tuple[Counted, ...]:
    """Return the commonest values, none seen fewer than five times, null texts apart."""
    often = values.frame.filter(~pl.col("blank"), pl.col("n") >= LEAST, pl.col("value").str.len_chars() <= LONGEST)
    often = often.sort(["n", "value"], descending=[True, False]).head(_OPEN)
    return tuple(Counted(text, n, n / values.total) for text, n in often.select("value", "n").iter_rows())


def _holds_bsn(text: str) -> bool:
    """Tell whether a text of a column that may be shown holds what may be a BSN (promise 9: never shown)."""
    for written in _BSN_FORMS.findall(text):
        digits = re.sub(r"\D", "", written)
        nine = digits.zfill(9)
        total = sum(int(digit) * weight for digit, weight in zip(nine, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
        if total % 11 == 0 and (len(digits) == 9 or not re.match(r"(18|19|20)\d\d(0\d|1[0-2])", digits)):
            return True
    return False
