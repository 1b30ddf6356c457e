"""A click group whose commands are imported when they are used."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module

import click

from migrate.cli.recorded import with_evidence
from migrate.cli.verbs import Verb


class LazyGroup(click.Group):
    """A group that knows its commands from a table and imports one only when it is asked for.

    Args:
        verbs: name to place and short help, in the order in which ``--help`` lists them.
    """

    def __init__(self, name: str, *, verbs: Mapping[str, Verb], help: str, params: list[click.Parameter]) -> None:
        super().__init__(
            name=name,
            help=help,
            params=params,
            context_settings={"help_option_names": ["-h", "--help"]},
            subcommand_metavar="VERB …",
            options_metavar="[OPTIONS]",
        )
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs in the order of the table."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of a verb, or None when there is no such verb."""
        verb = self.verbs.get(cmd_name)
        if verb is None:
            return None
        module, _, attribute = verb.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{verb.target} is not a click command")
        return with_evidence(command, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that the arguments begin with; name the nearest one when there is none."""
        if args and args[0] not in self.verbs and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.verbs, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no verb {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs from the table, without importing one."""
        if not self.verbs:
            return
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.help) for name, verb in self.verbs.items()])
