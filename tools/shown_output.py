"""Hold the output that documents show to what the program really prints.

A ``console`` block with lines that begin with ``$ `` is run, line by line, in a scratch folder with a copy of
examples/; the blocks of a page share the folder.  The lines under a command must be what it printed, in
order; a line ``…`` stands for any number of lines left out.  Moments, durations, sizes of the machine,
versions and the folder may differ.  Commands that name /path/to/receipt.csv need the real log: they run when
OMNICASE_RECEIPT_FILE names it or it lies beside the project, and are said to be left out otherwise.

Usage: python tools/shown_output.py [--write] PAGE…     --write puts the nearest real lines in place
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
GAP = "…"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VOLATILE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d\d-\d\d-\d{4} \d\d:\d\d|\b\d+ \w+ \d{4} \d\d:\d\d"
    r"|\b\d+[.,]\d s\b|\d{8}-\d{6}|[\d,]+ MB|(?<=Python )[\d.]+|(?<=SQLite )[\d.]+|[^\s(]*/(?=[\w.-]+\)?$)"
    r"|(?<=/)aansluiting"
)
_SHELL = set("|&;<>$`*?~#(){}\n\\")
"""With one of these a command is left to the shell."""
_REAL_LOG = "/path/to/receipt.csv"


def main() -> int:
    """Check or rewrite pages and return the exit status: 1 names what is not as shown."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("pages", nargs="+", type=Path)
    given = parser.parse_args()
    wrong = []
    for page in given.pages:
        text = page.read_text(encoding="utf-8")
        renewed = _renewed(text, wrong, page.name)
        if given.write and renewed != text:
            page.write_text(renewed, encoding="utf-8")
    if _real_log() is None:
        print("Left out: what needs the real receipt log, which is not beside the project.", file=sys.stderr)
    print("\n".join(wrong) or "All output is as shown.", file=sys.stderr)
    return 1 if wrong and not given.write else 0


def _renewed(text: str, wrong: list[str], page: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(ROOT / "examples", Path(scratch) / "examples")
        session = Session(Path(scratch))
        out, end = [], 0
        for block in _BLOCK.finditer(text):
            if not block.group(1).startswith("$ "):
                continue
            out.append(text[end : block.start(1)])
            end = block.end(1)
            for command, shown in _commands(block.group(1)):
                printed = session.run(command)
                if printed is not None and not _fits(shown, printed):
                    wrong.append(f"{page}: $ {command}\n" + "\n".join(_difference(shown, printed)))
                    shown = _nearest(shown, printed)
                out += [f"$ {command}\n", *(f"{line}\n" for line in shown)]
        return "".join([*out, text[end:]])


def _real_log() -> Path | None:
    named = os.environ.get("OMNICASE_RECEIPT_FILE")
    file = Path(named) if named else ROOT.parent / "shared" / "data" / "receipt.csv"
    return file if file.is_file() else None


class Session:
    """One shell's worth of commands with a current folder that stays.

    Args:
        folder: where it begins.
    """

    def __init__(self, folder: Path) -> None:
        self.start = self.folder = folder
        program = folder / ".bin" / "omnicase"
        program.parent.mkdir()
        for name, started in (("omnicase", "-P -m migrate "), ("python", "")):
            program = folder / ".bin" / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {started}"$@"\n', encoding="utf-8")
            program.chmod(0o700)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNICASE_")}
        self.environment = kept | {
            "PYTHONPATH": str(ROOT),
            "PATH": f"{program.parent}:{kept['PATH']}",
            "XDG_CONFIG_HOME": str(folder / ".config"),    # of private keys
            "OMNICASE_PASSPHRASE": "only for these pages",
        }

    def run(self, command: str) -> list[str] | None:
        """Run one command and return the lines that it printed on both streams; None when it needs the real log."""
        log = _real_log()
        if _REAL_LOG in command:
            if log is None:
                return None
            command = command.replace(_REAL_LOG, shlex.quote(str(log)))
        if command.startswith("omnicase ") and not _SHELL & set(command):
            return _lines(self._inside(shlex.split(command)[1:]))
        place = self.start / ".folder"
        done = subprocess.run(["bash", "-c", f"{command}\npwd > {shlex.quote(str(place))}"], cwd=self.folder,
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        self.folder = Path(place.read_text(encoding="utf-8").strip())
        return _lines(done.stdout)

    def _inside(self, arguments: list[str]) -> str:
        """Run the program in this process, which has imported it once, and return what it printed on both streams."""
        from migrate.cli import main as omnicase

        printed = io.StringIO()
        kept = dict(os.environ)
        try:
            os.environ.clear()
            os.environ.update(self.environment)
            with contextlib.chdir(self.folder), redirect_stdout(printed), redirect_stderr(printed):
                omnicase(arguments)
        finally:
            os.environ.clear()
            os.environ.update(kept)
        return printed.getvalue()


def _lines(printed: str) -> list[str]:
    return [line.rstrip() for line in printed.rstrip("\n").split("\n")] if printed else []


def _commands(block: str) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        yield command, shown


def _plain(line: str) -> str:
    return _VOLATILE.sub("#", line.rstrip())


def _fits(shown: list[str], printed: list[str]) -> bool:
    """Whether the shown lines are the printed ones, gaps allowed where they say so."""
    pattern = "".join(r"(?:.*\n)*?" if line == GAP else re.escape(_plain(line)) + r"\n" for line in shown)
    return re.fullmatch(pattern, "".join(_plain(line) + "\n" for line in printed)) is not None


def _nearest(shown: list[str], printed: list[str]) -> list[str]:
    """Return the printed lines that stand for the shown ones; gaps stay where they are."""
    if GAP not in shown:
        return printed
    out, position = [], 0
    for line in shown:
        if line == GAP:
            out.append(line)
            continue
        near = difflib.get_close_matches(line, printed[position:], n=1, cutoff=0.5)
        same = printed.index(near[0], position) if near else None
        if same is not None:
            out.append(printed[same])
            position = same + 1
    return out


def _difference(shown: list[str], printed: list[str]) -> list[str]:
    known = {_plain(line) for line in printed}
    missing = [f"    not printed: {line}" for line in shown if line != GAP and _plain(line) not in known]
    return missing or [f"    other lines stand between; printed: {line}" for line in printed[:40]]


if __name__ == "__main__":
    sys.exit(main())
