"""`mapping test`: rows as a test gives them go through the compiled mapping, links answered by a stand-in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from casemodel import LinkRequest, RefusedError, Relation, canonical_text
from mappings.compile import CompiledMapping
from mappings.compile_lead import LEAD
from mappings.explain import StageValue, stage_values
from mappings.language.base import near
from mappings.language.mapping_tests import LinkedKeys
from mappings.language.parse_tests import PlacedTest

_PADDED = re.compile(r"(N?CHAR|CHARACTER)\s*\(", re.IGNORECASE)
"""Types whose padding a reader removes."""
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z?")
_OUTCOMES = {"record": "loaded"}
_BOOLEANS = {"true": "1", "false": "0"}
"""A Boolean is also written as the canonical text has it."""


@dataclass(frozen=True, slots=True)
class Miss:
    """What a test expected and did not find.

    kind: ``value``, ``error``, ``warning``, ``outcome`` or ``reason``.
    stages: the way of the value, where it has one.
    """

    kind: str
    field: str
    expected: str | None
    found: str | None
    stages: tuple[StageValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """The result of a test: passed when nothing is missed.

    issues: of the row that was looked at: severity, field and code.
    """

    test: PlacedTest
    becomes: str
    reason: str | None
    issues: tuple[tuple[str, str, str], ...]
    misses: tuple[Miss, ...]

    @property
    def passed(self) -> bool:
        """Return whether everything is as expected."""
        return not self.misses


@dataclass(frozen=True, slots=True)
class StandIn:
    """Answers links and lookups in a test: as the test declares, else every key exists.

    The id of a record is shown as the mapping or table and its key.
    """

    declared: Mapping[str, LinkedKeys] = field(default_factory=dict)

    def resolve(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Resolve keys of another mapping (see `casemodel.Links.resolve`)."""
        states = [None if key is None else self._state(request.mapping, key) for key in keys]
        ids = [
            f"{request.mapping} {key}" if state == "linked" else None for key, state in zip(keys, states, strict=True)
        ]
        return pl.DataFrame(
            {"target_id": ids, "state": states}, schema={"target_id": pl.String(), "state": pl.String()}
        )

    def lookup(self, table: str, columns: tuple[str, ...], values: pl.DataFrame) -> pl.DataFrame:
        """Look values up in a table of the target (see `casemodel.Links.lookup`)."""
        ids: list[str | None] = []
        hits: list[int] = []
        for row in values.rows():
            key = None if None in row else "|".join(str(value) for value in row)
            state = "orphan" if key is None else self._state(table, key)
            hits.append({"linked": 1, "ambiguous": 2}.get(state, 0))
            ids.append(f"{table} {key}" if state == "linked" else None)
        return pl.DataFrame({"target_id": ids, "hits": hits}, schema={"target_id": pl.String(), "hits": pl.Int64()})

    def _state(self, name: str, key: str) -> str:
        known = self.declared.get(name)
        if known is None:
            return "linked"
        for state in ("waiting", "orphan", "out_of_scope", "ambiguous"):
            if key in getattr(known, state):
                return state
        return "linked" if known.linked is None or key in known.linked else "orphan"


def errors_of_test(mapping: CompiledMapping, relation: Relation, placed: PlacedTest) -> Iterator[RefusedError]:
    """Yield what a test names and the mapping does not know."""
    columns = given_columns(mapping, relation)
    folded = {name.casefold() for name in columns}
    rows = placed.tree["tests"][placed.index].get("given")
    for number, row in enumerate(placed.test.given):
        path = ("given", number) if isinstance(rows, list) else ("given",)
        for name in row:
            if name.casefold() not in folded:
                yield RefusedError(
                    "MAP-060",
                    f"{mapping.name} reads no column '{name}'",
                    hint=near(name, columns) or f"It reads: {', '.join(mapping.used_columns)}.",
                    place=placed.place(*path, name, key=True),
                )
    values = list(dict.fromkeys(mark.field for mark in mapping.fine().marks))
    rules = [rule.name for rule in mapping.reading.rules]
    # also source columns about which the rows of a record disagree, and looks beside
    raised = [flag.field for flag in mapping.reading.flags]
    for part, known in (
        ("expect", [*mapping.fields, *values]),
        ("rejects", [*mapping.fields, *values, *rules, "key", *_model_rules(mapping), *raised]),
        ("warns", [*mapping.fields, *values, *rules, *_model_rules(mapping), *raised]),
    ):
        for name in getattr(placed.test, part):
            if name not in known:
                yield RefusedError(
                    "MAP-014",
                    f"{mapping.name} fills no field '{name}'",
                    hint=near(name, known) or f"It fills: {', '.join(mapping.fields)}.",
                    place=placed.place(part, name, key=True),
                )
    others = [*(request.mapping for request in mapping.links), *(table for table, _ in mapping.lookups)]
    for name in placed.test.links:
        if name not in others:
            yield RefusedError(
                "MAP-017",
                f"{mapping.name} does not link to '{name}'",
                hint=near(name, others) or f"It links to: {', '.join(dict.fromkeys(others)) or 'nothing'}.",
                place=placed.place("links", name, key=True),
            )


def _model_rules(mapping: CompiledMapping) -> list[str]:
    return [rule.field for rule in mapping.reading.row_checks]


def given_columns(mapping: CompiledMapping, relation: Relation) -> list[str]:
    """Return the columns that a test may give: those of the relation, and those of the looks beside."""
    columns = [column.name for column in relation.columns]
    for side in mapping.sides:
        columns += [f"{side.name}.{name}" for name in (("count",) if side.take == "count" else side.columns)]
    return columns


def try_test(mapping: CompiledMapping, relation: Relation, placed: PlacedTest) -> Tried:
    """Run one test, without errors in its names, and compare what came out with what it expects."""
    test, links = placed.test, StandIn(placed.test.links)
    prepared = mapping.prepare(_frame(mapping, relation, test.given))
    keys = prepared.get_column("_key").drop_nulls()
    duplicates = keys.filter(keys.is_duplicated()).unique()
    ran, mapped = mapping.apply_and_show(prepared, links, duplicates)
    chosen = _chosen(mapping, prepared, ran)
    outcome = mapped.outcomes.filter(pl.col("_row") == chosen).row(0, named=True)
    issues = tuple(
        (row["severity"], row["field"] or "key", row["code"])
        for row in mapped.issues.filter(pl.col("_row") == chosen).rows(named=True)
    )
    row = ran.filter(pl.col("_row") == chosen)
    values = {name: _value(row, column) for name, column in mapping.reading.outputs} if row.height else {}
    becomes = _OUTCOMES.get(outcome["outcome"], outcome["outcome"])
    result = partial(_misses, placed, issues=issues, becomes=becomes, reason=outcome["reason"])
    misses = list(result(values)) if test.expect.keys() <= set(mapping.fields) else None
    if misses != []:
        # What each stage made is asked where something went astray, or where a shared value is expected.
        first = pl.concat([prepared.filter(pl.col("_row") == chosen), prepared.filter(pl.col("_row") != chosen)])
        stages = stage_values(mapping, first, links)
        misses = list(result({stage.field: stage.value for stage in stages} | values, stages))
    return Tried(placed, becomes, outcome["reason"], issues, tuple(misses))


def _misses(
    placed: PlacedTest,
    values: Mapping[str, str | None],
    stages: Sequence[StageValue] = (),
    *,
    issues: Sequence[tuple[str, str, str]],
    becomes: str,
    reason: str | None,
) -> Iterator[Miss]:
    test = placed.test
    if test.becomes is not None and test.becomes != becomes:
        shown = f"{becomes} ({reason})" if reason else becomes
        yield Miss("outcome", "", test.becomes, shown)
    if test.out_of_scope is not None and (becomes, reason) != ("out_of_scope", test.out_of_scope):
        yield Miss("reason", "", test.out_of_scope, reason if becomes == "out_of_scope" else becomes)
    for name, expected in test.expect.items():
        found = values.get(name)
        if not _same(expected, found):
            yield Miss("value", name, expected, found, _way(stages, name))
    for kind, severity, wanted in (("error", "error", test.rejects), ("warning", "warning", test.warns)):
        for name, code in wanted.items():
            codes = [each for level, at, each in issues if level == severity and at == name]
            if code not in codes:
                yield Miss(kind, name, code, ", ".join(codes) or None, _way(stages, name))


def _same(expected: str | None, found: str | None) -> bool:
    """Compare as canonical text; a Boolean may be written 1 or 0, an instant (UTC) with T and Z or without fraction."""
    if expected is None or found is None or expected == found:
        return expected == found
    if found in _BOOLEANS:
        return _BOOLEANS[found] == expected
    instant = _INSTANT.fullmatch(expected) if _INSTANT.fullmatch(found) else None
    return instant is not None and f"{instant[1]} {instant[2]}.{(instant[3] or '').ljust(6, '0')}" == found


def _way(stages: Sequence[StageValue], name: str) -> tuple[StageValue, ...]:
    return tuple(stage for stage in stages if stage.field == name)


def _chosen(mapping: CompiledMapping, prepared: pl.DataFrame, ran: pl.DataFrame) -> int:
    """Return the row that a test is about: of a record the row that leads it, else the first that is in scope."""
    rows = ran.sort("_row")
    if mapping.reading.grouped:
        leads = rows.filter(pl.col(LEAD) & pl.col("_member"))
        rows = leads if leads.height else rows
    return int(rows["_row"][0] if rows.height else prepared["_row"][0])


def _value(row: pl.DataFrame, column: str) -> str | None:
    value: str | None = row.select(_text(row, column)).item()
    if row.schema[column] == pl.Boolean() and value is not None:
        return "true" if row.get_column(column).item() else "false"
    return value


def _text(row: pl.DataFrame, column: str) -> pl.Expr:
    dtype = row.schema[column]
    return pl.col(column).cast(pl.String) if dtype == pl.Null() or dtype.is_nested() else canonical_text(column, dtype)


def _frame(mapping: CompiledMapping, relation: Relation, given: Sequence[Mapping[str, str | None]]) -> pl.DataFrame:
    """Return the frame that a reader would give for these rows, looks beside joined; what is not given is NULL."""
    padded = {column.name.casefold() for column in relation.columns if _PADDED.match(column.declared_type)}
    rows = [
        {
            name.casefold(): value.rstrip(" ") if value and name.casefold() in padded else value
            for name, value in row.items()
        }
        for row in given
    ]
    columns: dict[str, list[str | None]] = {
        column.name: [row.get(column.name.casefold()) for row in rows] for column in relation.columns
    }
    numbers: dict[str, list[int]] = {}
    for side in mapping.sides:
        present = [any(name.startswith(f"{side.name.casefold()}.") for name in row) for row in rows]
        for name in ("count",) if side.take == "count" else side.columns:
            shown = f"{side.name}.{name}"
            cells = [row.get(shown.casefold()) for row in rows]
            if (name == "count" and side.take == "count") or (side.climb and name == "climbed"):
                numbers[shown] = [int(cell) if cell and cell.isascii() and cell.isdigit() else 0 for cell in cells]
            elif side.climb:
                # A row that climbs nowhere is its own top.
                own = columns.get(name, [None] * len(rows))
                columns[shown] = [cell if there else at for cell, there, at in zip(cells, present, own, strict=True)]
            else:
                columns[shown] = cells
        if side.climb:
            numbers[f"{side.name}._cycle"] = [0] * len(rows)
        elif side.take != "count":
            numbers[f"{side.name}._hits"] = [int(there) for there in present]
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))
    made = [pl.Series(name, cells, dtype=pl.Int64()) for name, cells in numbers.items()]
    refs = pl.Series("_ref", [str(number) for number in range(len(rows))], dtype=pl.String())
    return frame.with_columns(refs, *made)
