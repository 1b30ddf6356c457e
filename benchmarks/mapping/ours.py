"""The toolkit's own: the shipped mapping, compiled, batch after batch.  ``python -m benchmarks.mapping.ours``."""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import time
from pathlib import Path

import polars as pl

from benchmarks.mapping.given import DAY, known_links, prepared_frames


def run(folder: Path, given: Path, out: Path | None, *, profile: bool) -> dict[str, float]:
    """Map every batch; returns seconds and, with `profile`, the share of them spent inside Polars."""
    from migrate.opening import open_session
    from migrate.workspace import load_workspace

    links, frames = known_links(given), prepared_frames(given)
    with open_session(load_workspace(folder), DAY) as session:
        mapping = session.mapping("zaak.case")
    duplicates = pl.Series([], dtype=pl.String)
    mapping.apply(frames[0].head(1_000), links, duplicates)  # the first call of anything is slower
    raw = [frame.drop("_key", "_group", "_hash", "_row", "_other_0") for frame in frames]
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    started, used = time.perf_counter(), time.process_time()
    made = [mapping.apply(frame, links, duplicates) for frame in frames]
    mapped, spent = time.perf_counter() - started, time.process_time() - used
    profiler.disable()
    started = time.perf_counter()
    for frame in raw:
        mapping.prepare(frame)
    prepared = time.perf_counter() - started
    found = {"mapping": mapped, "processor": spent, "preparing": prepared, "rows": sum(f.height for f in frames)}
    if profile:
        found["in_polars"] = in_polars(profiler)
    if out is not None:
        pl.concat([each.records for each in made]).write_ipc(out / "ours.records.ipc")
        pl.concat([each.issues for each in made]).write_ipc(out / "ours.issues.ipc")
    return found


def in_polars(profiler: cProfile.Profile) -> float:
    """Return the share of the time spent in functions of Polars' engine."""
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    inside = sum(found[2] for (_, _, name), found in stats.items() if "builtins.Py" in name)
    return float(inside / sum(found[2] for found in stats.values()))


def main() -> None:
    """Run in a process of its own and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mapping.ours")
    parser.add_argument("folder", type=Path)
    parser.add_argument("given", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    print(json.dumps(run(options.folder, options.given, options.out, profile=options.profile)))


if __name__ == "__main__":
    main()
