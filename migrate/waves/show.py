"""Waves for the terminal, in Dutch or English: the functional administrator reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from migrate.waves.moves import LateRow, Moved
from migrate.waves.status import COUNTS, Journey, Stand, WaveList, WaveStatus

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "wave": ("golf", "wave"),
    "mapping": ("mapping", "mapping"),
    "state": ("stand", "state"),
    "since": ("sinds", "since"),
    "rows": ("rijen", "rows"),
    "over": ("over", "over"),
    "share": ("deel", "share"),
    "left": ("te doen", "left"),
    "rejected": ("uitval", "reject"),
    "parked": ("wacht", "parked"),
    "conflict": ("botsing", "confl."),
    "late": ("te laat", "late"),
    "planned": ("gepland", "planned"),
    "rehearsing": ("in proef", "rehearsing"),
    "live": ("in gebruik", "live"),
    "closed": ("afgesloten", "closed"),
    "loaded": ("gaat mee", "loaded"),
    "rest": ("(geen golf)", "(no wave)"),
    "none": (
        "De werkmap noemt geen golven; zet ze onder waves: in workspace.yml.",
        "The workspace names no waves; write them under waves: in workspace.yml.",
    ),
    "meaning": (
        "over = in het nieuwe systeem; te doen = nog niet geladen; te laat = na de overgang nog veranderd.",
        "over = in the new system; left = not loaded yet; late = still changed since cutover.",
    ),
    "rest means": (
        "(geen golf): onder geen voorwaarde; elke run neemt ze mee, net als personen en de catalogus.",
        "(no wave): no condition holds; every run loads them, like people and the catalogue.",
    ),
    "unread": (
        "{name} is nog niet gelezen: na de volgende run staat hier hoeveel rijen erbij horen.",
        "{name} was not read yet: after the next run this says how many rows belong to it.",
    ),
    "begin": ("Verder: omnicase run --wave {name}", "Next: omnicase run --wave {name}"),
    "undeclared": (
        "{name} staat niet meer in workspace.yml: de volgende run vergeet hem, of weigert als hij in gebruik is.",
        "{name} is no longer in workspace.yml: the next run forgets it, or refuses if it is live.",
    ),
    "late hint": (
        "{n} van {name} te laat. Verder: omnicase wave status {name}",
        "{n} of {name} late. Next: omnicase wave status {name}",
    ),
    "late rows": (
        "te laat: na de overgang nieuw of veranderd in het oude systeem, en niet geladen",
        "late: new or changed in the old system since cutover, and not loaded",
    ),
    "late-new": ("nieuw", "new"),
    "late-changed": ("veranderd", "changed"),
    "late-mapping": ("veranderd, of zijn mapping is veranderd", "changed, or its mapping changed"),
    "more": ("… en nog {n}; zie --format json", "… and {n} more; see --format json"),
    "history": ("verloop", "history"),
    "was planned": ("gepland", "planned"),
    "was rehearsing": ("begonnen", "began"),
    "was live": ("overgegaan", "went live"),
    "was back": ("teruggezet", "went back"),
    "was closed": ("afgesloten", "closed"),
    "was changed": ("voorwaarden veranderd", "conditions changed"),
    "was removed": ("verwijderd", "removed"),
    "by run": ("bij run {n}", "with run {n}"),
    "went live": (
        "{name} is in gebruik sinds {since} UTC. Wat er in het oude systeem nog aan verandert, is te laat.",
        "{name} is live since {since} UTC. What still changes of it in the old system is late.",
    ),
    "went closed": ("{name} is afgesloten.", "{name} is closed."),
    "went back": (
        "{name} is weer in proef: de volgende run laadt wat te laat was.",
        "{name} is rehearsing again: the next run loads what was late.",
    ),
    "untouched": (
        "In het nieuwe systeem is er sinds het laden niets van bewerkt en niets bijgemaakt.",
        "Nothing of it was edited in the new system since it was loaded, and nothing was made there.",
    ),
    "touched": (
        "in het nieuwe systeem bewerkt, gemaakt of verwijderd",
        "edited, made or removed in the new system",
    ),
    "edited": ("bewerkt", "edited"),
    "made": ("gemaakt", "made"),
    "removed": ("verwijderd", "removed"),
    "next status": ("Verder: omnicase wave status", "Next: omnicase wave status"),
}
_MOST: Final = 50


def journey_lines(found: Journey, lang: str) -> Iterable[str]:
    """Return one line per wave, what the words mean, and what to do next."""
    if not found.waves:
        yield _word(lang, "none")
        return
    waves = [*found.waves, *([found.rest] if found.rest is not None else [])]
    yield from _table(
        [_word(lang, name) for name in ("wave", "state", "since", "rows", "over", "share", *COUNTS[1:])],
        [_cells(each, lang) for each in waves],
        texts=3,
    )
    yield ""
    yield _word(lang, "meaning")
    if found.rest is not None:
        yield _word(lang, "rest means")
    yield from _next_steps(found, lang)


def _next_steps(found: Journey, lang: str) -> Iterable[str]:
    for each in found.waves:
        if not each.declared:
            yield _word(lang, "undeclared", name=each.name)
        elif not each.stand.rows and each.state == "planned":
            yield _word(lang, "unread", name=each.name)
        if each.stand.counts.get("late"):
            yield _word(lang, "late hint", n=_figure(each.stand.counts["late"], lang), name=each.name)
    planned = [each.name for each in found.waves if each.state == "planned" and each.declared]
    if planned and not any(each.state == "rehearsing" for each in found.waves):
        yield _word(lang, "begin", name=planned[0])


def wave_lines(found: WaveStatus, late: Sequence[LateRow], total: int, lang: str) -> Iterable[str]:
    """Return one wave in full: its mappings, and its late rows by name."""
    about = f": {found.about}" if found.about else ""
    since = f" {_word(lang, 'since')} {found.since[:16]} UTC" if found.since else ""
    yield f"{found.name}{about} ({_word(lang, found.state)}{since})"
    if not found.declared:
        yield _word(lang, "undeclared", name=found.name)
    if found.by_mapping:
        yield from _table(
            [_word(lang, name) for name in ("mapping", "rows", "over", "share", *COUNTS[1:])],
            [[name, *_figures(each, lang)] for name, each in [*found.by_mapping.items(), ("", found.stand)]],
            texts=1,
        )
    else:
        yield _word(lang, "unread", name=found.name)
    if late:
        yield ""
        yield f"{_word(lang, 'late rows')} ({_figure(total, lang)})"
        for row in late[:_MOST]:
            why = _word(lang, row.reason) if row.reason in _WORDS else _follows(row.reason, lang)
            yield f"  {row.mapping:<22} {'|'.join(row.key):<24} {why}"
        if total > min(len(late), _MOST):
            yield "  " + _word(lang, "more", n=_figure(total - min(len(late), _MOST), lang))


def list_lines(found: WaveList, lang: str) -> Iterable[str]:
    """Return the waves with their conditions, and their history."""
    if not found.waves:
        yield _word(lang, "none")
        return
    for each in found.waves:
        about = f"  {each.about}" if each.about else ""
        since = f" {_word(lang, 'since')} {each.since[:16]} UTC" if each.since else ""
        yield f"{each.name}  {_word(lang, each.state)}{since}{about}"
        for mapping, text in each.where.items():
            yield f"    {mapping:<22} {text}"
        if not each.declared:
            yield "    " + _word(lang, "undeclared", name=each.name)
    if found.events:
        yield ""
        yield _word(lang, "history")
    for event in found.events:
        run = f", {_word(lang, 'by run', n=event['run_id'])}" if event["run_id"] else ""
        reason = f": {event['reason']}" if event["reason"] else ""
        what = _word(lang, f"was {event['event']}")
        yield f"  {event['at'][:16]}  {event['wave']:<16} {what} ({event['os_user']}{run}){reason}"


def moved_lines(moved: Moved, lang: str) -> Iterable[str]:
    """Return what became of a wave that was moved, and what people did to it in the new system."""
    yield _word(lang, f"went {'back' if moved.back else moved.state}", name=moved.wave, since=moved.since[:16])
    if moved.back:
        if not moved.touched:
            yield _word(lang, "untouched")
        else:
            yield f"{_word(lang, 'touched')} ({_figure(len(moved.touched), lang)})"
        for each in moved.touched[:_MOST]:
            yield f"  {_word(lang, each.what):<10} {each.table:<20} {each.id}"
        if len(moved.touched) > _MOST:
            yield "  " + _word(lang, "more", n=_figure(len(moved.touched) - _MOST, lang))
    yield _word(lang, "next status")


def _follows(reason: str, lang: str) -> str:
    return reason.replace("follows ", "volgt ", 1) if lang == "nl" else reason


def _cells(each: WaveStatus, lang: str) -> list[str]:
    name = each.name if each.name is not None else _word(lang, "rest")
    return [name, _word(lang, each.state), (each.since or "")[:10], *_figures(each.stand, lang)]


def _figures(stand: Stand, lang: str) -> list[str]:
    rows, over = stand.rows, stand.counts.get("over", 0)
    # A share of 100 % is all of it, not nearly all.
    share = f"{over * 100 // rows} %" if rows else "·"
    others = [stand.counts.get(name, 0) for name in COUNTS[1:]]
    return [_figure(rows, lang), _figure(over, lang), share, *(_figure(each, lang) for each in others)]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int) -> Iterable[str]:
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for number, row in enumerate([header, *rows]):
        cells = [cell.ljust(widths[i]) if i < texts else cell.rjust(widths[i]) for i, cell in enumerate(row)]
        yield "  ".join(cells).rstrip()
        if number == 0:
            yield "-" * (sum(widths) + 2 * (len(widths) - 1))


def _figure(number: int, lang: str) -> str:
    text = f"{number:,}"
    return (text.replace(",", ".") if lang == "nl" else text) if number else "·"


def _word(lang: str, key: str, **values: object) -> str:
    return _WORDS[key][0 if lang == "nl" else 1].format(**values)
