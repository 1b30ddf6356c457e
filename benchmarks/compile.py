"""``python -m benchmarks.compile [--mappings N]``: reading, checking and compiling many mappings.

The mappings of the demo are copied under other systems, all of them each time, until there are enough; links stay
within their copy.  The figures are those of all copies, reckoned back to the number asked for.  The clock starts when
the libraries are imported and the sources have said what their relations look like (that is reading the sources), and
stops when every mapping is read, checked and compiled to Polars expressions.  Every measurement is a process of its
own, so nothing is warm.  Nothing here gates: it prints what it measured beside what is asked.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import re
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT, measure, ratio

TIMES = 3
DAY = date(2024, 1, 1)
_EXPRESSION = re.compile(r"\b(?:where|expr|when|check|warn_if): \"")
_SYSTEM = re.compile(r"\b(zaak|balie|kcc|seed)\.(?=[a-z])(?!csv)")


def main() -> None:
    """Measure, or (with ``--once``) be the process that is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compile")
    parser.add_argument("--mappings", type=int, default=100, help="how many mappings (default 100)")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--profile", action="store_true", help="also show where the time goes")
    options = parser.parse_args()
    if options.once:
        print(*once(options.once, options.mappings, show=options.profile))
        return
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        folder = Path(scratch) / "demo"
        measure(["migrate", "demo", str(folder), "--cases", "500", "--no-answer-key"])
        compiling(folder, options.mappings)
        if options.profile:
            print(_process(folder, options.mappings, "--profile"))


def compiling(folder: Path, wanted: int) -> float:
    """Print how long reading, checking and compiling take for the mappings of a demo workspace, copied."""
    found = [[float(part) for part in _process(folder, wanted).split()] for _ in range(TIMES)]
    read, made, used = (median(each[part] for each in found) for part in (0, 1, 2))
    print(f"\nreading, checking and compiling {wanted} mappings ({TIMES} processes, the middle one)")
    print(f"  reading files and code tables                 {read:8.2f} s")
    print(f"  checking them, compiling them to expressions  {made:8.2f} s")
    print(f"  processor time of both                        {used:8.2f} s")
    whole = read + made
    ratio("all of it, s", whole, 0.5, "at most")
    return whole


def _process(folder: Path, wanted: int, *more: str) -> str:
    command = [sys.executable, "-P", "-m", "benchmarks.compile", "--once", str(folder), "--mappings", str(wanted)]
    return subprocess.run([*command, *more], check=True, capture_output=True, text=True, cwd=ROOT).stdout


def once(folder: Path, wanted: int, *, show: bool = False) -> tuple[float, float, float]:
    """Read, check and compile once; returns the seconds of reading, of checking and compiling, and of the processor.

    Seconds are per `wanted` mappings.
    """
    from casemodel import Relation
    from mappings import check_mappings, load_mappings
    from migrate.session import Session
    from migrate.workspace import load_workspace

    workspace = load_workspace(folder)
    with tempfile.TemporaryDirectory(prefix="omnicase-bench-") as scratch:
        root = _copies(folder, Path(scratch), wanted)
        known: dict[tuple[str, str], Relation] = {}
        session = Session(workspace, {file.name: file for file in load_mappings(folder / "mappings", folder)}, DAY)

        def relation(system: str, name: str) -> Relation:
            asked = system.partition("_")[0], name
            if asked not in known:
                known[asked] = session.relation(*asked)
            return known[asked]

        for file in session.files.values():
            for name in [file.relation, *(spec.relation for spec in file.model.source.beside.values())]:
                if name:
                    relation(file.system, name)
        started, used = time.perf_counter(), time.process_time()
        files = load_mappings(root / "mappings", root)
        read = time.perf_counter()
        systems = sorted({file.system for file in files})
        profiler = _profiler() if show else None
        result = check_mappings(files, relation, systems, secrets=workspace.secrets, as_of=DAY)
        done, used = time.perf_counter(), time.process_time() - used
        if profiler is not None:
            _shown(profiler)
        session.close()
    if len(result.compiled) < len(files):
        raise SystemExit(f"only {len(result.compiled)} of {len(files)} mappings compiled: {result.errors[:3]}")
    share = wanted / len(files)
    return (read - started) * share, (done - read) * share, used * share


def _copies(folder: Path, root: Path, wanted: int) -> Path:
    """Copy the mappings of a workspace under other systems until there are enough of them."""
    sources = sorted(path for path in (folder / "mappings").glob("*.yml") if path.name != "defaults.yml")
    defaults = (folder / "mappings" / "defaults.yml").read_text(encoding="utf-8")
    mappings = root / "mappings"
    mappings.mkdir()
    shared = []
    for number in range(-(-wanted // len(sources))):
        shared.append(re.sub(r"(?m)^(\w+):", rf"\1_{number}:", defaults))
        for path in sources:
            text = _SYSTEM.sub(rf"\1_{number}.", path.read_text(encoding="utf-8"))
            # no copy may profit from another one's expressions having been read: a blank more makes them new texts
            text = _EXPRESSION.sub(rf"\g<0>{' ' * number}", text)
            (mappings / _SYSTEM.sub(rf"\1_{number}.", path.name)).write_text(text, encoding="utf-8")
    (mappings / "defaults.yml").write_text("\n".join(shared), encoding="utf-8")
    for name in ("codes", "queries"):
        if (folder / name).is_dir():
            (root / name).symlink_to((folder / name).resolve())
    return root


def _profiler() -> cProfile.Profile:
    profiler = cProfile.Profile()
    profiler.enable()
    return profiler


def _shown(profiler: cProfile.Profile) -> None:
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
