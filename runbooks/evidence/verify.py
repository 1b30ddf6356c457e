"""Verification: a file of evidence, public keys and the last known head give a verdict; nothing else is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from runbooks.evidence.chain import Chain
from runbooks.evidence.content import Content
from runbooks.evidence.entries import Head, line_hash, parsed
from runbooks.evidence.problems import MOST, Problem, Verdict
from runbooks.evidence.seals import Expected
from runbooks.keys import Trust
from runbooks.signing import holds

_BUFFER = 1 << 16


def verify_file(file: Path, trust: Trust, expected: Sequence[Expected] = ()) -> Verdict:
    """Return the verdict on a file of evidence, read once from start to end (OSError when it cannot be read)."""
    with file.open("rb", buffering=_BUFFER) as lines:
        return verify_lines(lines, trust, expected)


def verify_lines(lines: Iterable[bytes], trust: Trust, expected: Sequence[Expected] = ()) -> Verdict:
    """Return the verdict on lines of evidence.

    Args:
        lines: with their newlines.
        trust: the public keys that count.
        expected: heads that somebody kept elsewhere.
    """
    chain = Chain(lines)
    content = Content(trust, chain)
    problems = list(_problems(chain, content))
    head = Head(chain.last, chain.last_hash)
    if not chain.count and not problems:
        problems.append(Problem(0, "missing", "there is no entry"))
    for each in expected:
        problems += _of_expected(each, chain, trust)
    problems += content.keys.left()
    problems.sort(key=lambda each: each.entry or head.seq + 1)
    return Verdict(
        chain.count,
        head,
        chain.project or "",
        tuple(problems[:MOST]),
        tuple(_notes(content, trust)),
        tuple(_unproven(head, content, expected)),
    )


def _problems(chain: Chain, content: Content) -> Iterator[Problem]:
    """Yield the problems in their order; those of an entry's content only when the next entry confirms its bytes."""
    held: list[Problem] = []
    for link in chain.links():
        if not link.drop:
            yield from held
        yield from link.before
        held = content.problems(link.seq, link.line) if link.linked else []
    yield from held
    yield from chain.leftover()


def _of_expected(expected: Expected, chain: Chain, trust: Trust) -> Iterator[Problem]:
    last, seal = chain.last, expected.seal
    if seal is not None:
        if seal.get("project") != chain.project:
            yield Problem(0, "another-project", "the seal that was kept is of another project")
            return
        statement = {name: value for name, value in seal.items() if name not in ("signed", "code")}
        signed = seal.get("signed")
        key = trust.keys.get(str(signed.get("key"))) if isinstance(signed, dict) else None
        if key is None:
            yield Problem(0, "unknown-key", "the seal that was kept is signed with no key of the trust folder")
        elif not isinstance(signed, dict) or not holds(key.public, "seal", statement, signed.get("signature")):
            yield Problem(0, "bad-signature", "the signature of the seal that was kept does not hold")
    if expected.seq == 0:
        return
    if expected.seq is not None and expected.seq <= last:
        if not expected.is_head(expected.seq, chain.digest(expected.seq) or b""):
            yield Problem(expected.seq, "rewritten", "another entry stands here than when its hash was kept")
        return
    if expected.seq is None and any(expected.is_head(seq, chain.digest(seq) or b"") for seq in range(last, 0, -1)):
        return
    yield Problem(last + 1, "cut-off", "the head that was kept is not among the entries: what stood here is gone")


def _notes(content: Content, trust: Trust) -> Iterator[str]:
    first = [f"{name} of {trust.keys[name].person}" for name in content.keys.first if name in trust.keys]
    if first:
        yield f"The first keys countersigned each other: {' and '.join(first)}. Compare them with the ceremony's list."
    if content.late:
        yield f"{content.late} entries were chained late: the target could not be reached when it happened."
    if content.set_back:
        times = f"{content.set_back} times the target stood at an earlier state than the file"
        yield f"{times}: what came between is not in it."
    if content.declared:
        yield f"{content.declared} entries say that the clock of their machine stood before that of another one."


def _unproven(head: Head, content: Content, expected: Sequence[Expected]) -> Iterator[str]:
    anchored = max((each.seq or head.seq for each in expected), default=0)
    if anchored < head.seq or not expected:
        known = f"after entry {anchored}" if anchored else "at the end"
        yield f"That nothing was cut off {known}: give --expect-head with a head or seal that was kept elsewhere."
    if content.last_signed < head.seq:
        after = f"after entry {content.last_signed}, the last signed one," if content.last_signed else "at all"
        yield f"That nobody with access to files and database rewrote entries {after} since nothing signs them."
    if content.keys.signers - content.keys.counts.keys():
        yield "That the machine's key is the machine's: nobody countersigned it."
    yield "When things happened beyond what the machines' clocks said."


def chain_head(file: Path) -> Head:
    """Return the end of a file of evidence as it stands, without verifying it."""
    last = last_line(file)
    entry = parsed(last) if last is not None else None
    return Head() if last is None or entry is None else Head(entry["seq"], line_hash(last), entry["project"])


def last_line(file: Path) -> bytes | None:
    """Return the last whole line of a file, without its newline; None when there is none."""
    if not file.exists():
        return None
    with file.open("rb") as opened:
        opened.seek(0, 2)
        end, tail = opened.tell(), b""
        while end > 0:
            start = max(0, end - _BUFFER)
            opened.seek(start)
            tail = opened.read(end - start) + tail
            whole = tail[: tail.rfind(b"\n")] if b"\n" in tail else b""
            if b"\n" in whole:
                return whole[whole.rfind(b"\n") + 1 :]
            if start == 0:
                return whole or None
            end = start
    return None
