"""`make demo`: build the demo workspace, migrate it, reconcile it, and say where the report lies.

Usage: python tools/make_demo.py FOLDER [--cases N]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

FINDINGS = 3


def main() -> int:
    """Run the demo in a folder and return the exit status: 0, or that of the step that failed."""
    parser = argparse.ArgumentParser(description="Build, migrate and reconcile the demo workspace.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=5000)
    given = parser.parse_args()
    folder: Path = given.folder
    if not _make_room(folder):
        return 6
    started = time.monotonic()
    steps = [
        ("generate", ["demo", str(folder), "--cases", str(given.cases)], False),
        ("create the target", ["-C", str(folder), "db", "upgrade"], False),
        ("load", ["-C", str(folder), "run"], True),
        ("reconcile", ["-C", str(folder), "reconcile", "--report", "html"], True),
    ]
    with_findings = []
    for name, arguments, may_find in steps:
        print(f"== {name}: omnicase {' '.join(arguments)}", flush=True)
        status = subprocess.run([str(Path(sys.executable).with_name("omnicase")), *arguments], check=False).returncode
        if status == FINDINGS and may_find:
            with_findings.append(name)
        elif status != 0:
            print(f"make demo: '{name}' ended with exit status {status}.", file=sys.stderr)
            return status
    print(f"\nThe demo is done in {time.monotonic() - started:.0f} s.")
    if with_findings:
        steps_named = " and ".join(with_findings)
        print(f"Exit status 3 (done, with findings) of {steps_named} is what the demo's dirty data must give.")
    for report in sorted((folder / "reports").glob("*.html")):
        print(f"Open in a browser: {report.resolve()}")
    return 0


def _make_room(folder: Path) -> bool:
    """Remove an earlier demo; refuse when the folder is something else."""
    if not folder.exists():
        return True
    if not (folder / "workspace.yml").is_file():
        print(f"{folder}/ is no demo of ours (it has no workspace.yml): move it away and run again.", file=sys.stderr)
        return False
    shutil.rmtree(folder)
    return True


if __name__ == "__main__":
    sys.exit(main())
