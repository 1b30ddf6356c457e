"""The way of a row for the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from migrate.explain.merged import merged_lines
from migrate.explain.row import Explained
from reconciliation import tolerance_text

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "record": (
        "record {table} {id}, het laatst veranderd door run {run}",
        "record {table} {id}, last changed by run {run}",
    ),
    "version": ("mappingbestand {file}, betekenis {meaning}", "mapping file {file}, meaning {meaning}"),
    "source": ("bron", "source"),
    "masked": ("bron (persoonsgegevens afgeschermd)", "source (personal values masked)"),
    "stages": ("stappen", "stages"),
    "outside": ("de rij valt buiten de mapping: geen stap liep", "the row is out of scope: no stage ran"),
    "now": ("record in het doel, nu", "record in the target now"),
    "not loaded yet": ("nog niet geladen", "not loaded yet"),
    "loaded": ("geladen", "loaded"),
    "merged": ("samengevoegd", "merged"),
    "parked": ("geparkeerd", "parked"),
    "rejected": ("geweigerd", "rejected"),
    "stale": ("niet meer actueel", "stale"),
    "conflict": ("conflict", "conflict"),
    "deferred": ("latere golf", "deferred"),
    "late": ("te laat", "late"),
    "out_of_scope": ("buiten de mapping", "out of scope"),
    "gone": ("verdwenen uit de bron", "gone from the source"),
    "tolerance": (
        "bij het aansluiten mag {name} tot en met {most} verschillen",
        "when reconciling, {name} may differ by up to {most}",
    ),
    "waits": ("wacht op {key}", "waits for {key}"),
    "error": ("fout", "error"),
    "warning": ("waarschuwing", "warning"),
}
_STAGES: Final[dict[str, str]] = {
    "written": "geschreven",
    "typed as the column": "met het type van de kolom",
    "null_if again": "null_if nogmaals",
    "branch taken": "gekozen alternatief",
    "value of the branch": "waarde daarvan",
}
_FROM: Final = "from "
_WIDEST: Final = 32


def explain_lines(found: Explained, lang: str) -> Iterable[str]:
    """Return the raw row, every stage, and the record now."""
    yield f"{found.mapping}  {'|'.join(found.key)}  {_word(lang, found.state)}"
    if found.target_id:
        yield f"  {_word(lang, 'record', table=found.target, id=found.target_id, run=found.run)}"
    yield f"  {_word(lang, 'version', file=found.mapping_digest[:12], meaning=found.meaning[:12])}"
    yield _word(lang, "source" if found.unmasked else "masked")
    for name, value in found.source:
        yield f"  {name:<24} {value}"
    yield _word(lang, "stages" if found.stages else "outside")
    words = [_stage(lang, stage.stage) for stage in found.stages]
    width = min(max(map(len, words), default=0), _WIDEST)
    before = ""
    for stage, word in zip(found.stages, words, strict=True):
        label = stage.field if stage.field != before else ""
        before = stage.field
        yield f"  {label:<24} {word:<{width}} {stage.value}" + (f"   ! {stage.issue}" if stage.issue else "")
    if found.record:
        yield _word(lang, "now")
        for name, value in found.record:
            yield f"  {name:<24} {value}"
    for name, most in found.tolerances:
        yield _word(lang, "tolerance", name=name, most=tolerance_text(lang, most))
    yield from merged_lines(found.merged, lang)
    for each in found.waits:
        yield _word(lang, "waits", key=each)
    for severity, field, code in found.issues:
        yield f"{_word(lang, severity)}: {field}: {code}"


def _stage(lang: str, stage: str) -> str:
    """Return what a stage is called: as the mapping calls it, what has no name there in the language asked."""
    if lang != "nl":
        return stage
    branch, colon, name = stage.rpartition(": ")
    name = _STAGES.get(name, f"uit {name.removeprefix(_FROM)}" if name.startswith(_FROM) else name)
    return f"{branch}{colon}{name}"


def _word(lang: str, name: str, /, **parts: object) -> str:
    if name not in _WORDS:
        return name
    return _WORDS[name][0 if lang == "nl" else 1].format(**parts)
