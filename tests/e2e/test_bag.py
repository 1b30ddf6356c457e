"""The bag for the auditor: whole, valid, the same every time, found out when it was bent, and nothing personal in it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import bagit
import pytest
from command_line import CommandLine, in_process
from key_circle import countersign_all
from small_demo import loaded_demo
from targets import copy_workspace
from tiny_workspace import contact, edit, make_workspace, write_contacts

from casemodel import SystemFailure
from migrate.bag.payload import chunks_of, kept

BSN = "999993653"
NAME = "Kwikstaart-Pruisen"
STREET = "Zonnedauwpad 17"
TESTS = f"""mapping: kcc.contact
tests:
  - name: one
    given: {{NR: "1", KANAAL: TEL, ONDERWERP: x, VRAAG: "{STREET}", NAAM: "{NAME}", WANNEER: "2014-05-06 09:30", MEDEW: ""}}
    expect: {{contact_name: "{NAME}"}}
"""


@pytest.fixture(scope="module")
def reconciled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace with a person in every place where one can hide; loaded, one row rejected, reconciled."""
    folder = make_workspace(tmp_path_factory.mktemp("bag") / "w", contacts=3)
    write_contacts(
        folder,
        [contact(1, NAAM=NAME, VRAAG=f"{STREET}, {BSN}"), contact(2), contact(3, MEDEW="nobody", NAAM=NAME, VRAAG=BSN)],
    )
    edit(folder / "mappings/kcc.contact.yml", "{from: NAAM}", "{from: NAAM, codes: namen.csv, unknown: keep}")
    (folder / "codes/namen.csv").write_text(f"from,to,note\n{NAME},{NAME},\nNiemand,Niemand-{NAME},\n")
    edit(folder / "codes/kanaal.csv", "BALIE,balie,", f"BALIE,balie,volgens {NAME}")
    # Another name of the same folder: what lies in it is source data all the same.
    edit(folder / "workspace.yml", "folder: codes/seed", "folder: mappings/../codes/seed")
    (folder / "mappings/tests").mkdir()
    (folder / "mappings/tests/kcc.contact.yml").write_text(TESTS)
    (folder / "runbooks").mkdir()
    (folder / "runbooks/bel.md").write_text(f"# Bellen\n\nBij twijfel: {BSN}\n")
    (folder / "keys").mkdir()
    (folder / "keys/namespace").write_text("not a key, and secret")
    (folder / "reports").mkdir()
    (folder / "reports/mine.csv").write_text(f"{NAME};{BSN}\n")
    for verb in (("db", "upgrade"), ("run",), ("reconcile", "--report", "html,json,xlsx,txt")):
        found = in_process("-C", folder, *verb)
        assert found.status in (0, 3), found.err
    return folder


@pytest.fixture
def workspace(reconciled: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return copy_workspace(reconciled, tmp_path / "w")


@pytest.fixture(scope="module")
def bag(reconciled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bag of it that nobody may change."""
    place = tmp_path_factory.mktemp("made") / "bag"
    found = in_process("-C", reconciled, "evidence", "export", place)
    assert found.status in (0, 3), found.err
    return place


def texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a folder, and every part of its workbooks."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file.read_bytes()
            if file.suffix == ".xlsx":
                with zipfile.ZipFile(file) as book:
                    yield from ((f"{file.name}/{name}", book.read(name)) for name in book.namelist())


def left_out(folder: Path) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO((folder / "data/left_out.csv").read_text()))
    return {row["file"]: row["reason"] for row in rows}


def test_it_is_a_valid_bag_with_all_that_an_auditor_needs(bag: Path, reconciled: Path) -> None:
    bagit.Bag(str(bag)).validate()
    assert (bag / "bagit.txt").read_text().startswith("BagIt-Version: 1.0\n")
    info = bagit.Bag(str(bag)).info
    assert info["Source-Organization"] == "gemeente"
    assert info["Payload-Oxum"].partition(".")[2] == str(sum(each.is_file() for each in (bag / "data").rglob("*")))
    there = {name for name, _content in texts(bag / "data")}
    assert {
        "README.nl.md", "README.en.md", "declaration.nl.html", "declaration.en.html", "declaration.json", "waivers.json",
        "verdicts.json", "sbom.cdx.json", "workspace.yml", "mappings/kcc.contact.yml", "codes/kanaal.csv",
        "coverage/coverage.json", "coverage/coverage.xlsx", "coverage/coverage.nl.html", "evidence/target.jsonl",
        "schemas/declaration.schema.json", "schemas/reconcile.schema.json",
    } <= there  # fmt: skip
    assert {Path(name).suffix for name in there if name.startswith("reports/")} == {".html", ".json", ".txt", ".xlsx"}
    for name in ("mappings/kcc.contact.yml", "workspace.yml"):
        assert (bag / "data" / name).read_bytes() == (reconciled / name).read_bytes()
    said = json.loads((bag / "data/declaration.json").read_text())
    for each in said["mappings"]:
        content = (bag / f"data/mappings/{each['mapping']}.yml").read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["digest"]
    assert said["evidence"]["entries"] == len((bag / "data/evidence/target.jsonl").read_text().splitlines())
    assert {file.stat().st_mode & 0o077 for file in bag.rglob("*")} == {0}


def test_nobody_is_in_it(bag: Path) -> None:
    for name, content in texts(bag):
        for personal in (BSN, NAME, STREET, "A. Jansen", "Medewerker 1"):
            assert personal.encode() not in content, (name, personal)
    reasons = left_out(bag)
    assert reasons["codes/namen.csv"] == "lists values of personal columns"
    assert reasons["codes/kanaal.csv: column note"].startswith("free text")
    assert reasons["codes/seed/channel.csv"] == "source data"
    assert reasons["mappings/tests/kcc.contact.yml"].startswith("examples")
    assert reasons["runbooks/bel.md"] == "line 3 may hold a citizen service number"
    assert reasons["reports/mine.csv"].startswith("not a report")
    assert reasons["keys/namespace"].startswith("not a kind")
    there = {name for name, _content in texts(bag / "data")}
    assert not [name for name in there if name.endswith((".db", ".pem")) or "systems/" in name]


def test_nobody_of_the_demo_is_in_it(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    folder = copy_workspace(loaded_demo(tmp_path_factory), tmp_path / "w")
    assert in_process("-C", folder, "reconcile", "--level", "keys,fields", "--report", "json,html").status in (0, 3)
    assert in_process("-C", folder, "evidence", "export", tmp_path / "bag").status in (0, 3)
    personal: set[str] = set()
    columns = {
        "zaak.db": {"ZKN_PERSOON": "BSN EMAIL TEL1", "ZKN_BETROK": "NAAM", "ZKN_MEDEW": "EMAIL", "ZKN_BEDRIJF": "EMAIL"},
        "balie.db": {"BLS_KLANT": "SOFINR NAAM EMAIL MOBIEL", "BLS_BON": "MEDNAAM", "BLS_MEDEW": "NAAM"},
    }
    for file, relations in columns.items():
        with closing(sqlite3.connect(folder / "systems" / file)) as source:
            for relation, names in relations.items():
                for name in names.split():
                    found = source.execute(f"SELECT DISTINCT {name} FROM {relation} WHERE LENGTH({name}) >= 8")
                    personal |= {str(value).strip() for (value,) in found}
    personal = {each for each in personal if len(each) >= 8}
    assert len(personal) > 200
    whole = b"\n".join(content for _name, content in texts(tmp_path / "bag"))
    assert [each for each in personal if each.encode() in whole] == []


def test_the_same_content_makes_the_same_bag(reconciled: Path, tmp_path: Path) -> None:
    made = []
    for number in (1, 2):
        folder = copy_workspace(reconciled, tmp_path / f"w{number}")
        assert in_process("-C", folder, "evidence", "export", tmp_path / f"b{number}.zip").status in (0, 3)
        with zipfile.ZipFile(tmp_path / f"b{number}.zip") as packed:
            packed.extractall(tmp_path / f"x{number}")
        bagit.Bag(str(tmp_path / f"x{number}/b{number}")).validate()
        made.append((tmp_path / f"x{number}/b{number}/manifest-sha256.txt").read_text())
    assert made[0] == made[1]


@pytest.mark.parametrize("how", ["changed", "removed", "added", "manifest changed", "info changed", "swapped"])
def test_a_bag_that_was_bent_does_not_validate(bag: Path, tmp_path: Path, how: str) -> None:
    bent = tmp_path / "bag"
    shutil.copytree(bag, bent)
    report = next((bent / "data/reports").glob("*.json"))
    if how == "changed":
        report.write_text(report.read_text().replace('"findings"', '"in_balance"', 1) + " ")
    elif how == "removed":
        report.unlink()
    elif how == "added":
        (bent / "data/mappings/more.yml").write_text("mapping: more\n")
    elif how == "swapped":
        first, second = bent / "data/mappings/seed.channel.yml", bent / "data/mappings/oud.actor.yml"
        content = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(content)
    else:
        file = bent / ("manifest-sha256.txt" if how == "manifest changed" else "bag-info.txt")
        file.write_text(file.read_text().replace("e", "f", 1))
    with pytest.raises(bagit.BagError):
        bagit.Bag(str(bent)).validate()


def refused(workspace: Path, place: Path) -> tuple[int, str]:
    found = in_process("-C", workspace, "--format", "json", "evidence", "export", place)
    return found.status, found.document["code"]


def test_it_never_writes_over_or_through_anything(workspace: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "kept").write_text("as it was")
    (tmp_path / "link").symlink_to(there)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file.zip").write_text("as it was")
    for place in (there, tmp_path / "link", tmp_path / "gone", tmp_path / "file.zip"):
        assert refused(workspace, place) == (6, "BAG-001"), place
    assert refused(workspace, tmp_path / "link/bag") == (6, "BAG-002")
    (tmp_path / "file").write_text("")
    assert refused(workspace, tmp_path / "file/bag") == (5, "BAG-003")
    assert [each.name for each in there.iterdir()] == ["kept"]
    assert not [each.name for each in tmp_path.iterdir() if each.name.startswith(".")]


def test_links_are_not_followed_and_a_mapping_behind_one_refuses_the_bag(workspace: Path, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere.md"
    secret.write_text("not of the workspace")
    (workspace / "runbooks/link.md").symlink_to(secret)
    (workspace / "checks").symlink_to(tmp_path)
    assert in_process("-C", workspace, "evidence", "export", tmp_path / "bag").status in (0, 3)
    assert {left_out(tmp_path / "bag")[name] for name in ("runbooks/link.md", "checks")} == {"a symbolic link is not followed"}
    assert all(b"not of the workspace" not in content for _name, content in texts(tmp_path / "bag"))

    mapping = workspace / "mappings/seed.channel.yml"
    mapping.rename(tmp_path / "moved.yml")
    mapping.symlink_to(tmp_path / "moved.yml")
    assert refused(workspace, tmp_path / "again") == (4, "BAG-004")
    mapping.unlink()
    mapping.write_text((tmp_path / "moved.yml").read_text() + f"# bel {BSN}\n")
    assert refused(workspace, tmp_path / "again") == (4, "BAG-004")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("secret", ["-----BEGIN PRIVATE KEY-----", "postgresql://me:hunter22@db/x", "hunter22-and-more"])
def test_a_secret_refuses_the_bag(workspace: Path, tmp_path: Path, secret: str) -> None:
    (workspace / "runbooks/how.md").write_text(f"# How\n\n{secret}\n")
    found = in_process(
        "-C", workspace, "--format", "json", "evidence", "export", tmp_path / "bag",
        env={"OMNICASE_OUD_PASSWORD": "hunter22-and-more"},
    )  # fmt: skip
    assert (found.status, found.document["code"], found.document["where"]) == (6, "BAG-005", "runbooks/how.md")
    assert "hunter22" not in found.out + found.err
    assert not (tmp_path / "bag").exists()


def test_what_an_auditor_expects_and_does_not_find_is_a_finding(workspace: Path, tmp_path: Path) -> None:
    report = next((workspace / "reports").glob("aansluiting-*.json"))
    report.write_text(report.read_text() + " ")
    next((workspace / "reports").glob("aansluiting-*.html")).unlink()
    shutil.rmtree(workspace / "systems")
    found = in_process("-C", workspace, "--format", "json", "evidence", "export", tmp_path / "bag")
    assert found.status == 3
    missing = {Path(each).suffix or each for each in found.document["missing"]}
    assert {".json", ".html", "coverage/"} <= missing
    assert left_out(tmp_path / "bag")[f"reports/{report.name}"] == "not what the ledger says it was"
    bagit.Bag(str(tmp_path / "bag")).validate()


def test_an_auditor_checks_chain_and_approvals_with_what_is_in_the_bag(reconciled: Path, tmp_path: Path) -> None:
    folder = copy_workspace(reconciled, tmp_path / "w")
    env = {"OMNICASE_KEYS": str(tmp_path / "private"), "OMNICASE_PASSPHRASE": "een lange zin voor sleutels"}

    def answer(*words: str, status: int = 0) -> Any:
        found = in_process("-C", folder, "--format", "json", *words, env=env)
        assert found.status == status, found.out + found.err
        return found.document

    answer("key", "new", "--person", "an", "--role", "administrator")
    answer("key", "new", "--person", "bea", "--role", "owner")
    countersign_all(lambda *words: in_process("-C", folder, *words, env=env))
    with closing(sqlite3.connect(folder / "target.db")) as target, target:
        target.execute("UPDATE customer_contact SET subject = 'anders' WHERE contact_number = '2'")
    (group,) = answer("reconcile", "--level", "fields", status=3)["groups"]
    propose = ("waiver", "propose", "--group", group["id"], "--until", "2099-12-31", "--reason", "met de hand hersteld")
    answer(*propose, "--by", "an")
    answer("waiver", "approve", "1", "--by", "bea")
    answer("evidence", "export", str(tmp_path / "bag"))

    data = tmp_path / "bag/data"
    there = json.loads((data / "waivers.json").read_text())["waivers"][0]
    assert (there["proposed_by"], there["approved_by"], len(there["signed"])) == ("an", "bea", 2)
    assert "met de hand hersteld" in (data / "declaration.nl.html").read_text()

    def run(script: str, *arguments: object) -> tuple[int, str]:
        words = [sys.executable, str(data / script), *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
        return done.returncode, done.stdout + done.stderr

    status, told = run("verify_evidence.py", data / "evidence/target.jsonl", data / "keys")
    assert (status, json.loads(told)["valid"]) == (0, True)
    assert json.loads(told)["head"] == json.loads((data / "declaration.json").read_text())["evidence"]["head"]
    check = ("check_waivers.py", data / "waivers.json", data / "keys")
    assert run(*check) == (0, "waiver 1, an and bea: signed by both\n")

    whole = (data / "waivers.json").read_text()
    for old, new, why in (
        ('"max": 1', '"max": 9', "signature does not hold"),
        ('"approved_by": "bea"', '"approved_by": "an"', "approved by who proposed it"),
        ('\n   "max": 1', '\n   "max": 9', "max is not what was signed"),
        ('"until": "2099-12-31"', '"until": "2099-12-30"', "signature does not hold"),
    ):
        assert old in whole, old
        (data / "waivers.json").write_text(whole.replace(old, new))
        status, told = run(*check)
        assert (status, why in told) == (8, True), (old, told)
    (data / "waivers.json").write_text(whole)
    next((data / "keys").glob("bea-*")).unlink()
    assert run(*check) == (8, "waiver 1, an and bea: unknown key\n")


BIG = 300_000_000
_PEAK = """
import resource, sys
from migrate.cli import main
status = main(sys.argv[1:])
print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_a_bag_larger_than_memory_is_copied_as_a_stream(workspace: Path, tmp_path: Path) -> None:
    """300 MB of output of a runbook: less memory is taken than a third of it, besides what the program itself takes."""
    log = workspace / "reports/runbooks/overgang-1/load.log"
    log.parent.mkdir(parents=True)

    def peak(place: str) -> int:
        command = [sys.executable, "-P", "-c", _PEAK, "-C", str(workspace), "evidence", "export", str(tmp_path / place)]
        done = subprocess.run(command, env=CommandLine.environment(), capture_output=True, text=True, check=True)
        status, megabytes = done.stdout.split()[-2:]
        assert status in ("0", "3"), done.stdout + done.stderr
        return int(megabytes)

    small = peak("small")
    with log.open("wb") as stream:
        stream.truncate(BIG)
    assert peak("large.zip") - small < 100
    with zipfile.ZipFile(tmp_path / "large.zip") as packed:
        assert packed.getinfo("large/data/reports/runbooks/overgang-1/load.log").file_size == BIG
    # On the border of two parts that are read one after the other.
    with log.open("r+b") as stream:
        stream.seek((1 << 20) - 10)
        stream.write(b"postgresql://user:geheim@db/x ")
        stream.truncate(3 << 20)
    found = in_process("-C", workspace, "--format", "json", "evidence", "export", tmp_path / "leaky")
    assert (found.status, found.document["code"], found.document["where"]) == (6, "BAG-005", "reports/runbooks/overgang-1/load.log")
    assert [each.name for each in tmp_path.iterdir() if "leaky" in each.name] == [], "nothing is left behind"


def test_a_file_that_changes_while_the_bag_is_made_refuses_it(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_bytes(b"as it was looked at\n")
    there = kept(file)
    assert there is not None and b"".join(chunks_of(there)) == b"as it was looked at\n"
    with file.open("ab") as more:
        more.write(b"what is added meanwhile is not in the bag\n")
    assert b"".join(chunks_of(there)) == b"as it was looked at\n"
    for content in (b"as it was looked up\n", b"cut"):
        file.write_bytes(content)
        with pytest.raises(SystemFailure) as refused:
            list(chunks_of(there))
        assert refused.value.code == "BAG-007"


def test_the_bill_of_a_source_tree_is_not_that_of_an_old_installation(tmp_path: Path) -> None:
    old = tmp_path / "omnicase-0.0.1.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: omnicase\nVersion: 0.0.1\nRequires-Dist: pip\n")
    code = "import json; from migrate.bag import bill_of_materials as made; print(json.dumps(made()))"
    environment = CommandLine.environment()
    environment["PYTHONPATH"] = f"{tmp_path}:{environment['PYTHONPATH']}"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    bill = json.loads(done.stdout)
    names = {each["name"] for each in bill["components"]}
    assert {"polars", "cryptography"} <= names and "pip" not in names
    told = {each["name"]: each["value"] for each in bill["metadata"]["properties"]}
    assert "0.0.1" in told["omnicase:installation"]
