"""`declaration render | template`: what was migrated, how, with which result, what was lost, who is accountable."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option

_LANG = lang_option("the declaration")


@click.group()
def declaration() -> None:
    """Fill the declaration of migration (verklaring van migratie) from the ledger."""


@declaration.command()
@_LANG
@click.option(
    "--template",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Template to fill (default: declaration/LANG.html.j2 of the workspace, else the shipped one).",
)
@click.option(
    "--out",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Write the page there, not to the terminal; as PDF where FILE ends in .pdf. May be repeated.",
)
@pass_invocation
def render(invocation: Invocation, lang: str, template: Path | None, files: tuple[Path, ...]) -> int:
    """Fill the declaration: one HTML page, to be printed and signed, or a PDF for the archive (PDF/A-2a, tagged).

    A fact that the ledger does not have stays visibly blank, with the reason.  With --format json the facts themselves.
    """
    from migrate.declaration import declare, write_out

    made = declare(invocation.workspace(), lang, template)
    write_out(made, files)
    if files:
        invocation.say(_left_blank(made.blank, lang))
    invocation.emit(made.as_dict(), map(str, files) if files else made.page().splitlines())
    return 0


@declaration.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@_LANG
@pass_invocation
def template(invocation: Invocation, file: Path, lang: str) -> int:
    """Write the shipped template to FILE, to make one of your own from."""
    from migrate.declaration import shipped_template
    from migrate.declaration.output import write_new

    shipped = shipped_template(lang)
    write_new(file, shipped.source)
    invocation.emit({"file": str(file), "version": shipped.version}, [str(file)])
    return 0


def _left_blank(count: int, lang: str) -> str:
    if lang == "nl":
        return f"{count} gegevens zijn nog open; ze zijn in de verklaring gemerkt."
    return f"{count} facts are still open; they are marked in the declaration."
