"""Messages folded by column operations on disk are what a loop over them gives, whatever file each one stands in."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemodel import Partition
from connectors import SystemConfig, open_source
from connectors.sources.stuf import files as stuf_files

pytestmark = pytest.mark.no_cover  # what it runs is traced by the bad cases

_SPACES = {
    "Z": "http://www.egem.nl/StUF/sector/zkn/0310",
    "S": "http://www.egem.nl/StUF/StUF0301",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_HEAD = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in _SPACES.items())
_CLEAR = ("geenWaarde", "waardeOnbekend", "vastgesteldOnbekend")
_VALUE = st.sampled_from([None, "", "a", "b", *_CLEAR, "nietOndersteund", "nietGeautoriseerd"])
"""What a message says of an element: nothing, an empty text, a text, or why there is none."""
_MESSAGE = st.tuples(
    st.sampled_from("KLM"), st.integers(1, 9), st.sampled_from("TWWV"), *(st.fixed_dictionaries({"x": _VALUE, "y": _VALUE}) for _ in "wn")
)
Message = tuple[str, int, str, dict[str, str | None], dict[str, str | None]]


def _element(name: str, value: str | None) -> str:
    if value is None:
        return ""
    if len(value) > 1:
        return f'<Z:{name} xsi:nil="true" S:noValue="{value}"/>'
    return f"<Z:{name}>{value}</Z:{name}>"


def _written(message: Message, number: int) -> str:
    key, moment, kind, was, now = message

    def told(values: dict[str, str | None]) -> str:
        return f"<Z:object><Z:id>{key}</Z:id>{''.join(_element(*each) for each in values.items())}</Z:object>"

    return (
        f"<Z:zakLk01 {_HEAD}><Z:stuurgegevens><S:referentienummer>{number}</S:referentienummer>"
        f"<S:tijdstipBericht>2019010{moment}</S:tijdstipBericht></Z:stuurgegevens><Z:parameters><S:mutatiesoort>{kind}"
        f"</S:mutatiesoort></Z:parameters>{told(was) if kind == 'W' else ''}{told(now)}</Z:zakLk01>"
    )


def _expected(messages: list[Message]) -> dict[str, tuple[str | None, ...]]:
    """Fold by a loop: the values, the number of messages, the last kind, and what was differs."""
    found: dict[str, dict[str, str | None]] = {}
    for key, _, kind, was, now in sorted(messages, key=lambda each: each[1]):
        row = found.setdefault(key, {"n": "0", "told x": None, "told y": None, "differs": ""})
        row["n"], row["kind"] = str(int(row["n"] or 0) + 1), kind
        if kind == "V":
            continue
        for name in "xy":
            before, said = row[f"told {name}"], _meant(was[name]) if kind == "W" else None
            if before is not None and said is not None and before != said and name not in (row["differs"] or ""):
                row["differs"] = (row["differs"] or "") + name
            row[f"told {name}"] = _meant(now[name]) if _meant(now[name]) is not None else before
    return {key: (_none(row["told x"]), _none(row["told y"]), row["n"], row["kind"], row["differs"]) for key, row in found.items()}


def _meant(value: str | None) -> str | None:
    """Return a value, ``-`` for none, None where nothing is said."""
    return None if value is None or value.startswith("niet") else "-" if value in _CLEAR else value


def _none(value: str | None) -> str | None:
    return None if value == "-" else value


@settings(max_examples=40, deadline=None)
@given(st.lists(_MESSAGE, min_size=1, max_size=12, unique_by=lambda each: (each[0], each[1])), st.randoms())
def test_folding_is_a_loop_over_messages_by_time(messages: list[Message], random: object) -> None:
    files = [[], [], []]
    for number, message in enumerate(messages):
        files[random.randrange(3)].append(_written(message, number))  # type: ignore[attr-defined]
    before, stuf_files._ROWS = stuf_files._ROWS, 3
    try:
        with tempfile.TemporaryDirectory() as folder:
            for number, told in enumerate(files):
                random.shuffle(told)  # type: ignore[attr-defined]
                (Path(folder) / f"{number}.xml").write_text("\n".join(told) or f"<Z:edcLk01 {_HEAD}/>")
            relation = {"files": "*.xml", "record": "/Z:zakLk01", "skip": "Z:edcLk01", "fold": "stuf", "key": ["id"]}
            fields = {"id": "Z:id", "x": "Z:x", "y": "Z:y"}
            options = {"namespaces": _SPACES, "relations": {"R": relation | {"fields": fields}}}
            with closing(open_source(SystemConfig("s", "xml", options, Path(folder)))) as source:
                rows = [row for each in source.extract(Partition("R", 2)) for row in each.frame.rows(named=True)]
                assert source.count("R") == len(rows)
                refs = [row["_ref"] for row in rows]
                assert len(set(refs)) == len(refs)
    finally:
        stuf_files._ROWS = before
    found = {}
    for row in rows:
        differs = [each for each in row["stuf_findings"].split() if each.startswith("was-differs:")]
        names = sorted(differs[0].removeprefix("was-differs:").split(",")) if differs else []
        found[row["id"]] = (row["x"], row["y"], row["stuf_messages"], row["stuf_processing"], names)
    expected = {key: (*values[:4], sorted(values[4] or "")) for key, values in _expected(messages).items()}
    assert found == expected
