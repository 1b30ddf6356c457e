"""Rehearsals side by side for the terminal, in Dutch or English: the functional administrator sees the progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from casemodel import ISSUE_CODES
from migrate.status.rehearsals import History, Rehearsal

_MOST_RUNS = 5
_MOST_CAUSES = 12
_FIRST, _COLUMN = 38, 12

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "none": (
        "Er is nog geen proef geweest, of reports/history/ is leeg. Verder: omnicase run",
        "There was no rehearsal yet, or reports/history/ is empty. Next: omnicase run",
    ),
    "title": ("De laatste {n} van {all} proeven, naast elkaar", "The last {n} of {all} rehearsals, side by side"),
    "run": ("run", "run"),
    "label": ("naam", "label"),
    "started": ("begonnen (UTC)", "started (UTC)"),
    "duration": ("duur (u:mm:ss)", "duration (h:mm:ss)"),
    "state": ("stand", "state"),
    "target": ("doel", "target"),
    "part": ("deel", "part"),
    "read": ("rijen gelezen", "rows read"),
    "loaded": ("rijen over", "rows over"),
    "rejected": ("uitval", "rejected"),
    "parked": ("wacht op iets anders", "waits for something else"),
    "conflict": ("botsing", "conflict"),
    "late": ("te laat", "late"),
    "differences": ("verschillen na aansluiten", "differences when reconciled"),
    "by mapping": ("uitval per mapping", "rejected by mapping"),
    "by cause": ("uitval per oorzaak (rijen)", "rejected by cause (rows)"),
    "more": ("… en nog {n} oorzaken; zie --format json", "… and {n} more causes; see --format json"),
    "better": (
        "Van {first} naar {last}: {n} minder uitval.", "From {first} to {last}: {n} fewer rejected.",
    ),
    "worse": ("Van {first} naar {last}: {n} meer uitval.", "From {first} to {last}: {n} more rejected."),
    "same": ("Van {first} naar {last}: evenveel uitval.", "From {first} to {last}: as many rejected."),
    "unreadable": (
        "Onleesbare bestanden in reports/history/, die niet meetellen: {n}.",
        "Files in reports/history/ that cannot be read and are left out: {n}.",
    ),
    "completed": ("klaar", "completed"),
    "rolled_back": ("teruggezet", "rolled back"),
    "interrupted": ("onderbroken", "interrupted"),
    "failed": ("mislukt", "failed"),
    "stopped": ("gestopt", "stopped"),
    "running": ("bezig", "running"),
    "abandoned": ("opgegeven", "abandoned"),
}  # fmt: skip


def history_lines(history: History, lang: str) -> Iterable[str]:
    """Return the last rehearsals, a column each: when, how long, and what did not come over, by mapping and cause."""
    if not history.rehearsals:
        yield _word(lang, "none")
    else:
        yield from _columns(history.rehearsals[-_MOST_RUNS:], len(history.rehearsals), lang)
    if history.unreadable:
        yield _word(lang, "unreadable", n=history.unreadable)


def _columns(runs: Sequence[Rehearsal], total: int, lang: str) -> Iterator[str]:
    yield _word(lang, "title", n=len(runs), all=total)
    yield ""
    yield _row("", [f"{_word(lang, 'run')} {each.run}" for each in runs])
    if any(each.label for each in runs):
        yield _row(_word(lang, "label"), [each.label or "" for each in runs])
    targets = list(dict.fromkeys(each.target for each in runs))
    yield _row(_word(lang, "started"), [each.started_at[5:16] for each in runs])
    yield _row(_word(lang, "duration"), [_duration(each.seconds) for each in runs])
    yield _row(_word(lang, "state"), [_word(lang, each.state) for each in runs])
    yield _row(_word(lang, "target"), [chr(ord("A") + targets.index(each.target)) for each in runs])
    if any(each.part for each in runs):
        yield _row(_word(lang, "part"), [each.part or "" for each in runs])
    for name in ("read", "loaded", "rejected", "parked", "conflict", "late"):
        if name in ("read", "loaded", "rejected") or any(each.total(name) for each in runs):
            yield _row(_word(lang, name), [_figure(each.total(name)) for each in runs])
    if any(each.reconciled for each in runs):
        yield _row(_word(lang, "differences"), [_differences(each) for each in runs])
    yield from _table(_word(lang, "by mapping"), _by_mapping(runs))
    yield from _by_cause(runs, lang)
    yield ""
    yield from _trend(runs, lang)


def _differences(run: Rehearsal) -> str:
    return "–" if run.reconciled is None else _figure(run.reconciled.differences)


def _by_mapping(runs: Sequence[Rehearsal]) -> list[tuple[str, list[int]]]:
    found: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        for each in run.mappings:
            if each["rejected"]:
                found.setdefault(str(each["mapping"]), [0] * len(runs))[place] = int(each["rejected"])
    return sorted(found.items())


def _by_cause(runs: Sequence[Rehearsal], lang: str) -> Iterator[str]:
    found: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        for each in run.rejects:
            found.setdefault(str(each["code"]), [0] * len(runs))[place] += int(each["rows"])
    most = sorted(found.items(), key=lambda item: (-max(item[1]), item[0]))
    named = [(_cause(code, lang), figures) for code, figures in most[:_MOST_CAUSES]]
    yield from _table(_word(lang, "by cause"), named)
    if len(most) > _MOST_CAUSES:
        yield "  " + _word(lang, "more", n=len(most) - _MOST_CAUSES)


def _cause(code: str, lang: str) -> str:
    known = ISSUE_CODES.get(code)
    if known is None:
        return code
    return known.dutch if lang == "nl" else known.english


def _table(title: str, rows: Sequence[tuple[str, list[int]]]) -> Iterator[str]:
    if rows:
        yield ""
        yield title
        for name, figures in rows:
            yield _row(f"  {name}", [_figure(each) for each in figures])


def _trend(runs: Sequence[Rehearsal], lang: str) -> Iterator[str]:
    """Compare the last two runs that read all of the same mappings to the end."""
    last = runs[-1]
    names = {each["mapping"] for each in last.mappings}
    alike = [each for each in runs[:-1] if _whole(each) and {one["mapping"] for one in each.mappings} == names]
    if not alike or not _whole(last):
        return
    fewer = alike[-1].total("rejected") - last.total("rejected")
    kind = "better" if fewer > 0 else "worse" if fewer < 0 else "same"
    word = _word(lang, "run")
    yield _word(lang, kind, first=f"{word} {alike[-1].run}", last=f"{word} {last.run}", n=_figure(abs(fewer)))


def _whole(run: Rehearsal) -> bool:
    return run.part is None and run.state == "completed"


def _row(first: str, cells: Sequence[str]) -> str:
    columns = (_cut(each, _COLUMN - 1).rjust(_COLUMN) for each in cells)
    return "".join([_cut(first, _FIRST).ljust(_FIRST), *columns]).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _figure(number: int) -> str:
    return f"{number:,}".replace(",", ".") if number else "·"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def _word(lang: str, name: str, **holes: object) -> str:
    dutch, english = _WORDS.get(name, (name, name))
    return (dutch if lang == "nl" else english).format(**holes)
