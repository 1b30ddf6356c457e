"""`reconcile`: is it all there, and is it right?"""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option


def _listed(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if value else ()


@click.command("import-decisions")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.xlsx")
@click.option("--by", metavar="PERSON", help="Who proposes: the person of your key (default: your user name).")
@lang_option()
@pass_invocation
def import_decisions(invocation: Invocation, file: Path, by: str | None, lang: str) -> int:
    """Propose a waiver for each line of a work list that accepts a difference.

    Exit status 3 when a line cannot be proposed.
    """
    from migrate.cli.passphrase import ask_passphrase
    from migrate.opening import open_session
    from migrate.running.run import as_of_date
    from migrate.target.opened import workspace_target
    from migrate.waivers.imported import import_decisions as import_list
    from migrate.waivers.show import imported_lines

    with open_session(invocation.workspace(), as_of_date(None)) as session:
        target = workspace_target(session.workspace)
        try:
            done = import_list(session, target, file, by or getpass.getuser(), ask_passphrase)
        finally:
            target.close()
    invocation.emit(done.as_dict(), imported_lines(done, lang))
    return 3 if done.refused else 0


@click.command("pairs")
@click.argument("first", metavar="SYSTEM.RELATION")
@click.argument("second", metavar="SYSTEM.RELATION")
@click.option("--key", "keys", multiple=True, metavar="COLUMN[=COLUMN]", help="A part of the key; repeatable.")
@click.option("--map", "columns", multiple=True, metavar="COLUMN=COLUMN", help="Columns of other names; repeatable.")
@click.option(
    "--tolerance", "tolerances", multiple=True, metavar="COLUMN=MOST", help="Such as COLUMN=0.005 or 'COLUMN=1 second'."
)
@click.option("--ignore", "ignored", multiple=True, metavar="COLUMN", help="A column that is not compared; repeatable.")
@click.option("--report", "kinds", callback=_listed, metavar="KINDS", help="Also write html,xlsx,json,junit,txt.")
@lang_option("the report")
@pass_invocation
def pairs(
    invocation: Invocation,
    first: str,
    second: str,
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    tolerances: tuple[str, ...],
    ignored: tuple[str, ...],
    kinds: tuple[str, ...],
    lang: str,
) -> int:
    """Compare two relations of any two systems by their keys, without a mapping and without a load.

    Exit status 0 only when rows and values were compared and none differs.

    Columns of one name, in any case, are compared as text.  `target` is the target as a system.
    """
    from migrate.pairs import PairAsked, reconcile_pairs
    from reconciliation import render_terminal, text, verdict_chunks

    asked = PairAsked(first, second, keys, columns, tolerances, ignored)
    with reconcile_pairs(invocation.workspace(), asked, kinds, lang, listed=invocation.format == "json") as done:
        document = verdict_chunks(done.report.verdict, {"reports": [str(path) for path in done.files]})
        lines = [*render_terminal(done.report, lang).splitlines(), *(f"{path}" for path in done.files)]
        invocation.emit(document, lines)
        if done.left_out:
            invocation.say(text(lang, "pair.left_out", names=", ".join(done.left_out)))
    return 0 if done.report.verdict.verdict == "in_balance" else 3


class _Reconcile(click.Command):
    """`reconcile`, whose first word may be a verb of its own; no mapping is called like one: its name has a dot."""

    inner: Mapping[str, click.Command] = {each.name or "": each for each in (import_decisions, pairs)}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        own = self.inner.get(args[0]) if args else None
        if own is not None:
            return own.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs of its own."""
        with formatter.section("Verbs of its own"):
            formatter.write_dl([(name, each.get_short_help_str(100)) for name, each in self.inner.items()])


@click.command(cls=_Reconcile)
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
@lang_option("the report")
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
    from migrate.opening import open_session
    from migrate.proof import sample_of
    from migrate.reconcile import reconcile as compare
    from migrate.running.run import as_of_date
    from reconciliation import render_terminal, text, verdict_chunks

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
            if resume and done.anew:
                invocation.say(text(lang, "resume.anew", names=", ".join(done.anew)))
    except KeyboardInterrupt:
        invocation.say("`omnicase reconcile --resume` goes on with the mappings that are not done yet.")
        raise
    return 0 if done.report.verdict.clean else 3
