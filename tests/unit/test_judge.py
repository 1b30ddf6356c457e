"""The judge finds every planted difference, names its cause, and passes only what it compared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from two_sides import Row, Source, Target, loaded, proof_of

from casemodel import UsageError
from reconciliation import judge


def causes(verdict):
    return {(group.check, group.field, group.cause, group.difference): group.count for group in verdict.groups}


def checks(verdict):
    return {check.check: check for check in verdict.checks}


def test_equal_sides_are_in_balance_and_every_check_says_what_it_compared():
    rows, target = loaded()
    verdict = judge([proof_of(rows, target)])
    assert verdict.verdict == "in_balance"
    assert verdict.lacking == {} and verdict.findings == ()
    assert {check.outcome for check in verdict.checks} == {"passed"}
    assert all(check.compared_source == 5 and check.compared_target == 5 for check in verdict.checks)
    assert checks(verdict)["fields.values"].compared_values == 15


def test_each_outcome_with_a_reason_keeps_the_balance():
    rows, target = loaded(2)
    rows += [
        Row("r", "rejected", "date-invalid", "rejected"), Row("p", "parked", "link-waiting", "parked"),
        Row("o", "out_of_scope", "Deleted cases stay behind", "out_of_scope"),
        Row(None, "rejected", "key-missing", None),
        Row("d", "rejected", "key-duplicate", "rejected"), Row("d", "rejected", "key-duplicate", "rejected"),
    ]  # fmt: skip
    verdict = judge([proof_of(rows, target)])
    assert verdict.verdict == "in_balance", causes(verdict)
    assert checks(verdict)["keys.source_to_target"].explained == {"out_of_scope": 1, "parked": 1, "rejected": 4}
    assert checks(verdict)["accounting.stock"].explained == {"without a key": 1, "repeated key": 1}


@pytest.mark.parametrize(
    ("column", "value", "difference"),
    [
        ("end_date", "2011-10-29", "one day earlier"), ("end_date", None, "empty instead of a value"),
        ("end_date", "2011-11-30", "another date"), ("surname", "jansen1", "upper or lower case"),
        ("surname", "Jans", "cut off"), ("surname", "Jänsen1", "an accent lost"),
        ("surname", "Jansen1 ", "white space"), ("identification", "02011.00001", "leading zero"),
        ("surname", "Pietersen", "another value"),
    ],
)  # fmt: skip
def test_a_value_edited_in_target_and_ledger_alike_is_found(column, value, difference):
    rows, target = loaded()
    target.database.execute(f"UPDATE record SET {column} = ? WHERE id = 'zaak.case:2011.00001'", (value,))
    target.database.execute(
        "UPDATE ledger SET written = (SELECT COALESCE(identification, 'None') || '|' || COALESCE(surname, 'None') || "
        "'|' || COALESCE(end_date, 'None') FROM record r WHERE r.id = ledger.id)"
    )
    verdict = judge([proof_of(rows, target)])
    assert verdict.verdict == "findings"
    assert causes(verdict) == {("fields.values", column, "value differs", difference): 1}
    (finding,) = verdict.findings
    assert (finding.mapping, finding.key, finding.field) == ("zaak.case", ("2011.00001",), column)


def test_an_edit_that_the_ledger_knows_of_is_named_so_even_when_the_source_moved_on():
    rows, target = loaded()
    rows[1] = replace(rows[1], moved_on=True)
    target.database.execute("UPDATE record SET surname = 'Anders' WHERE id = 'zaak.case:2011.00001'")
    verdict = judge([proof_of(rows, target)])
    assert causes(verdict) == {("fields.values", "surname", "edited in target", "another value"): 1}


def test_personal_values_and_keys_are_shown_as_tokens_only():
    rows, target = loaded()
    target.database.execute("UPDATE record SET surname = 'Geheim' WHERE id = 'zaak.case:2011.00001'")
    (finding,) = judge([proof_of(rows, target, personal_key=True)]).findings
    assert "Jansen" not in str(finding) and "Geheim" not in str(finding) and "2011.00001" not in str(finding)
    assert finding.expected.startswith("‹a9 #") and finding.found.startswith("‹a #")


def test_a_source_that_moved_on_is_counted_apart_and_passes():
    rows, target = loaded()
    rows[2] = replace(rows[2], moved_on=True, values=("2011.00002", "Nieuwe naam", "2012-01-01"))
    verdict = judge([proof_of(rows, target)])
    fields = checks(verdict)["fields.values"]
    assert (verdict.verdict, fields.outcome, fields.moved_on, fields.findings) == ("in_balance", "passed", 1, 0)


def test_a_mapping_that_changed_since_the_load_is_the_cause():
    rows, target = loaded()
    rows[0] = replace(rows[0], values=("2011.00000", "JANSEN0", "2011-10-30"))
    verdict = judge([proof_of(rows, target, meaning="m2")])
    assert causes(verdict) == {("fields.values", "surname", "mapping changed", "upper or lower case"): 1}


@pytest.mark.parametrize(
    ("row", "present", "cause"),
    [
        (Row("x", state="loaded"), False, "record missing"),
        (Row("x", state="loaded", moved_on=True), False, "record missing"),
        (Row("x", state=None), False, "not loaded"),
        (Row("x", state="parked"), False, "should have loaded"),
        (Row("x", state="rejected"), False, "should have loaded"),
        (Row("x", state="conflict"), False, "conflict"),
        (Row("x", "rejected", "date-invalid", "stale"), True, "stale record"),
        (Row("x", "rejected", "date-invalid", "rejected"), True, "record without a reason"),
        (Row("x", "out_of_scope", "decision 12", "loaded"), True, "record without a reason"),
        (Row("x", "rejected", None, "rejected"), False, "no reason"),
        (Row("x", "rejected", "date-invalid", "loaded"), False, "outcome differs"),
        (Row("x", "out_of_scope", "decision 12", "rejected"), False, "outcome differs"),
    ],
)  # fmt: skip
def test_a_key_without_its_record_or_its_reason_is_found(row, present, cause):
    rows, target = loaded(3)
    if present:
        target.load("zaak.case", "x", row.values, state=row.state)
    verdict = judge([proof_of([*rows, row], target)])
    found = [group for group in verdict.groups if group.check == "keys.source_to_target"]
    assert [(group.cause, group.count) for group in found] == [(cause, 1)]
    assert found[0].findings[0].key == ("x",)


@pytest.mark.parametrize(
    ("row", "present"),
    [
        (Row("x", state="rejected", moved_on=True), False),                    # mended in the source since
        (Row("x", "rejected", "date-invalid", "loaded", moved_on=True), True),    # broken in the source since
        (Row("x", "out_of_scope", "decision 12", "loaded", moved_on=True), True),
    ],
)  # fmt: skip
def test_a_key_whose_source_moved_on_is_counted_apart(row, present):
    rows, target = loaded(3)
    if present:
        target.load("zaak.case", "x", row.values)
    verdict = judge([proof_of([*rows, row], target)])
    assert verdict.verdict == "in_balance"
    assert checks(verdict)["keys.source_to_target"].moved_on == 1


def test_a_record_and_its_ledger_row_removed_alike_is_found():
    rows, target = loaded()
    target.database.execute("DELETE FROM record WHERE id = 'zaak.case:2011.00003'")
    target.database.execute("DELETE FROM ledger WHERE id = 'zaak.case:2011.00003'")
    rows[3] = replace(rows[3], state=None)
    verdict = judge([proof_of(rows, target)])
    assert ("keys.source_to_target", None, "not loaded", "record / unknown") in causes(verdict)
    assert ("accounting.stock", None, "stock short", None) in causes(verdict)


def test_a_rejected_unique_value_is_explained_only_when_another_record_really_holds_it():
    rows, target = loaded(3)
    taken = Row("x", state="rejected", values=("2011.00001", "Jansen", None))
    verdict = judge([proof_of([*rows, taken], target)])
    assert verdict.verdict == "in_balance"
    assert checks(verdict)["keys.source_to_target"].explained == {"unique-taken": 1}
    free = replace(taken, values=("free", "Jansen", None))
    assert judge([proof_of([*rows, free], target)]).verdict == "findings"


def test_records_without_a_source_are_found_by_their_cause():
    rows, target = loaded()
    target.database.execute("INSERT INTO record VALUES ('by-hand', 'N-1', 'Nieuw', NULL)")
    target.load("zaak.case", "vanished", ("V-1", "Weg", None))
    target.load("zaak.case", "kept", ("K-1", "Weg", None), state="gone")
    verdict = judge([proof_of(rows, target)])
    assert causes(verdict) == {
        ("keys.target_to_source", None, "made in target", None): 1,
        ("keys.target_to_source", None, "record without a source row", None): 1,
    }
    assert checks(verdict)["keys.target_to_source"].explained == {"gone, kept": 1}
    assert {finding.key for finding in verdict.findings} == {("by-hand",), ("vanished",)}


def test_a_table_that_two_mappings_fill_is_read_back_once_over_both():
    rows, target = loaded()
    others = [Row("B1", values=("B1", "Baas", None)), Row("B2", values=("B2", "Baas", None))]
    for row in others:
        target.load("balie.case", row.key, row.values)
    first = proof_of(rows, target, others=("balie.case",))
    second = proof_of(others, target, "balie.case", others=("zaak.case",))
    both = judge([first, second])
    assert both.verdict == "in_balance"
    back = [check for check in both.checks if check.check == "keys.target_to_source"]
    assert [(check.mapping, check.compared_target) for check in back] == [("zaak.case + balie.case", 7)]
    alone = judge([first])
    assert alone.verdict == "in_balance"
    assert checks(alone)["keys.target_to_source"].explained == {"of a mapping not asked for": 2}
    target.database.execute("INSERT INTO record VALUES ('by-hand', 'N-1', 'Nieuw', NULL)")
    assert causes(judge([first, second])) == {("keys.target_to_source", None, "made in target", None): 1}


def test_two_rows_that_give_one_record_are_found_across_batches():
    rows, target = loaded()
    rows[4] = replace(rows[4], id="zaak.case:2011.00000", values=rows[0].values)
    target.database.execute("DELETE FROM record WHERE id = 'zaak.case:2011.00004'")
    assert causes(judge([proof_of(rows, target)])) == {("keys.source_to_target", None, "record twice", None): 1}


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"tally": {"read": 5, "inserted": 4}}, "books do not balance"),
        ({"source_rows_now": 6}, "read count differs"),
        ({"states": {"loaded": 4}}, "stock short"),
        ({"states": {"loaded": 5, "rejected": 2}}, "stock over"),
    ],
)
def test_books_that_do_not_add_up_are_found(changes, cause):
    rows, target = loaded()
    verdict = judge([proof_of(rows, target, **changes)])
    assert [group.cause for group in verdict.groups] == [cause]
    assert verdict.verdict == "findings" and verdict.lacking == {"accounting": "failed"}


def test_the_stock_of_a_mapping_that_was_not_read_whole_is_not_applicable_with_the_reason():
    rows, target = loaded()
    verdict = judge([proof_of(rows, target, full_read=False, stock_reason="read by cursor", states={})])
    stock = checks(verdict)["accounting.stock"]
    assert (stock.outcome, stock.reason) == ("not_applicable", "read by cursor")
    assert verdict.verdict == "in_balance"


def test_what_compared_nothing_never_passes():
    verdict = judge([proof_of([], Target(), run=None, full_read=False)])
    assert {check.outcome for check in verdict.checks} == {"not_applicable"}
    assert all(check.reason for check in verdict.checks)
    assert verdict.verdict == "findings" and verdict.clean
    assert verdict.lacking == dict.fromkeys(("accounting", "keys", "fields"), "compared_nothing")


@pytest.mark.parametrize("levels", [("accounting",), ("keys",), ("fields",), ("accounting", "keys")])
def test_fewer_levels_are_never_in_balance(levels):
    rows, target = loaded()
    verdict = judge([proof_of(rows, target)], levels)
    assert verdict.verdict == "findings" and verdict.clean
    assert verdict.levels == levels
    assert {check.level for check in verdict.checks} == set(levels)
    assert set(verdict.lacking.values()) == {"not_run"}


def test_an_unknown_level_is_refused():
    with pytest.raises(UsageError, match="no level 'documents'"):
        judge([], ["documents"])


def test_findings_have_the_same_id_every_time_whatever_the_batches():
    rows, target = loaded(7)
    target.database.execute("UPDATE record SET surname = 'Anders', end_date = NULL")
    one = proof_of(rows, target)
    two = replace(one, expected=Source("zaak.case", rows, batch_rows=100))
    first, second = judge([one]), judge([two])
    assert {f.id for f in first.findings} == {f.id for f in second.findings}
    assert len({f.id for f in first.findings}) == len(first.findings) == 14


def test_every_finding_is_counted_and_a_sample_is_kept():
    rows, target = loaded(30)
    target.database.execute("UPDATE record SET surname = 'Anders'")
    verdict = judge([proof_of(rows, target)], sample_limit=4)
    assert (verdict.finding_count, len(verdict.findings)) == (30, 4)
    assert [finding.key for finding in verdict.findings] == [(f"2011.{i:05}",) for i in range(4)]
