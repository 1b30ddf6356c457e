"""Short documents of headings, sentences and tables, written as text, as Markdown and as a self-contained HTML page."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casemodel import RefusedError, printable

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}h1,h2,h3{line-height:1.2}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}"
    "th,td{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "th{background:#eee}"
)
_MARKDOWN = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]#|~!"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, the sentences below it, and a table: head and rows of texts.  All texts are plain, never markup."""

    level: int
    title: str
    sentences: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def as_text(parts: Sequence[Part]) -> Iterator[str]:
    """Yield the lines for a terminal."""
    for part in parts:
        yield f"{'  ' * (part.level - 1)}{printable(part.title)}"
        indent = "  " * part.level
        yield from (f"{indent}{printable(sentence)}" for sentence in part.sentences)
        widths = (
            [min(max(len(printable(row[i])) for row in part.rows), 32) for i in range(len(part.head))]
            if (part.rows)
            else []
        )
        for row in part.rows:
            cells = [printable(cell).ljust(width) for cell, width in zip(row, widths, strict=True)]
            yield (indent + "  ".join(cells)).rstrip()
        yield ""


def as_markdown(parts: Sequence[Part]) -> str:
    """Return the document as Markdown; signs that Markdown knows are escaped."""
    lines: list[str] = []
    for part in parts:
        lines += [f"{'#' * part.level} {_markdown(part.title)}", ""]
        for sentence in part.sentences:
            lines += [_markdown(sentence), ""]
        if part.rows:
            lines += [_markdown_row(part.head), "|" + " --- |" * len(part.head)]
            lines += [_markdown_row(row) for row in part.rows]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def as_html(parts: Sequence[Part], lang: str) -> str:
    """Return the document as an HTML page that loads nothing and runs nothing."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    body: list[str] = []
    for part in parts:
        body.append(f"<h{part.level}>{_html(part.title)}</h{part.level}>")
        body += [f"<p>{_html(sentence)}</p>" for sentence in part.sentences]
        if part.rows:
            head = "".join(f'<th scope="col">{_html(cell)}</th>' for cell in part.head)
            body.append(f"<table><thead><tr>{head}</tr></thead><tbody>")
            body += ["<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in row) + "</tr>" for row in part.rows]
            body.append("</tbody></table>")
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_html(parts[0].title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def write_paper(file: Path, text: str) -> None:
    """Write a document to a file of the caller's choice, whole or not at all.

    A pipe, a device or what a link leads to (/dev/stdout is one) takes it as it comes.

    Raises:
        RefusedError: OUT-001 the file cannot be written.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_symlink() or (file.exists() and not file.is_file()):
            file.write_bytes(data)
        else:
            _replace(file, data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name cannot be used"
        raise RefusedError(
            "OUT-001", f"the file cannot be written ({reason})", hint="Name a file in a folder that you may write.",
            place=str(file),
        ) from None  # fmt: skip


def _replace(file: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{file.name[:100]}.", dir=file.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(handle)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _html(text: str) -> str:
    return html.escape(printable(text))


def _markdown(text: str) -> str:
    return printable(text).translate(_MARKDOWN)


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_markdown(cell) for cell in cells) + " |"
