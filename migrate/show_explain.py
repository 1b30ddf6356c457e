"""The way of a row for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from migrate.explain import Explained
from migrate.merged import merged_lines


def explain_lines(found: Explained) -> Iterable[str]:
    """Return the raw row, every stage, and the record now."""
    yield f"{found.mapping}  {'|'.join(found.key)}  {found.state}"
    if found.target_id:
        yield f"  record {found.target} {found.target_id}, last changed by run {found.run}"
    yield f"  mapping file {found.mapping_digest[:12]}, meaning {found.meaning[:12]}"
    yield "source" if found.unmasked else "source (personal values masked)"
    for name, value in found.source:
        yield f"  {name:<24} {value}"
    yield "stages"
    before = ""
    for stage in found.stages:
        label = stage.field if stage.field != before else ""
        before = stage.field
        yield f"  {label:<24} {stage.stage:<10} {stage.value}" + (f"   ! {stage.issue}" if stage.issue else "")
    if found.record:
        yield "record in the target now"
        for name, value in found.record:
            yield f"  {name:<24} {value}"
    yield from merged_lines(found.merged)
    for severity, field, code in found.issues:
        yield f"{severity}: {field}: {code}"
