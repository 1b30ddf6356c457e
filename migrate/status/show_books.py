"""The books as a table for the terminal, at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from migrate.status.books import Books
from migrate.status.runs import Status
from migrate.status.show_pace import pace_lines, rate_lines

_COLUMNS = (
    ("read", "read"),
    ("out_of_scope", "scope"),
    ("deferred", "defer"),
    ("late", "late"),
    ("inserted", "insert"),
    ("updated", "update"),
    ("unchanged", "same"),
    ("merged", "merged"),
    ("rejected", "reject"),
    ("parked", "parked"),
    ("conflict", "confl."),
)
_OF_WAVES = ("deferred", "late")
"""Columns that are shown where there are such rows."""
_MOST_CAUSES = 15


def books_table(books: Books) -> list[str]:
    """Return one line per mapping, a sum, and what the columns mean."""
    columns = _columns(books)
    header = ["mapping", *(label for _, label in columns)]
    rows = [[each.mapping, *(_figure(getattr(each.tally, name)) for name, _ in columns)] for each in books.mappings]
    sums = ["all", *(_figure(sum(getattr(each.tally, name) for each in books.mappings)) for name, _ in columns)]
    widths = [max(len(row[i]) for row in [header, *rows, sums]) for i in range(len(header))]
    lines = [_line(row, widths) for row in [header, *rows]]
    lines.insert(1, "-" * len(lines[0]))
    return [*lines, "-" * len(lines[0]), _line(sums, widths)]


def _columns(books: Books) -> list[tuple[str, str]]:
    used = {name for name in _OF_WAVES if any(getattr(each.tally, name) for each in books.mappings)}
    return [(name, label) for name, label in _COLUMNS if name not in _OF_WAVES or name in used]


def _figure(number: int) -> str:
    return f"{number:,}".replace(",", ".") if number else "·"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, rest = (
        cells[0].ljust(widths[0]),
        (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
    )
    return " ".join([first, *rest])


_GONE = {
    "kept": "their records are kept",
    "closed": "their records are closed",
    "removed": "their records are removed",
    "held": "their records are held, since they were edited, are linked to, are in a live wave, or are too many",
}


def run_lines(books: Books, verb: str) -> Iterable[str]:
    """Return the answer of `run` or `plan`: the books, the verdict, what to do next."""
    yield from books_table(books)
    yield ""
    parts = [label.rstrip(".") for name, label in _columns(books) if name != "read"]
    yield f"The books balance: read = {' + '.join(parts).replace('confl', 'conflict')}."
    written = sum(each.tally.inserted + each.tally.updated for each in books.mappings)
    for name, fate in _GONE.items():
        gone = sum(each.gone[name] for each in books.mappings)
        if gone:
            yield f"{_figure(gone)} {'row' if gone == 1 else 'rows'} left the source or the scope: {fate}."
    standing = sum(each.standing for each in books.mappings)
    if standing:
        yield (
            f"Not read again, since their sources did not change by a byte: {standing} of {len(books.mappings)}"
            " mappings (--full reads them)."
        )
    if verb == "plan":
        many = f"{written:,}".replace(",", ".")
        yield f"A run would write {many} record{'' if written == 1 else 's'}. Nothing was changed. Next: omnicase run"
        return
    late = sum(each.tally.late for each in books.mappings)
    if late:
        rows = "row of a live wave is" if late == 1 else "rows of live waves are"
        yield f"{_figure(late)} {rows} late: new or changed in the old system since. Next: omnicase wave status"
    if written == 0:
        yield "Nothing changed: no record was written."
    rejected = sum(each.tally.rejected + each.tally.parked for each in books.mappings)
    if rejected:
        rows = "row was" if rejected == 1 else "rows were"
        yield f"{_figure(rejected)} {rows} not loaded. Next: omnicase rejects list"
    yield f"Run {books.run} is {books.state}. Next: omnicase reconcile --report html"


_BALANCE = "The books balance."
_NO_BALANCE = "The books do not balance, and no batch commits so: somebody changed the ledger. See: omnicase reconcile"


def status_lines(status: Status) -> Iterable[str]:
    """Return the answer of `status`."""
    if status.books is None:
        yield "Nothing was loaded yet. Next: omnicase run"
        return
    yield "runs"
    for run in status.runs:
        label = f"  {run['label']}" if run["label"] else ""
        times = f"started {run['started_at'][:19]}  ended {(run['ended_at'] or '…')[:19]}"
        yield f"  {run['id']:>4}  {run['state']:<12} {times}{label}"
    yield ""
    mine = next(run for run in status.runs if run["id"] == status.books.run)
    facts = (f"run {status.books.run}", status.books.state, mine["label"], mine["part"])
    yield ", ".join(each for each in facts if each)
    if mine["reason"]:
        yield f"reason: {mine['reason']}"
    yield from pace_lines(status)
    yield from books_table(status.books)
    yield ""
    yield _BALANCE if status.books.balanced else _NO_BALANCE
    yield from rate_lines(status)
    if status.causes:
        yield ""
        yield "open issues (rows)"
        for mapping, severity, code, field, rows in status.causes[:_MOST_CAUSES]:
            yield f"  {_figure(rows):>9}  {severity:<7}  {code:<20} {mapping} {field}"
        if len(status.causes) > _MOST_CAUSES:
            yield f"  … and {len(status.causes) - _MOST_CAUSES} more kinds; see --format json"
    if status.undecided:
        yield ""
        yield "conditions that were neither true nor false (a NULL), and passed (rows)"
        for mapping, condition, rows in status.undecided[:_MOST_CAUSES]:
            yield f"  {_figure(rows):>9}  {mapping} {condition}"
    if status.books.state in ("interrupted", "failed", "running"):
        yield "Next: omnicase run (it goes on after the last committed batch)"
