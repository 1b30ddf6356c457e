"""Controls, children and incremental settings: names checked against source, target and the other mappings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import polars as pl
from sqlglot import exp

from casemodel import RefusedError, RefusedMany, Relation, SystemFailure, UsageError, column_info, tables
from mappings.books import cursor_value, link_column
from mappings.compile_link import key_parts
from mappings.compile_names import Refusals
from mappings.compile_target import literal
from mappings.language import MappingFile
from mappings.language.base import near
from mappings.language.queries import one_select
from mappings.tolerances import check_tolerances

Path = tuple[str | int, ...]
_NO_SUCH_RELATION = "CON-020"
_RESULT = ("g", "n")


def check_books(
    file: MappingFile,
    others: Mapping[str, MappingFile],
    relations: Callable[[str, str], Relation],
    refusals: Refusals,
) -> None:
    """Note what is wrong with what a mapping says about the books."""
    model = file.model

    def columns_of(name: str, system: str = file.system) -> list[str] | None:
        try:
            return [column.name for column in relations(system, name).columns]
        except SystemFailure as failure:
            if failure.code != _NO_SUCH_RELATION:
                raise
            return None
        except UsageError:
            # The mapping of a system that is not there is refused itself.
            return None

    def target_columns(name: str) -> list[str] | None:
        return [column.name for column in tables[name].columns] if name in tables else None

    seen: set[str] = set()
    for index, control in enumerate(model.controls):
        path: Path = ("controls", index)
        if control.name in seen:
            refusals.add(
                "MAP-074",
                f"there are two controls called '{control.name}'",
                hint="Give each control a name of its own.",
                place=file.place(*path, "name"),
            )
        seen.add(control.name)
        _sums(file, (*path, "source"), control.source, columns_of, f"the system {file.system}", (), refusals)
        _sums(file, (*path, "target"), control.target, target_columns, "the target", list(tables), refusals)
    check_tolerances(file, refusals)
    _children(file, others, columns_of, refusals)
    _incremental(file, columns_of, refusals)


def _sums(
    file: MappingFile,
    path: Path,
    text: str,
    columns_of: Callable[[str], list[str] | None],
    side: str,
    known: Collection[str],
    refusals: Refusals,
) -> None:
    """Check one side of a control: one SELECT of ``g`` and ``n`` over what is there."""
    place = file.place(*path)
    try:
        tree = one_select(text, "")
    except RefusedMany as many:
        for error in many.errors:
            refusals.add(error.code, error.message, hint=error.hint, place=place)
        return
    if sorted(name.casefold() for name in tree.named_selects) != list(_RESULT):
        refusals.add(
            "MAP-074", "a control returns the columns g and n", hint="Write SELECT … AS g, COUNT(*) AS n.", place=place
        )
    made = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    names = {alias.alias.casefold(): alias.alias for alias in tree.find_all(exp.Alias)}
    complete = True
    for table in tree.find_all(exp.Table):
        if table.name.casefold() in made:
            continue
        columns = columns_of(table.name)
        if columns is None:
            complete = False
            refusals.add(
                "MAP-011",
                f"{side} does not have '{table.name}'",
                hint=near(table.name, list(known)) or "Check the name.",
                place=place,
            )
        else:
            names |= {name.casefold(): name for name in columns}
    if complete and not made:
        for column in tree.find_all(exp.Column):
            if column.name and column.name.casefold() not in names:
                refusals.add(
                    "MAP-060",
                    f"{side} has no column '{column.name}' there",
                    hint=near(column.name, list(names.values())) or "Check the name.",
                    place=place,
                )


def _children(
    file: MappingFile,
    others: Mapping[str, MappingFile],
    columns_of: Callable[[str, str], list[str] | None],
    refusals: Refusals,
) -> None:
    for index, child in enumerate(file.model.children):
        path: Path = ("children", index)
        other = others.get(child.mapping)
        if other is None:
            refusals.add(
                "MAP-017",
                f"there is no mapping '{child.mapping}'",
                hint=near(child.mapping, list(others)) or "Name a mapping of the workspace.",
                place=file.place(*path, "mapping"),
            )
            continue
        if not _links(other, file):
            refusals.add(
                "MAP-075",
                f"{child.mapping} has no link to {file.name}",
                hint="Children link to the records that they belong to.",
                place=file.place(*path, "mapping"),
            )
        parts = key_parts(file)
        if len(child.by) != len(parts) or file.model.source.unpivot is not None:
            refusals.add(
                "MAP-075",
                f"by names {len(child.by)} columns, the key of {file.name} has {len(parts)} parts"
                if file.model.source.unpivot is None
                else f"{file.name} makes several records of a row, so that a row of {child.mapping} has no one parent",
                hint=f"The key of {file.name} is: {', '.join(parts)}.",
                place=file.place(*path, "by"),
            )
        elif link_column(file, other, child.by) is None and _links(other, file):
            refusals.add(
                "MAP-075",
                f"no column of {child.mapping} holds the record of {file.name} that it links to",
                hint="Children write the link to their parent to a column.",
                place=file.place(*path, "mapping"),
            )
        columns = columns_of(other.relation, other.system)
        for position, name in enumerate(child.by):
            if columns is not None and name.casefold() not in {column.casefold() for column in columns}:
                refusals.add(
                    "MAP-060",
                    f"the relation {other.relation} does not have the column '{name}'",
                    hint=near(name, columns) or "Use a column of that relation.",
                    place=file.place(*path, "by", position),
                )


def cursor_warnings(file: MappingFile, warnings: Refusals) -> None:
    """Note a cursor beside what lets a record change without a row of its own: then all rows are read after all."""
    found, source = file.model.incremental, file.model.source
    if found is None or found.cursor is None:
        return
    beside = {
        "with": source.beside,
        "query": source.query,
        "together": source.together,
        "one_per": source.one_per,
        "on_duplicate": source.on_duplicate,
        "identity": file.model.identity,
    }
    for name in [name for name, there in beside.items() if there][:1]:
        warnings.add(
            "MAP-090",
            f"the cursor saves nothing beside '{name}': a record may change when its own row does not",
            hint="Every run compares all rows of this mapping. Remove the cursor, or leave it as a word to the reader.",
            place=file.place("incremental", "cursor", key=True),
        )


def _check_cursor(file: MappingFile, refusals: Refusals) -> None:
    """Note a cursor whose values cannot be compared, and a lag that is no length of its values."""
    assert file.model.incremental is not None and file.model.incremental.cursor is not None
    spec, path = file.model.incremental.cursor, ("incremental", "cursor")
    stages = [name for name in ("datetime", "date", "number") if getattr(spec, name)]
    if len(stages) > 1:
        refusals.add(
            "MAP-021",
            f"a cursor has one of {' and '.join(stages)}, not both",
            hint="Keep the one that fits the column.",
            place=file.place(*path, stages[1], key=True),
        )
        return
    if (spec.date is not None and spec.date.by is not None) or spec.ambiguous.not_before is not None:
        refusals.add(
            "MAP-021",
            "a cursor is compared by its own text: formats per file and not_before do not go with it",
            hint="Write date: [FORMAT], or ambiguous: earliest.",
            place=file.place(*path),
        )
        return
    try:
        cursor_value(file, pl.lit(None, pl.String))
    except RefusedError as refused:
        refusals.add(refused.code, refused.message, hint=refused.hint, place=refused.place)
    if file.model.incremental.lag and stages not in (["datetime"], ["date"]):
        refusals.add(
            "MAP-021",
            "'lag' is a length of time, and the cursor is no date or instant",
            hint="Remove lag, or give the cursor a date or datetime.",
            place=file.place("incremental", "lag", key=True),
        )


def _links(child: MappingFile, parent: MappingFile) -> bool:
    return any(chain.link is not None and chain.link.mapping == parent.name for _, _, chain in child.chains())


def _incremental(file: MappingFile, columns_of: Callable[[str], list[str] | None], refusals: Refusals) -> None:
    found, target = file.model.incremental, file.model.target
    if found is None:
        return
    columns = columns_of(file.relation) if found.cursor is not None else None
    if found.cursor is not None and columns is not None:
        name = found.cursor.column
        if name.casefold() not in {column.casefold() for column in columns}:
            refusals.add(
                "MAP-060",
                f"the relation {file.relation} does not have the column '{name}'",
                hint=near(name, columns) or "A cursor is a column of the relation itself.",
                place=file.place("incremental", "cursor", "from"),
            )
        _check_cursor(file, refusals)
    if found.cursor is None and found.lag is not None:
        refusals.add(
            "MAP-021",
            "'lag' has no effect without a cursor",
            hint="Remove lag, or add a cursor.",
            place=file.place("incremental", "lag", key=True),
        )
    if target not in tables:
        return
    known = [column.name for column in tables[target].columns if column.name != "id"]
    for name, text in found.deletes.close.items():
        path = ("incremental", "deletes", "close", name)
        if name not in known:
            refusals.add(
                "MAP-014",
                f"the table {target} has no column '{name}'",
                hint=near(name, known) or f"Columns: {', '.join(known)}.",
                place=file.place(*path, key=True),
            )
            continue
        info = column_info(target, name)
        allowed = info["enum"]
        if literal(text, info["kind"], scale=info["scale"] or 0) is None or (allowed and text not in allowed):
            refusals.add(
                "MAP-026",
                f"'{text}' does not fit the column {name}",
                hint=near(text, list(allowed or ())) or "See the target model.",
                place=file.place(*path),
            )
