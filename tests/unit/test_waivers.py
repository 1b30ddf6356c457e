"""A waiver turns a check green only while it is approved, valid and about no more than what was accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from two_sides import loaded, proof_of

from reconciliation import Terms, Waiver, judge, meaning_of, watched_keys, with_waivers

TODAY = date(2026, 11, 30)
TERMS = Terms(TODAY, signed_only=False)
MEANINGS = {"zaak.case": "m1"}
WAIVER = Waiver(
    number=1, check="fields.values", mapping="zaak.case", group=None, keys=(), maximum=2, meaning="m1",
    until=date(2027, 1, 1), reason="vastgesteld door het team", proposed_by="an", approved_by="bea",
    signature="unsigned",
)  # fmt: skip


def damaged(sample_limit: int = 1000, waivers=()):
    """Return the verdict over five records of which three have another surname and one is gone."""
    rows, target = loaded()
    target.database.execute("UPDATE record SET surname = 'x' WHERE id <> 'zaak.case:2011.00000'")
    target.database.execute("DELETE FROM record WHERE id = 'zaak.case:2011.00004'")
    return judge([proof_of(rows, target)], sample_limit=sample_limit, watched=watched_keys(waivers))


def group_of(verdict, check="fields.values"):
    return next(group.id for group in verdict.groups if group.check == check)


def judged(verdict, *waivers, terms=TERMS, meanings=MEANINGS):
    return with_waivers(verdict, waivers, meanings, terms)


def outcome(verdict, check="fields.values"):
    return next((each.outcome, each.findings, each.waived) for each in verdict.checks if each.check == check)


def test_a_group_is_waived_and_the_rest_still_fails():
    before = damaged()
    found = judged(before, replace(WAIVER, group=group_of(before), maximum=3))
    assert [use.status for use in found.waivers] == ["counts"]
    assert outcome(found) == ("waived", 3, 3)
    assert outcome(found, "keys.source_to_target") == ("failed", 1, 0)
    assert (found.verdict, found.clean, found.lacking) == ("findings", False, {"keys": "failed"})
    missing = replace(WAIVER, check="keys.source_to_target", group=group_of(before, "keys.source_to_target"), maximum=1)
    both = judged(before, replace(WAIVER, group=group_of(before), maximum=3), missing)
    assert (both.verdict, both.clean, both.lacking) == ("in_balance", True, {})
    assert (both.finding_count, both.waived_count) == (4, 4)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"approved_by": "", "signature": ""}, "proposed"), ({"signature": "broken"}, "broken"),
        ({"until": date(2026, 11, 29)}, "expired"), ({"until": TODAY}, "counts"), ({"maximum": 2}, "exceeded"),
        ({"meaning": "m0"}, "mapping_changed"), ({"mapping": "zaak.role"}, "not_asked"),
        ({"group": "0" * 12}, "unused"),
    ],
)  # fmt: skip
def test_a_waiver_that_does_not_count_says_why(change, status):
    before = damaged()
    found = judged(before, replace(WAIVER, **{"group": group_of(before), "maximum": 3, **change}))
    assert [use.status for use in found.waivers] == [status]
    assert outcome(found)[0] == ("waived" if status == "counts" else "failed")


def test_in_production_only_a_signature_turns_anything_green():
    before = damaged()
    unsigned = replace(WAIVER, group=group_of(before), maximum=3)
    strict = Terms(TODAY, signed_only=True)
    assert [use.status for use in judged(before, unsigned, terms=strict).waivers] == ["unsigned"]
    assert outcome(judged(before, unsigned, terms=strict)) == ("failed", 3, 0)
    assert outcome(judged(before, replace(unsigned, signature="signed"), terms=strict)) == ("waived", 3, 3)


def test_keys_are_waived_one_by_one_also_beyond_what_a_group_keeps():
    keys = (("2011.00002",), ("2011.00003",))
    waiver = replace(WAIVER, keys=keys)
    for limit in (1000, 1, 0):
        found = judged(damaged(limit, [waiver]), waiver)
        assert [(use.status, use.found) for use in found.waivers] == [("counts", 2)]
        assert outcome(found) == ("failed", 3, 2), "a check that is waived in part has failed"
    third = replace(WAIVER, number=2, keys=(("2011.00001",), keys[0]))
    assert outcome(judged(damaged(1, [waiver, third]), waiver, third)) == ("waived", 3, 3)


def test_what_says_that_the_toolkit_is_wrong_is_never_waived():
    rows, target = loaded()
    verdict = judge([proof_of(rows, target, tally={"read": 9, "inserted": 5})])
    waiver = replace(WAIVER, check="accounting.flow", group=group_of(verdict, "accounting.flow"))
    found = judged(verdict, waiver)
    assert [use.status for use in found.waivers] == ["never"]
    assert outcome(found, "accounting.flow") == ("failed", 1, 0)


def test_the_ids_of_groups_do_not_follow_counts_or_order():
    rows, target = loaded(3)
    target.database.execute("UPDATE record SET surname = 'x'")
    more, more_target = loaded(5)
    more_target.database.execute("UPDATE record SET surname = 'y'")
    assert group_of(judge([proof_of(rows, target)])) == group_of(judge([proof_of(list(reversed(more)), more_target)]))


def test_names_that_answer_for_one_table_are_bound_together():
    meanings = {"a": "1", "b": "2"}
    assert meaning_of("a", meanings) == "1"
    assert meaning_of("a + b", meanings) not in (None, meaning_of("a + b", {"a": "1", "b": "3"}))
    assert meaning_of("a + c", meanings) is None
