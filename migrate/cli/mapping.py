"""`mapping`: the mapping files themselves."""

from __future__ import annotations

import click

from migrate.cli.context import Invocation, pass_invocation
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
@pass_invocation
def check(invocation: Invocation) -> int:
    """Check every mapping file: names, stages, links, coverage."""
    from casemodel import RefusedError, RefusedMany
    from mappings import CheckResult
    from migrate.profile import format_warnings
    from migrate.run import as_of_date
    from migrate.session import open_session

    workspace = invocation.workspace()
    try:
        with open_session(workspace, as_of_date(None)) as session:
            found = session.check
            profiled = format_warnings(workspace, session.files.values())
    except RefusedMany as unreadable:
        found, profiled = CheckResult(tuple(unreadable.errors), (), ()), []
    warnings = [*found.warnings, *profiled]

    def shown(error: RefusedError) -> dict[str, object]:
        place = error.place
        return {
            "code": error.code,
            "file": place.file,
            "line": place.line,
            "column": place.column,
            "message": error.message,
            "hint": error.hint,
        }

    document = {
        "errors": [shown(error) for error in found.errors],
        "warnings": [shown(error) for error in warnings],
        "order": list(found.order),
    }
    lines = [
        line
        for kind, errors in (("error", found.errors), ("warning", warnings))
        for error in errors
        for line in (f"{kind} {error.code}  {error.place}: {error.message}", f"  hint: {error.hint}")
    ]
    if not found.errors:
        lines.append(f"{len(found.order)} mappings are in order. They load in this order: {', '.join(found.order)}.")
        lines.append("Next: omnicase plan, or omnicase run")
    invocation.emit(document, lines)
    return 4 if found.errors else 3 if warnings else 0


mapping.add_command(new)
mapping.add_command(run_mapping_tests)
mapping.add_command(coverage)
mapping.add_command(show_schema)
mapping.add_command(diff)
mapping.add_command(doc)
