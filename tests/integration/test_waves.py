"""Waves: slices of the old systems that move one by one (DESIGN.md, section 6; docs/decisions/020-waves.md)."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from command_line import CommandLine, in_process
from made_once import copy_made
from targets import assert_same_target, model_rows, open_read_only
from waves_workspace import WAVES, change, edit, journey, make, reconciled, run, run_as_planned, wave

ORDERS = [(seed, "".join(order)) for seed in (1, 2) for order in permutations("abc")]


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    connection = open_read_only(folder / "target.db")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def loaded_at_once(folder: Path, seed: str) -> None:
    make(folder, int(seed), waves="")
    run(folder)


@pytest.mark.sample(1)
@pytest.mark.parametrize(("seed", "order"), ORDERS, ids=[f"{seed}-{order}" for seed, order in ORDERS])
def test_all_waves_one_by_one_give_the_target_of_one_load(tmp_path: Path, seed: int, order: str):
    at_once = copy_made(loaded_at_once, tmp_path / "at_once", str(seed))
    one_by_one = make(tmp_path / "one_by_one", seed)
    dice = random.Random(f"{seed}{order}")
    for number, name in enumerate(order):
        books = (run_as_planned if number == 1 else run)(one_by_one, "--wave", name)
        assert bool(books["old.party"]["deferred"]) is (number < 2)
        if dice.random() < 0.6:
            assert in_process("-C", one_by_one, "wave", "live", name).status == 0
    assert_same_target(one_by_one / "target.db", at_once / "target.db")
    reconciled(one_by_one)
    run(one_by_one)
    assert_same_target(one_by_one / "target.db", at_once / "target.db")


def test_planned_waves_are_deferred_with_what_is_part_of_them(tmp_path: Path):
    folder = make(tmp_path)
    books = run(folder)
    wanted = rows(folder, "SELECT COUNT(*) FROM party")[0][0]
    kinds = sum(each["rows"] for each in journey(folder).values())
    in_wave = {name: each["mappings"][0]["rows"] for name, each in journey(folder).items()}
    assert books["old.party"]["deferred"] == sum(in_wave.values())
    assert books["old.party"]["inserted"] == wanted > 0, "what belongs to no wave is loaded"
    assert books["old.clerk"]["inserted"] == 5, "and what waves share"
    assert books["old.mail"]["deferred"] > 0 < books["old.line"]["deferred"]
    assert kinds == sum(books[name]["deferred"] for name in books)
    assert set(reconciled(folder)["old.mail"]) >= {"deferred"}
    change(folder, "UPDATE PARTY SET KIND = 'd' WHERE KIND = 'b'")
    again = run_as_planned(folder)
    begun = sum(again["old.party"][outcome] for outcome in ("inserted", "rejected")) - books["old.party"]["rejected"]
    assert (again["old.party"]["deferred"], begun) == (in_wave["a"] + in_wave["c"], in_wave["b"])


def live(folder: Path) -> Path:
    """Return a workspace of which waves a and b are loaded, and a is live."""
    return copy_made(_go_live, folder)


def _go_live(folder: Path) -> None:
    make(folder)
    run(folder, "--wave", "a")
    run(folder, "--wave", "b")
    answer = in_process("-C", folder, "wave", "live", "a", "--reason", "cutover night")
    assert (answer.status, journey(folder)["a"]["state"]) == (0, "live")


def test_what_changes_after_cutover_is_late_and_never_loaded(tmp_path: Path):
    folder = live(tmp_path)
    a = [str(row[0]) for row in rows(folder, "SELECT source_key FROM migration_id_map JOIN migration_wave w ON w.id = wave"
                                             " WHERE w.name = 'a' AND target_id IS NOT NULL AND mapping_id ="
                                             " (SELECT id FROM migration_mapping WHERE name = 'old.party') ORDER BY 1")]
    before = model_rows(folder / "target.db")
    change(
        folder,
        f"UPDATE PARTY SET NAME = 'Other' WHERE NR = {a[0]}",
        f"UPDATE PARTY SET NAME = 'Moved', KIND = 'b' WHERE NR = {a[1]}",
        f"INSERT INTO PARTY VALUES (99, 'New', 'a', NULL), (98, 'Fine', 'd', {a[0]})",
        f"INSERT INTO MAIL VALUES (200, 99, 'new@x.nl'), (201, {a[0]}, 'more@x.nl')",
        f"INSERT INTO LINE VALUES (200, {a[2]}, 'A before all others')",
        f"INSERT INTO LINE VALUES (201, {a[2]}, 'Z after all others')",
    )
    books = run_as_planned(folder)
    late = {name: books[name]["late"] for name in books}
    group = rows(folder, "SELECT COUNT(*) FROM address WHERE party_id IN (SELECT target_id FROM migration_id_map WHERE"
                         f" source_key = '{a[2]}' AND mapping_id = (SELECT id FROM migration_mapping WHERE name = 'old.party'))")
    assert late == {"old.party": 3, "old.mail": 2, "old.line": 2 + group[0][0], "old.clerk": 0}
    after = model_rows(folder / "target.db")
    assert [row for row in after["party"] if row not in before["party"]] == [row for row in after["party"] if "Fine" in row]
    assert {name: len(found) for name, found in after.items() if found != before[name]} == {"party": len(before["party"]) + 1}
    assert {name: each.get("late", 0) for name, each in reconciled(folder).items()} == late, "late rows are named"
    again = run(folder)
    assert {name: again[name]["late"] for name in again} == late
    assert len(wave(folder, "status", "a")["late_rows"]) == sum(late.values())
    shown = in_process("-C", folder, "wave", "status", "a")
    assert shown.status == 3 and shown.out.count("nieuw\n") == 4 and "volgt old.party" in shown.out
    assert in_process("-C", folder, "wave", "status").status == 3


def test_a_row_that_comes_back_to_what_was_loaded_is_late_no_more(tmp_path: Path):
    folder = live(tmp_path)
    change(folder, "UPDATE PARTY SET NAME = NAME || '!' WHERE KIND = 'a' AND NAME <> ''")
    late = run(folder)["old.party"]["late"]
    change(folder, "UPDATE PARTY SET NAME = RTRIM(NAME, '!') WHERE KIND = 'a'")
    books = run(folder)["old.party"]
    assert (late > 0, books["late"], books["updated"]) == (True, 0, 0)
    reconciled(folder)


def test_nothing_is_deleted_in_a_live_wave(tmp_path: Path):
    folder = live(tmp_path)
    count = rows(folder, "SELECT COUNT(*) FROM digital_address")
    change(folder, "DELETE FROM MAIL")
    gone = run(folder)["old.mail"]["gone"]
    in_a = sum(each["rows"] for each in journey(folder)["a"]["mappings"] if each["mapping"] == "old.mail")
    held = rows(folder, "SELECT COUNT(*) FROM migration_issue WHERE code = 'delete-held' AND detail = 'live'")
    assert in_a == 0 < gone["held"] == held[0][0] < count[0][0]
    assert rows(folder, "SELECT COUNT(*) FROM digital_address") == held
    reconciled(folder)


def test_a_wave_goes_back_and_says_what_people_did(tmp_path: Path):
    folder = live(tmp_path)
    change(folder, "UPDATE PARTY SET NAME = NAME || '!' WHERE KIND = 'a' AND NAME <> ''")
    late = run(folder)["old.party"]["late"]
    edited, removed = (row[0] for row in rows(
        folder, "SELECT d.id FROM digital_address d JOIN migration_id_map ON target_id = d.id JOIN migration_wave w"
                " ON w.id = wave WHERE w.name = 'a' ORDER BY 1 LIMIT 2"))
    edit(folder, f"UPDATE digital_address SET value = 'edited@x.nl' WHERE id = '{edited}'")
    edit(folder, f"DELETE FROM digital_address WHERE id = '{removed}'")
    new = "00000000-0000-4000-8000-000000000000"
    edit(folder, f"INSERT INTO digital_address (id, party_id, address_type, value, is_default)"
                 f" SELECT '{new}', id, 'email', 'made@x.nl', 0 FROM party LIMIT 1")
    touched = wave(folder, "back", "a", "--reason", "the printer failed")["touched"]
    wanted = {(edited, "edited"), (removed, "removed"), (new, "made")}
    assert {(each["table"], each["id"], each["what"]) for each in touched} == {("digital_address", *each) for each in wanted}
    books = run(folder)
    assert (books["old.party"]["late"], books["old.party"]["updated"]) == (0, late)
    events = wave(folder, "list")["events"]
    assert [each["event"] for each in events if each["wave"] == "a"] == ["planned", "rehearsing", "live", "back"]
    assert [each["reason"] for each in events if each["event"] in ("live", "back")] == ["cutover night", "the printer failed"]


def test_a_closed_wave_stays_as_it_is_and_needs_a_reason_while_rows_are_late(tmp_path: Path):
    folder = live(tmp_path)
    change(folder, "UPDATE PARTY SET NAME = NAME || '!' WHERE KIND = 'a' AND NAME <> ''")
    late = run(folder)["old.party"]["late"]
    refused = in_process("-C", folder, "wave", "close", "a")
    assert refused.status == 6 and refused.err.startswith("WAV-007")
    assert in_process("-C", folder, "wave", "close", "a", "--reason", "brought over by hand").status == 0
    assert run(folder)["old.party"]["late"] == late
    reconciled(folder)
    for verb, code in (("live", "WAV-002"), ("back", "WAV-002"), ("close", "WAV-002")):
        answer = in_process("-C", folder, "wave", verb, "a", "--reason", "again")
        assert (answer.status, answer.err[:7]) == (6, code)
    answer = in_process("-C", folder, "run", "--wave", "a")
    assert (answer.status, answer.err[:7]) == (6, "WAV-005")


def test_what_is_kept_of_a_closed_wave_is_purged_and_of_no_other(tmp_path: Path):
    folder = live(tmp_path)
    change(folder, "UPDATE PARTY SET NAME = NAME || '!' WHERE KIND = 'b' AND NAME <> ''")
    run(folder)

    def kept() -> dict[str, int]:
        found = "SELECT w.name, count(*) FROM migration_reject r JOIN migration_id_map i USING (mapping_id, source_key)"
        held = f"{found} JOIN migration_wave w ON w.id = i.wave WHERE r.row NOT LIKE '{{\"_purged%' GROUP BY 1"
        return {str(name): int(str(count)) for name, count in rows(folder, held)}

    before = kept()
    assert before.keys() == {"a", "b"}
    refused = in_process("-C", folder, "--format", "json", "purge", "--wave", "a", "--yes")
    assert (refused.status, refused.document["code"]) == (6, "PRG-002")
    assert in_process("-C", folder, "wave", "close", "a", "--reason", "it is over").status == 0
    done = in_process("-C", folder, "--format", "json", "purge", "--wave", "a", "--yes").document
    assert (done["done"], done["removed"]["reject"]) == (True, before["a"])
    assert kept() == {"b": before["b"]}
    assert rows(folder, "SELECT count(*) FROM migration_before_row") != [(0,)], "those of wave b, which was written over"
    reconciled(folder)


def test_a_mended_mapping_loads_what_a_live_wave_had_refused_and_changes_nothing_else(tmp_path: Path):
    folder = live(tmp_path)
    refused = journey(folder)["a"]["rejected"]
    mapping = folder / "mappings/old.party.yml"
    mapping.write_text(mapping.read_text().replace('null_if: [""]}', 'null_if: [""], default: nameless}'))
    before = model_rows(folder / "target.db")["party"]
    books = run(folder)["old.party"]
    after = model_rows(folder / "target.db")["party"]
    assert refused > 0 and books["late"] == 0 and set(before) <= set(after)
    assert journey(folder)["a"]["rejected"] == 0
    mapping.write_text(mapping.read_text().replace("is_active: {const: true}", "is_active: {const: false}"))
    books = run(folder)["old.party"]
    in_a = journey(folder)["a"]["mappings"][0]
    assert (books["late"], in_a["late"], in_a["over"]) == (in_a["rows"], in_a["rows"], 0)
    assert "zijn mapping" in in_process("-C", folder, "wave", "status", "a").out
    reconciled(folder)


def test_conditions_may_change_until_a_wave_is_live(tmp_path: Path):
    folder = make(tmp_path)
    run(folder, "--wave", "a")
    settings = folder / "workspace.yml"
    count = rows(folder, "SELECT COUNT(*) FROM party")[0][0]
    settings.write_text(settings.read_text().replace("\"KIND = 'a'\"", "\"KIND = 'a' AND NAME < 'N20'\"")
                        .replace("\"kind = 'b'\"", "\"kind = 'b' OR (KIND = 'a' AND NAME >= 'N20')\""))
    books = run(folder)
    assert rows(folder, "SELECT COUNT(*) FROM party")[0][0] == count, "what was loaded stays"
    waves = journey(folder)
    assert books["old.party"]["deferred"] == sum(waves[name]["mappings"][0]["left"] for name in "bc")
    assert waves["b"]["state"] == "planned" and waves["b"]["over"] > 0 < waves["a"]["over"]
    reconciled(folder)
    change(folder, "UPDATE PARTY SET NAME = NAME || '!' WHERE KIND = 'a' AND NAME >= 'N20'")
    assert run(folder)["old.party"]["deferred"] > books["old.party"]["deferred"]
    assert "deferred, kept" in reconciled(folder)["old.party"]
    assert in_process("-C", folder, "wave", "live", "a").status == 0
    settings.write_text(settings.read_text().replace("N20", "N21"))
    answer = in_process("-C", folder, "run")
    assert (answer.status, answer.err[:7]) == (6, "WAV-003")
    settings.write_text(settings.read_text().partition("waves:")[0])
    answer = in_process("-C", folder, "plan")
    assert (answer.status, answer.err[:7]) == (6, "WAV-003")


def test_a_wave_that_is_removed_belongs_to_none(tmp_path: Path):
    folder = make(tmp_path)
    run(folder, "--wave", "a")
    settings = folder / "workspace.yml"
    settings.write_text("".join(line for line in settings.read_text().splitlines(True) if not line.startswith("  b:")))
    assert "b staat niet meer in workspace.yml" in in_process("-C", folder, "wave", "status").out
    run(folder)
    assert list(journey(folder)) == ["a", "c"]
    settings.write_text(settings.read_text().partition("waves:")[0])
    run(folder)
    at_once = copy_made(loaded_at_once, tmp_path / "at_once", "1")
    assert_same_target(folder / "target.db", at_once / "target.db")
    assert in_process("-C", folder, "wave", "status").status == 0


def test_a_wave_goes_live_only_when_all_of_it_is_over(tmp_path: Path):
    folder = make(tmp_path)
    answer = in_process("-C", folder, "wave", "live", "a")
    assert (answer.status, answer.err[:7]) == (2, "WAV-001"), "no run met it yet"
    run(folder)
    answer = in_process("-C", folder, "wave", "live", "a")
    assert (answer.status, answer.err[:7]) == (6, "WAV-002")
    run(folder, "--wave", "a")
    change(folder, "INSERT INTO PARTY VALUES (97, 'New', 'a', NULL)")
    assert run(folder, "--wave", "b")["old.party"]["inserted"] > 0
    answer = in_process("-C", folder, "wave", "live", "a")
    assert (answer.status, answer.err[:7]) == (6, "WAV-006")
    assert run(folder)["old.party"]["inserted"] == 1
    assert in_process("-C", folder, "wave", "live", "a").status == 0
    answer = in_process("-C", folder, "run", "--wave", "aa")
    assert (answer.status, answer.err[:7]) == (2, "WAV-001")


def test_rows_of_two_waves_are_refused_before_anything_is_loaded(tmp_path: Path):
    folder = make(tmp_path, waves=WAVES.replace("kind = 'b'", "kind IN ('a', 'b')"))
    answer = in_process("-C", folder, "run")
    assert (answer.status, answer.err[:7]) == (4, "WAV-004")
    assert rows(folder, "SELECT COUNT(*) FROM migration_run") == [(0,)]


@pytest.mark.sample(1)
@pytest.mark.parametrize("failpoint", ["after-commit:3", "before-commit:5", "before-retry:1", "before-finish:1"])
def test_a_killed_run_of_a_wave_is_resumed(omnicase: CommandLine, tmp_path: Path, failpoint: str):
    folder = make(tmp_path / "killed")
    assert omnicase.spawn("-C", folder, "run", "--wave", "a", env={"OMNICASE_FAILPOINT": failpoint}).status == -9
    again = in_process("-C", folder, "run", "--wave", "a")
    assert "Run 1 was resumed" in again.err
    assert_same_target(folder / "target.db", copy_made(_load_a, tmp_path / "undisturbed") / "target.db")


def _load_a(folder: Path) -> None:
    make(folder)
    run(folder, "--wave", "a")


def test_waves_on_postgresql_are_those_on_sqlite(tmp_path: Path, new_postgres_database: Callable[[], str]):
    on_sqlite, on_postgres = live(tmp_path / "sqlite"), make(tmp_path / "postgresql")
    url = {"OMNICASE_TARGET_URL": new_postgres_database().replace("postgresql+psycopg://", "postgresql://")}
    for command in (["db", "upgrade"], ["run", "--wave", "a"], ["run", "--wave", "b"], ["wave", "live", "a"]):
        assert in_process("-C", on_postgres, *command, env=url).status in (0, 3)
    answers = []
    for folder, env in ((on_sqlite, {}), (on_postgres, url)):
        change(folder, "UPDATE PARTY SET NAME = NAME || '!'", "DELETE FROM MAIL WHERE ID < 20")
        books = in_process("-C", folder, "--format", "json", "run", env=env).document["mappings"]
        stands = in_process("-C", folder, "--format", "json", "wave", "status", env=env).document["waves"]
        answers.append((books, [each | {"since": None} for each in stands]))
    assert answers[0] == answers[1]
    assert in_process("-C", on_postgres, "reconcile", env=url).status == 0
