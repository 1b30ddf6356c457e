"""What every competitor is given: the rows of ZKN_ZAAK as read, and what links and lookups may find, as files.

Reading the source and loading the parents are done before any clock starts.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.measure import measure, omnicase
from casemodel import LinkRequest, record_id

PARENTS = ("seed.channel", "zaak.case_type", "zaak.unit", "zaak.actor")
LINKED = ("zaak.case_type", "zaak.unit", "zaak.actor", "zaak.case")
DAY = date(2024, 1, 1)


def workspace(systems: Path, scratch: Path) -> Path:
    """Return a workspace with the shipped mappings over the systems of another demo, its parents loaded."""
    folder = scratch / "workspace"
    measure(["migrate", "demo", str(folder), "--cases", "500", "--no-answer-key"])
    shutil.rmtree(folder / "systems")
    (folder / "systems").symlink_to(systems.resolve())
    omnicase(folder, "db", "upgrade")
    omnicase(folder, "run", *PARENTS)
    return folder


def write_given(folder: Path, given: Path, rows: int, batch_rows: int = 50_000) -> int:
    """Write rows as read, rows as prepared by the toolkit, and the links; returns how many rows there are.

    Args:
        folder: a workspace as `workspace` makes it.
        given: an empty folder.
        rows: at most so many.
    """
    from migrate.opening import open_session
    from migrate.pipeline.reading import StraightReading
    from migrate.workspace import load_workspace

    space = load_workspace(folder)
    with open_session(space, DAY) as session:
        mapping = session.mapping("zaak.case")
        reading = StraightReading(session.source("zaak"), mapping, batch_rows)
        done, keys = 0, []
        for number, batch in enumerate(reading.batches()):
            batch.prepared.write_ipc(given / f"prepared-{number:05}.arrow")
            keys.append(batch.prepared.get_column("_key"))
            done += batch.prepared.height
            if done >= rows:
                break
        reading.close()
    own = record_id(space.secrets.namespace, "case_file", "zaak.case", pl.col("key"))
    everything = pl.concat(keys).drop_nulls().unique(maintain_order=True).to_frame("key")
    everything.with_columns(own.alias("target_id"), state=pl.lit("linked")).write_ipc(given / "zaak.case.ipc")
    for name in LINKED[:3]:
        _asked(folder, _ID_MAP.format(name)).write_ipc(given / f"{name}.ipc")
    _asked(folder, "SELECT code AS v0, id AS target_id FROM channel").write_ipc(given / "channel.ipc")
    (given / "namespace").write_text(space.secrets.namespace, encoding="ascii")
    return done


_ID_MAP = (
    "SELECT i.source_key AS key, i.target_id, CASE WHEN i.state = 'loaded' THEN 'linked' ELSE 'waiting' END AS state"
    " FROM migration_id_map i JOIN migration_mapping m ON m.id = i.mapping_id WHERE m.name = '{}'"
)


def _asked(folder: Path, sql: str) -> pl.DataFrame:
    return pl.read_database_uri(sql, f"sqlite:///{folder / 'target.db'}", engine="adbc")


@dataclass(frozen=True)
class KnownLinks:
    """Links and lookups from frames, as the ledger would answer after a full load of every mapping linked to."""

    known: dict[str, pl.DataFrame]
    channels: pl.DataFrame

    def resolve(self, request: LinkRequest, keys: pl.Series) -> pl.DataFrame:
        """Resolve canonical keys (see `casemodel.Links.resolve`)."""
        wanted = keys.to_frame("key")
        known = self.known[request.mapping]
        if known.height > 10_000:
            known = known.join(wanted.drop_nulls().unique(), on="key", how="semi")
        return wanted.join(known, on="key", how="left", maintain_order="left").select(
            "target_id", pl.when(pl.col("key").is_not_null()).then(pl.col("state").fill_null("orphan")).alias("state")
        )

    def lookup(self, table: str, columns: tuple[str, ...], values: pl.DataFrame) -> pl.DataFrame:
        """Look channels up by their code (see `casemodel.Links.lookup`)."""
        assert (table, columns) == ("channel", ("code",))
        found = values.join(self.channels, left_on="code", right_on="v0", how="left", maintain_order="left")
        return found.select("target_id", pl.col("target_id").is_not_null().cast(pl.Int64).alias("hits"))


def known_links(given: Path) -> KnownLinks:
    """Return the links that `write_given` wrote."""
    return KnownLinks(
        {name: pl.read_ipc(given / f"{name}.ipc") for name in LINKED},
        pl.read_ipc(given / "channel.ipc"),
    )


def prepared_frames(given: Path) -> list[pl.DataFrame]:
    """Return the batches as the toolkit prepared them, in memory."""
    return [pl.read_ipc(path) for path in sorted(given.glob("prepared-*.arrow"))]


def main_of(run: Callable[[Path, Path, Path | None], dict[str, float]]) -> None:
    """Run a competitor in a process of its own and print its figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("given", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    print(json.dumps(run(options.folder, options.given, options.out)))


def library(name: str) -> Any:
    """Import a library that only the benchmarks need.

    Raises:
        SystemExit: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise SystemExit(f"{name} is not installed: pip install 'omnicase[benchmarks]'") from None
