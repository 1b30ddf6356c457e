"""What tests ask of a target: all of it, as text, whatever made it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from command_line import in_process

LEDGER_FACTS = {
    "id_map": "SELECT m.name, i.source_key, i.record_key, i.target_id, i.state, i.reason, i.source_hash"
    " FROM migration_id_map i JOIN migration_mapping m ON m.id = i.mapping_id",
    "record": "SELECT m.name, r.target_id, r.record_hash FROM migration_record r JOIN migration_mapping m ON m.id = r.mapping_id",
    "issue": "SELECT m.name, i.source_key, i.row_ref, i.field, i.code, i.severity, i.detail"
    " FROM migration_issue i JOIN migration_mapping m ON m.id = i.mapping_id",
    "reject": "SELECT m.name, r.source_key, r.row_ref, r.row FROM migration_reject r JOIN migration_mapping m ON m.id = r.mapping_id",
    "wait": "SELECT m.name, w.source_key, w.field, o.name, w.on_other_key, w.on_key, w.seen FROM migration_wait w"
    " JOIN migration_mapping m ON m.id = w.mapping_id JOIN migration_mapping o ON o.id = w.on_mapping_id",
    "contribution": "SELECT m.name, c.source_key, c.target_id, c.rank, c.newest, c.agree, c.fields, c.apart, c.problem"
    " FROM migration_contribution c JOIN migration_mapping m ON m.id = c.mapping_id",
    "linked": "SELECT m.name, l.source_key, o.name, l.on_other_key, l.on_key FROM migration_linked l"
    " JOIN migration_mapping m ON m.id = l.mapping_id JOIN migration_mapping o ON o.id = l.on_mapping_id",
}
"""The ledger but for run ids, times and batch numbers (promise 1)."""


@cache
def _empty_target() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mappings").mkdir()
        (folder / "workspace.yml").write_text(
            'workspace: empty\nnamespace: {public: test}\ntarget: {url: "sqlite:///target.db"}\nsystems: {}\n'
        )
        answer = in_process("-C", folder, "db", "upgrade")
        assert answer.status == 0, answer.err
        return (folder / "target.db").read_bytes()


def upgrade(folder: Path) -> None:
    """Make the empty target of a workspace, as `db upgrade` made one before: its file has nothing of a workspace.

    For tests of something else than upgrading.
    """
    file = folder / "target.db"
    assert not file.exists(), "only a target that is not there yet can be a copy"
    file.write_bytes(_empty_target())
    file.chmod(0o600)


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a target that nobody writes to any more."""
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)


def model_rows(path: Path) -> dict[str, list[str]]:
    """Return every row of every table of the case model, sorted."""
    connection = open_read_only(path)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables = [name for name in names if not name.startswith(("migration_", "alembic_", "sqlite_"))]
    rows = {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in sorted(tables)}
    connection.close()
    return rows


def ledger_rows(path: Path) -> dict[str, list[str]]:
    """Return what the ledger says, but for run ids, times and batch numbers."""
    connection = open_read_only(path)
    rows = {name: sorted(map(repr, connection.execute(sql))) for name, sql in LEDGER_FACTS.items()}
    connection.close()
    return rows


def digest(rows: object) -> str:
    """Return one digest of such rows, for a short message when they differ."""
    return hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()


def assert_same_target(found: Path, wanted: Path) -> None:
    """Compare two targets row for row, and their ledgers but for run ids, times and batch numbers."""
    for kind, rows_of in (("model", model_rows), ("ledger", ledger_rows)):
        mine, theirs = rows_of(found), rows_of(wanted)
        assert mine.keys() == theirs.keys()
        for name in mine:
            if mine[name] != theirs[name]:
                extra = [row for row in mine[name] if row not in set(theirs[name])][:3]
                missing = [row for row in theirs[name] if row not in set(mine[name])][:3]
                raise AssertionError(f"{kind} {name}: {len(mine[name])} rows, {len(theirs[name])} wanted;\n"
                                     f"extra {extra}\nmissing {missing}")


def copy_workspace(source: Path, destination: Path) -> Path:
    """Copy a workspace, its target included."""
    shutil.copytree(source, destination, dirs_exist_ok=True)
    return destination


def file_states(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return size, time and digest of every file below a folder: what must not change in a source (promise 6)."""
    return {
        str(file.relative_to(folder)): (
            file.stat().st_size, file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).hexdigest()
        )
        for file in sorted(folder.rglob("*")) if file.is_file()
    }
