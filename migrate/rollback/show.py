"""What a rollback did, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.rollback.undo import RolledBack

_MOST = 20
_WHY = {
    "edited": "edited or deleted since the run wrote it",
    "settled": "somebody settled a conflict about it",
    "linked": "a record that stays links to it",
    "part": "it is part of a case, contact or ticket that stays",
    "link-gone": "what it linked to before is no longer there",
    "unique-taken": "another record has its unique value now",
    "shared": "its source row belongs to a record that stays",
}


def rollback_lines(done: RolledBack) -> Iterator[str]:
    """Return the answer of `rollback`."""
    if done.already:
        yield f"Run {done.run} is rolled back already; nothing was done."
        return
    counts = f"{done.removed} records removed, {done.restored} restored, {done.made} made again"
    yield f"Run {done.run} is rolled back: {counts}."
    if done.spared_total:
        yield f"{done.spared_total} records stay as they are, and the ledger keeps what it has of them:"
    for each in done.spared[:_MOST]:
        yield f"  {each.table:<20} {each.id}  {each.why}: {_WHY[each.why]}"
    if done.spared_total > _MOST:
        yield f"  … {done.spared_total - _MOST} more; see --format json"
    yield "Next: omnicase status"
