"""`evidence`: the record of what was run, by whom, with which result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option

if TYPE_CHECKING:
    from migrate.evidence.verification import Verified

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


_AT_ENTRY = "  entry "
_LANG = lang_option(default="en")


@click.group()
def evidence() -> None:
    """Verify the record of what was run, seal it, show its head, export it."""


@evidence.command("verify")
@click.argument("file", type=_FILE, required=False)
@click.option("--expect-head", "expected", multiple=True, metavar="HEAD", help="A head, code or seal kept elsewhere.")
@click.option("--keys", type=_FOLDER, metavar="DIR", help="The public keys that count (default: keys/).")
@_LANG
@pass_invocation
def verify_command(
    invocation: Invocation, file: Path | None, expected: tuple[str, ...], keys: Path | None, lang: str
) -> int:
    """Judge the evidence from the files alone: FILE, or that of the workspace's target; exit 8 when it is broken.

    With FILE and --keys no workspace is needed. Where the target can be reached, entries that are not yet in the file
    are appended first; verifying adds no entry.
    """
    from migrate.evidence.verification import verify, verify_alone

    if file is not None and keys is not None:
        found = verify_alone(file, keys, expected)
    else:
        found = verify(invocation.workspace(), file, keys, expected)
    invocation.emit(found.as_dict(), _in(lang, _lines(found)))
    return 0 if found.verdict.valid else 8


def _in(lang: str, lines: Iterator[str]) -> Iterator[str]:
    if lang != "nl":
        yield from lines
        return
    from migrate.dutch import in_dutch

    for line in lines:
        told = line.strip()
        dutch = None if line.startswith(_AT_ENTRY) else in_dutch(told)
        yield line.replace(told, dutch) if dutch else in_dutch(line) or line


def _lines(found: Verified) -> Iterator[str]:
    verdict = found.verdict
    if verdict.valid:
        yield f"Valid: {verdict.entries} entries, each holds the hash of the one before."
    else:
        count = len(verdict.problems)
        yield f"NOT VALID: {verdict.entries} entries, {count} {'problem' if count == 1 else 'problems'}."
        first = verdict.problems[0]
        if first.entry > 1:
            yield f"Entries 1 to {first.entry - 1} are as they were chained."
    for each in verdict.problems:
        at = f"{_AT_ENTRY}{each.entry}" if each.entry else ""
        yield f"{at}  {each.kind}: {each.message}"
    if "missing" in {each.kind for each in verdict.problems}:
        yield "Where nothing was run yet, that is so: the evidence begins with `omnicase db upgrade`."
    if verdict.head.seq:
        from runbooks import short_code

        yield f"Head: {verdict.head.hash}"
        yield f"      {short_code(verdict.head)}"
    yield from verdict.notes
    if found.waiting:
        yield f"{found.waiting} entries wait until the target can be reached."
    if found.current is False:
        yield "The file is not what the ledger holds."
    if verdict.unproven:
        yield "Not proven by this:"
        yield from (f"  {each}" for each in verdict.unproven)


@evidence.command("head")
@_LANG
@pass_invocation
def head_command(invocation: Invocation, lang: str) -> int:
    """Show the head of the evidence, to be kept elsewhere: as hash, and short enough to type."""
    from migrate.evidence.head import head_of
    from runbooks import short_code

    head, current = head_of(invocation.workspace())
    code = short_code(head)
    lines = [f"{head.hash}", code]
    if current is None:
        lines.append("The target cannot be reached: entries may be missing.")
    invocation.emit({"seq": head.seq, "head": head.hash, "code": code, "current": current}, _in(lang, iter(lines)))
    return 0


@evidence.command("seal")
@click.option("--person", metavar="NAME", help="Who signs (default: this machine's key).")
@click.option("--qr", is_flag=True, help="Show the seal as a QR code too, and write it as SVG beside the file.")
@_LANG
@pass_invocation
def seal_command(invocation: Invocation, person: str | None, qr: bool, lang: str) -> int:
    """Sign the head of the evidence; keep the seal elsewhere: mail it, or write its short form down."""
    from migrate.cli.passphrase import ask_passphrase
    from migrate.evidence.verification import seal

    workspace = invocation.workspace()
    made, file = seal(workspace, person, ask_passphrase)
    lines = [
        f"Sealed: {made['count']} entries, {made['at']}, key {made['signed']['key']}.",
        f"Seal: {file.relative_to(workspace.root)}",
        f"Code: {made['code']}",
        "Keep one of them where who writes here cannot reach it; `evidence verify --expect-head` takes both.",
    ]
    if qr:
        from migrate.evidence.qr import qr_codes
        from migrate.paper import write_paper

        shown, picture = qr_codes(made)
        write_paper(file.with_suffix(".svg"), picture.decode())
        lines += [f"QR code: {file.with_suffix('.svg').relative_to(workspace.root)}", *shown]
    invocation.emit(made, _in(lang, iter(lines)))
    return 0


@evidence.command("export")
@click.argument("place", metavar="PLACE", type=click.Path(path_type=Path))
@_LANG
@pass_invocation
def export_command(invocation: Invocation, place: Path, lang: str) -> int:
    """Write a bag (BagIt) for the auditor: PLACE is a folder that does not exist yet, or ends in .zip.

    It holds evidence, public keys, mappings, reports, declaration and what else a check needs, and nothing personal;
    what was left out is listed with the reason.  Exit status 3 when something is missing that an auditor expects.
    """
    from migrate.bag import export

    made = export(invocation.workspace(), place)
    lines = [
        f"{made.place}: {made.files} files, {made.bytes} bytes.",
        f"{len(made.left_out)} files of the workspace were left out; left_out.csv says which and why.",
        *(f"Missing: {each}" for each in made.missing),
    ]
    invocation.emit(made.as_dict(), _in(lang, iter(lines)))
    return 3 if made.missing else 0
