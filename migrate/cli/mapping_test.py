"""`mapping test`."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option


@click.command("test")
@click.argument("names", metavar="[MAPPING]…", nargs=-1)
@lang_option()
@pass_invocation
def run_mapping_tests(invocation: Invocation, names: tuple[str, ...], lang: str) -> int:
    """Run the tests of the mappings: `tests:` in the mapping files, and mappings/tests/*.yml.

    No row of an old system is read and nothing is written; links and lookups are answered as each test says, else every
    key exists.  Of a value that is not as expected every stage is shown.  Exit status 3 when a test fails.
    """
    from migrate.mapping.testing import run_tests, test_document, test_lines
    from migrate.opening import open_session
    from migrate.running.run import as_of_date

    with open_session(invocation.workspace(), as_of_date(None)) as session:
        done = run_tests(session, names)
    invocation.emit(test_document(done), test_lines(done, lang))
    return 3 if done.failed else 0
