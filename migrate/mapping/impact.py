"""`mapping diff --impact`: which loaded records a change of the mappings would touch, found on a copy of the target."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from connectors import Scratch, open_target
from migrate.mapping.diff import Diff
from migrate.opening import require_runnable
from migrate.running.options import RunOptions
from migrate.running.run import load
from migrate.session import Session
from migrate.target.copy import copy_target
from migrate.target.database import require_current

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": (
        "gevolgen voor wat geladen is (ook van wat er sinds de laatste run in de bron veranderde):",
        "what it does to what is loaded (with what changed in the source since the last run):",
    ),
    "records": (
        "{mapping}: {touched} van {of} records veranderen, {new} erbij, {gone} weg",
        "{mapping}: {touched} of {of} records change, {new} are new, {gone} go",
    ),
    "field": ("{name}: {n} waarden", "{name}: {n} values"),
    "state": ("{before} wordt {after}: {n} rijen", "{before} becomes {after}: {n} rows"),
    "none": ("nog niet", "not yet"),
    "nothing": ("niets wat geladen is verandert", "nothing that is loaded changes"),
}


@dataclass(frozen=True)
class Impact:
    """What a changed mapping would do to its records.

    records: how many it has now; touched: of them get another value; new, gone: records made and removed.
    fields: target column to how many values change; states: rows by their state before and after, where they differ.
    """

    mapping: str
    target: str
    records: int
    touched: int
    new: int
    gone: int
    fields: dict[str, int]
    states: tuple[tuple[str, str, int], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        states = [{"before": before, "after": after, "rows": rows} for before, after, rows in self.states]
        return asdict(self) | {"states": states}


def impact_of(session: Session, diff: Diff) -> tuple[Impact, ...]:
    """Return the impact of every mapping that is new or means something else; the target is not written to.

    Raises:
        GuardError: DBS-003 the target is not upgraded; and what `migrate.running.run.load` raises.
    """
    names = [each.mapping for each in diff.mappings if each.kind in ("added", "changed")]
    if not names:
        return ()
    require_runnable(session)
    target = open_target(session.workspace.target_url)
    scratch = Scratch()
    try:
        require_current(target.engine)
        before, after = scratch.folder / "before.db", scratch.folder / "after.db"
        copy_target(target, before)
        shutil.copyfile(before, after)
        load(session, RunOptions(tuple(names), full=True), target_url=f"sqlite:///{after}")
        with closing(sqlite3.connect(f"{after.as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("ATTACH ? AS old", (f"{Path(before).as_uri()}?mode=ro",))
            return tuple(_impact(connection, session, name) for name in session.selected(names))
    finally:
        target.close()
        scratch.close()


_RECORDS = (
    "SELECT DISTINCT i.target_id FROM {0}.migration_id_map i JOIN {0}.migration_mapping m ON m.id = i.mapping_id"
    " WHERE m.name = :name AND i.target_id IS NOT NULL"
)
_KEYS = (
    "SELECT i.source_key, i.state FROM {0}.migration_id_map i JOIN {0}.migration_mapping m ON m.id = i.mapping_id"
    " WHERE m.name = :name"
)


def _impact(connection: sqlite3.Connection, session: Session, name: str) -> Impact:
    """Compare the records and rows of a mapping before and after."""
    mapping = session.mapping(name)
    table, fields, asked = mapping.target, mapping.fields, {"name": name}
    mine = f"id IN ({_RECORDS.format('old')} UNION {_RECORDS.format('main')})"
    differs = [f'(a."{field}" IS NOT b."{field}")' for field in fields]
    both = f'main."{table}" a JOIN old."{table}" b USING (id) WHERE {mine}'
    counts = connection.execute(
        f"SELECT {', '.join(f'COALESCE(SUM({each}), 0)' for each in differs)},"
        f" COALESCE(SUM({' OR '.join(differs)}), 0) FROM {both}",
        asked,
    ).fetchone()

    def lacking(here: str, there: str) -> int:
        sql = f'SELECT COUNT(*) FROM {here}."{table}" WHERE {mine} AND id NOT IN (SELECT id FROM {there}."{table}")'
        return int(connection.execute(sql, asked).fetchone()[0])

    records = connection.execute(f'SELECT COUNT(*) FROM old."{table}" WHERE {mine}', asked).fetchone()[0]
    states = connection.execute(
        "SELECT COALESCE(b.state, ''), COALESCE(a.state, ''), COUNT(*)"
        f" FROM ({_KEYS.format('main')}) a FULL JOIN ({_KEYS.format('old')}) b USING (source_key)"
        " WHERE a.state IS NOT b.state GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
        asked,
    ).fetchall()
    changed = {field: int(number) for field, number in zip(fields, counts, strict=False) if number}
    return Impact(
        name,
        table,
        int(records),
        int(counts[-1]),
        lacking("main", "old"),
        lacking("old", "main"),
        changed,
        tuple(states),
    )


def impact_lines(found: Sequence[Impact], lang: str) -> Iterator[str]:
    """Return the impact for a person."""
    yield ""
    yield _word(lang, "title")
    for each in found:
        yield "  " + _word(
            lang, "records", mapping=each.mapping, touched=each.touched, of=each.records, new=each.new, gone=each.gone
        )
        for name, number in sorted(each.fields.items(), key=lambda item: (-item[1], item[0])):
            yield "    " + _word(lang, "field", name=name, n=number)
        for before, after, rows in each.states:
            nothing = _word(lang, "none")
            yield "    " + _word(lang, "state", before=before or nothing, after=after or nothing, n=rows)
    if not any(each.touched or each.new or each.gone or each.states for each in found):
        yield "  " + _word(lang, "nothing")


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
