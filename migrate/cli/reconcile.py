"""`reconcile`: is it all there, and is it right?"""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation


def _listed(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if value else ()


@click.command()
@click.argument("mappings", nargs=-1, metavar="[MAPPING]…")
@click.option(
    "--level",
    "levels",
    callback=_listed,
    metavar="LEVELS",
    help="schema,accounting,keys,controls,fields,children,rules,distribution (default: all).",
)
@click.option(
    "--report",
    "kinds",
    callback=_listed,
    metavar="KINDS",
    help="Also write html,xlsx,json,junit,txt to reports/.",
)
@click.option(
    "--lang", type=click.Choice(["nl", "en"]), default="nl", show_default=True, help="Language of the report."
)
@click.option("--sample", metavar="SHARE", help="Compare a share of the records, such as 1%; the same in every run.")
@click.option("--resume", is_flag=True, help="Go on with a reconciliation that was interrupted, where nothing changed.")
@pass_invocation
def reconcile(
    invocation: Invocation,
    mappings: tuple[str, ...],
    levels: tuple[str, ...],
    kinds: tuple[str, ...],
    lang: str,
    sample: str | None,
    resume: bool,
) -> int:
    """Compare the old systems with the target, value by value, and report."""
    from migrate.proof import sample_of
    from migrate.reconcile import reconcile as compare
    from migrate.run import as_of_date
    from migrate.session import open_session
    from reconciliation import render_terminal, verdict_chunks

    drawn = sample_of(sample)
    try:
        with (
            open_session(invocation.workspace(), as_of_date(None)) as session,
            compare(
                session, mappings, levels, kinds, lang, listed=invocation.format == "json", sample=drawn, resume=resume
            ) as done,
        ):
            document = verdict_chunks(done.report.verdict, {"reports": [str(path) for path in done.files]})
            lines = [*render_terminal(done.report, lang).splitlines(), *(f"{path}" for path in done.files)]
            invocation.emit(document, lines)
    except KeyboardInterrupt:
        invocation.say("`omnicase reconcile --resume` goes on with the mappings that are not done yet.")
        raise
    return 0 if done.report.verdict.clean else 3
