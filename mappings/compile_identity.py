"""The id of a row that several systems may know: by the first alternative of its identity that it can fill."""

from __future__ import annotations

import polars as pl

from casemodel import identity_id, key_text
from mappings.compile_expr import use
from mappings.compile_link import text_of
from mappings.compile_names import Made
from mappings.compile_state import Compiler
from mappings.compile_steps import apply_steps


def shared_id(compiler: Compiler, namespace: str, own: pl.Expr) -> pl.Expr:
    """Return the id of the record that the row is part of.

    Args:
        own: the id by mapping and source key, for rows that can fill no alternative.
    """
    spec = compiler.file.model.identity
    if spec is None:
        return own
    ids = []
    for index, parts in enumerate(spec.by):
        texts = []
        # By name, so that the order in which a file gives the parts does not matter.
        for name in sorted(parts):
            path = ("identity", "by", index, name)
            deps: list[Made] = []
            column = use(compiler, parts[name].origin, (*path, "from"), deps)
            if column is None:
                continue
            if parts[name].do:
                column = apply_steps(compiler, column, parts[name].do, (*path, "do"), None)
            text = text_of(compiler, column)
            filled = pl.when(text.str.len_chars() > 0).then(text)
            texts.append(pl.concat_str([pl.lit(f"{name}="), filled]))
        if len(texts) == len(parts):
            ids.append(identity_id(namespace, compiler.file.model.target, key_text(texts)))
    return pl.coalesce([*ids, own])
