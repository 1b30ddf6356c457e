"""`mapping test`: the tests of the workspace's mappings, and what they say for people and machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from casemodel import RefusedError, RefusedMany, printable
from mappings import Miss, Tried, errors_of_test, load_tests, try_test
from migrate.session import UNMAPPED_COLUMN, Session

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "passed": ("goed", "ok"),
    "failed": ("FOUT", "FAIL"),
    "value": ("{field}: verwacht {expected}, gevonden {found}", "{field}: expected {expected}, found {found}"),
    "error": (
        "{field}: verwacht fout {expected}, gevonden {found}",
        "{field}: expected error {expected}, found {found}",
    ),
    "warning": (
        "{field}: verwacht waarschuwing {expected}, gevonden {found}",
        "{field}: expected warning {expected}, found {found}",
    ),
    "outcome": ("de rij: verwacht {expected}, gevonden {found}", "the row: expected {expected}, found {found}"),
    "reason": (
        "de rij: verwacht buiten scope om '{expected}', gevonden {found}",
        "the row: expected out of scope for '{expected}', found {found}",
    ),
    "row": ("de rij wordt {becomes}{reason}", "the row becomes {becomes}{reason}"),
    "sum": ("{n} tests: {passed} goed, {failed} fout", "{n} tests: {passed} passed, {failed} failed"),
    "untested": ("zonder tests: {names}", "without tests: {names}"),
    "nothing": ("geen", "none"),
}


@dataclass(frozen=True)
class TestRun:
    """The tests that ran, and the mappings asked for that have none."""

    __test__ = False

    tried: tuple[Tried, ...]
    untested: tuple[str, ...]

    @property
    def failed(self) -> int:
        """How many tests failed."""
        return sum(not each.passed for each in self.tried)


def run_tests(session: Session, names: Sequence[str]) -> TestRun:
    """Run the tests of some mappings; none named means all.

    Raises:
        UsageError: RUN-011 unknown mapping.
        RefusedMany: a mapping or test file is refused.
    """
    asked = session.selected(names) if names else sorted(session.files)
    root = session.workspace.root
    tests = [test for test in load_tests(root / "mappings", root, session.files) if test.mapping in asked]
    wanted = {test.mapping for test in tests}
    files = {session.files[name].shown_as for name in wanted}
    broken = [error for error in session.check.errors if error.code != UNMAPPED_COLUMN and error.place.file in files]
    if broken:
        raise RefusedMany(broken)
    errors: list[RefusedError] = []
    for test in tests:
        mapping = session.mapping(test.mapping)
        errors += errors_of_test(mapping, session.relation(mapping.system, mapping.relation), test)
    if errors:
        raise RefusedMany(errors)
    tried = []
    for test in tests:
        mapping = session.mapping(test.mapping)
        tried.append(try_test(mapping, session.relation(mapping.system, mapping.relation), test))
    return TestRun(tuple(tried), tuple(name for name in asked if name not in wanted))


def test_lines(run: TestRun, lang: str) -> Iterator[str]:
    """Return the result for a person: a line per test, and the way of each value that went astray."""
    for tried in run.tried:
        label = _word(lang, "passed" if tried.passed else "failed")
        place = "" if tried.passed else f"  ({tried.test.place()})"
        yield f"{label:<5} {tried.test.mapping}: {printable(tried.test.test.name)}{place}"
        for miss in tried.misses:
            yield "        " + _word(
                lang, miss.kind, field=miss.field, expected=_shown(miss.expected), found=_found(miss, lang)
            )
            for stage in miss.stages:
                issue = f"   ! {stage.issue}" if stage.issue else ""
                yield f"          {stage.stage:<12} {_shown(stage.value)}{issue}"
        if not tried.passed:
            reason = f" ({printable(tried.reason)})" if tried.reason else ""
            yield "        " + _word(lang, "row", becomes=tried.becomes, reason=reason)
            for severity, name, code in tried.issues:
                yield f"          {severity}: {printable(name)}: {code}"
    failed = run.failed
    yield _word(lang, "sum", n=len(run.tried), passed=len(run.tried) - failed, failed=failed)
    if run.untested:
        yield _word(lang, "untested", names=", ".join(run.untested))


def test_document(run: TestRun) -> dict[str, Any]:
    """Return the result for a machine."""
    return {
        "tests": len(run.tried),
        "failed": run.failed,
        "untested": list(run.untested),
        "results": [
            {
                "mapping": tried.test.mapping,
                "name": tried.test.test.name,
                "place": str(tried.test.place()),
                "passed": tried.passed,
                "becomes": tried.becomes,
                "reason": tried.reason,
                "issues": [{"severity": level, "field": name, "code": code} for level, name, code in tried.issues],
                "misses": [
                    {
                        "kind": miss.kind,
                        "field": miss.field,
                        "expected": miss.expected,
                        "found": miss.found,
                        "stages": [
                            {"stage": stage.stage, "value": stage.value, "issue": stage.issue} for stage in miss.stages
                        ],
                    }
                    for miss in tried.misses
                ],
            }
            for tried in run.tried
        ],
    }


def _shown(value: str | None) -> str:
    return "∅" if value is None else printable(value) or "''"


def _found(miss: Miss, lang: str) -> str:
    if miss.found is None:
        return "∅" if miss.kind == "value" else _word(lang, "nothing")
    return _shown(miss.found)


def _word(lang: str, name: str, /, **parts: object) -> str:
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
