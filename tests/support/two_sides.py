"""Two sides to judge: a target in a real SQLite database with a small ledger, and a source as frames."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from casemodel import show, split_key, token
from reconciliation import ExpectedBatch, Facts, MappingProof, ProofColumn

KEY = b"k" * 32
COLUMNS = ("identification", "surname", "end_date")
PERSONAL = {"surname"}
KINDS = {"end_date": "date"}


def target_id(mapping: str, key: str) -> str:
    return f"{mapping}:{key}"


@dataclass
class Row:
    """A source row, mapped again."""

    key: str | None
    outcome: str = "record"
    reason: str | None = None
    state: str | None = "loaded"
    moved_on: bool = False
    values: tuple[str | None, ...] = ("Z-1", "Jansen", "2011-10-30")
    id: str | None = None


@dataclass
class Source:
    """The expected side: rows in batches."""

    mapping: str
    rows: list[Row]
    batch_rows: int = 3
    source_rows: int | None = None

    def batches(self, *, values: bool) -> Iterator[ExpectedBatch]:
        for start in range(0, len(self.rows), self.batch_rows):
            part = self.rows[start : start + self.batch_rows]
            texts = ("_key", "outcome", "reason", "id", "state")
            frame = pl.DataFrame(
                {
                    "_key": [row.key for row in part],
                    "outcome": [row.outcome for row in part],
                    "reason": [row.reason for row in part],
                    "id": [row.id or (target_id(self.mapping, row.key) if row.key else None) for row in part],
                    "state": [row.state for row in part],
                    "moved_on": [row.moved_on for row in part],
                },
                schema=dict.fromkeys(texts, pl.String) | {"moved_on": pl.Boolean},
            )
            if values:
                columns = {
                    name: [row.values[i] if row.outcome == "record" else None for row in part]
                    for i, name in enumerate(COLUMNS)
                }
                frame = frame.with_columns(**{n: pl.Series(v, dtype=pl.String) for n, v in columns.items()})
            yield ExpectedBatch(frame, len(part))


@dataclass
class Target:
    """The actual side: a table with records, and the ledger's id map and hash beside it."""

    before: list[dict[str, str | None]] = field(default_factory=list)
    """Records as they were before the last load."""
    database: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:", check_same_thread=False))

    def __post_init__(self) -> None:
        self.database.execute("CREATE TABLE record (id TEXT PRIMARY KEY, identification, surname, end_date)")
        self.database.execute("CREATE TABLE ledger (id TEXT PRIMARY KEY, mapping, key, state, written)")

    def load(self, mapping: str, key: str, values: Sequence[str | None], *, state: str = "loaded") -> str:
        record = target_id(mapping, key)
        self.database.execute("INSERT INTO record VALUES (?, ?, ?, ?)", (record, *values))
        self.database.execute(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?)", (record, mapping, key, state, "|".join(map(str, values)))
        )
        return record

    def records(self, ids: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        return self._read(ids).select("id", *columns)

    def edits(self, ids: pl.Series, keys: pl.Series | None = None) -> pl.DataFrame:
        return self._read(ids).select("id", "edited", pl.lit(False).alias("settled")).drop_nulls("edited")

    def previous(self, ids: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        schema = {"id": pl.String} | dict.fromkeys(columns, pl.Struct({"value": pl.String}))
        known = [each for each in self.before if each["id"] in set(ids)]
        rows = [{"id": each["id"], **{name: {"value": each[name]} for name in columns}} for each in known]
        return pl.DataFrame(rows, schema=schema)

    def settled(self, ids: pl.Series) -> pl.Series:
        return ids.clear()

    def _read(self, ids: pl.Series) -> pl.DataFrame:
        marks = ", ".join("?" * len(ids))
        found = self.database.execute(
            "SELECT r.id, l.written <> COALESCE(identification, 'None') || '|' || COALESCE(surname, 'None') || '|' || "
            "COALESCE(end_date, 'None') AS edited, identification, surname, end_date "
            f"FROM record r LEFT JOIN ledger l USING (id) WHERE r.id IN ({marks})", ids.to_list(),
        ).fetchall()
        schema = {"id": pl.String, "edited": pl.Int64} | dict.fromkeys(COLUMNS, pl.String)
        return pl.DataFrame(found, schema=schema, orient="row").with_columns(pl.col("edited").cast(pl.Boolean))

    def holders(self, records: pl.DataFrame) -> pl.DataFrame:
        found = [
            (record, "identification", holder)
            for record, value in records.select("id", "identification").iter_rows()
            for (holder,) in self.database.execute(
                "SELECT id FROM record WHERE identification = ? AND id <> ?", (value, record)
            )
        ]
        return pl.DataFrame(found, schema=dict.fromkeys(("id", "column", "holder"), pl.String), orient="row")

    def ids(self) -> Iterator[pl.DataFrame]:
        found = self.database.execute("SELECT id FROM record ORDER BY id").fetchall()
        for start in range(0, len(found), 2):
            yield pl.DataFrame(found[start : start + 2], schema={"id": pl.String}, orient="row")

    def origins(self, ids: pl.Series) -> pl.DataFrame:
        found = self.database.execute("SELECT id, mapping, key, state FROM ledger").fetchall()
        known = pl.DataFrame(found, schema=dict.fromkeys(("id", "mapping", "key", "state"), pl.String), orient="row")
        return ids.to_frame("id").join(known, on="id", how="left", maintain_order="left")


def mask(column: str, value: str | None) -> str:
    return show(value, personal=column in PERSONAL, key=KEY)


def mask_key(key: str) -> tuple[str, ...]:
    return tuple(split_key(key))


def token_key(key: str) -> tuple[str, ...]:
    return tuple(token(part, KEY) for part in split_key(key))


def facts_of(rows: Sequence[Row], mapping: str = "zaak.case", **changes: object) -> Facts:
    """Return the facts of a run that treated these rows once."""
    states: dict[str, int] = {}
    for row in {row.key: row for row in rows if row.key}.values():
        if row.state:
            states[row.state] = states.get(row.state, 0) + 1
    tally = {"read": len(rows)}
    for row in rows:
        name = "inserted" if row.outcome == "record" else row.outcome
        tally[name] = tally.get(name, 0) + 1
    facts = Facts(
        mapping=mapping, system=mapping.partition(".")[0], relation="ZKN_ZAAK", target="case_file", owner="team zaken",
        run="run-1", tally=tally, states=states, full_read=True, source_rows_now=len(rows), meaning="m1",
        loaded_meaning="m1",
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def proof_of(
    rows: Sequence[Row], target: Target, mapping: str = "zaak.case", *, others: Sequence[str] = (),
    personal_key: bool = False, **changes: object,
) -> MappingProof:
    return MappingProof(
        facts=facts_of(rows, mapping, **changes),
        expected=Source(mapping, list(rows)),
        actual=target,
        columns=tuple(ProofColumn(name, name in PERSONAL, KINDS.get(name, "text")) for name in COLUMNS),
        table_mappings=(mapping, *others),
        mask=mask,
        mask_key=token_key if personal_key else mask_key,
    )


def loaded(count: int = 5, mapping: str = "zaak.case") -> tuple[list[Row], Target]:
    """Return rows that are all loaded, and the target that holds them."""
    rows = [Row(f"2011.{i:05}", values=(f"2011.{i:05}", f"Jansen{i}", "2011-10-30")) for i in range(count)]
    target = Target()
    for row in rows:
        target.load(mapping, str(row.key), row.values)
    return rows, target
