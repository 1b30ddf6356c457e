"""Installed from a wheel or editable, the program is itself wherever it is started.

The current folder here is the worst workspace there can be: it has folders ``mappings`` and ``runbooks``
that are packages, and modules called like parts of the standard library and of our libraries.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("casemodel", "connectors", "mappings", "migrate", "reconciliation", "runbooks")


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """A copy of what a build reads, so that nothing of a build is left in the clone."""
    copy = tmp_path_factory.mktemp("sources")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "docs").mkdir()
    for name in ("verify_evidence.py", "check_waivers.py"):
        shutil.copy(ROOT / "docs" / name, copy / "docs" / name)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return copy


@pytest.fixture(scope="module", params=["wheel", "editable"])
def installed(request, sources, tmp_path_factory) -> Path:
    """The folder of commands of a fresh environment with omnicase in it and our own libraries beside it."""
    out = tmp_path_factory.mktemp(request.param)
    build = f"from setuptools import build_meta; print(build_meta.build_{request.param}({str(out)!r}))"
    subprocess.run([sys.executable, "-c", build], cwd=sources, check=True, capture_output=True)
    [wheel] = out.glob("*.whl")
    environment = out / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, wheel], check=True, capture_output=True)
    [site] = environment.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


@pytest.fixture
def hostile(tmp_path) -> Path:
    """A workspace folder whose every module would stop the program, were it imported."""
    bomb = "raise SystemExit('imported from the current folder: ' + __file__)\n"
    for module in ("csv", "json", "click", "polars", "sqlalchemy", "tqdm", "casemodel", "sitecustomize"):
        (tmp_path / f"{module}.py").write_text(bomb)
    for package in ("mappings", "runbooks", "connectors", "reconciliation"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(bomb)
    return tmp_path


@pytest.fixture
def plain(tmp_path) -> Path:
    """A workspace folder as a municipality has it: folders without Python in them."""
    for folder in ("mappings", "runbooks"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("text")
    return tmp_path


def run(bin_dir: Path, cwd: Path, *command: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("PYTHON", "OMNICASE_", "COV_", "COVERAGE_"))}
    return subprocess.run([str(bin_dir / command[0]), *command[1:]], cwd=cwd, env=clean, capture_output=True, text=True)


@pytest.mark.parametrize("command", [("omnicase",), ("python", "-m", "migrate")], ids=["omnicase", "python -m migrate"])
@pytest.mark.parametrize("folder", ["plain", "hostile"])
def test_c18_the_current_folder_shadows_nothing(installed, command, folder, request):
    cwd = request.getfixturevalue(folder)
    target = cwd / "fresh"
    made = run(installed, cwd, *command, "init", str(target))
    assert made.returncode == 0, made.stderr
    answer = run(installed, cwd, *command, "-C", str(target), "--format", "json", "doctor")
    assert "imported from the current folder" not in answer.stderr + answer.stdout
    assert answer.returncode in (0, 3), answer.stderr + answer.stdout
    document = __import__("json").loads(answer.stdout)
    [home] = [check for check in document["checks"] if check["check"] == "packages"]
    assert home["outcome"] == "passed", home


def test_all_six_packages_and_their_data_are_installed(installed, plain, sources):
    code = f"import {', '.join(PACKAGES)}; print(*[p.__file__ for p in ({', '.join(PACKAGES)})], sep='\\n')"
    done = run(installed, plain, "python", "-P", "-c", code)
    assert done.returncode == 0, done.stderr
    homes = {Path(line).parent.parent for line in done.stdout.splitlines()}
    assert len(homes) == 1
    home = homes.pop()
    data = [file.relative_to(sources) for package in PACKAGES for file in (sources / package).rglob("*")
            if file.is_file() and "__pycache__" not in file.parts]
    assert len(data) > 50
    assert [str(file) for file in data if not (home / file).is_file()] == []
