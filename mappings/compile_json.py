"""JSON origins: RFC 8785 text built column-wise, keys sorted, NULL parts left out."""

from __future__ import annotations

import json

import polars as pl

from casemodel import json_text
from mappings.compile_expr import use
from mappings.compile_link import text_of
from mappings.compile_program import TEXT
from mappings.compile_state import Compiler, Flow
from mappings.language.stages import JsonSpec


def json_origin(compiler: Compiler, flow: Flow, spec: JsonSpec) -> str | None:
    """Return the column that holds the JSON text; NULL where every part is NULL."""
    path = (*flow.path, "json")
    if spec.items is not None:
        return _list(compiler, flow, spec)
    pieces: list[pl.Expr] = []
    for key in sorted(spec.parts or {}, key=lambda text: text.encode("utf-16-be")):
        column = use(compiler, (spec.parts or {})[key], (*path, key), flow.deps)
        if column is None:
            return None
        # "key":"value" is NULL where the value is, and concat_str leaves it out
        head = json.dumps(key, ensure_ascii=False)
        pieces.append(pl.concat_str(pl.lit(f'{head}:"'), json_text(text_of(compiler, column)), pl.lit('"')))
    inner = pl.concat_str(pieces, separator=",", ignore_nulls=True)
    return compiler.program.add("json", pl.when(inner != "").then(pl.concat_str(pl.lit("{"), inner, pl.lit("}"))), TEXT)


def _list(compiler: Compiler, flow: Flow, spec: JsonSpec) -> str | None:
    """Split one column; items lose the white space around them, empty ones are left out."""
    assert spec.items is not None
    column = use(compiler, spec.items, (*flow.path, "json", "list"), flow.deps)
    if column is None:
        return None
    program = compiler.program
    text = text_of(compiler, column)
    parts = text.str.split(spec.split) if spec.split else pl.concat_list(text)
    kept = parts.list.slice(spec.skip).list.eval(
        json_text(pl.element().str.strip_chars()).filter(pl.element().str.strip_chars() != "")
    )
    items = program.add("json_items", kept, pl.List(pl.String()))
    joined = pl.concat_str(pl.lit('["'), pl.col(items).list.join('","'), pl.lit('"]'))
    return program.add("json", pl.when(pl.col(items).list.len() > 0).then(joined), TEXT)
