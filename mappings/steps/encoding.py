"""Steps that undo what programs did to text: mojibake and RTF."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from casemodel import Place
from mappings.steps.step import Step, StepResult, no_params


def _repaired(texts: pl.Series) -> pl.Series:
    """Repair each distinct text that holds more than ASCII; ftfy has no form that works on columns."""
    suspects = texts.filter(texts.str.contains(r"[^\x00-\x7f]")).drop_nulls().unique()
    if suspects.is_empty():
        return texts
    import ftfy  # an eighth of a second, for the few mappings that meet such texts

    config = ftfy.TextFixerConfig(unescape_html=False, replace_lossy_sequences=False, explain=False)
    repaired = pl.Series([ftfy.fix_encoding(text, config) for text in suspects.to_list()], dtype=pl.String)
    changed = suspects != repaired
    if not changed.any():
        return texts
    return texts.replace(suspects.filter(changed), repaired.filter(changed))


def _fix_mojibake(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    no_params("fix_mojibake", params, place)
    return StepResult(text.map_batches(_repaired, return_dtype=pl.String, is_elementwise=True))


_RTF: Final = r"\A\s*\{\\rtf"
_HIDDEN = (
    r"(?s)\{\\(?:\*\\[a-z]+|fonttbl|colortbl|stylesheet|info|pict|object|themedata|generator)"
    r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
)
"""Groups of RTF that hold no text of the reader, with two levels of groups inside."""
_CP1252: Final = {f"\\'{code:02x}": bytes([code]).decode("cp1252") for code in range(0xA0, 0x100)} | {
    f"\\'{code:02x}": bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_UNICODE: Final = {
    f"\\u{code}?": chr(code) for code in (*range(0xA0, 0x180), *range(0x2010, 0x2027), 0x20AC, 0x2022, 0x2026)
}
_ESCAPE: Final = r"\\(?:'[0-9A-Fa-f]{2}|u[0-9]+\?)"
_ESCAPES: Final = _CP1252 | {key.upper().replace("\\'", "\\'"): sign for key, sign in _CP1252.items()} | _UNICODE


def _strip_rtf(text: pl.Expr, params: Any, place: Place | None) -> StepResult:
    no_params("strip_rtf", params, place)
    return StepResult(text.map_batches(_without_rtf, return_dtype=pl.String, is_elementwise=True))


def _without_rtf(texts: pl.Series) -> pl.Series:
    """Change the texts that are RTF; few are, so the others are not looked at any further."""
    is_rtf = texts.str.contains(_RTF)
    if not is_rtf.any():
        return texts
    body = pl.col("text")
    for _ in range(2):
        body = body.str.replace_all(_HIDDEN, "")
    shown = texts.filter(is_rtf).to_frame("text").select(body.str.replace_all(r"[\r\n]", "").alias("text"))
    # of the many hundred escapes there are, few occur: looking for all of them would cost more than all else
    found = shown.get_column("text").str.extract_all(_ESCAPE).explode().unique().drop_nulls().to_list()
    escapes = {written: _ESCAPES[written] for written in sorted(found) if written in _ESCAPES}
    plain = shown.select(_plain_text(pl.col("text"), escapes)).to_series()
    return texts.scatter(is_rtf.arg_true(), plain)


def _plain_text(body: pl.Expr, escapes: dict[str, str]) -> pl.Expr:
    if escapes:
        body = body.str.replace_many(escapes, ascii_case_insensitive=False)
    body = (
        body.str.replace_all(r"\\(?:par|line|row|sect|page)(?:[^a-z]|\z) ?", "\n")
        .str.replace_all(r"\\(?:tab|cell)\b ?", "\t")
        .str.replace_all(r"\\[a-z]+-?[0-9]* ?", "")
        .str.replace_all(r"\\([\\{}])", "\u0000$1")
        .str.replace_all("\\\\~", " ")
        .str.replace_all(r"(?:\A|([^\x00]))[{}]", "$1")
    )
    return body.str.replace_all("\u0000", "", literal=True).str.strip_chars()


STEPS: Final = (
    Step(
        "fix_mojibake",
        "Repairs text whose bytes were read in the wrong encoding, where that can be undone without doubt;"
        " other text stays byte for byte. UTF-8 read as cp1252 can be undone, cp850 read as cp1252 mostly not.",
        "fix_mojibake",
        (("JosÃ©", "José"), ("Fran‡ois", "Fran‡ois")),
        _fix_mojibake,
        repairs=True,
    ),
    Step(
        "strip_rtf",
        "Makes plain text of a text that begins with {\\rtf: groups of fonts, colours and pictures go,"
        " paragraphs become line ends, white space at both ends goes. Other text stays as it is.",
        "strip_rtf",
        ((r"{\rtf1\ansi\pard Aanvraag caf\'e9\par}", "Aanvraag café"), ("geen opmaak", "geen opmaak")),
        _strip_rtf,
        repairs=True,
    ),
)
