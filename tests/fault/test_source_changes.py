"""The old systems change while a run reads them: the next run ends as an undisturbed one at the later moment (promise 1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fault_rig import Trial, change_sources
from struck import struck

pytestmark = pytest.mark.no_cover  # what it runs is traced by others; traced, it takes a half longer

Trials = Callable[[str, str], Trial]
PLACES = [f"{name}:{hit}" for name in ("after-read", "before-commit") for hit in (2, 7)] + [
    "after-start:1", "before-gone:4", "after-read-commit:6", "before-retry:1", "before-deletes:1"]


@pytest.mark.sample(0)
@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
@pytest.mark.parametrize("place", PLACES)
def test_r20_the_source_changes_during_the_run(target: str, place: str, trial: Trials) -> None:
    """Databases and files change while the run stands still at a place."""
    found = trial(target, "first")
    running = found.start(failpoint=f"{place}:stop")
    assert running.stopped(), f"{place} was never reached"
    change_sources(found.folder)
    running.go_on()
    answer = running.answer()
    if answer.status == 5:
        assert "RUN-002" in answer.err or "CON-018" in answer.err, answer.err
        assert "un again" in answer.err
    else:
        # What was read before the change was read whole, and what was read after it, too.
        assert answer.status == 3, answer.err
    later = found.run()
    assert later.status == 3, later.err
    # Where all of it was loaded before the change, rows that fail since then keep their records, stale.
    found.assert_undisturbed(like="changed" if place == "before-deletes:1" else "later", runs=False)
    struck("source changed during the run", target)
