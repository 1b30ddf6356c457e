"""The rules of the house that no linter knows (DESIGN.md, section 10): doors, sizes, declared dependencies."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("casemodel", "connectors", "mappings", "migrate", "reconciliation", "runbooks")
WINGS = {"connectors", "mappings", "reconciliation", "runbooks"}
# A file of one table, where splitting would only hide it.
LONG_FILES: set[str] = set()


@cache
def modules() -> list[tuple[Path, ast.Module]]:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return [(file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8"))) for file in files]


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield node.lineno, node.module or ""


def test_other_packages_come_in_through_the_door():
    """`from mappings import X` outside mappings is a door, `from mappings.compile import X` a window."""
    through_windows = [
        f"{file}:{line} imports {name}"
        for file, tree in modules()
        for line, name in imports(tree)
        if name.partition(".")[0] in PACKAGES and name.partition(".")[0] != file.parts[0] and "." in name
    ]
    assert through_windows == []


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_exports_what_its_door_names(package):
    module = __import__(package)
    assert [name for name in getattr(module, "__all__", []) if not hasattr(module, name)] == []
    assert (ROOT / package / "py.typed").is_file()


def test_files_and_functions_stay_short():
    long = []
    for file, tree in modules():
        if "history" in file.parts and "versions" in file.parts:
            continue    # an alembic revision creates all tables at once
        lines = len((ROOT / file).read_text(encoding="utf-8").splitlines())
        if lines >= 400 and str(file) not in LONG_FILES:
            long.append(f"{file}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                size = node.end_lineno - node.lineno + 1
                if size >= 60:
                    long.append(f"{file}:{node.lineno} {node.name}: {size} lines")
    assert long == []


def test_nothing_is_left_to_do_later():
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    assert [str(file) for file, _ in modules() if marks.search((ROOT / file).read_text(encoding="utf-8"))] == []


def test_public_names_have_docstrings():
    bare = []
    for file, tree in modules():
        if "versions" in file.parts:
            continue
        if ast.get_docstring(tree) is None:
            bare.append(str(file))
        for node in tree.body:
            named = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            if named and ast.get_docstring(node) is None:
                bare.append(f"{file}:{node.lineno} {node.name}")
    assert bare == []


def test_no_rooms_without_a_subject():
    names = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    assert [str(file) for file, _ in modules() if file.name in names] == []
    managers = [f"{file}:{node.lineno} {node.name}" for file, tree in modules() for node in ast.walk(tree)
                if isinstance(node, ast.ClassDef) and re.search("(Manager|Helper|Utils?)$", node.name)]
    assert managers == []


def test_no_python_per_row_where_columns_flow():
    slow = re.compile(r"\.(map_elements|iter_rows|rows_by_key)\(")
    # Only records that could not be read; brackets of records that are parsed one by one anyway; old workbooks.
    few = {Path("connectors/sources/excel/older.py"), Path("connectors/sources/csv/parse.py"), Path("connectors/sources/fixed/parse.py"), Path("connectors/sources/json/count.py")}
    found = [
        f"{file}:{number}"
        for file, _ in modules()
        if file not in few
        and (file.parts[0] in {"mappings", "connectors"} or file.parts[:2] == ("migrate", "pipeline"))
        for number, line in enumerate((ROOT / file).read_text(encoding="utf-8").splitlines(), 1)
        if slow.search(line)
    ]
    assert found == []


def requirements() -> dict[str, str]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options"]["install_requires"].splitlines()
    for extra, value in config["options.extras_require"].items():
        if extra not in ("browser", "dev", "benchmarks"):
            lines += value.splitlines()
    found = {}
    for line in lines:
        if line.strip():
            name, bounds = re.fullmatch(r"\s*([A-Za-z0-9_.-]+)(?:\[[\w,]+\])?\s*(.*)", line).groups()
            found[name.lower().replace("_", "-")] = bounds
    return found


def test_every_dependency_has_a_lower_and_an_upper_bound():
    assert [name for name, bounds in requirements().items() if not re.fullmatch(r">= [\w.]+, < [\w.]+", bounds)] == []


def test_every_imported_library_is_a_declared_dependency_and_the_other_way_round():
    libraries = packages_distributions()
    used = set()
    for _, tree in modules():
        for _, name in imports(tree):
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top not in PACKAGES:
                assert top in libraries, f"{top} is not installed"
                used |= {distribution.lower().replace("_", "-") for distribution in libraries[top]}
    pinned_by_another = {"pydantic-core", "sqlglotc"}
    assert used - set(requirements()) - pinned_by_another == set()
    # Used without an import: Polars writes through them, SQLAlchemy and Polars load drivers by name.
    by_name = {"pyarrow", "psycopg", "pymysql", "oracledb", "pyodbc", "adbc-driver-sqlite", "adbc-driver-manager"}
    assert set(requirements()) - used - by_name == set()


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "EUROPEAN UNION PUBLIC LICENCE v. 1.2" in text
    assert [n for n in range(1, 16) if f"\n{n}. " not in text] == []
