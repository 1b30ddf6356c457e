"""People with keys who countersign each other's, as in a key ceremony."""

from __future__ import annotations

from collections.abc import Callable

from command_line import Answer

VOUCHERS = {"administrator", "owner"}


def countersign_all(call: Callable[..., Answer]) -> None:
    """Let every key that nobody countersigned be so, as far as there is somebody who may.

    Args:
        call: invokes the command line in a workspace, with the private keys of everybody.
    """
    keys = call("--format", "json", "key", "list").document["keys"]
    able = [each for each in keys if VOUCHERS & set(each["roles"]) and each["state"] == "valid"]
    first = [each for each in able if each["counts"]]
    if not first:
        pair = next(((a, b) for a in able for b in able if a["person"] != b["person"]), None)
        if pair is None:
            return
        for one, other in (pair, pair[::-1]):
            _countersign(call, one, other)
        first = list(pair)
    for key in keys:
        by = next((each for each in first if each["person"] != key["person"]), None)
        if not key["counts"] and key not in first and key["state"] == "valid" and by is not None:
            _countersign(call, by, key)


def _countersign(call: Callable[..., Answer], by: dict, key: dict) -> None:
    answer = call("--format", "json", "key", "countersign", key["key"], "--by", by["person"])
    assert answer.status == 0, answer.out + answer.err
