"""A case story: a folder that an administrator can read, mapped for real with links that the story itself gives.

    source.csv     what the old system holds; an empty cell is NULL, "" is an empty text
    mapping.yml    the mapping; its relation is called `source`
    expected.csv   the records that must come out, in their order: key and target columns in canonical text
    rejects.csv    every row that is no plain record, or has an issue: key, outcome, reason, issues
                   ("severity field code", joined by "; ")

And where a story needs them: `links.csv` (mapping, key, state, other_key: what became of the records linked to; the
key `*` is any; the id of a linked record is shown as `mapping:key`), `lookups.csv` (table, by, value, id; parts joined
by |), `waits.csv` (key, field, mapping, wait_key), `others/*.yml` (mappings linked to), `<relation>.csv` (looks beside)
and `codes/`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from casemodel import (
    LinkRequest,
    Mapped,
    Relation,
    SideJoin,
    SourceColumn,
    SystemFailure,
    canonical_text,
    derive_secrets,
    join_key,
)
from mappings import CompiledMapping, MappingFile, compile_mapping, load_mapping

SECRETS = derive_secrets("case stories")
AS_OF = date(2024, 6, 1)
EMPTY = pl.Series([], dtype=pl.String)


def read_table(path: Path) -> pl.DataFrame:
    """Read a CSV file of a story as text; an empty cell is NULL, a quoted empty one the empty text."""
    return pl.read_csv(path, infer_schema=False, glob=False)


@dataclass
class StoryLinks:
    """Links and lookups as a story's files give them; everything asked is remembered."""

    states: dict[tuple[str, str, str], str]
    records: dict[tuple[str, str, str], list[str]]

    def resolve(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Answer from links.csv; a key that it does not name is an orphan."""
        other = ",".join(request.other_key)
        states, ids = [], []
        for key in keys:
            state = (
                None
                if key is None
                else self.states.get(
                    (request.mapping, other, key), self.states.get((request.mapping, other, "*"), "orphan")
                )
            )
            states.append(state)
            ids.append(f"{request.mapping}:{key}" if state == "linked" else None)
        return pl.DataFrame({"target_id": ids, "state": states}, schema={"target_id": pl.String, "state": pl.String})

    def lookup(self, table: str, columns: tuple[str, ...], values: pl.DataFrame) -> pl.DataFrame:
        """Answer from lookups.csv."""
        found = [
            [] if None in row else self.records.get((table, "|".join(columns), join_key(row)), [])
            for row in values.select(columns).rows()
        ]
        return pl.DataFrame(
            {"target_id": [ids[0] if len(ids) == 1 else None for ids in found], "hits": [len(ids) for ids in found]},
            schema={"target_id": pl.String, "hits": pl.Int64},
        )


def links_of(folder: Path) -> StoryLinks:
    """Read links.csv and lookups.csv of a story."""
    states: dict[tuple[str, str, str], str] = {}
    records: dict[tuple[str, str, str], list[str]] = {}
    if (folder / "links.csv").exists():
        for row in read_table(folder / "links.csv").rows(named=True):
            states[(row["mapping"], row.get("other_key") or "", row["key"])] = row["state"]
    if (folder / "lookups.csv").exists():
        for row in read_table(folder / "lookups.csv").rows(named=True):
            records.setdefault((row["table"], row["by"], row["value"]), []).append(row["id"])
    return StoryLinks(states, records)


def relations_of(folder: Path) -> Callable[[str, str], Relation]:
    """Offer every CSV file of a folder as a relation of every system."""

    def relation(system: str, name: str) -> Relation:
        path = folder / f"{name}.csv"
        if not path.exists():
            raise SystemFailure("CON-020", f"no relation {name}", hint="Relations: source.", place=system)
        columns = read_table(path).columns
        return Relation(
            system, name, tuple(SourceColumn(column, technical=column.startswith("_")) for column in columns)
        )

    return relation


@dataclass
class Story:
    """A story, compiled."""

    folder: Path
    mapping: CompiledMapping
    file: MappingFile
    links: StoryLinks

    def prepared(self) -> pl.DataFrame:
        """Read the source, join the looks beside, prepare."""
        frame = read_table(self.folder / "source.csv")
        frame = frame.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("_ref"))
        for side in self.mapping.sides:
            if side.climb:
                frame = climbed(frame, side)
                continue
            frame = joined(frame, side, read_table(self.folder / f"{side.relation}.csv"))
        return self.mapping.prepare(frame)

    def mapped(self, *, breaking_cycles: bool = False) -> Mapped:
        """Map the whole source in one batch."""
        prepared = self.prepared()
        keys = prepared.get_column("_key").drop_nulls()
        doubled = keys.filter(keys.is_duplicated()).unique()
        apply = self.mapping.apply_breaking_cycles if breaking_cycles else self.mapping.apply
        return apply(prepared, self.links, doubled)


def open_story(folder: Path) -> Story:
    """Load and compile the mapping of a story."""
    file = load_mapping(folder / "mapping.yml", folder)
    others = {file.name: file}
    for path in sorted((folder / "others").glob("*.yml")):
        other = load_mapping(path, folder)
        others[other.name] = other
    mapping = compile_mapping(file, relations_of(folder), others, SECRETS, AS_OF)
    return Story(folder, mapping, file, links_of(folder))


def joined(frame: pl.DataFrame, join: SideJoin, side: pl.DataFrame) -> pl.DataFrame:
    """Join a look beside as the pipeline does: at most one row per row, ``_hits`` where one is asked for."""
    there, here = [name for name, _ in join.by], [name for _, name in join.by]
    if join.order:
        names, down = [name for name, _ in join.order], [desc for _, desc in join.order]
        side = side.sort(names, descending=down, nulls_last=True, maintain_order=True)
    pick = pl.Expr.last if join.take == "last" else pl.Expr.first
    folded = (
        side.with_columns(pl.col(name).alias(f"_by{i}") for i, name in enumerate(there))
        .group_by([f"_by{i}" for i in range(len(there))], maintain_order=True)
        .agg(
            *(pick(pl.col(name)).alias(f"{join.name}.{name}") for name in join.columns),
            pl.len().cast(pl.Int64).alias(f"{join.name}.count" if join.take == "count" else f"{join.name}._hits"),
        )
    )
    made = frame.join(
        folded, left_on=here, right_on=[f"_by{i}" for i in range(len(there))], how="left", maintain_order="left"
    )
    counted = f"{join.name}.count" if join.take == "count" else f"{join.name}._hits"
    return made.with_columns(pl.col(counted).fill_null(0))


def climbed(frame: pl.DataFrame, join: SideJoin) -> pl.DataFrame:
    """Climb from every row, step by step, as a person would: at most `most` steps, a row of its own parent is a top."""
    ((key, _),) = join.by
    rows: dict[str, dict[str, str | None]] = {}
    for row in frame.rows(named=True):
        rows.setdefault(row[key], row)
    made: list[dict[str, object]] = []
    for start in frame.rows(named=True):
        row, steps = start, 0
        while (above := row[join.climb]) in rows and above != row[key] and steps <= join.most:
            row, steps = rows[above], steps + 1
        top = {f"{join.name}.{name}": row[name] for name in join.columns if name != "climbed"}
        if steps > join.most:
            made.append(dict.fromkeys(top) | {f"{join.name}.climbed": None, f"{join.name}._cycle": 1})
        else:
            made.append(top | {f"{join.name}.climbed": steps, f"{join.name}._cycle": 0})
    schema = {name: pl.Int64 if name.endswith((".climbed", "._cycle")) else pl.String for name in made[0]}
    return pl.concat([frame, pl.DataFrame(made, schema=schema)], how="horizontal")


def record_rows(mapped: Mapped, columns: list[str]) -> list[dict[str, str | None]]:
    """Return the records as canonical text, with their keys."""
    records = mapped.records
    names = [name for name in columns if name != "key"]
    frame = records.select(
        pl.col("_key").alias("key"), *(canonical_text(name, records.schema[name]).alias(name) for name in names)
    )
    return frame.select(columns).rows(named=True)


def reject_rows(mapped: Mapped) -> list[dict[str, str | None]]:
    """Return every row that is no plain record or has an issue, in the order read."""
    issues: dict[int, list[str]] = {}
    for row in mapped.issues.rows(named=True):
        issues.setdefault(row["_row"], []).append(" ".join(filter(None, (row["severity"], row["field"], row["code"]))))
    return [
        {
            "key": row["_key"],
            "outcome": row["outcome"],
            "reason": row["reason"],
            "issues": "; ".join(sorted(issues.get(row["_row"], []))) or None,
        }
        for row in mapped.outcomes.rows(named=True)
        if row["outcome"] != "record" or row["_row"] in issues
    ]
