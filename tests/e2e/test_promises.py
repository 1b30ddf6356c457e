"""The promises of DESIGN.md section 4, each under its name, on the dirty demo."""

from __future__ import annotations

import random
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Answer, CommandLine, in_process
from made_once import made_once
from small_demo import fresh_demo, loaded_demo
from targets import assert_same_target, copy_workspace, file_states, model_rows, open_read_only

pytestmark = pytest.mark.no_cover  # traced line by line it takes a quarter longer

OUTCOMES = ("out_of_scope", "deferred", "late", "inserted", "updated", "unchanged", "rejected", "parked", "conflict", "merged")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo workspace, upgraded and not loaded; small batches so that there are many."""
    return fresh_demo(tmp_path_factory)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same workspace after one undisturbed run."""
    return loaded_demo(tmp_path_factory)


@pytest.fixture
def omnicase() -> Callable[..., Answer]:
    """The command line in this process; only what is killed needs a process of its own."""
    return in_process


KILLS = [("after-read", 3), ("after-map", 9), ("before-transaction", 17), ("after-records", 26), ("before-commit", 5),
         ("before-commit", 40), ("after-commit", 1), ("after-commit", 33), ("before-retry", 1), ("before-finish", 1)]


@pytest.mark.sample(1)
@pytest.mark.parametrize("failpoint", [f"{name}:{hit}" for name, hit in KILLS])
def test_promise_1_exactly_once(failpoint: str, fresh: Path, loaded: Path, tmp_path: Path) -> None:
    """Killed at a place and started again, a run ends in the same target and ledger as an undisturbed one."""
    omnicase, folder = CommandLine(), copy_workspace(fresh, tmp_path / "killed")
    killed = omnicase.spawn("-C", folder, "run", env={"OMNICASE_FAILPOINT": failpoint})
    assert killed.status == -9, f"{failpoint} was never reached: {killed.err}"
    again = omnicase("-C", folder, "--format", "json", "run")
    assert again.status == 3, again.err
    assert "was resumed" in again.err
    assert_same_target(folder / "target.db", loaded / "target.db")
    undisturbed = omnicase("-C", loaded, "--format", "json", "status").document
    assert again.document["mappings"] == undisturbed["mappings"], "the books of the resumed run differ"


@pytest.mark.sample(1)
@pytest.mark.parametrize("seed", range(10))
def test_promise_1_exactly_once_at_random_instants(seed: int, fresh: Path, loaded: Path, tmp_path: Path) -> None:
    """Killed with SIGKILL at random instants until it ends by itself, the target is that of an undisturbed run."""
    chance, folder = random.Random(seed), copy_workspace(fresh, tmp_path / "killed")
    kills = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "migrate", "-C", str(folder), "run"], env=CommandLine.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.8, 4.0))
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    last = CommandLine()("-C", folder, "run")
    assert last.status == 3, last.err
    assert_same_target(folder / "target.db", loaded / "target.db")


def test_promise_2_nothing_vanishes(loaded: Path, omnicase: Callable[..., Answer]) -> None:
    """For every mapping read is the sum of the outcomes, and the id map holds every key of the source."""
    document = omnicase("-C", loaded, "--format", "json", "status").document
    assert document["balanced"] is True
    assert len(document["mappings"]) >= 20
    for books in document["mappings"]:
        assert books["read"] == sum(books[name] for name in OUTCOMES), books["mapping"]
        assert set(books["gone"]) == {"kept", "closed", "removed", "held"}
    outcomes = {name: sum(books[name] for books in document["mappings"]) for name in OUTCOMES}
    assert all(outcomes[name] > 0 for name in ("out_of_scope", "inserted", "rejected", "merged")), outcomes
    zaak = sqlite3.connect(loaded / "systems/zaak.db")
    by_name = {books["mapping"]: books for books in document["mappings"]}
    for mapping, relation in (("zaak.case", "ZKN_ZAAK"), ("zaak.case_status", "ZKN_STATUS"), ("zaak.person", "ZKN_PERSOON")):
        assert by_name[mapping]["read"] == zaak.execute(f"SELECT COUNT(*) FROM {relation}").fetchone()[0]


def test_an_empty_text_is_nobodys_other_key(loaded: Path) -> None:
    """Cases without an old number have '' there: kept, it would be a key of them all, and a link by it ambiguous."""
    zaak, target = sqlite3.connect(loaded / "systems/zaak.db"), sqlite3.connect(loaded / "target.db")
    ask = "SELECT SUM(ZAAKID_OUD = ''), SUM(ZAAKID_OUD <> '') FROM ZKN_ZAAK"
    empty, filled = zaak.execute(ask).fetchone()
    kept = target.execute("SELECT COUNT(*), MIN(LENGTH(key)) FROM migration_other_key").fetchone()
    assert empty > 0
    assert (kept[0], kept[1] > 0) == (filled, True)


def test_promise_2_a_row_that_leaves_the_source_is_gone_and_kept(loaded: Path, tmp_path: Path, omnicase: Callable[..., Answer]) -> None:
    folder = copy_workspace(loaded, tmp_path / "gone")
    zaak = sqlite3.connect(folder / "systems/zaak.db")
    key = zaak.execute("SELECT MAX(KENMID) FROM ZKN_KENMERK").fetchone()[0]
    zaak.execute("DELETE FROM ZKN_KENMERK WHERE KENMID = ?", (key,))
    zaak.commit()
    zaak.close()
    before = model_rows(folder / "target.db")
    books, = omnicase("-C", folder, "--format", "json", "run", "zaak.case_property").document["mappings"]
    assert books["gone"]["kept"] == 1
    assert model_rows(folder / "target.db") == before
    # A second run does not count it again.
    books, = omnicase("-C", folder, "--format", "json", "run", "zaak.case_property").document["mappings"]
    assert books["gone"]["kept"] == 0


@pytest.mark.sample(1)
@pytest.mark.parametrize("batch_rows", [31, 5000])
def test_promise_3_same_input_same_output(batch_rows: int, fresh: Path, loaded: Path, tmp_path: Path, omnicase: Callable[..., Answer]) -> None:
    """Another batch size and another machine's folder give the same ids, rows and ledger."""
    folder = copy_workspace(fresh, tmp_path / "other")
    settings = folder / "workspace.yml"
    settings.write_text(settings.read_text().replace("batch_rows: 97", f"batch_rows: {batch_rows}"))
    assert omnicase("-C", folder, "run").status == 3
    assert_same_target(folder / "target.db", loaded / "target.db")


@pytest.mark.sample(1)
@pytest.mark.parametrize("part", range(8))
def test_promise_3_the_order_of_loading_does_not_matter(part: int, fresh: Path, loaded: Path, tmp_path: Path, omnicase: Callable[..., Answer]) -> None:
    """Every eighth mapping, children first, one by one, and then all: the same target in the end."""
    folder = copy_workspace(fresh, tmp_path / "order")
    order = omnicase("-C", folder, "--format", "json", "mapping", "check").document["order"]
    for name in order[::-1][part::8]:
        assert omnicase("-C", folder, "run", name).status in (0, 3)
    assert omnicase("-C", folder, "run").status == 3
    assert model_rows(folder / "target.db") == model_rows(loaded / "target.db")


def test_promise_3_another_namespace_is_refused(loaded: Path, tmp_path: Path, omnicase: Callable[..., Answer]) -> None:
    folder = copy_workspace(loaded, tmp_path / "namespace")
    settings = folder / "workspace.yml"
    settings.write_text(settings.read_text().replace("omnicase demo", "another demo"))
    answer = omnicase("-C", folder, "--format", "json", "run")
    assert (answer.status, answer.document["code"]) == (6, "LED-001")


def test_promise_4_r38_only_what_changed_is_written(loaded: Path, tmp_path: Path, omnicase: Callable[..., Answer]) -> None:
    """A second run writes nothing: triggers that count writes on every table of the model show 0.

    What is counted as it stands, since its source did not change, counts as it does when every row is compared.
    """
    folder = copy_workspace(loaded, tmp_path / "second")
    _count_writes(folder / "target.db")
    standing, compared = (omnicase("-C", folder, "--format", "json", "run", *full) for full in ((), ("--full",)))
    assert (standing.status, compared.status) == (3, 3)
    assert _writes(folder / "target.db") == {}
    for books, same in zip(compared.document["mappings"], standing.document["mappings"], strict=True):
        assert books["inserted"] == books["updated"] == 0, books
        assert books["read"] == sum(books[name] for name in OUTCOMES)
        assert books == same | {"standing": False}
    assert sum(books["standing"] for books in standing.document["mappings"]) > 20
    # Comments change the file but not its meaning; a re-mapped row that gives the same values is not written either.
    mapping = folder / "mappings/zaak.case.yml"
    mapping.write_text("# a comment\n" + mapping.read_text())
    omnicase("-C", folder, "--format", "json", "run")
    assert _writes(folder / "target.db") == {}


def test_promise_4_a_changed_row_updates_its_record_only(loaded: Path, tmp_path: Path, omnicase: Callable[..., Answer]) -> None:
    folder = copy_workspace(loaded, tmp_path / "changed")
    target = open_read_only(folder / "target.db")
    number = target.execute("SELECT identification FROM case_file WHERE suspended = 0 ORDER BY identification").fetchone()[0]
    target.close()
    zaak = sqlite3.connect(folder / "systems/zaak.db")
    changed = zaak.execute("UPDATE ZKN_ZAAK SET ONDERWERP = 'Nieuw onderwerp' WHERE RTRIM(ZAAKNR) = ?", (number,))
    assert changed.rowcount == 1
    zaak.commit()
    zaak.close()
    _count_writes(folder / "target.db")
    document = omnicase("-C", folder, "--format", "json", "run").document
    books = {each["mapping"]: each for each in document["mappings"]}
    assert books["zaak.case"]["updated"] == 1
    assert sum(each["updated"] + each["inserted"] for each in books.values()) == 1
    assert _writes(folder / "target.db") == {"case_file": 1}
    target = open_read_only(folder / "target.db")
    assert target.execute("SELECT description FROM case_file WHERE identification = ?", (number,)).fetchone()[0] == "Nieuw onderwerp"


def test_promise_4_a_mended_code_table_loads_the_rejected_rows(loaded: Path, tmp_path: Path, omnicase: Callable[..., Answer]) -> None:
    folder = copy_workspace(loaded, tmp_path / "codes")
    table = folder / "codes/bonstatus.csv"
    whole = table.read_text()
    table.write_text("".join(line for line in whole.splitlines(keepends=True) if not line.startswith("AF,")))
    # No other mapping uses the table or links to what this one makes.
    rejected, = omnicase("-C", folder, "--format", "json", "run", "balie.queue_ticket").document["mappings"]
    table.write_text(whole)
    ticket, = omnicase("-C", folder, "--format", "json", "run", "balie.queue_ticket").document["mappings"]
    assert rejected["rejected"] > ticket["rejected"]
    assert model_rows(folder / "target.db") == model_rows(loaded / "target.db")


def test_promise_5_edits_in_the_target_are_never_overwritten(loaded: Path, tmp_path: Path, omnicase: Callable[..., Answer]) -> None:
    folder = copy_workspace(loaded, tmp_path / "edited")
    target = sqlite3.connect(folder / "target.db")
    number, = target.execute("SELECT identification FROM case_file ORDER BY identification").fetchone()
    target.execute("UPDATE case_file SET explanation = 'Door een mens bijgewerkt' WHERE identification = ?", (number,))
    target.commit()
    target.close()
    zaak = sqlite3.connect(folder / "systems/zaak.db")
    zaak.execute("UPDATE ZKN_ZAAK SET ONDERWERP = 'Uit de bron' WHERE RTRIM(ZAAKNR) = ?", (number,))
    zaak.commit()
    zaak.close()
    for _ in range(2):
        books, = omnicase("-C", folder, "--format", "json", "run", "zaak.case").document["mappings"]
        assert books["conflict"] == 1
    target = open_read_only(folder / "target.db")
    found = target.execute("SELECT explanation, description FROM case_file WHERE identification = ?", (number,)).fetchone()
    assert found[0] == "Door een mens bijgewerkt" and found[1] != "Uit de bron"


def test_promise_5_a_record_we_did_not_make_is_a_conflict(fresh: Path, tmp_path: Path, omnicase: Callable[..., Answer]) -> None:
    folder = copy_workspace(fresh, tmp_path / "exists")
    target = sqlite3.connect(folder / "target.db")
    target.execute("INSERT INTO channel (id, code, name, is_active) VALUES ('00000000-0000-4000-8000-000000000001', 'balie', 'Balie', 1)")
    target.commit()
    target.close()
    document = omnicase("-C", folder, "--format", "json", "run", "seed.channel").document
    assert document["mappings"][0]["conflict"] == 1
    rejects = omnicase("-C", folder, "--format", "json", "rejects", "list", "seed.channel").document["rejects"]
    assert [issue["code"] for issue in rejects[0]["issues"]] == ["record-exists"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The loaded workspace after every verb that reads; `told.txt` is what was printed and written for people."""
    return made_once(tmp_path_factory, "told-demo", lambda folder: _tell(copy_workspace(loaded_demo(tmp_path_factory), folder)))


def _tell(folder: Path) -> None:
    rejects = in_process("-C", folder, "--format", "json", "rejects", "list", "--limit", "400")
    answers = [rejects]
    of_mapping: dict[str, list[list[str]]] = {}
    for row in rejects.document["rejects"]:
        of_mapping.setdefault(row["mapping"], []).append(row["key"])
    assert of_mapping
    for mapping, keys in of_mapping.items():
        for parts in keys[:4]:
            key = "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)
            answers += [in_process("-C", folder, *verb, mapping, key) for verb in (["rejects", "show"], ["explain"])]
    for verb in (
        ["plan", "--full"], ["status"], ["status", "--history"], ["conflicts", "list"], ["wave", "status"], ["doctor"], ["reconcile", "--report", "html,json,txt"], ["--debug", "run", "--full"]
    ):
        answers.append(in_process("-C", folder, *verb))
    texts = [text for answer in answers for text in (answer.out, answer.err)]
    (folder / "told.txt").write_text("\n".join([*texts, *(file.read_text() for file in (folder / "reports").rglob("*.*"))]))


def test_promise_6_the_old_system_stays_as_it_is(fresh: Path, loaded: Path, told: Path) -> None:
    """Not one byte and not a side file: after the first run, and after another one, a plan, a reconciliation and more."""
    assert file_states(loaded / "systems") == file_states(fresh / "systems")
    assert file_states(told / "systems") == file_states(fresh / "systems")


def test_promise_9_no_personal_data_leaks(told: Path) -> None:
    """No BSN, name, phone or mail of the sources stands in anything that the program prints or writes for people."""
    text = (told / "told.txt").read_text()
    assert len(text) > 10_000
    personal = _personal_values(told)
    assert len(personal) > 300
    leaked = sorted(value for value in personal if re.search(rf"(?<![\w]){re.escape(value)}(?![\w])", text))
    assert leaked == []


@pytest.mark.parametrize(("name", "sql"), [
    ("zaak.person_digital", "SELECT EMAIL, TEL1, TEL2, BSN FROM ZKN_PERSOON WHERE PERSID = ?"),
    ("zaak.person_address", "SELECT a.STRAAT, a.POSTCODE, a.BAGID FROM ZKN_ADRES a JOIN ZKN_PERSOON p USING (ADRESID) WHERE p.PERSID = ?"),
])  # fmt: skip
def test_promise_9_columns_that_a_mapping_makes_are_as_personal_as_theirs(
    name: str, sql: str, loaded: Path, omnicase: Callable[..., Answer]
) -> None:
    """What `unpivot` makes of personal columns, and what a look beside reads of a personal relation, is masked too."""
    target = open_read_only(loaded / "target.db")
    made = target.execute(
        "SELECT source_key, target_id FROM migration_id_map JOIN migration_mapping m ON m.id = mapping_id WHERE m.name = ? AND state = 'loaded'",
        (name,),
    ).fetchall()
    target.close()
    zaak = sqlite3.connect(loaded / "systems/zaak.db")
    seen = 0
    for key, record in made[:: max(1, len(made) // 6)]:
        [values] = zaak.execute(sql, (key.partition("|")[0],)).fetchall()
        personal = [str(value).strip() for value in values if value and len(str(value).strip()) >= 5]
        table = {"zaak.person_digital": "digital_address", "zaak.person_address": "address"}[name]
        for verb in (("explain", name, key), ("lookup", table, record)):
            answer = omnicase("-C", loaded, *verb)
            assert answer.status == 0, answer.err
            assert [value for value in personal if value in answer.out] == []
            seen += len(personal)
    zaak.close()
    assert seen > 20


def _personal_values(folder: Path) -> set[str]:
    values: set[str] = set()
    balie, zaak = sqlite3.connect(folder / "systems/balie.db"), sqlite3.connect(folder / "systems/zaak.db")
    for connection, sql in (
        (balie, "SELECT SOFINR, TELNR, MOBIEL, EMAIL, NAAM FROM BLS_KLANT"),
        (zaak, "SELECT BSN, ANR, TEL1, EMAIL, GESLNAAM FROM ZKN_PERSOON"),
    ):
        for row in connection.execute(sql):
            values |= {str(value).strip() for value in row if value and len(str(value).strip()) >= 7}
    return values


def _count_writes(path: Path) -> None:
    target = sqlite3.connect(path)
    target.execute("CREATE TABLE test_writes (name TEXT)")
    names = [row[0] for row in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        if not name.startswith(("migration_", "alembic_", "sqlite_", "test_")):
            for verb in ("INSERT", "UPDATE", "DELETE"):
                target.execute(
                    f"CREATE TRIGGER test_{name}_{verb} AFTER {verb} ON \"{name}\" BEGIN INSERT INTO test_writes VALUES ('{name}'); END"
                )
    target.commit()
    target.close()


def _writes(path: Path) -> dict[str, int]:
    target = open_read_only(path)
    return dict(target.execute("SELECT name, COUNT(*) FROM test_writes GROUP BY name").fetchall())


