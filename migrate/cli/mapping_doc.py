"""`mapping doc`."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.cli.context import Invocation, pass_invocation
from migrate.cli.lang import lang_option


@click.command()
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE: .html a page, else Markdown."
)
@lang_option()
@pass_invocation
def doc(invocation: Invocation, out: Path | None, lang: str) -> int:
    """Write the data dictionary: for each target field where it comes from, stage by stage in words.

    With code tables, rules, scope, what may be lost, and what stays behind and why.  Without --out it is printed as
    Markdown.
    """
    from dataclasses import asdict

    from mappings import load_mappings
    from migrate.mapping.doc import doc_paper
    from migrate.paper import as_html, as_markdown, write_paper

    root = invocation.workspace().root
    parts = doc_paper(load_mappings(root / "mappings", root), lang)
    if out is None:
        invocation.emit({"parts": [asdict(part) for part in parts]}, as_markdown(parts).splitlines())
        return 0
    write_paper(out, as_html(parts, lang) if out.suffix.lower() in (".html", ".htm") else as_markdown(parts))
    invocation.emit({"file": str(out)}, [str(out)])
    return 0
