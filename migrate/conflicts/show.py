"""Conflicts for the terminal, in Dutch and English."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from casemodel import ISSUE_CODES, join_key
from migrate.conflicts.listed import Conflict, Conflicts, ShownConflict
from migrate.conflicts.resolve import Resolved
from reconciliation import difference_text

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "none": ("Er zijn geen conflicten.", "There are no conflicts."),
    "settled": ("gekozen: {choice}, de volgende run voert het uit", "chosen: {choice}, the next run does it"),
    "more": ("… nog {n}; zie --limit", "… {n} more; see --limit"),
    "open": ("open: {counts}", "open: {counts}"),
    "found": ("gevonden door run {run}", "found by run {run}"),
    "record": ("record {table} {id}", "record {table} {id}"),
    "held": (
        "het heeft dezelfde unieke waarde: {columns}",
        "it holds the same unique value: {columns}",
    ),
    "header": ("veld                     bron nu -> doel nu", "field                    source now -> target now"),
    "same": ("{n} velden zijn gelijk", "{n} fields agree"),
    "gone": ("het record is in het doel verwijderd", "the record was deleted in the target"),
    "left": (
        "de bronrij is weg of laadt niet zoals zij er staat",
        "the source row is gone, or does not load as it stands",
    ),
    "moved": (
        "de bronrij is veranderd sinds de run: draai eerst opnieuw",
        "the source row changed since that run: run again first",
    ),
    "again": (
        "het record is sinds de run nog eens bewerkt: draai eerst opnieuw",
        "the record was edited again since that run: run again first",
    ),
    "masked": ("persoonsgegevens zijn afgeschermd", "personal values are masked"),
    "keep-target": (
        "de waarden in het doel blijven staan, tot de bronrij verandert",
        "the values in the target stay, until the source row changes",
    ),
    "take-source": (
        "de volgende run schrijft de waarden van de bron eroverheen",
        "the next run writes the source's values over them",
    ),
    "adopt": (
        "het record is nu van ons; de volgende run schrijft de waarden van de bron erin",
        "the record is ours now; the next run writes the source's values into it",
    ),
    "next": ("Verder: {command}", "Next: {command}"),
    "choose": ("Kies: {command}", "Choose: {command}"),
}


def list_lines(found: Conflicts, lang: str) -> Iterator[str]:
    """Return one line per conflict, and what to do next."""
    if not found.total:
        yield _word(lang, "none")
        return
    for each in found.rows:
        about = f" ({', '.join(each.columns)})" if each.columns else ""
        settled = "" if each.settled is None else f"  {_word(lang, 'settled', choice=each.settled)}"
        yield f"{each.mapping:<22} {'|'.join(each.key):<24} {each.code}{about}{settled}"
    if found.total > len(found.rows):
        yield _word(lang, "more", n=found.total - len(found.rows))
    if found.open:
        yield _word(lang, "open", counts=", ".join(f"{name} {count}" for name, count in found.open.items()))
    first = next((each for each in found.rows if each.settled is None), None)
    command = "omnicase run" if first is None else f"omnicase conflicts show {_named(first)}"
    yield _word(lang, "next", command=command)


def conflict_lines(shown: ShownConflict, lang: str) -> Iterator[str]:
    """Return both sides of a conflict: the fields that differ."""
    each, known = shown.conflict, ISSUE_CODES[shown.conflict.code]
    yield f"{each.mapping}  {'|'.join(each.key)}  {each.code}"
    yield f"  {known.dutch if lang == 'nl' else known.english}; {_word(lang, 'found', run=each.run)}"
    if each.target_id is not None:
        yield f"  {_word(lang, 'record', table=each.table, id=each.target_id)}"
    if each.columns:
        yield f"  {_word(lang, 'held', columns=', '.join(each.columns))}"
    notes = {"moved": shown.moved_on, "again": shown.edited_again, "gone": not shown.in_target}
    notes["left"] = not shown.source_loads
    for name, holds in notes.items():
        if holds:
            yield f"  {_word(lang, name)}"
    differ = [field for field in shown.fields if field.difference is not None]
    if shown.in_target and shown.source_loads:
        yield f"  {_word(lang, 'header')}"
        for field in differ:
            kind = difference_text(lang, field.difference or "another value")
            yield f"  {field.field:<24} {field.source} -> {field.target}   {kind}"
        yield f"  {_word(lang, 'same', n=len(shown.fields) - len(differ))}"
    if not shown.unmasked:
        yield f"  {_word(lang, 'masked')}"
    choices = "--adopt" if each.code == "record-exists" else "--keep-target | --take-source"
    if each.settled is not None:
        yield f"  {_word(lang, 'settled', choice=each.settled)}"
    else:
        yield _word(lang, "choose", command=f"omnicase conflicts resolve {_named(each)} {choices} --reason …")


def resolved_lines(done: Resolved, lang: str) -> Iterator[str]:
    """Return what was chosen and what comes of it."""
    yield f"{done.conflict.mapping}  {'|'.join(done.conflict.key)}  {done.choice}: {_word(lang, done.choice)}"
    command = "omnicase conflicts list" if done.choice == "keep-target" else "omnicase run"
    yield _word(lang, "next", command=command)


def _named(each: Conflict) -> str:
    """Return mapping and key as they are typed in a shell: the key comes out of a source, and will be pasted."""
    return f"{each.mapping} {shlex.quote(join_key(each.key))}"


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
