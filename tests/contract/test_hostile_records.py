"""XML and JSON made to hurt: too large to lie in a folder of cases, refused soon and without a look elsewhere."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from casemodel import Partition, SystemFailure
from connectors import SystemConfig, open_source

_BOMB = "".join(f"<!ENTITY e{n} '" + f"&e{n - 1};" * 10 + "'>" for n in range(1, 12))
_OPEN, _CLOSE = "<l><k nr='1'><naam>999993653", "</naam></k></l>"
HOSTILE: dict[str, tuple[str, str, Callable[[], str]]] = {
    "billion laughs": ("xml", "CON-080", lambda: f'<!DOCTYPE l [<!ENTITY e0 "lol">{_BOMB}]>{_OPEN}&e11;{_CLOSE}'),
    "a DTD elsewhere": ("xml", "CON-080", lambda: f'<!DOCTYPE l SYSTEM "http://192.0.2.1/x.dtd">{_OPEN}{_CLOSE}'),
    "100,000 levels": ("xml", "CON-081", lambda: f"{_OPEN}{'<d>' * 100_000}{'</d>' * 100_000}{_CLOSE}"),
    "levels that never end": ("xml", "CON-081", lambda: f"{_OPEN}{'<d>' * 4_000_000}"),
    "a long text": ("xml", "CON-081", lambda: f"{_OPEN}{'a' * 12_000_000}{_CLOSE}"),
    "a text in a record that is small enough": ("xml", "CON-081", lambda: f"{_OPEN}{'a' * 2_000_000}{_CLOSE}"),
    "500,000 attributes": (
        "xml",
        "CON-081",
        lambda: _OPEN + "<x " + " ".join(f"a{n:x}=''" for n in range(500_000)) + "/>" + _CLOSE,
    ),
    "a comment without an end": ("xml", "CON-081", lambda: f"{_OPEN}<!--{'-' * 12_000_000}"),
    "100,000 lists": ("json", "CON-081", lambda: f'[{{"nr": 1, "naam": {"[" * 100_000}{"]" * 100_000}}}]'),
    "lists that never end": ("json", "CON-081", lambda: f'[{{"nr": 1, "naam": {"[" * 12_000_000}'),
    "a text that is never closed": ("json", "CON-081", lambda: f'[{{"nr": 1, "naam": "{"a" * 12_000_000}'),
    "a number of many digits": ("json", "CON-081", lambda: f"[{'1' * 12_000_000}]"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_soon(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, code, made = HOSTILE[name]
    (tmp_path / "R").write_text(made())
    record = {"record": "/l/k", "fields": {"nr": "@nr", "naam": "naam"}}
    if kind == "json":
        record = {"record": "/", "fields": {"nr": "nr", "naam": "naam"}}

    def no_network(*_: object) -> None:
        raise AssertionError("it looked elsewhere")

    monkeypatch.setattr(socket, "socket", no_network)
    started = time.thread_time()
    config = SystemConfig("s", kind, {"relations": {"R": {"files": "R", **record}}}, tmp_path)
    with closing(open_source(config)) as source, pytest.raises(SystemFailure) as caught:
        source.count("R")
        list(source.extract(Partition("R", 100)))
    assert (caught.value.code, caught.value.exit_status) == (code, 5)
    assert "999993653" not in str(caught.value.as_dict())
    assert time.thread_time() - started < (1 if code == "CON-080" else 6)


def test_what_lies_beside_the_records_may_be_larger_than_one(tmp_path: Path) -> None:
    beside = ",".join('{"nr": 0, "x": "' + "a" * 900 + '"}' for _ in range(3_000))
    (tmp_path / "R").write_text(f'{{"other": [{beside}], "k": [{{"nr": 1}}], "more": [{beside}]}}')
    relation = {"files": "R", "record": "/k", "fields": {"nr": "nr"}, "limits": {"record": "100 kB"}}
    with closing(open_source(SystemConfig("s", "json", {"relations": {"R": relation}}, tmp_path))) as source:
        assert source.count("R") == 1
        assert [row for each in source.extract(Partition("R", 100)) for row in each.frame["nr"]] == ["1"]
