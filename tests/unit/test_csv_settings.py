"""Settings of csv systems: what is refused before a file is opened, and which files answer."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from casemodel import Partition, RefusedError, SystemFailure
from connectors import CODES, SystemConfig, kinds, open_source


def config(root: Path, relation: dict[str, Any] | None = None, **options: Any) -> SystemConfig:
    return SystemConfig(
        "kcc", "csv", {"delimiter": ";", "relations": {"R": relation or {"files": "a.csv"}}, **options}, root
    )


def rows(config: SystemConfig) -> list[tuple[str, ...]]:
    with closing(open_source(config)) as source:
        return [row for extract in source.extract(Partition("R", 100)) for row in extract.frame.rows()]


@pytest.mark.parametrize(
    ("relation", "options", "code", "says"),
    [
        ({"fils": "a.csv"}, {}, "CON-003", "files"),
        ({"files": "a.csv"}, {"delimeter": ";"}, "CON-003", "delimiter"),
        ({"files": "a.csv", "delimiter": ";;"}, {}, "CON-003", "one character"),
        ({"files": "a.csv", "quote": "\n"}, {}, "CON-003", "one character"),
        ({"files": "a.csv", "encoding": "klingon"}, {}, "CON-003", "klingon"),
        ({"files": "a.csv", "encoding": "utf-7"}, {}, "CON-003", "utf-7"),
        ({"files": "a.csv", "encoding": "cp037"}, {}, "CON-003", "cp037"),
        ({"files": "a.csv", "header": "false"}, {}, "CON-003", "columns"),
        ({"files": "a.csv", "header": "maybe"}, {}, "CON-003", "true nor false"),
        ({"files": "a.csv", "skip_lines": "-1"}, {}, "CON-003", "whole number"),
        ({"files": "a.csv", "trailer": {"match": "(", "count": "1"}}, {}, "CON-003", "regular expression"),
        ({"files": "a.csv", "trailer": {"match": "x", "cuont": "1"}}, {}, "CON-003", "count"),
        ({"files": "a.csv", "aliases": ["x"]}, {}, "CON-003", "aliases"),
        ({"files": "a.csv"}, {"password": "x"}, "CON-002", "password"),
        ({"files": {"a": "b"}}, {}, "CON-003", "files"),
    ],
)
def test_wrong_settings_are_refused(
    tmp_path: Path, relation: dict[str, Any], options: dict[str, Any], code: str, says: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        open_source(config(tmp_path, relation, **options))
    assert (caught.value.code, caught.value.exit_status) == (code, 4)
    assert says in caught.value.message + caught.value.hint
    assert str(caught.value.place) == "systems.kcc"


def test_relations_are_needed(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no relations"):
        open_source(SystemConfig("kcc", "csv", {}, tmp_path))


def test_files_may_lie_anywhere(tmp_path: Path) -> None:
    elsewhere, workspace = tmp_path / "elders [1]", tmp_path / "workspace"
    (workspace / "log").mkdir(parents=True)
    elsewhere.mkdir()
    for path, value in ((elsewhere / "a.csv", "1"), (workspace / "log" / "b.csv", "2"), (workspace / "c.csv", "3")):
        path.write_text(f"A;B\n{value};x\n")
    for files, value in (
        (str(elsewhere / "a.csv"), "1"),
        (str(elsewhere / "*.csv"), "1"),
        ("b.csv", "2"),
        ("log/b.csv", "2"),
        ("c.csv", "3"),
        ("*/b.csv", "2"),
    ):
        assert [row[0] for row in rows(config(workspace, {"files": files}, folder="log"))] == [value], files
    assert [row[0] for row in rows(config(workspace, {"files": ["c.csv", "log/b.csv"]}))] == ["2", "3"], (
        "sorted by name"
    )


def test_default_file_is_named_after_the_relation(tmp_path: Path) -> None:
    (tmp_path / "R.csv").write_text("A;B\n1;2\n")
    assert rows(SystemConfig("kcc", "csv", {"delimiter": ";", "relations": {"R": {}}}, tmp_path)) == [
        ("1", "2", "R.csv", "1:1")
    ]


@pytest.mark.parametrize(
    "name", ["[table].csv", "-rf", "a\nb.csv", "x" * 250 + ".csv", os.fsdecode(b"\xff\xfe.csv")]
)
def test_odd_file_names_are_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("A;B\n1;2\n")
    (tmp_path / "t.csv").write_text("A;B\n3;4\n")
    with closing(open_source(config(tmp_path, {"files": name}))) as source:
        assert source.count("R") == 1
        assert source.fingerprint("R")
        (extract,) = source.extract(Partition("R", 10))
        assert extract.frame.select("A", "B").rows() == [("1", "2")]
        assert extract.frame["_file"].to_list() == [name.replace("\udcff\udcfe", r"\xff\xfe")]


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "a.csv") if kind == "pipe" else (tmp_path / "a.csv").mkdir()
    with pytest.raises(SystemFailure) as caught:
        rows(config(tmp_path))
    assert caught.value.code == "CON-011"


def test_personal_columns_are_as_declared_and_unknown_is_personal(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("A;B\n1;2\n")
    with closing(open_source(config(tmp_path, {"files": "a.csv", "key": ["a"]}))) as source:
        relation = source.relation("R")
        assert [c.personal for c in relation.columns] == [True, True, False]
        assert (relation.primary_key, relation.key_is_unique) == (("A",), False)
        assert [c.technical for c in relation.columns] == [False, False, True]
    with closing(open_source(config(tmp_path, {"files": "a.csv", "personal": ["b"]}))) as source:
        assert [c.personal for c in source.relation("R").columns] == [False, True, False]


def test_kinds_and_codes_are_listed() -> None:
    assert {"csv", "sqlite"} <= set(kinds())
    assert list(CODES) == sorted(CODES)
