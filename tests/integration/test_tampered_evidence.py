"""Evidence that somebody changed: each of these sets is found, with the first wrong entry and what was done to it.

The verifier of docs/, which an auditor can read whole, must come to the same verdict on every one of them.
"""

from __future__ import annotations

import importlib.util
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from made_evidence import START, World, changed, lost, made_world, rechained, write_evidence

from runbooks import (
    Head,
    Trust,
    TrustedKey,
    canonical,
    expected_head,
    line_hash,
    load_trust,
    make_private,
    new_key,
    short_code,
    verify_file,
    verify_lines,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world() -> World:
    return made_world()


@pytest.fixture(scope="module")
def twin() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_evidence", ROOT / "docs/verify_evidence.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Case(NamedTuple):
    """A tampered set: how it is made, and what is found first."""

    name: str
    make: Callable[[World], list[bytes]]
    entry: int
    kind: str


def both(folder: Path, twin: ModuleType, lines: list[bytes], keys: list[TrustedKey], kept: tuple[str, ...] = (), raw: bytes | None = None):
    """Return the verdict of the toolkit, after holding that of the twin against it."""
    file, trust = write_evidence(folder, lines, keys)
    if raw is not None:
        file.write_bytes(raw)
    found = verify_file(file, load_trust(trust), [expected_head(each) for each in kept])
    other = twin.verify(file, trust, kept)
    mine = list(dict.fromkeys((each.entry, each.kind) for each in found.problems))
    assert (other["valid"], other["entries"], other["head"]) == (found.valid, found.entries, found.head.hash)
    assert other["problems"] == mine
    return found


def edit(number: int, *path: str, value: Any) -> Callable[[World], list[bytes]]:
    """Change one field of one entry, and nothing else."""

    def make(world: World) -> list[bytes]:
        def change(entry: dict[str, Any]) -> None:
            for name in path[:-1]:
                entry = entry[name]
            entry[path[-1]] = value

        return [changed(line, change) if place == number else line for place, line in enumerate(world.lines, 1)]

    return make


def bytes_of(number: int, old: bytes, new: bytes) -> Callable[[World], list[bytes]]:
    """Change bytes of one line."""

    def make(world: World) -> list[bytes]:
        assert old in world.lines[number - 1], old
        return [line.replace(old, new, 1) if place == number else line for place, line in enumerate(world.lines, 1)]

    return make


def without(*numbers: int) -> Callable[[World], list[bytes]]:
    return lambda world: [line for place, line in enumerate(world.lines, 1) if place not in numbers]


def order(*numbers: int) -> Callable[[World], list[bytes]]:
    """Take the lines in another order; those that are not named stay."""

    def make(world: World) -> list[bytes]:
        lines = list(world.lines)
        for place, number in zip(sorted(numbers), numbers, strict=True):
            lines[place - 1] = world.lines[number - 1]
        return lines

    return make


def put(place: int, number: int, **fields: Any) -> Callable[[World], list[bytes]]:
    """Put a copy of an entry, with some fields changed, at a place."""
    return lambda world: [*world.lines[: place - 1], changed(world.lines[number - 1], lambda e: e.update(fields)), *world.lines[place - 1 :]]


def insider(number: int, *path: str, value: Any, **how: Any) -> Callable[[World], list[bytes]]:
    """Change a field and work out every hash anew."""
    return lambda world: rechained(edit(number, *path, value=value)(world), number, **how)


def stranger(world: World) -> list[bytes]:
    """Change a field, work out every hash and sign anew with a key of one's own."""
    return rechained(edit(6, "what", "books", "read", value=1)(world), 1, resign=make_private("machine"))


def foreign(world: World) -> World:
    other = made_world()
    other.project = "andere:fedcba9876543210"
    other.lines = rechained([changed(line, lambda e: e.update(project=other.project)) for line in world.lines], 1)
    return other


def spliced(world: World) -> list[bytes]:
    return [*world.lines[:8], *foreign(world).lines[8:12], *world.lines[12:]]


def fork(world: World) -> list[bytes]:
    other = changed(world.lines[8], lambda e: e.update(id="f" * 32))
    return [*world.lines[:9], other, *world.lines[9:]]


def again(place: int, name: str, **fields: Any) -> Callable[[World], list[bytes]]:
    """An insider adds an approval that was given before once more, and works out every hash anew."""

    def make(world: World) -> list[bytes]:
        number = world.places[name]
        line = changed(world.lines[number - 1], lambda e: (e["what"].update(fields), e.update(at="2026-11-30T13:00:00.000000Z")))
        return rechained([*world.lines[: place - 1], line], place)

    return make


def approved(signer: str, *, by: str = "m.engineer", **fields: Any) -> Callable[[World], list[bytes]]:
    """Somebody approves at the end, in good form."""

    def make(world: World) -> list[bytes]:
        more = copied(world)
        more.add("approval", more.approval(signer, name="99", by=by, **fields))
        return more.lines

    return make


def copied(world: World) -> World:
    return World(world.project, list(world.lines), world.private, world.public, dict(world.places))


def sealed_again(world: World) -> list[bytes]:
    """An insider rewrites what was sealed, keeps the seal, and cannot sign the machine's entries."""
    return rechained(edit(6, "what", "books", "read", value=1)(world), 6, unsign=True)


def backdated(seconds: int) -> Callable[[World], list[bytes]]:
    def make(world: World) -> list[bytes]:
        more = copied(world)
        from runbooks import instant

        more.add("batch", {"run": 2}, at=instant(more.now(len(more.lines) - 1) - timedelta(seconds=seconds)))
        return more.lines

    return make


def tail_kept(count: int) -> Callable[[World], list[bytes]]:
    return lambda world: world.lines[:count]


CASES = [
    # Bytes of every class: a digit, a letter, a brace, a quote, a colon, a sign of another script, a control sign.
    Case("digit", bytes_of(7, b'"inserted":92', b'"inserted":93'), 7, "edited"),
    Case("letter", bytes_of(7, b"zaak.case", b"zaak.casf"), 7, "edited"),
    Case("upper case", bytes_of(7, b"zaak.case", b"Zaak.case"), 7, "edited"),
    Case("bit of a hash", bytes_of(8, b'"prev":"', b'"prev":"0'), 8, "malformed"),
    Case("brace", bytes_of(7, b"}}", b"}"), 7, "malformed"),
    Case("quote", bytes_of(7, b'"zaak.case"', b'"zaak.case'), 7, "malformed"),
    Case("colon", bytes_of(7, b'"run":1', b'"run";1'), 7, "malformed"),
    Case("blank within", bytes_of(7, b'"run":1', b'"run": 1'), 7, "edited"),
    Case("other script", bytes_of(7, b"zaak.case", "zааk.case".encode()), 7, "edited"),
    Case("no UTF-8", bytes_of(7, b"zaak.case", b"zaak.cas\xff"), 7, "malformed"),
    Case("NUL", bytes_of(7, b"zaak.case", b"zaak.cas\x00"), 7, "malformed"),
    Case("an escape for a letter", bytes_of(7, b"zaak.case", b"zaak.\\u0063ase"), 7, "edited"),
    Case("empty line", lambda w: [*w.lines[:6], b"", *w.lines[6:]], 7, "malformed"),
    Case("a comment", lambda w: [*w.lines[:6], b"# hier", *w.lines[6:]], 7, "malformed"),
    Case("first line", bytes_of(1, b"owner", b"ownex"), 1, "edited"),
    Case("last line, signed", bytes_of(27, b'"status":0', b'"status":3'), 27, "bad-signature"),
    # Every field.
    Case("seq higher", edit(9, "seq", value=900), 9, "edited"),
    Case("seq lower", edit(9, "seq", value=3), 9, "edited"),
    Case("seq as text", edit(9, "seq", value="9"), 9, "malformed"),
    Case("seq of truth", edit(1, "seq", value=True), 1, "malformed"),
    Case("prev", edit(9, "prev", value="ab" * 32), 9, "edited"),
    Case("form", edit(9, "form", value="omnicase evidence 2"), 9, "malformed"),
    Case("id", edit(9, "id", value="e" * 32), 9, "edited"),
    Case("kind", edit(9, "kind", value="verdict"), 9, "edited"),
    Case("project", edit(9, "project", value="andere:fedcba9876543210"), 9, "edited"),
    Case("at", edit(9, "at", value="2026-11-30T12:08:00.000001Z"), 9, "edited"),
    Case("at without zone", edit(9, "at", value="2026-11-30T12:08:00"), 9, "malformed"),
    Case("who", edit(9, "who", "user", value="somebody"), 9, "edited"),
    Case("where", edit(9, "where", "host", value="elsewhere"), 9, "edited"),
    Case("what", edit(9, "what", "books", "read", value=0), 9, "edited"),
    Case("late taken away", lambda w: [changed(line, lambda e: e.pop("late")) if b'"late"' in line else line for line in w.lines], 15, "edited"),
    Case("late added", edit(9, "late", value={"happened": "2026-11-30T12:00:00.000000Z"}), 9, "edited"),
    Case("a field too many", edit(9, "note", value="x"), 9, "malformed"),
    Case("a field too few", lambda w: [changed(line, lambda e: e.pop("who")) if n == 9 else line for n, line in enumerate(w.lines, 1)], 9, "malformed"),
    Case("signature", edit(14, "signed", "signature", value="AAAA"), 14, "edited"),
    Case("signature taken away", lambda w: [changed(line, lambda e: e.pop("signed")) if n == 14 else line for n, line in enumerate(w.lines, 1)], 14, "edited"),
    Case("two neighbours", lambda w: bytes_of(9, b'"read":97', b'"read":96')(World(lines=bytes_of(8, b'"read":97', b'"read":96')(w))), 9, "edited"),
    # Removed, moved, doubled, put in.
    Case("removed first", without(1), 1, "removed"),
    Case("removed at the start", without(1, 2, 3), 1, "removed"),
    Case("removed in the middle", without(9), 9, "removed"),
    Case("removed many", without(*range(5, 20)), 5, "removed"),
    Case("removed before the last", without(26), 26, "removed"),
    Case("removed two apart", without(7, 11), 7, "removed"),
    Case("removed and numbered anew", lambda w: [changed(line, lambda e: e.update(seq=e["seq"] - (e["seq"] > 9))) for n, line in enumerate(w.lines, 1) if n != 9], 9, "edited"),
    Case("swapped", order(10, 9), 9, "reordered"),
    Case("swapped far", order(20, 6), 6, "reordered"),
    Case("swapped first", order(2, 1), 1, "reordered"),
    Case("backwards", lambda w: w.lines[::-1], 1, "reordered"),
    Case("rotated", order(11, 9, 10), 9, "reordered"),
    Case("doubled", put(10, 9), 10, "duplicated"),
    Case("doubled far", put(20, 5), 20, "duplicated"),
    Case("doubled at the end", lambda w: [*w.lines, w.lines[-1]], 28, "duplicated"),
    Case("the whole twice", lambda w: [*w.lines, *w.lines], 28, "duplicated"),
    Case("put in, numbered as it is", put(10, 9, id="d" * 32, what={}, prev="ab" * 32), 10, "inserted"),
    Case("put in, and the rest numbered anew", lambda w: [*w.lines[:9], changed(w.lines[8], lambda e: e.update(seq=10, prev=hash_of(w, 9))), *[changed(line, lambda e: e.update(seq=e["seq"] + 1)) for line in w.lines[9:]]], 10, "inserted"),
    Case("forked", fork, 10, "forked"),
    Case("forked at the start", lambda w: [w.lines[0], changed(w.lines[0], lambda e: e.update(id="f" * 32)), *w.lines[1:]], 2, "forked"),
    Case("E6: spliced from another project", spliced, 9, "another-project"),
    Case("E6: the end of another project", lambda w: [*w.lines[:8], *foreign(w).lines[8:]], 9, "another-project"),
    # By an insider who works out every hash anew.
    Case("E2: insider: a figure", insider(6, "what", "books", "read", value=1), 14, "bad-signature"),
    Case("insider: a figure, signatures left out", insider(6, "what", "books", "read", value=1, unsign=True), 14, "unsigned"),
    Case("insider: a figure, signed with another key", stranger, 1, "unknown-key"),
    Case("insider: the runner", insider(17, "what", "person", value="f.beheer"), 17, "rewritten"),
    Case("insider: what an approval says", insider(18, "what", "document", "facts", value={"reconcile.findings": 9}), 18, "bad-signature"),
    Case("insider: whose approval it is", insider(18, "what", "document", "person", value="p.eigenaar"), 18, "bad-signature"),
    Case("insider: another role for a key", lambda w: rechained([changed(w.lines[0], lambda e: e["what"]["keys"][2].update(roles=["engineer"])), *w.lines[1:]], 1), 1, "bad-signature"),
    Case("insider: a countersignature left out", lambda w: rechained([w.lines[0], *w.lines[2:]], 2), 2, "cut-off"),
    Case("insider: an entry left out", lambda w: rechained(without(9)(w), 9), 13, "bad-signature"),
    Case("insider: what was sealed, signatures left out", sealed_again, 14, "unsigned"),
    Case("insider: not canonical", lambda w: [*w.lines, canonical_but_spaced(w)], 28, "not-canonical"),
    Case("insider: another beginning", lambda w: rechained(w.lines[1:], 1), 1, "no-genesis"),
    # Approvals and keys.
    Case("E9: approval by the runner", approved("m.engineer"), 28, "self-approval"),
    Case("approval by one of the runners", approved("f.beheer", by="f.beheer"), 28, "self-approval"),
    Case("E11: approval replayed", again(28, "first approval"), 28, "replayed-approval"),
    Case("approval replayed for another run", again(28, "first approval", run="cutover-2"), 28, "replayed-approval"),
    Case("approval in another's name", approved("f.beheer", person="p.eigenaar"), 28, "wrong-role"),
    Case("approval by a machine", approved("machine"), 28, "wrong-role"),
    Case("approval without a signature", lambda w: grown(w, "approval", {"document": {}}), 28, "malformed"),
    Case("approval of a head that is gone", approved("f.beheer", evidence_head=f"99:{'ab' * 32}"), 28, "cut-off"),
    Case("approval of another head", approved("f.beheer", evidence_head=f"9:{'ab' * 32}"), 9, "rewritten"),
    Case("signature as a waiver's", lambda w: grown(w, "approval", waiver_as_approval(w)), 28, "bad-signature"),
    Case("seal of another project", lambda w: grown(w, "seal", {"seal": other_seal(w)}, sign=True), 28, "another-project"),
    Case("seal without a signature", lambda w: grown(w, "seal", {"seal": {}}, sign=True), 28, "malformed"),
    Case("machine does not sign", lambda w: grown(w, "command", {"command": ["run"]}), 28, "unsigned"),
    Case("person signs for the machine", lambda w: grown(w, "command", {"command": ["run"]}, by="p.eigenaar"), 28, "wrong-role"),
    Case("clock", backdated(60), 28, "clock"),
]


def hash_of(world: World, number: int) -> str:
    import hashlib

    return hashlib.sha256(world.lines[number - 1]).hexdigest()


def canonical_but_spaced(world: World) -> bytes:
    more = copied(world)
    more.add("batch", {"run": 3})
    return json.dumps(json.loads(more.lines[-1]), sort_keys=True).encode()


def grown(world: World, kind: str, what: dict[str, Any], *, sign: bool = False, by: str | None = None) -> list[bytes]:
    more = copied(world)
    more.add(kind, what, signer=more.private[by or "machine"] if sign or by else None)
    return more.lines


def waiver_as_approval(world: World) -> dict[str, Any]:
    given = world.approval("f.beheer", name="77")
    return given | {"signed": world.private["f.beheer"].sign("waiver", given["document"])}


def other_seal(world: World) -> dict[str, Any]:
    other = copied(world)
    other.project = "andere:fedcba9876543210"
    return other.seal()


def test_an_untouched_chain_is_valid(world: World, twin: ModuleType, tmp_path: Path) -> None:
    found = both(tmp_path, twin, world.lines, list(world.public.values()))
    assert (found.problems, found.entries, found.head) == ((), 27, world.head)
    assert any("late" in note for note in found.notes)
    assert any("cut off" in each for each in found.unproven), "E4: without an anchor nobody can prove that nothing followed"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_done_is_found_and_named(case: Case, world: World, twin: ModuleType, tmp_path: Path) -> None:
    found = both(tmp_path, twin, case.make(world), list(world.public.values()))
    assert not found.valid
    first = found.problems[0]
    assert (first.entry, first.kind) == (case.entry, case.kind), found.problems[:4]


def test_there_are_as_many_sets_as_were_asked() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


KEPT = ["hash", "code", "seal"]


def kept_head(world: World, folder: Path, form: str) -> str:
    if form == "seal":
        folder.mkdir(exist_ok=True)
        (folder / "seal.json").write_text(json.dumps(world.seal()))
        return str(folder / "seal.json")
    return world.head.hash if form == "hash" else short_code(world.head)


@pytest.mark.parametrize("form", KEPT)
@pytest.mark.parametrize(
    ("lines", "entry", "kind"),
    [
        (lambda w: w.lines[:-3], 25, "cut-off"),
        (lambda w: w.lines[:1], 2, "cut-off"),
        (lambda w: rechained(edit(20, "what", "wave", value="leges")(w), 20, resign=w.private["machine"]), 27, "rewritten"),
        (lambda w: rechained(edit(1, "what", "project", value="x")(w), 1, resign=w.private["machine"]), None, "rewritten"),
    ],
    ids=["three cut off", "all but one cut off", "rewritten with the machine's key", "all rewritten with the machine's key"],
)
def test_e2_e4_e5_a_kept_head_finds_what_was_cut_off_or_rewritten(form, lines, entry, kind, world: World, twin, tmp_path: Path) -> None:
    kept = kept_head(world, tmp_path / "kept", form)
    file, trust = write_evidence(tmp_path, lines(world), world.public.values())
    found = verify_file(file, load_trust(trust), [expected_head(kept)])
    kinds = {each.kind for each in found.problems}
    assert not found.valid
    assert kind in kinds or (form == "hash" and "cut-off" in kinds), found.problems
    if entry is not None and form != "hash":
        assert (entry, kind) in {(each.entry, each.kind) for each in found.problems}
    if form != "code":
        other = twin.verify(file, trust, [kept if form == "hash" else f"{world.head.seq}:{world.head.hash}"])
        assert other["problems"] == list(dict.fromkeys((each.entry, each.kind) for each in found.problems))


@pytest.mark.parametrize("form", KEPT)
def test_a_kept_head_that_is_there_is_content(form, world: World, tmp_path: Path) -> None:
    more = copied(world)
    kept = kept_head(world, tmp_path / "kept", form)
    more.command("status")
    file, trust = write_evidence(tmp_path, more.lines, world.public.values())
    assert verify_file(file, load_trust(trust), [expected_head(kept)]).problems == ()


def test_e7_line_endings_blanks_and_marks_are_named_and_the_rest_is_judged(world: World, twin, tmp_path: Path) -> None:
    keys = list(world.public.values())
    for raw, entry in ((b"".join(line + b"\r\n" for line in world.lines), 1),
                       (b"\xef\xbb\xbf" + b"".join(line + b"\n" for line in world.lines), 1),
                       (b"".join(line + (b" \n" if n == 9 else b"\n") for n, line in enumerate(world.lines, 1)), 9)):
        found = both(tmp_path, twin, [], keys, raw=raw)
        assert [(each.entry, each.kind) for each in found.problems] == [(entry, "line-endings")]
        assert found.head == world.head, "the data is whole otherwise"


def test_a_last_line_that_breaks_off_is_named(world: World, twin, tmp_path: Path) -> None:
    raw = b"\n".join(world.lines)
    found = both(tmp_path, twin, [], list(world.public.values()), raw=raw[:-20])
    assert [(each.entry, each.kind) for each in found.problems] == [(27, "torn")]


@pytest.mark.parametrize("raw", [b"", b"\n", b"geen bewijs\n", b"\x00" * 50, b"[]\n", b'{"form":"omnicase evidence 1"}\n'])
def test_what_is_no_evidence_is_not_valid(raw: bytes, world: World, twin, tmp_path: Path) -> None:
    assert not both(tmp_path, twin, [], list(world.public.values()), raw=raw).valid


def test_e12_keys_that_were_revoked_expired_or_are_unknown(world: World, twin, tmp_path: Path) -> None:
    public = world.public
    owner = public["p.eigenaar"]
    others = [key for name, key in public.items() if name != "p.eigenaar"]
    early = lost(owner, START + timedelta(minutes=10))
    ended = new_key(owner.public, owner.person, owner.roles, START, START + timedelta(minutes=5))
    unborn = new_key(owner.public, owner.person, owner.roles, START + timedelta(days=1), None)
    for keys, kind in ((early, "revoked-key"), (ended, "expired-key"), (unborn, "expired-key"), (None, "unknown-key")):
        found = both(tmp_path, twin, world.lines, [*others, keys] if keys else others)
        assert (world.places["second approval"], kind) in {(each.entry, each.kind) for each in found.problems}
    assert (0, "missing-key") in {(each.entry, each.kind) for each in found.problems}


def test_e18_a_lost_key_is_revoked_by_another_and_what_it_signed_stays_signed(world: World, twin, tmp_path: Path) -> None:
    more, gone = copied(world), lost(world.public["p.eigenaar"], world.now())
    more.add("key", more.countersign("f.beheer", "p.eigenaar", gone, action="revoke"))
    more.private = more.private | {"new": make_private("p.eigenaar")}
    new = new_key(more.private["new"].public, "p.eigenaar", ["owner"], START, None)
    more.add("key", {"action": "new", "key": new.as_dict()})
    more.add("key", more.countersign("f.beheer", "new", new))
    more.add("approval", more.approval("new", name="77", person="p.eigenaar"))
    keys = [gone if key.person == "p.eigenaar" else key for key in world.public.values()]
    assert both(tmp_path, twin, more.lines, [*keys, new]).problems == ()


def test_a_key_that_the_chain_revoked_signs_nothing_after(world: World, twin, tmp_path: Path) -> None:
    more = copied(world)
    gone = lost(world.public["f.beheer"], more.now())
    more.add("key", more.countersign("p.eigenaar", "f.beheer", gone, action="revoke"))
    more.add("approval", more.approval("f.beheer", name="55", at="2026-11-30T12:01:00Z"))
    keys = [gone if key.person == "f.beheer" else key for key in world.public.values()]
    first = both(tmp_path, twin, more.lines, keys).problems[0]
    assert (first.entry, first.kind) == (29, "revoked-key")
    # The file of the key put back as it was: the chain still knows.
    kinds = {each.kind for each in both(tmp_path, twin, more.lines, list(world.public.values())).problems}
    assert kinds == {"revoked-key", "unannounced-key"}
    # Revoked in its file alone.
    assert found_in(both(tmp_path, twin, world.lines, keys)) == [(0, "unannounced-key")]


def found_in(verdict) -> list[tuple[int, str]]:
    return [(each.entry, each.kind) for each in verdict.problems]


def test_e15_a_key_put_into_the_folder_by_hand_is_named(world: World, twin, tmp_path: Path) -> None:
    private = make_private("n.nieuw")
    key = new_key(private.public, "n.nieuw", ["owner"], START, None)
    keys = [*world.public.values(), key]
    assert found_in(both(tmp_path, twin, world.lines, keys)) == [(0, "unannounced-key")]
    more = copied(world)
    more.private = more.private | {"n.nieuw": private}
    more.add("approval", more.approval("n.nieuw", name="66"))
    assert found_in(both(tmp_path, twin, more.lines, keys))[0] == (28, "unannounced-key")


@pytest.mark.parametrize(
    ("vouch", "found"),
    [
        (None, [(29, "uncountersigned-key"), (0, "uncountersigned-key")]),
        (lambda w, key: w.countersign("m.engineer", "new", key), [(29, "wrong-role"), (30, "uncountersigned-key"), (0, "uncountersigned-key")]),
        (lambda w, key: w.countersign("new", "new", key), [(29, "uncountersigned-key"), (30, "uncountersigned-key"), (0, "uncountersigned-key")]),
        (lambda w, key: w.countersign("f.beheer", "new", key) | {"signed": w.private["machine"].sign("countersignature", {})}, None),
        (lambda w, key: w.countersign("machine", "new", key), [(29, "wrong-role"), (30, "uncountersigned-key"), (0, "uncountersigned-key")]),
        (lambda w, key: w.countersign("f.beheer", "m.engineer") | {"key": key.as_dict()}, [(29, "malformed"), (30, "uncountersigned-key"), (0, "uncountersigned-key")]),
        (lambda w, key: w.countersign("f.beheer", "new", key, evidence_head=None), [(29, "malformed"), (30, "uncountersigned-key"), (0, "uncountersigned-key")]),
        (lambda w, key: w.countersign("f.beheer", "new", key, person="p.eigenaar"), [(29, "wrong-role"), (30, "uncountersigned-key"), (0, "uncountersigned-key")]),
        (lambda w, key: w.countersign("f.beheer", "new", key, evidence_head=f"20:{'ab' * 32}"), [(20, "rewritten")]),
        (lambda w, key: w.countersign("f.beheer", "new", key), []),
    ],
    ids=["by nobody", "by an engineer", "by itself", "signature of another", "by a machine", "of another key", "of no chain",
         "in another's name", "of another chain", "by an administrator"],
)
def test_e15_a_new_key_counts_when_somebody_else_who_may_countersigned_it(vouch, found, world: World, twin, tmp_path: Path) -> None:
    more = copied(world)
    more.private = more.private | {"new": make_private("n.nieuw")}
    key = new_key(more.private["new"].public, "n.nieuw", ["owner"], START, None)
    more.add("key", {"action": "new", "key": key.as_dict()})
    if vouch is not None:
        more.add("key", vouch(more, key))
    more.add("approval", more.approval("new", name="66", person="n.nieuw"))
    verdict = both(tmp_path, twin, more.lines, [*world.public.values(), key])
    assert not found or found_in(verdict) == found
    assert verdict.valid == (found == [])


def test_e15_an_approval_before_the_countersignature_does_not_count(world: World, twin, tmp_path: Path) -> None:
    more = copied(world)
    more.private = more.private | {"new": make_private("n.nieuw")}
    key = new_key(more.private["new"].public, "n.nieuw", ["owner"], START, None)
    more.add("key", {"action": "new", "key": key.as_dict()})
    more.add("approval", more.approval("new", name="66", person="n.nieuw"))
    more.add("key", more.countersign("f.beheer", "new", key))
    assert found_in(both(tmp_path, twin, more.lines, [*world.public.values(), key])) == [(29, "uncountersigned-key")]


def test_e15_who_countersigns_a_key_of_their_own_is_named(world: World, twin, tmp_path: Path) -> None:
    more = copied(world)
    key = new_key(make_private("f.beheer").public, "f.beheer", ["owner"], START, None)
    more.add("key", more.countersign("f.beheer", "f.beheer", key))
    keys = [*world.public.values(), key]
    assert found_in(both(tmp_path, twin, more.lines, keys)) == [(28, "self-approval"), (0, "uncountersigned-key")]


def test_e15_keys_that_nobody_countersigned_at_all_count_for_nothing(twin, tmp_path: Path) -> None:
    """Two keys of one person do not found a circle, nor does one who signs for another and gets nothing back."""
    world = World()
    for person, role in (("machine", "machine"), ("a", "owner"), ("b", "administrator"), ("c", "engineer")):
        world.key(person, role)
    world.public["machine"] = new_key(world.private["machine"].public, "machine-vm-root", ["machine"], START, None)
    keys = list(world.public.values())
    world.add("genesis", {"keys": [key.as_dict() for key in keys], "project": world.project}, signer=world.private["machine"])
    assert found_in(both(tmp_path, twin, world.lines, keys)) == [(0, "uncountersigned-key")] * 3
    world.add("key", world.countersign("a", "b"))
    world.add("key", world.countersign("a", "machine"))
    world.add("key", world.countersign("c", "a"))
    world.add("key", world.countersign("a", "c"))
    assert found_in(both(tmp_path, twin, world.lines, keys)) == [(4, "wrong-role"), *[(0, "uncountersigned-key")] * 3]
    world.add("key", world.countersign("b", "a"))
    found = both(tmp_path, twin, world.lines, keys)
    assert found_in(found) == [(4, "wrong-role")], "the machine and c were countersigned by one of the first two"
    assert any(world.public["a"].id in note and world.public["b"].id in note for note in found.notes)


def test_e15_an_insider_with_a_new_machine_key_is_named(world: World, twin, tmp_path: Path) -> None:
    """What follows entry 20 is made anew, signed with a key of one's own; the old one is revoked by nobody."""
    private = make_private("x")
    key = new_key(private.public, "machine-vm-root", ["machine"], START, None)
    lines = rechained(edit(20, "what", "wave", value="leges")(world), 20, resign=private)
    more = World(world.project, lines[:19], world.private, world.public)
    more.add("key", {"action": "new", "key": key.as_dict()})
    more.lines = rechained([*more.lines, *lines[19:]], 20, resign=private)
    keys = [*world.public.values(), key]
    kinds = found_in(both(tmp_path, twin, more.lines, keys))
    assert (0, "uncountersigned-key") in kinds
    # Revoked afterwards, so that its file says that it counts no more: nobody signed that either.
    gone = lost(key, world.now())
    more.add("key", {"action": "revoke", "key": gone.as_dict()})
    kinds = found_in(both(tmp_path, twin, more.lines, [*world.public.values(), gone]))
    assert (len(more.lines), "uncountersigned-key") in kinds


def test_a_revocation_that_nobody_signed_frees_no_machine_from_signing(world: World, twin, tmp_path: Path) -> None:
    more = copied(world)
    gone = lost(world.public["machine"], more.now())
    more.add("key", {"action": "revoke", "key": gone.as_dict()})
    more.add("command", {"command": ["run"], "status": 0})
    keys = [gone if key.id == gone.id else key for key in world.public.values()]
    kinds = found_in(both(tmp_path, twin, more.lines, keys))
    assert kinds == [(28, "uncountersigned-key"), (29, "unsigned"), (0, "unannounced-key")]


def test_e15_roles_changed_in_the_folder_are_named(world: World, twin, tmp_path: Path) -> None:
    keys = [new_key(key.public, key.person, ["owner", *key.roles], START, None) if key.person == "f.beheer" else key
            for key in world.public.values()]
    assert (world.places["first approval"], "unannounced-key") in found_in(both(tmp_path, twin, world.lines, keys))
    # Another key in the file of the same person.
    other = new_key(make_private("f.beheer").public, "f.beheer", ["administrator"], START, None)
    keys = [other if key.person == "f.beheer" else key for key in world.public.values()]
    found = found_in(both(tmp_path, twin, world.lines, keys))
    assert (world.places["first approval"], "unknown-key") in found
    assert {(0, "unannounced-key"), (0, "missing-key")} <= set(found)


WRITTEN = {
    '"plain ASCII, and no more"': None, '"é ☃ \U0001d11e \u007f \u2028"': None, '"\\u0001 \\" \\\\ \\n"': None, "[]": None, "{}": None,
    "null": None, "[true,false,-7,[{}]]": None, str(2**63): None, str(2**64): None, "1.5": None, "-0.25": None, "1e+16": None,
    '{"a":1,"b":{"c":[2]}}': None, '{"é":1,"ﬀ":2,"\U0001d11e":3}': None, "[" * 200 + "]" * 200: None,
    '"\\u00e9"': "not-canonical", '"\\/"': "not-canonical", '"\\u001F"': "not-canonical", "1e16": "not-canonical",
    "1e-7": "not-canonical", "0.00001": "not-canonical", "1.0e0": "not-canonical", "-0": "not-canonical", "1E2": "not-canonical",
    "NaN": None, "-Infinity": None, '{"b":1,"a":2}': "not-canonical", '{"a":1,"a":1}': "not-canonical", "[1, 2]": "not-canonical",
    '"\\ud800"': "not-canonical", '"\\ud834\\udd1e"': "not-canonical", "01": "malformed", "'x'": "malformed", '"\x01"': "malformed",
    "[" * 100_000 + "]" * 100_000: "malformed",
}
"""Values as they may be written in an entry, and what is said of the entry."""


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: ascii(written[:24]))
def test_what_writers_of_json_do_differently_is_judged_alike(written: str, world: World, twin, tmp_path: Path) -> None:
    """Entries are read by a faster library where that cannot matter: the twin has only the standard one."""
    *lines, last = world.lines

    def plain(entry: dict[str, Any]) -> None:
        del entry["signed"]
        entry |= {"kind": "batch", "what": {"value": 0}}

    bent = changed(last, plain).replace(b'"value":0', b'"value":' + written.encode())
    found = both(tmp_path, twin, [*lines, bent], list(world.public.values()))
    assert [each.kind for each in found.problems] == ([WRITTEN[written]] if WRITTEN[written] else [])


@pytest.mark.parametrize(
    "told",
    [
        {"at": "2026-13-99T99:99:99.000000Z"}, {"kind": "genesis", "what": {"keys": [{"key": "k", "roles": 5}]}},
        {"where": {"machine": ["a"]}}, {"kind": "key", "what": {"key": {"key": "k", "roles": {"machine": 1}, "person": [1]}}},
        {"kind": "runbook", "what": {"type": ["run-started"], "run": [1]}}, {"signed": {"key": ["x"], "signature": 1}},
        {"kind": "approval", "what": {"document": {"evidence_head": "9" * 5_000 + ":x"}, "signed": {}}},
        {"kind": "seal", "what": {"seal": {"signed": {"key": {}}, "seq": "1"}}},
    ],
    ids=lambda told: str(told)[:60],
)  # fmt: skip
def test_an_entry_that_holds_nonsense_ends_no_verification(told: dict[str, Any], twin: ModuleType, tmp_path: Path) -> None:
    """Whoever can write entries can write any JSON: both name what is wrong, and neither ends on it."""
    lines, before = [], "0" * 64
    for seq, more in enumerate(({"kind": "genesis"}, told, {}), 1):
        entry = {
            "form": "omnicase evidence 1", "seq": seq, "prev": before, "id": "a" * 32, "kind": "command", "project": "p",
            "at": "2026-01-01T00:00:00.000000Z", "who": {}, "where": {}, "what": {}, **more,
        }  # fmt: skip
        text = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
        before = line_hash(text)
        lines.append(text)
    verdict = both(tmp_path, twin, lines, [])
    assert verdict.entries == 3
    assert {each.kind for each in verdict.problems} <= {"malformed", "missing-key", "unknown-key", "unannounced-key"}


def test_e3_every_removal_and_every_swap_is_found(world: World, twin, tmp_path: Path) -> None:
    keys = list(world.public.values())
    for number in range(1, 27):
        first = both(tmp_path, twin, without(number)(world), keys).problems[0]
        assert (first.entry, first.kind) == (number, "removed")
        first = both(tmp_path, twin, order(number + 1, number)(world), keys).problems[0]
        assert (first.entry, first.kind) == (number, "reordered")


@pytest.mark.sample(1)
@pytest.mark.parametrize("part", range(10))
def test_e1_any_byte_of_the_file_is_missed(part: int, world: World, twin, tmp_path: Path) -> None:
    """Every tenth byte, changed alone: found, and everything before it confirmed."""
    whole = b"".join(line + b"\n" for line in world.lines)
    keys = list(world.public.values())
    step = 10 * 7
    missed = []
    for position in range(part * 7, len(whole), step):
        raw = bytearray(whole)
        raw[position] ^= 0x01
        found = both(tmp_path, twin, [], keys, raw=bytes(raw))
        entry = whole[:position].count(b"\n") + 1
        if found.valid or not entry - 1 <= (found.problems[0].entry or entry) <= entry + 1:
            missed.append((position, entry, found.problems[:1]))
    assert missed == []


@pytest.mark.parametrize("text", ["", "abc", "27-XXXXX", "0" * 63, "27:" + "0" * 64, "/does/not/exist"])
def test_a_mistyped_head_is_refused(text: str) -> None:
    from casemodel import UsageError

    with pytest.raises(UsageError) as caught:
        expected_head(text)
    assert caught.value.code == "EVI-004"


def test_a_short_code_forgives_what_looks_alike_and_no_other_sign(world: World) -> None:
    from casemodel import UsageError

    code = short_code(Head(27, "8" * 64))
    assert expected_head(code.lower().replace("0", "o").replace("1", "l")).value == expected_head(code).value
    start = code.index("-") + 1
    for place in range(start, len(code)):
        if code[place] == "-":
            continue
        wrong = code[:place] + ("A" if code[place] != "A" else "B") + code[place + 1 :]
        with pytest.raises(UsageError):
            expected_head(wrong)


def test_the_twin_can_be_read_whole() -> None:
    text = (ROOT / "docs/verify_evidence.py").read_text()
    assert len(text.splitlines()) <= 150
    assert max(map(len, text.splitlines())) <= 120
    assert canonical({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()


def test_e8_a_long_chain_is_read_as_a_stream(world: World) -> None:
    """32 bytes an entry are kept, and nothing of its text."""
    entries = 5_000

    def lines() -> Iterator[bytes]:
        head, line = world.head, json.loads(world.lines[-2])
        yield from (each + b"\n" for each in world.lines)
        for number in range(entries):
            line |= {"seq": head.seq + 1, "prev": head.hash, "at": "2026-12-01T00:00:00.000000Z", "what": {"batch": number, "fill": "x" * 2_000}}
            made = canonical(line)
            head = Head(head.seq + 1, line_hash(made))
            yield made + b"\n"

    trust = Trust({key.id: key for key in world.public.values()})
    tracemalloc.start()
    try:
        found = verify_lines(lines(), trust)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (found.problems, found.entries) == ((), entries + len(world.lines))
    assert peak < 2_000_000, f"{peak} bytes for {entries * 2_500} bytes of entries"
