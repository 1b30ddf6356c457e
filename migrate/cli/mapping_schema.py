"""`mapping schema`."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.cli.context import Invocation, pass_invocation


@click.command("schema")
@click.argument("kind", type=click.Choice(["mapping", "workspace", "tests", "defaults"]), required=False)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Write the schemas to this folder.")
@pass_invocation
def show_schema(invocation: Invocation, kind: str | None, out: Path | None) -> int:
    """Print or write the JSON Schema of mapping files, workspace.yml, files of tests and defaults.yml.

    Editors complete and check with it: a file names it in its first line, `# yaml-language-server: $schema=…`.  Without
    --out the schema is printed (of mapping files, unless another is asked for); with it all are written.
    """
    from migrate.schemas import KINDS, schema, schema_text, write_schemas

    if out is None:
        asked = kind or "mapping"
        invocation.emit(schema(asked), schema_text(asked).splitlines())
        return 0
    made = write_schemas(out, (kind,) if kind else KINDS)
    invocation.emit({"folder": str(out), "files": made}, [f"{out}/{name}" for name in made])
    return 0
