"""`mapping coverage`."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option


@click.command()
@click.option("--html", "page", metavar="FILE", type=click.Path(path_type=Path), help="Also write a page.")
@click.option(
    "--xlsx",
    "book",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also write a workbook to sign (extra xlsx).",
)
@lang_option()
@pass_invocation
def coverage(invocation: Invocation, page: Path | None, book: Path | None, lang: str) -> int:
    """Show what becomes of every source column and every target column.

    Per relation what is used and what is ignored (why, who decided, on what evidence), per target table what is filled
    and what stays empty.  A column that an old system gained since is named.  Exit status 3 when a column is neither.
    """
    from migrate.mapping.coverage import coverage_paper, coverage_report
    from migrate.opening import open_session
    from migrate.paper import as_html, as_text, write_paper
    from migrate.running.run import as_of_date

    with open_session(invocation.workspace(), as_of_date(None)) as session:
        report = coverage_report(session)
    paper = coverage_paper(report, lang)
    if page is not None:
        write_paper(page, as_html(paper, lang))
    if book is not None:
        from migrate.mapping.coverage_xlsx import write_coverage_xlsx

        write_coverage_xlsx(book, report, lang)
    invocation.emit(report.as_dict(), as_text(paper))
    return 3 if report.open else 0
