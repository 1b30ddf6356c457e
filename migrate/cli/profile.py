"""`profile`: what is really in an old system."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option


@click.command()
@click.argument("asked", metavar="SYSTEM[.RELATION]")
@click.option("--report", type=click.Choice(["html"]), help="Also write a page with charts to reports/profiles/.")
@click.option("--first", type=click.IntRange(min=1), metavar="ROWS", help="Read only the first rows of each relation.")
@lang_option()
@pass_invocation
def profile(invocation: Invocation, asked: str, report: str | None, first: int | None, lang: str) -> int:
    """Show what is really in an old system: types, forms, keys, dates, values.

    Nothing in the old system changes.  Values that are personal are shown masked, and none that is seen fewer than
    five times.  The findings are kept in reports/profiles/, where `mapping new` and `mapping check` look for them.
    """
    from migrate.profile import profile as examine
    from migrate.profile.saved import save_page
    from migrate.profile.show import profile_document, profile_lines, profile_page
    from migrate.profile.words import word

    workspace = invocation.workspace()
    done = examine(workspace, asked, first)
    kept = list(done.files)
    if report:
        title = done.relations[0].name if len(done.relations) == 1 else done.system
        kept.append(save_page(workspace, title, profile_page(done.relations, title, lang)))
    shown = [str(path.relative_to(workspace.root)) for path in kept]
    lines = [*profile_lines(done.relations, lang), "", *(word(lang, "kept", file=each) for each in shown)]
    invocation.emit(profile_document(done.relations, done.system, shown), lines)
    return 0
