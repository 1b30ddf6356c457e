"""Questions about the program and the machine it runs on."""

from __future__ import annotations

import os
import re
import resource
import shutil
import sqlite3
import sys
import zoneinfo
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from migrate.doctor.diagnosis import Diagnosis, failed, finding, passed

PACKAGES = ("casemodel", "connectors", "mappings", "migrate", "reconciliation", "runbooks")
DISTRIBUTION = "omnicase"
# Below these a batch of the default size may not fit.
LEAST_MEMORY = 512 * 2**20
LEAST_DISK = 2**30
LEAST_FILES = 256
LEAST_SQLITE = (3, 38)
"""UPSERT, RETURNING, STRICT-free JSON and unixepoch are all there from 3.38 on."""


def packages() -> Iterator[Diagnosis]:
    """Ask whether our six packages come from one place: a folder of the same name may stand before one of them."""
    homes = {}
    for name in PACKAGES:
        file = import_module(name).__file__
        homes[name] = Path(file).resolve().parent.parent if file else None
    home = homes["migrate"]
    strangers = [name for name, where in homes.items() if where != home]
    if strangers:
        yield failed("packages", "DOC-001", f"{', '.join(strangers)} does not come from the place of the program",
                     "Start omnicase from another folder, or unset PYTHONPATH.", str(homes[strangers[0]]))
    else:
        yield passed("packages", "all six packages come from one place", str(home))


def versions() -> Iterator[Diagnosis]:
    """Ask whether Python, SQLite and the libraries are of versions that the program is made for."""
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        yield failed("versions", "DOC-002", f"SQLite {sqlite3.sqlite_version} is too old",
                     f"Use a Python with SQLite {'.'.join(map(str, LEAST_SQLITE))} or later.")
    try:
        wanted = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        yield finding("versions", "DOC-003", "the program is not installed, its libraries cannot be compared",
                      "Install it: `pipx install omnicase`, or `make demo` in a clone.")
        return
    wrong = [text for text in (_misfit(line) for line in wanted if "extra ==" not in line) if text]
    if wrong:
        yield finding("versions", "DOC-004", f"libraries are not as required: {', '.join(wrong)}",
                      "Install omnicase in an environment of its own.")
    else:
        yield passed("versions", f"omnicase {version(DISTRIBUTION)}, Python {sys.version.split()[0]}, "
                                 f"SQLite {sqlite3.sqlite_version}, libraries as required")


def _misfit(requirement: str) -> str | None:
    """Return what is wrong with the installed version of a requirement such as ``polars<3,>=2.1``."""
    found = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?\s*(.*)", requirement.partition(";")[0].strip())
    if found is None:
        return None
    name, bounds = found.groups()
    try:
        have = version(name)
    except PackageNotFoundError:
        return f"{name} is missing"
    for operator, text in re.findall(r"(<|>=)\s*([\d.]+)", bounds):
        if (_numbers(have) < _numbers(text)) == (operator == ">="):
            return f"{name} {have} is not {operator}{text}"
    return None


def _numbers(text: str) -> tuple[int, ...]:
    parts = tuple(int(part) for part in re.findall(r"\d+", text)[:3])
    return (*parts, 0, 0, 0)[:3]


def limits(folder: Path) -> Iterator[Diagnosis]:
    """Ask whether memory, disk, open files and the time zone database leave room for a run."""
    short = []
    memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    ceiling = resource.getrlimit(resource.RLIMIT_AS)[0]
    if ceiling != resource.RLIM_INFINITY:
        memory = min(memory, ceiling)
    if memory < LEAST_MEMORY:
        short.append(f"{memory // 2**20} MB of memory")
    disk = shutil.disk_usage(folder if folder.is_dir() else Path.cwd()).free
    if disk < LEAST_DISK:
        short.append(f"{disk // 2**20} MB of disk")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < LEAST_FILES:
        short.append(f"{resource.getrlimit(resource.RLIMIT_NOFILE)[0]} open files")
    if resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
        short.append("a limit on the size of files")
    if short:
        yield finding("limits", "DOC-005", f"there is only little room: {', '.join(short)}",
                      "Free space or raise the limit (ulimit) before a run.", str(folder))
    else:
        yield passed("limits", f"{memory // 2**20:,} MB of memory and {disk // 2**20:,} MB of disk are free")
    try:
        zoneinfo.ZoneInfo("Europe/Amsterdam")
    except zoneinfo.ZoneInfoNotFoundError:
        yield failed("limits", "DOC-006", "the machine has no time zone database", "Install tzdata.")
