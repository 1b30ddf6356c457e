"""Writing reports to disk: whole or not at all, and only for their owner."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from casemodel import SystemFailure, UsageError
from reconciliation.render_html import render_html
from reconciliation.render_json import report_chunks
from reconciliation.render_junit import render_junit
from reconciliation.render_terminal import render_terminal
from reconciliation.render_xlsx import write_xlsx
from reconciliation.report import Report

KINDS = ("html", "json", "junit", "txt", "xlsx")


_TEXTS = {"html": render_html, "junit": render_junit, "txt": render_terminal}


def require_place(folder: Path, kinds: Sequence[str]) -> None:
    """Refuse reports that could not be written, before hours are spent on them.

    Raises:
        UsageError: REC-002 a kind that does not exist.
        SystemFailure: REC-003 the folder cannot be written to.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        hint = f"Choose from: {', '.join(KINDS)}."
        raise UsageError("REC-002", f"there is no report of kind '{unknown[0]}'", hint=hint)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _not_written(folder.name, error) from None


def write_report(
    report: Report, folder: Path, name: str, kinds: Sequence[str] = ("html", "json"), lang: str = "nl"
) -> list[Path]:
    """Write a report as `folder`/`name`.html and so on; return the paths written.

    Each file appears under its name only when it is complete (a temporary file, then a rename), readable by its owner
    only (0600).

    Raises:
        UsageError: XLS-001 a workbook needs a library that is not installed.
        SystemFailure: REC-003 the folder cannot be written to, or the disk is full.
        RefusedError: OUT-001 the same of a workbook.
    """
    written = []
    for kind in kinds:
        path = folder / f"{name}.{'xml' if kind == 'junit' else kind}"
        written.append(path)
        if kind == "xlsx":
            write_xlsx(path, report, lang)
            continue
        if kind == "json":
            write_atomically(path, report_chunks(report))
        else:
            write_atomically(path, [_TEXTS[kind](report, lang)])
    return written


def write_atomically(path: Path, content: Iterable[str]) -> None:
    """Write a UTF-8 text file, given in pieces: never half of it, and for its owner only (0600).

    Raises:
        SystemFailure: REC-003.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with open(handle, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123  (a file descriptor)
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        raise _not_written(path.name, error) from None


def _not_written(name: str, error: OSError) -> SystemFailure:
    return SystemFailure(
        "REC-003",
        f"the report cannot be written ({error.strerror or 'unknown reason'})",
        hint="Check that the folder may be written to and that the disk has room, then reconcile again.",
        place=name,
    )
