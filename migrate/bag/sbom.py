"""The software bill of materials: what was installed and could run, as CycloneDX 1.6 JSON, from what pip wrote down."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import platform
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final

import migrate
from migrate import __version__

_SOURCE: Final = Path(migrate.__file__).resolve().parents[1]
_NAMESPACE: Final = uuid.UUID("5f2f1f0e-5d5c-5c5e-9d55-6f6d6e696361")
_NAME: Final = re.compile(r"[-_.]+")
_REQUIREMENT: Final = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_OF_EXTRA: Final = re.compile(r"""extra\s*==\s*["']([A-Za-z0-9._-]+)["']""")
_NOT_RUN: Final = frozenset({"benchmarks", "browser", "dev"})
"""Extras of omnicase for those who develop it."""
_SPDX: Final = re.compile(r"^[A-Za-z0-9.+() -]{1,200}$")


def bill_of_materials() -> dict[str, Any]:
    """Return the document: every installed distribution that omnicase needs, directly or not, sorted by name.

    The same installation gives the same document: it holds no time, and its serial number is made from its content.
    """
    installed = _installed()
    wanted, lacking = _needed(installed)
    components = [_component(found) for found in wanted]
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": f"pkg:pypi/omnicase@{__version__}",
                "name": "omnicase",
                "version": __version__,
                "licenses": [{"license": {"id": "EUPL-1.2"}}],
                "purl": f"pkg:pypi/omnicase@{__version__}",
            },
            "properties": [
                {"name": "python:implementation", "value": platform.python_implementation()},
                {"name": "python:version", "value": platform.python_version()},
                {"name": "os:system", "value": platform.system()},
                {"name": "os:machine", "value": platform.machine()},
                *_warnings(installed.get("omnicase"), lacking),
            ],
        },
        "components": components,
    }
    content = json.dumps(document, sort_keys=True)
    return {**document, "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, content)}"}


def _installed() -> dict[str, Distribution]:
    """Return the distributions by name; of several of one name the one that Python imports, the first on the path."""
    found: dict[str, Distribution] = {}
    for each in distributions():
        if each.name:
            found.setdefault(_canonical(each.name), each)
    return found


def _needed(installed: Mapping[str, Distribution]) -> tuple[list[Distribution], list[str]]:
    """Return what omnicase requires, with its extras where they are installed, and what those require in turn.

    What it requires by itself and is not installed is named beside.
    """
    own = _source_requirements() or (installed["omnicase"].requires if "omnicase" in installed else None) or []
    extras = frozenset(_OF_EXTRA.findall("\n".join(own))) - _NOT_RUN
    to_do, seen = [("omnicase", extras)], set()
    while to_do:
        wanted = to_do.pop()
        if wanted in seen or (wanted[0] not in installed and wanted[0] != "omnicase"):
            continue
        seen.add(wanted)
        lines = own if wanted[0] == "omnicase" else installed[wanted[0]].requires or []
        to_do += _requires(lines, wanted[1])
    lacking = sorted({name for name, _extras in _requires(own, frozenset())} - installed.keys() - {"omnicase"})
    return [installed[name] for name in sorted({name for name, _extras in seen} - {"omnicase"})], lacking


def _source_requirements() -> list[str] | None:
    """Return what the source tree requires that this program runs from; None: it was installed from a wheel.

    What an editable installation wrote down is as old as the installation.
    """
    settings = _SOURCE / "setup.cfg"
    read = ConfigParser()
    try:
        read.read_string(settings.read_text(encoding="utf-8"))
    except (OSError, ConfigParserError, UnicodeDecodeError):
        return None
    if read.get("metadata", "name", fallback="") != "omnicase":
        return None
    lines = _lines(read.get("options", "install_requires", fallback=""))
    for extra, text in read.items("options.extras_require") if read.has_section("options.extras_require") else ():
        lines += [f'{line}; extra == "{_canonical(extra)}"' for line in _lines(text)]
    return lines


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def _warnings(own: Distribution | None, lacking: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield what an auditor must know of how the program was installed."""
    if _source_requirements() is not None:
        told = f"it runs from a source tree, version {__version__}"
        if own is not None and own.version != __version__:
            told += f"; the installation was of version {own.version}"
        yield {"name": "omnicase:installation", "value": told}
    if lacking:
        yield {"name": "omnicase:not-installed", "value": ", ".join(lacking)}


def _requires(lines: Sequence[str], extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for line in lines:
        match, condition = _REQUIREMENT.match(line), _OF_EXTRA.search(line)
        if match and (condition is None or _canonical(condition.group(1)) in extras):
            asked = frozenset(_canonical(each.strip()) for each in (match.group(2) or "").split(",") if each.strip())
            yield _canonical(match.group(1)), asked


def _canonical(name: str) -> str:
    return _NAME.sub("-", name).lower()


def _component(found: Distribution) -> dict[str, Any]:
    name, version = _canonical(found.name), found.version
    purl = f"pkg:pypi/{name}@{version}"
    made: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    licence = _licence(found)
    if licence:
        made["licenses"] = licence
    digest = _record_digest(found)
    if digest:
        made["properties"] = [{"name": "python:record-files-sha256", "value": digest}]
    if _is_editable(found):
        told = {"name": "python:editable", "value": "what was installed is a source tree that may have changed since"}
        made.setdefault("properties", []).append(told)
    return made


def _is_editable(found: Distribution) -> bool:
    try:
        told = json.loads(found.read_text("direct_url.json") or "{}")
        return bool(told.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return False


def _licence(found: Distribution) -> list[dict[str, Any]]:
    """Return the licence as its author gives it: an SPDX expression, else a name."""
    told = found.metadata
    expression = (told.get_all("License-Expression") or [""])[0]
    if _SPDX.fullmatch(expression):
        return [{"expression": expression}]
    short = (told.get_all("License") or [""])[0].strip()
    if short and "\n" not in short and len(short) <= 100:
        return [{"license": {"name": short}}]
    classified = [
        each.rpartition(" :: ")[2] for each in told.get_all("Classifier") or () if each.startswith("License ::")
    ]
    return [{"license": {"name": each}} for each in sorted(set(classified)) if each != "OSI Approved"]


def _record_digest(found: Distribution) -> str | None:
    """Return one SHA-256 over the files that RECORD lists with theirs, the same on every machine; None: it lists none.

    Files that the installation itself makes (compiled code, scripts, its own notes) have no digest or another one
    elsewhere.
    """
    sums = []
    for file in found.files or ():
        own = file.parts and file.parts[0].endswith(".dist-info") and file.name not in ("METADATA", "WHEEL")
        if file.hash is None or file.hash.mode != "sha256" or own or ".." in file.parts:
            continue
        try:
            content = base64.urlsafe_b64decode(file.hash.value + "=" * (-len(file.hash.value) % 4)).hex()
        except (ValueError, binascii.Error):
            continue
        sums.append(f"{content}  {file.as_posix()}\n")
    return hashlib.sha256("".join(sorted(sums)).encode()).hexdigest() if sums else None
