"""`mapping`: the mapping files themselves."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option
from migrate.cli.mapping_coverage import coverage
from migrate.cli.mapping_diff import diff
from migrate.cli.mapping_doc import doc
from migrate.cli.mapping_new import new
from migrate.cli.mapping_schema import show_schema
from migrate.cli.mapping_test import run_mapping_tests


@click.group()
def mapping() -> None:
    """Check, test, cover, document and compare the mapping files."""


@mapping.command()
@lang_option()
@pass_invocation
def check(invocation: Invocation, lang: str) -> int:
    """Check every mapping file and every test: names, stages, links, coverage."""
    from migrate.mapping.check import check_lines, check_workspace
    from migrate.running.run import as_of_date

    found = check_workspace(invocation.workspace(), as_of_date(None))
    invocation.emit(found.as_dict(), check_lines(found, lang))
    return 4 if found.errors else 3 if found.warnings else 0


mapping.add_command(new)
mapping.add_command(run_mapping_tests)
mapping.add_command(coverage)
mapping.add_command(show_schema)
mapping.add_command(diff)
mapping.add_command(doc)
