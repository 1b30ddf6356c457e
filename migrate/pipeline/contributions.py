"""The contributions of a batch: placed among those that the ledger has, before the transaction that writes them.

The records that a batch touches are computed again from all contributions to them, so the result depends neither on
the order of loading nor on the size of the batches.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from casemodel import Target, required, tables
from mappings import CompiledMapping
from migrate.ledger.store import table
from migrate.ledger.tables import ledger_table
from migrate.pipeline.adopted import Adopted
from migrate.pipeline.batch import Batch, Gate, record_hash
from migrate.pipeline.commit_ledger import id_map_state, raw_rows
from migrate.pipeline.context import LoadContext, Shared
from migrate.pipeline.identity import DISPUTED, GIVEN, clusters, given_by, merged, placed, with_problems
from migrate.pipeline.probable import frames_of
from migrate.pipeline.staging import by_id

KNOWN = {
    "id": pl.String,
    "writer": pl.Int64,
    "known_hash": pl.String,
    "known_columns": pl.String,
    "known_run": pl.Int64,
}
"""What the ledger has of a record: the mapping that wrote it first; hash, columns and run of what was written last."""


def shared_records(
    compiled: Iterable[CompiledMapping], numbers: Mapping[str, int], adopted: Adopted
) -> dict[str, Shared]:
    """Return how each mapping with an identity gives to the records of its table."""
    giving = {each.name: each for each in compiled if each.giving is not None}
    found = {name: _shared(each, list(giving.values()), numbers) for name, each in giving.items()}
    return {name: dataclasses.replace(each, adopted=adopted.get(each.table, {})) for name, each in found.items()}


def _shared(mapping: CompiledMapping, others: list[CompiledMapping], numbers: Mapping[str, int]) -> Shared:
    together = {each.name: (each, each.giving) for each in others if each.target == mapping.target and each.giving}
    givings = {name: giving for name, (_, giving) in together.items() if giving is not None}
    filled = {column for each, _ in together.values() for column in each.fields}
    ranks: dict[str, dict[str, int]] = {}
    for name, giving in givings.items():
        for column, rank in giving.ranks.items():
            ranks.setdefault(column, {})[name] = rank
    asked = {*required(mapping.target), *(column for giving in givings.values() for column in giving.needed)}
    columns = tuple(column.name for column in tables[mapping.target].columns if column.name in filled)
    assert mapping.giving is not None
    return Shared(
        table=mapping.target,
        rank=mapping.giving.rank,
        columns=columns,
        mappings={numbers[name]: name for name in together if name in numbers},
        ranks=ranks,
        together=tuple(dict.fromkeys(group for giving in givings.values() for group in giving.together)),
        agree=tuple(dict.fromkeys(name for giving in givings.values() for name, _ in giving.agree)),
        needed=tuple(column for column in columns if column in asked),
        decisions=tuple(
            each for each in mapping.giving.decisions if each.left[0] in together and each.right[0] in together
        ),
    )


@dataclass(frozen=True)
class SharedBatch:
    """A batch whose contributions are placed.

    batch: its rows with the ids of their records, and with what is wrong with those.
    before: what the ledger has of the contributions that come with the batch, or are taken back.
    given: all contributions to the records it touches, in the columns of `GIVEN`, and ``place``, ``now_apart``,
        ``now_problem``; ``mine`` says which come with the batch.
    records: what they make: ``id``, ``hash``, ``fate`` (new, changed, unchanged, refused), ``writer`` and values.
    joined: outcome of the rows that are new to their record, by source key.
    emptied: `KNOWN` of records that all contributions have left.
    stages: what is staged of it, or put; staged: those that its transaction is to bring.
    """

    shared: Shared
    batch: Batch
    before: pl.DataFrame
    given: pl.DataFrame
    records: pl.DataFrame
    joined: dict[str, str]
    emptied: pl.DataFrame
    stages: dict[str, sa.TableClause]
    staged: tuple[sa.TableClause, ...]


def read_given(target: Target, shared: Shared, *where: sa.ColumnElement[bool]) -> pl.DataFrame:
    """Return the contributions that answer to a condition (see `GIVEN`), as the committing thread sees them."""
    kept = ledger_table(target.dialect, "contribution")
    columns = [
        kept.c.mapping_id,
        kept.c.source_key,
        kept.c.lead_key,
        kept.c.row_ref,
        kept.c.identity_id,
        kept.c.own_id,
        kept.c.target_id,
        kept.c.rank,
        kept.c.newest,
        kept.c.agree,
        kept.c.probable,
        kept.c.fields,
        kept.c.apart,
        kept.c.problem,
        kept.c.outcome,
    ]
    mine = kept.c.mapping_id.in_(sorted(shared.mappings))
    names = ["mapping_id", *list(GIVEN)[2:]]
    found = _read(target, sa.select(*columns).where(mine, *where), {name: GIVEN[name] for name in names})
    named = pl.col("mapping_id").replace_strict(dict(shared.mappings), default=None, return_dtype=pl.String)
    return found.with_columns(named.alias("mapping")).select(list(GIVEN))


def _read(target: Target, statement: sa.Select[Any], schema: Mapping[str, Any]) -> pl.DataFrame:
    with target.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(statement)]
    return pl.DataFrame(rows, schema=dict(schema), orient="row")


def prepare_shared(
    context: LoadContext, mapping: str, batch: Batch, gate: Gate, *, leaving: pl.Series | None = None
) -> SharedBatch:
    """Place the contributions of a batch and stage what is to be written.

    Args:
        leaving: keys of contributions to be taken back besides those of rows of the batch that do not load.
    """
    shared, number = context.shared[mapping], context.mapping_ids[mapping]
    mine = _mine(batch, shared, number, mapping)
    gone = _leaving(batch, mine)
    if leaving is not None:
        gone = pl.concat([gone, leaving]).unique()
    kept = ledger_table(context.target.dialect, "contribution")
    keys = context.target.put("shared_keys", pl.concat([mine["key"], gone]).unique().to_frame("key"))
    left = context.target.put("shared_gone", gone.to_frame("key"))
    same_rows = sa.and_(kept.c.mapping_id == number, kept.c.source_key.in_(sa.select(keys.c.key)))
    before = read_given(context.target, shared, same_rows)
    around = given_around(context.target, shared, pl.concat([mine, before]), stage="shared_ids")
    others = around.filter(~((pl.col("mapping_id") == number) & pl.col("key").is_in(_either(mine["key"], gone))))
    prior = before.select("key", pl.col("target").alias("t"), pl.col("apart").alias("a"), pl.col("problem").alias("p"))
    mine = (
        mine.drop("target", "apart", "problem")
        .join(prior, on="key", how="left", maintain_order="left")
        .rename({"t": "target", "a": "apart", "p": "problem"})
        .select(list(GIVEN))
    )
    given = _placed(pl.concat([mine, others]), shared).with_columns(
        ((pl.col("mapping_id") == number) & pl.col("key").is_in(mine["key"].implode())).alias("mine")
    )
    known = _known(context, shared, number, keys, pl.concat([given["place"], given["target"], before["target"]]))
    records = _records(given, shared, gate, known, number)
    given = given.join(
        records.select(pl.col("id").alias("place"), pl.col("problem").alias("now_problem")),
        on="place",
        how="left",
        maintain_order="left",
    )
    placed_batch, joined = _with_places(batch, given, records)
    given = _with_outcomes(given, records, joined)
    emptied = _emptied(before, gone, given, known)
    staged = _stage(context, shared, before, given, records)
    stages = staged | {"shared_keys": keys, "shared_gone": left}
    return SharedBatch(shared, placed_batch, before, given, records, joined, emptied, stages, tuple(staged.values()))


def _either(left: pl.Series, right: pl.Series) -> pl.Series:
    return pl.concat([left, right]).implode()


def _mine(batch: Batch, shared: Shared, number: int, mapping: str) -> pl.DataFrame:
    """Return what the rows of a batch give (see `GIVEN`)."""
    if batch.records.is_empty():
        return pl.DataFrame(schema=GIVEN)
    leads = batch.rows.filter(pl.col("outcome") == "record").select(
        pl.coalesce("record_key", "key").alias("record_key"), pl.col("key").alias("lead_key"), "ref"
    )
    records = batch.records.join(leads, on="record_key", how="left", maintain_order="left")
    renamed = records.rename({"record_key": "key", "id": "identity"}).with_columns(pl.lit("inserted").alias("outcome"))
    return given_by(renamed, shared, number, mapping, batch.columns)


def _leaving(batch: Batch, mine: pl.DataFrame) -> pl.Series:
    """Return the keys of rows that were known and do not load now: what they gave is taken back."""
    rows = batch.rows.filter(~pl.col("outcome").is_in(["record", "merged"]) & pl.col("prior_state").is_not_null())
    keys = rows.select(pl.coalesce("record_key", "key").alias("key"))["key"].drop_nulls().unique()
    return keys.filter(~keys.is_in(mine["key"].implode()))


def given_around(target: Target, shared: Shared, rows: pl.DataFrame, *, stage: str) -> pl.DataFrame:
    """Return the ledger's contributions to the identities of some rows, and to those that people joined with them."""
    kept = ledger_table(target.dialect, "contribution")
    wanted = rows["identity"].unique()
    if shared.decisions:
        wanted = _joined_identities(target, shared, rows, wanted)
    staged = target.put(stage, wanted.to_frame("id"))
    return read_given(target, shared, kept.c.identity_id.in_(sa.select(staged.c.id)))


def _joined_identities(target: Target, shared: Shared, rows: pl.DataFrame, wanted: pl.Series) -> pl.Series:
    numbers = {name: number for number, name in shared.mappings.items()}
    decided = {row for each in shared.decisions for row in (each.left, each.right)}
    frame = pl.DataFrame(
        [(numbers[name], key) for name, key in sorted(decided) if name in numbers],
        schema={"mapping_id": pl.Int64, "key": pl.String},
        orient="row",
    )
    staged, kept = target.put("shared_decided", frame), ledger_table(target.dialect, "contribution")
    found = _read(
        target,
        sa.select(kept.c.mapping_id, kept.c.source_key, kept.c.identity_id).join(
            staged, sa.and_(staged.c.mapping_id == kept.c.mapping_id, staged.c.key == kept.c.source_key)
        ),
        {"number": pl.Int64, "key": pl.String, "identity": pl.String},
    )
    identities = {(shared.mappings[number], key): identity for number, key, identity in found.rows()}
    for name, key, identity in rows.select("mapping", "key", "identity").rows():
        if (name, key) in decided:
            identities[(name, key)] = identity
    tops = clusters(identities, shared)
    touched = {tops[identity] for identity in wanted if identity in tops}
    more = [identity for identity, top in tops.items() if top in touched]
    return pl.concat([wanted, pl.Series(more, dtype=pl.String)]).unique()


def _placed(given: pl.DataFrame, shared: Shared) -> pl.DataFrame:
    """Place contributions beside what they were placed as before."""
    found = placed(given.with_columns(pl.int_range(pl.len()).alias("at")), shared)
    return (
        found.rename({"apart": "now_apart"})
        .sort("at")
        .with_columns(given["apart"])
        .select(*GIVEN, "place", "now_apart")
    )


def _known(context: LoadContext, shared: Shared, number: int, keys: sa.TableClause, ids: pl.Series) -> pl.DataFrame:
    """Return what the ledger has of records (see `KNOWN`); a record made before its mapping had an identity is there by
    its source key."""
    record, sets = (ledger_table(context.target.dialect, name) for name in ("record", "column_set"))
    staged = context.target.put("shared_records", ids.drop_nulls().unique().to_frame("id"))
    columns = (record.c.target_id, record.c.mapping_id, record.c.record_hash, sets.c.columns, record.c.run_id)
    select = sa.select(*columns).join(sets, sets.c.id == record.c.column_set_id)
    shared_ones = select.where(
        record.c.mapping_id.in_(sorted(shared.mappings)), record.c.record_key.in_(sa.select(staged.c.id))
    )
    own_ones = select.where(record.c.mapping_id == number, record.c.record_key.in_(sa.select(keys.c.key)))
    found = [_read(context.target, each, KNOWN) for each in (shared_ones, own_ones)]
    return pl.concat(found).unique("id", keep="first", maintain_order=True)


def _records(given: pl.DataFrame, shared: Shared, gate: Gate, known: pl.DataFrame, number: int) -> pl.DataFrame:
    """Return the records that contributions make, each with what becomes of it."""
    if given.is_empty():
        empty = ["id", "hash", *shared.columns, "problem", "fate"]
        return pl.DataFrame(schema={**dict.fromkeys(empty, pl.String), "writer": pl.Int64, **KNOWN})
    names = json.dumps(list(shared.columns), separators=(",", ":"))
    made = with_problems(merged(given, shared), shared).with_columns(
        record_hash(shared.columns, gate.hash_key).alias("hash")
    )
    fate = (
        pl.when(pl.col("problem").is_not_null())
        .then(pl.lit("refused"))
        .when(pl.col("known_hash").is_null())
        .then(pl.lit("new"))
        .when((pl.col("known_hash") == pl.col("hash")) & (pl.col("known_columns") == names))
        .then(pl.lit("unchanged"))
        .otherwise(pl.lit("changed"))
    )
    return made.join(known, on="id", how="left", maintain_order="left").with_columns(
        fate.alias("fate"), pl.col("writer").fill_null(number)
    )


def _with_places(batch: Batch, given: pl.DataFrame, records: pl.DataFrame) -> tuple[Batch, dict[str, str]]:
    """Give the rows the ids of their records; rows of a record that cannot be written are rejected."""
    mine = given.filter("mine").select(
        pl.col("key").alias("record"), pl.col("place"), pl.col("now_apart"), pl.col("now_problem")
    )
    loads = pl.col("outcome").is_in(["record", "merged"])
    bad = loads & pl.col("now_problem").is_not_null()
    rows = (
        batch.rows.with_columns(pl.coalesce("record_key", "key").alias("record"))
        .join(mine, on="record", how="left", maintain_order="left")
        .with_columns(bad.alias("bad"), pl.when(loads).then("place").alias("target_id"))
    )
    failed = rows.filter("bad")
    issues = [batch.issues.filter(~((pl.col("severity") == "warning") & pl.col("key").is_in(failed["key"].implode())))]
    leads = rows.filter(pl.col("outcome") == "record")
    code, field = pl.col("now_problem").str.split(":").list.get(0), pl.col("now_problem").str.split(":").list.get(1)
    issues.append(_issues(leads.filter("bad"), field, code, "error"))
    alone = leads.filter(~pl.col("bad") & (pl.col("now_apart") == DISPUTED))
    issues.append(_issues(alone, pl.lit("identity"), pl.lit("identity-disputed"), "warning"))
    source = batch.source.filter(pl.col("_key").is_in(failed["key"].implode())) if failed.height else None
    rejects = batch.rejects if source is None else pl.concat([batch.rejects, raw_rows(source)])
    joined = _joined(rows, records)
    outcome = pl.when("bad").then(pl.lit("rejected")).otherwise("outcome")
    rows = id_map_state(rows.with_columns(outcome.alias("outcome")).select(batch.rows.drop("state", "kept_id").columns))
    return dataclasses.replace(batch, rows=rows, issues=pl.concat(issues), rejects=rejects), joined


def _issues(rows: pl.DataFrame, field: pl.Expr, code: pl.Expr, severity: str) -> pl.DataFrame:
    return rows.select(
        "key",
        "ref",
        field.alias("field"),
        code.alias("code"),
        pl.lit(severity).alias("severity"),
        pl.lit(None, pl.String).alias("detail"),
    )


def _joined(rows: pl.DataFrame, records: pl.DataFrame) -> dict[str, str]:
    """Return the outcome of each row that is new to its record: the first of a new record made it, others merge."""
    fresh = records.filter(pl.col("fate") == "new")["id"]
    new = rows.filter(
        (pl.col("outcome") == "record") & ~pl.col("bad") & ~pl.col("prior_id").eq_missing(pl.col("place"))
    ).sort("key")
    first = pl.int_range(pl.len()).over("place") == 0
    made = pl.when(first & pl.col("place").is_in(fresh.implode())).then(pl.lit("inserted")).otherwise(pl.lit("merged"))
    return dict(new.select("key", made).rows()) if new.height else {}


def _with_outcomes(given: pl.DataFrame, records: pl.DataFrame, joined: dict[str, str]) -> pl.DataFrame:
    """Note what each row of the batch counts as, but for what the target still refuses."""
    by_fate = {"new": "inserted", "changed": "updated", "unchanged": "unchanged", "refused": "rejected"}
    fates = records.select(pl.col("id").alias("place"), pl.col("fate").replace_strict(by_fate, return_dtype=pl.String))
    known = pl.DataFrame(
        {"lead_key": list(joined), "joined": list(joined.values())},
        schema={"lead_key": pl.String, "joined": pl.String},
    )
    outcome = pl.when("mine").then(pl.coalesce("joined", "fate")).otherwise("outcome")
    return (
        given.join(fates, on="place", how="left", maintain_order="left")
        .join(known, on="lead_key", how="left", maintain_order="left")
        .with_columns(outcome.alias("outcome"))
        .drop("fate", "joined")
    )


def _emptied(before: pl.DataFrame, gone: pl.Series, given: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the records that contributions moved away from, all of them; one that was taken back leaves its record."""
    stays = ~pl.col("key").is_in(gone.implode())
    left = pl.concat([before.filter(stays)["target"], given["target"].drop_nulls()]).unique()
    own = known.filter(~pl.col("id").is_in(given["place"].implode()))
    return own.filter(pl.col("id").is_in(left.implode()) | pl.col("id").is_in(given["own"].implode()))


def _stage(
    context: LoadContext, shared: Shared, before: pl.DataFrame, given: pl.DataFrame, records: pl.DataFrame
) -> dict[str, sa.TableClause]:
    """Stage everything before the transaction, which locks its stage."""
    moved = (
        ~pl.col("target").eq_missing(pl.col("place"))
        | ~pl.col("apart").eq_missing(pl.col("now_apart"))
        | ~pl.col("problem").eq_missing(pl.col("now_problem"))
    )
    values = records.drop("fate", "known_hash", "known_columns", "known_run", "problem")
    frames = {
        "shared_given": given.filter(pl.col("mine") | moved),
        "shared_others": given.filter(~pl.col("mine")),
        "shared_new": by_id(values.filter(records["fate"] == "new")),
        "shared_changed": values.filter(records["fate"] == "changed"),
        **frames_of(before, given, shared),
    }
    types = {column.name: column.type for column in tables[shared.table].columns if column.name != "id"}
    own = dict.fromkeys(("shared_new", "shared_changed"), types)
    return {
        name: context.target.stage(name, frame, types=own.get(name)) for name, frame in frames.items() if frame.height
    }


def contributions_to(connection: sa.Connection, shared: Shared, target_id: str) -> pl.DataFrame:
    """Return key, rank and fields of all contributions to a record, with ``mapping`` (see `GIVEN`)."""
    kept = table(connection, "contribution")
    rows = connection.execute(
        sa.select(kept.c.mapping_id, kept.c.source_key, kept.c.rank, kept.c.newest, kept.c.fields).where(
            kept.c.target_id == target_id, kept.c.mapping_id.in_(sorted(shared.mappings))
        )
    ).all()
    named = [(target_id, shared.mappings[row[0]], *row[1:]) for row in rows]
    names = ["place", "mapping", "key", "rank", "newest", "fields"]
    return pl.DataFrame(named, schema={name: GIVEN.get(name, pl.String) for name in names}, orient="row")
