"""The connector that the documentation shows is installed as it says, found by its entry point, and loads records."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT, CommandLine
from targets import upgrade

PAGE = (ROOT / "docs/connectors/your_own.md").read_text()
WORKSPACE = """
workspace: supplied
namespace: {public: test}
target: {url: "sqlite:///target.db"}
run: {batch_rows: 2}
"""
MAPPING = """
mapping: loket.actor
owner: test
target: actor
source: {relation: BEZOEK, key: [nummer]}
fields:
  actor_type: {const: medewerker}
  name: {from: naam}
  is_active: {const: "true", boolean: {true: ["true"], false: ["false"]}}
unfilled: [{columns: [employee_code, email, phone, job_title, unit_id], reason: not in the old system}]
ignore: [{columns: [balie], reason: unused}]
"""


def block(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[0]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pip installed the connector of the page."""
    project, site = tmp_path_factory.mktemp("loket"), tmp_path_factory.mktemp("site")
    (project / "loket_connector.py").write_text(block("python"))
    (project / "pyproject.toml").write_text(block("toml"))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-t", site]
    subprocess.run([*pip, project], check=True, capture_output=True)
    return site


def test_it_is_short() -> None:
    assert len(block("python").splitlines()) <= 70
    assert sum(bool(line.strip()) for line in block("python").splitlines()) <= 60


def test_it_loads_records(installed: Path, omnicase: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export/BEZOEK_1.txt").write_bytes(
        b"nummer=1|naam=Zo\xeb|balie=A\nnummer=2|naam=P. Bos|balie=B\nkapot 999993653\nnummer=3|naam=J. Vos|balie=A"
    )
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/loket.actor.yml").write_text(MAPPING)
    (tmp_path / "workspace.yml").write_text(WORKSPACE + block("yaml"))
    upgrade(tmp_path)
    environment = {"PYTHONPATH": f"{ROOT}:{installed}"}
    answer = omnicase.spawn("-C", tmp_path, "--format", "json", "run", env=environment)
    assert answer.status == 3, answer.err
    (books,) = answer.document["mappings"]
    assert (books["read"], books["inserted"], books["rejected"]) == (4, 3, 1)
    assert "999993653" not in answer.out + answer.err
    shown = omnicase.spawn("-C", tmp_path, "rejects", "list", env=environment)
    assert "row 1:3" in shown.out and "record-unparsable" in shown.out
    again = omnicase.spawn("-C", tmp_path, "--format", "json", "run", env=environment)
    assert again.document["mappings"][0]["unchanged"] == 3
    lossy = (installed / "loket_connector.py").read_text().replace("frame.filter(good)", "frame.filter(good).head(1)")
    (tmp_path / "loket_connector.py").write_text(lossy)
    lost = omnicase.spawn("-C", tmp_path, "run", "--full", env={"PYTHONPATH": f"{ROOT}:{tmp_path}:{installed}"})
    assert lost.status == 1 and "BUG-020" in lost.err, "a connector that loses a record is stopped"
    refused = omnicase.spawn("-C", tmp_path, "run", env={"PYTHONPATH": str(ROOT)})
    assert refused.status == 4 and "CON-001" in refused.err
