"""Every folder of cases_bad/runbooks: exactly these findings, on exactly these lines; and the shipped runbooks have none.

``expected.txt`` holds a line per finding: the line of the runbook, the code, and words of the message.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from command_line import ROOT, in_process
from tiny_workspace import make_workspace

from runbooks import LINT_CODES, shipped_runbooks

CASES = sorted(path.parent for path in (ROOT / "tests/cases_bad/runbooks").glob("*/runbook.md"))
SETTINGS = """\
workspace: bad
namespace: {public: test}
target: {url: "sqlite:///target.db"}
systems: {old: {kind: sqlite, path: old.db}}
environments: {live: {production: "true"}}
waves:
  parking: {where: {old.party: "KIND = 'a'"}}
  rest: {where: {old.party: "KIND = 'b'"}}
"""


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict]]:
    """The findings of all cases, of one invocation: each runbook has a name of its own."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "workspace.yml").write_text(SETTINGS)
    for case in CASES:
        (folder / "runbooks" / case.name).mkdir(parents=True)
        data = (case / "runbook.md").read_bytes()
        name = f"runbook: {case.name.replace('_', '-')[:40]}".encode()
        (folder / "runbooks" / case.name / "runbook.md").write_bytes(data.replace(b"runbook: bad\n", name + b"\n"))
    answer = in_process("-C", folder, "--format", "json", "runbook", "lint")
    assert answer.status == 4
    schema = json.loads((ROOT / "migrate/documents/runbook-lint.schema.json").read_text())
    jsonschema.validate(answer.document, schema, cls=jsonschema.Draft202012Validator)
    found: dict[str, list[dict]] = {case.name: [] for case in CASES}
    for each in answer.document["findings"]:
        found[each["file"].split("/")[1]].append(each)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_findings_are_exactly_these(case: Path, linted: dict[str, list[dict]]):
    wanted = [line.split(" ", 2) for line in (case / "expected.txt").read_text().splitlines()]
    found = linted[case.name]
    assert sorted((each["line"], each["code"]) for each in found) == sorted((int(line), code) for line, code, *_ in wanted)
    for line, code, *words in wanted:
        messages = [each["message"] for each in found if (each["line"], each["code"]) == (int(line), code)]
        assert any("".join(words) in message for message in messages), messages


def test_every_code_has_a_case():
    told = {line.split()[1] for case in CASES for line in (case / "expected.txt").read_text().splitlines()}
    assert set(LINT_CODES) - told == {"RBK-105"}, "RBK-105 is about two runbooks: it is tested below"


def workspace(folder: Path, text: str = SETTINGS) -> Path:
    (folder / "runbooks").mkdir()
    (folder / "workspace.yml").write_text(text)
    return folder


@pytest.mark.parametrize("waves", [True, False], ids=["with waves", "without waves"])
def test_the_shipped_runbooks_are_clean(tmp_path: Path, waves: bool):
    folder = workspace(tmp_path, SETTINGS if waves else SETTINGS.partition("waves:")[0])
    for name, text in shipped_runbooks().items():
        (folder / "runbooks" / name).parent.mkdir(exist_ok=True)
        (folder / "runbooks" / name).write_text(text)
    answer = in_process("-C", folder, "--format", "json", "runbook", "lint")
    assert answer.status == 0
    assert {each["code"] for each in answer.document["findings"]} == {"RBK-121"}
    assert len(answer.document["runbooks"]) == 12
    for name, text in shipped_runbooks().items():
        persons = text.replace("engineer: []", "engineer: [m]").replace("administrator: []", "administrator: [f, g]")
        persons = persons.replace("owner: []", "owner: [p]").replace("archivist: []", "archivist: [a]")
        (folder / "runbooks" / name).write_text(persons)
    answer = in_process("-C", folder, "runbook", "lint", "--lang", "en")
    assert (answer.status, answer.out) == (0, "Runbooks: 12. Nothing wrong.\n")


def test_the_two_languages_have_the_same_steps():
    """Somebody who reads the Dutch one does what the English one says."""
    from runbooks.parse import parse_runbook

    pairs = {"cutover": "overgang", "incident": "storing", "key-ceremony": "sleutelceremonie", "rehearsal": "proefmigratie",
             "retirement": "uitfasering", "rollback": "terugdraaien"}  # fmt: skip
    texts = shipped_runbooks()
    assert len(texts) == 2 * len(pairs)
    for english, dutch in pairs.items():
        one, other = (parse_runbook(texts[name].encode(), name).runbook for name in (f"en/{english}.md", f"nl/{dutch}.md"))
        for mine, theirs in zip(one.steps, other.steps, strict=True):
            facts = ("kind", "id", "owner", "timeout", "expect", "rollback", "approvals", "roles")
            assert [getattr(mine, name) for name in facts] == [getattr(theirs, name) for name in facts]
            assert [text.split()[:3] for _, text in mine.commands] == [text.split()[:3] for _, text in theirs.commands]
            assert mine.kind != "gate" or mine.text == theirs.text


def test_two_runbooks_of_one_name_and_a_link_instead_of_a_file(tmp_path: Path):
    folder = workspace(tmp_path)
    text = shipped_runbooks()["en/key-ceremony.md"]
    for name in ("one.md", "two.md"):
        (folder / "runbooks" / name).write_text(text)
    answer = in_process("-C", folder, "--format", "json", "runbook", "lint", "key-ceremony")
    assert answer.status == 0
    answer = in_process("-C", folder, "--format", "json", "runbook", "lint")
    assert ("RBK-105", "runbooks/two.md", 2) in [(e["code"], e["file"], e["line"]) for e in answer.document["findings"]]
    (folder / "runbooks/three.md").mkdir()
    answer = in_process("-C", folder, "--format", "json", "runbook", "lint")
    assert (answer.status, answer.document["code"]) == (4, "RBK-001")


def test_a_runbook_with_errors_does_not_run(tmp_path: Path):
    folder = workspace(tmp_path)
    (folder / "runbooks/bad.md").write_text((ROOT / "tests/cases_bad/runbooks/no_way_back/runbook.md").read_text())
    answer = in_process("-C", folder, "--format", "json", "runbook", "run", "bad")
    assert (answer.status, answer.document["code"], answer.document["where"]) == (4, "RBK-132", "runbooks/bad.md:15")
    assert not (folder / "reports").exists()


def test_findings_are_sarif_too(tmp_path: Path):
    make_workspace(tmp_path / "w")
    (tmp_path / "w/runbooks").mkdir(exist_ok=True)
    (tmp_path / "w/runbooks/bad.md").write_text("---\nrunbook: bad\ntitle: Bad\nversion: 1\nroles: {engineer: []}\n---\n```console id=x owner=nobody\nomnicase run\n```\n")
    found = in_process("-C", tmp_path / "w", "--format", "json", "runbook", "lint", "--sarif", tmp_path / "lint.sarif")
    assert found.status == 4
    (run,) = json.loads((tmp_path / "lint.sarif").read_text())["runs"]
    told = [(each["ruleId"], each["locations"][0]["physicalLocation"]["region"]["startLine"], each["level"]) for each in run["results"]]
    assert told == [(each["code"], each["line"], each["severity"]) for each in found.document["findings"]]
    assert {each["ruleId"] for each in run["results"]} <= {each["id"] for each in run["tool"]["driver"]["rules"]}
