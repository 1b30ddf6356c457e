"""Drift for the terminal, in Dutch and English."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from casemodel import join_key
from migrate.drift.find import SOURCE_KINDS, TARGET_KINDS, Drift

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Veranderd sinds run {run} ({at} UTC)", "Changed since run {run} ({at} UTC)"),
    "nothing": (
        "Niets: oud en nieuw zijn zoals run {run} ze achterliet.",
        "Nothing: both sides are as run {run} left them.",
    ),
    "old": ("── In het oude systeem, rijen per mapping", "── In the old system, rows by mapping"),
    "old.none": ("  geen rij is erbij gekomen, gewijzigd of verdwenen", "  no row came, changed or left"),
    "new": ("── In het nieuwe systeem, records per tabel", "── In the new system, records by table"),
    "new.none": ("  geen record is bewerkt, gemaakt of verwijderd", "  no record was edited, made or removed"),
    "added": ("erbij", "added"),
    "changed": ("gewijzigd", "changed"),
    "removed": ("verdwenen", "removed"),
    "deleted": ("verwijderd", "removed"),
    "unknown": ("onbekend", "unknown"),
    "edited": ("bewerkt", "edited"),
    "made": ("gemaakt", "made"),
    "waits": ("nog niet geladen {n}", "not loaded yet {n}"),
    "other": (
        "de mapping betekent nu iets anders: wat verschilt, telt als onbekend",
        "the mapping means something else now: what differs counts as unknown",
    ),
    "more": ("… nog {n}", "… {n} more"),
    "next": ("Verder: omnicase run, dan omnicase reconcile", "Next: omnicase run, then omnicase reconcile"),
    "note": (
        "Bewerkt is: anders dan de laatste run die het schreef. Wanneer, weet alleen het nieuwe systeem zelf.",
        "Edited means: other than the last run that wrote it. When, only the new system itself knows.",
    ),
}  # fmt: skip


def drift_lines(drift: Drift, lang: str) -> Iterator[str]:
    """Return what changed by mapping and table, with the first keys."""
    yield _word(lang, "title", run=drift.since, at=drift.since_at[:16])
    if not drift.total:
        yield _word(lang, "nothing", run=drift.since)
        return
    yield from ("", _word(lang, "old"))
    moved = [each for each in drift.mappings if sum(each.counts.values())]
    for each in moved:
        waiting = sum(each.waiting.values())
        waits = f"  ({_word(lang, 'waits', n=waiting)})" if waiting else ""
        yield f"{each.mapping:<26} {_counts(lang, each.counts)}{waits}"
        if each.mapping_changed:
            yield f"    {_word(lang, 'other')}"
        for kind in SOURCE_KINDS:
            shown = [join_key(key) for key in each.keys[kind]]
            yield from _listed(lang, kind, shown, each.counts[kind])
    if not moved:
        yield _word(lang, "old.none")
    yield from ("", _word(lang, "new"))
    touched = [each for each in drift.tables if sum(each.counts.values())]
    for table in touched:
        named = {"deleted" if kind == "removed" else kind: kind for kind in TARGET_KINDS}
        yield f"{table.table:<26} {_counts(lang, {word: table.counts[kind] for word, kind in named.items()})}"
        for word, kind in named.items():
            records = [f"{each.id} {each.mapping or ''} {join_key(each.key)}".rstrip() for each in table.records[kind]]
            yield from _listed(lang, word, records, table.counts[kind])
    yield _word(lang, "note" if touched else "new.none")
    if any(sum(each.waiting.values()) for each in drift.mappings):
        yield from ("", _word(lang, "next"))


def _counts(lang: str, counts: dict[str, int]) -> str:
    return ", ".join(f"{_word(lang, kind)} {count}" for kind, count in counts.items() if count)


def _listed(lang: str, kind: str, shown: list[str], total: int) -> Iterator[str]:
    for each in shown:
        yield f"    {_word(lang, kind):<10} {each}"
    if shown and total > len(shown):
        yield f"    {'':<10} {_word(lang, 'more', n=total - len(shown))}"


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
