"""What comes before the stages: rows x slots, the canonical key, the key of the group, the hash of what is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from casemodel import key_text, keyed_hash
from mappings.compile_expr import use
from mappings.compile_link import text_of
from mappings.compile_names import Columns, Made
from mappings.compile_program import TEXT, Passes, RunContext
from mappings.compile_state import Compiler, Path
from mappings.compile_steps import apply_steps
from mappings.language.models import Unpivot

OTHER = "_other_"
_OURS = frozenset({"_ref", "_row", "_key", "_group", "_hash"})


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a frame as read becomes the prepared frame.

    passes: make the keys, from columns with the prefix of the program.
    keys: prepared column (``_key``, ``_group``, ``_other_0`` …) to column of the program.
    hashed: columns whose content makes the row's hash, with the meaning of the mapping as prefix.
    """

    unpivot: Unpivot | None
    passes: Passes
    keys: dict[str, str]
    hashed: tuple[str, ...]
    hash_key: bytes
    meaning: str
    key_passes: Passes
    counts: tuple[str, ...]
    """Side columns that hold a number."""

    def keys_only(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return ``_key`` of rows of which only the key's columns were read."""
        if self.unpivot is not None:
            slots = [pl.concat_list([pl.lit(name) for name in self.unpivot.columns]).alias(self.unpivot.into[0])]
            frame = frame.with_columns(slots).explode(self.unpivot.into[0])
        made = self.key_passes.run(prefixed(frame), RunContext())
        return made.select(pl.col(self.keys["_key"]).alias("_key"))

    def run(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the prepared frame: every column kept, rows x slots, and ``_row``, ``_key``, ``_group``, ``_hash``."""
        if self.unpivot is not None:
            frame = unpivoted(frame, self.unpivot)
        frame = frame.with_columns(pl.col(name).cast(pl.Int64) for name in self.counts if name in frame.columns)
        made = self.passes.run(prefixed(frame), RunContext())
        hashed = [pl.col(name).cast(pl.String) for name in self.hashed]
        return frame.with_columns(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("_row"),
            keyed_hash(hashed, self.hash_key, prefix=self.meaning).alias("_hash"),
            *(made.get_column(column).alias(name) for name, column in self.keys.items()),
        )


def prefixed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the names that the program gives to source columns."""
    return frame.rename({name: Columns.PREFIX + name for name in frame.columns if not is_ours(name)})


def is_ours(name: str) -> bool:
    """Return whether a column of a prepared frame is ours and not the source's (``_file`` is the source's)."""
    return name in _OURS or name.startswith(OTHER)


def unpivoted(frame: pl.DataFrame, spec: Unpivot) -> pl.DataFrame:
    """Return a row per slot for every row, slots in the order of the file, all columns kept."""
    slot, *values = spec.into
    lists = [pl.concat_list([pl.lit(name) for name in spec.columns]).alias(slot)]
    for index, name in enumerate(values):
        lists.append(pl.concat_list([columns[index] for columns in spec.columns.values()]).alias(name))
    return frame.with_columns(lists).explode(slot, *values)


def prepared_keys(compiler: Compiler) -> dict[str, str]:
    """Compile the keys of a mapping with a fresh compiler: prepared column to column of its program."""
    source = compiler.file.model.source
    keys = {"_key": _key(compiler)}
    group = source.one_per.by if source.one_per else source.together
    path: Path = ("source", "one_per", "by") if source.one_per else ("source", "together")
    keys["_group"] = _joined(compiler, group, path)
    for index, names in enumerate(source.other_keys):
        joined = pl.col(_joined(compiler, names, ("source", "other_keys", index)))
        # A text of nothing is nobody's key: rows by the thousand have it, and a link by it would be ambiguous.
        filled = pl.when(joined.str.strip_chars("|") != "").then(joined)
        keys[f"{OTHER}{index}"] = compiler.program.add("other", filled, TEXT)
    if source.unpivot:
        _check_unpivot(compiler, source.unpivot)
    if compiler.links or compiler.lookups or compiler.has_windows:
        compiler.refuse(
            "MAP-061",
            "what groups rows may not depend on links, lookups or other rows",
            path,
            hint="Group by source columns or by values made of them.",
        )
    return keys


def spelled(compiler: Compiler, spec: Unpivot | None) -> Unpivot | None:
    """Return an unpivot with its columns as the relation spells them."""
    if spec is None:
        return None
    columns = {
        slot: tuple(compiler.columns.find(name) or name for name in names) for slot, names in spec.columns.items()
    }
    return spec.model_copy(update={"columns": columns})


def _key(compiler: Compiler) -> str:
    source = compiler.file.model.source
    parts: list[str] = []
    for index, part in enumerate(source.key):
        column = _column(compiler, part.column, ("source", "key", index))
        if column is not None:
            steps = (*("source", "key"), index, "do")
            parts.append(apply_steps(compiler, column, part.do, steps, None) if part.do else column)
    if source.unpivot:
        slot = compiler.columns.use(source.unpivot.into[0])
        assert slot is not None
        parts.append(slot.column)
    if not parts:
        return compiler.program.add("key", pl.lit(None, pl.String), TEXT)
    return compiler.program.add("key", key_text([pl.col(part) for part in parts]), TEXT)


def _is_column(compiler: Compiler, name: str, path: Path) -> bool:
    """Return whether the relation itself has the column; refuse it otherwise."""
    folded = {item.casefold() for item in compiler.relation_columns}
    if name.casefold() not in folded:
        compiler.refuse(
            "MAP-060",
            f"the relation {compiler.file.relation} does not have the column '{name}'",
            path,
            hint=compiler.columns.near(name),
        )
    return name.casefold() in folded


def _column(compiler: Compiler, name: str, path: Path) -> str | None:
    """Return a column of the relation itself; values and side columns are no part of a key."""
    made = compiler.columns.use(name) if _is_column(compiler, name, path) else None
    return None if made is None else made.column


def _joined(compiler: Compiler, names: Sequence[str], path: Path) -> str:
    deps: list[Made] = []
    found = [use(compiler, name, (*path, index), deps) for index, name in enumerate(names)]
    texts = [text_of(compiler, column) for column in found if column is not None]
    return compiler.program.add("joined", key_text(texts) if texts else pl.lit(None, pl.String), TEXT)


def _check_unpivot(compiler: Compiler, spec: Unpivot) -> None:
    path: Path = ("source", "unpivot")
    if len(spec.into) < 2:
        compiler.refuse(
            "MAP-061",
            "unpivot needs a name for the slot and at least one for its value",
            (*path, "into"),
            hint="Write into: [SLOT, VALUE].",
        )
        return
    for slot, names in spec.columns.items():
        if len(names) != len(spec.into) - 1:
            compiler.refuse(
                "MAP-061",
                f"the slot '{slot}' has {len(names)} columns, into has {len(spec.into) - 1} values",
                (*path, "columns", slot),
                hint="Give every slot as many columns as into has values.",
            )
        for name in names:
            _is_column(compiler, name, (*path, "columns", slot))
