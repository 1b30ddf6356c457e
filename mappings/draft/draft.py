"""The first mapping of a relation: which column becomes which field, and the file that says so.

Nothing is decided that only a person can decide: what stays open is written as comments at the end of the file, and
`mapping check` refuses the file for just these points.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from casemodel import ColumnInfo, column_info, printable, required, tables
from mappings.draft.names import LEAST, bare, likeness
from mappings.draft.stages import Stages, join_time, listed, quoted, stages_for, time_format

_FEW_CODES = 12
SCHEMA_LINE = "# yaml-language-server: $schema={path}"


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """A mapping that a link may go to: whose relation it reads, by which key, into which table."""

    mapping: str
    relation: str
    key: tuple[str, ...]
    table: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that only a person can decide.

    code: the code with which `mapping check` refuses the file until it is decided, or empty: the file loads as it is.
    about: the column or key that it is about.
    """

    code: str
    about: str
    message: str


@dataclass
class Draft:
    """A mapping file as text, the fields by their line in it, and what stays to be decided."""

    text: str
    fields: dict[int, str]
    decisions: list[Decision]


@dataclass
class _Match:
    source: str
    target: str
    stages: Stages
    score: float = 0.0
    beside: str = ""
    """A second column that the field is made of: the time beside a day."""


@dataclass(frozen=True)
class _Asked:
    profile: Mapping[str, Any]
    target: str
    links: Sequence[LinkTarget]
    left_out: Mapping[str, str]
    covered: Collection[str]
    columns: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def draft_mapping(
    profile: Mapping[str, Any],
    *,
    name: str,
    target: str,
    owner: str | None = None,
    links: Sequence[LinkTarget] = (),
    left_out: Mapping[str, str] | None = None,
    covered: Collection[str] = (),
    schema: str = "../schemas/mapping.json",
) -> Draft:
    """Draft a mapping.

    Args:
        profile: the profile of the relation, as its JSON says it.
        name: name of the mapping, ``<system>.<name>``.
        target: table of the model.
        owner: who makes it.
        links: the mappings of the workspace that a link may go to.
        left_out: fields that must not be drafted, with the reason.
        covered: columns that other mappings use or leave behind with a reason.
        schema: where the schema of mappings lies, seen from the file.
    """
    columns = {column["name"]: column for column in profile["columns"]}
    asked = _Asked(profile, target, links, left_out or {}, covered, columns)
    key, key_is_sure = _key(asked)
    asked = replace(asked, links=[*links, LinkTarget(name, profile["relation"], tuple(key), target)])
    matches = _matches(asked)
    decisions = _decisions(asked, key, key_is_sure, matches, owner)
    head = [
        SCHEMA_LINE.format(path=schema),
        f"# Made by `omnicase mapping new` from a profile of {profile['rows']:,} rows: a guess by names and forms.",
        "# Read every line, then decide what stands at the end; `omnicase mapping check` says what is still open.",
        f"mapping: {name}",
        f"owner: {quoted(owner)}" if owner else "# owner: who made it",
        f"target: {target}",
        f"source: {{relation: {quoted(profile['relation'])}, key: {listed(key)}}}",
        "fields:" if matches else "fields: {}",
    ]
    width = max((len(each.target) for each in matches), default=0) + 1
    lines, places = list(head), {}
    for each in matches:
        places[len(lines) + 1] = each.target
        parts = ", ".join(f"{name}: {value}" for name, value in each.stages.parts.items())
        lines.append(f"  {each.target + ':':<{width}} {{{parts}}}")
    lines += _open_part(decisions, matches, asked, key)
    return Draft("\n".join(lines) + "\n", places, decisions)


def _key(asked: _Asked) -> tuple[tuple[str, ...], bool]:
    """Return the key: what the system declares, else what the profile found, else the first column."""
    declared, found = asked.profile["declared_key"], asked.profile["candidate_keys"]
    if declared:
        return tuple(declared), True
    days = {name for name, column in asked.columns.items() if column["dates"]}
    likely = [key for key in found if not set(key) & days] or found
    return (tuple(likely[0]), True) if likely else (tuple(asked.columns)[:1], False)


def _matches(asked: _Asked) -> list[_Match]:
    """Return the likely fields in the order of the table: the best pair of names first, each column used once."""
    table = tables[asked.target]
    needed = set(required(asked.target))
    found: list[_Match] = []
    for target in table.columns:
        if target.name == "id" or target.name in asked.left_out:
            continue
        info = column_info(asked.target, target.name)
        for name, column in asked.columns.items():
            score = likeness(name, target.name, info["dutch"])
            if info["kind"] == "uuid":
                stages, score = _link(asked, column, info, score)
            else:
                stages = stages_for(column, info, target.name in needed) if score >= LEAST else None
            if stages is not None and score >= LEAST:
                found.append(_Match(name, target.name, stages, score))
    chosen: dict[str, _Match] = {}
    used: set[str] = set()
    for match in sorted(found, key=lambda each: -each.score):
        if match.target not in chosen and match.source not in used:
            chosen[match.target] = match
            used.add(match.source)
    for match in chosen.values():
        if match.stages.wants_time:
            match.beside = _with_time(asked, match, used)
            used.add(match.beside)
    return [chosen[column.name] for column in table.columns if column.name in chosen]


def _with_time(asked: _Asked, match: _Match, used: Collection[str]) -> str:
    """Join a day with the column that holds its time, when there is just one that can be it; return its name."""
    times = {name: found for name, column in asked.columns.items()
             if name not in used and (found := time_format(column))}  # fmt: skip
    day = bare(match.source).removeprefix("datum").removeprefix("dat")
    alike = [name for name in times if bare(name).removeprefix("tijd") == day] or list(times)
    if len(alike) != 1:
        return ""
    join_time(match.stages, match.source, alike[0], times[alike[0]])
    return alike[0]


def _link(asked: _Asked, column: Mapping[str, Any], info: ColumnInfo, score: float) -> tuple[Stages | None, float]:
    """Return a link by a likely foreign key to a mapping that fills the table the model links to."""
    for foreign in column["foreign_keys"]:
        for target in asked.links:
            same = target.relation.casefold() == foreign["relation"].casefold()
            if same and target.table == info["references"] and target.key == (foreign["column"],):
                blanks = [each["text"] for each in column["null_texts"]]
                parts = {"from": quoted(column["name"])}
                parts |= {"null_if": listed(blanks)} if blanks else {}
                parts |= {"link": target.mapping, "missing": "park"}
                return Stages(parts), max(score, LEAST) if foreign["share"] >= 0.9 else score
    return None, score


def _decisions(
    asked: _Asked, key: Sequence[str], key_is_sure: bool, matches: list[_Match], owner: str | None
) -> list[Decision]:
    made = [Decision("", "owner", "name who owns the mapping")] if not owner else []
    if not key_is_sure:
        made.append(
            Decision("", "key", "no key was found: rows with the same key are rejected, so name one that holds")
        )
    made += [Decision("", each.target, point) for each in matches for point in each.stages.open_points]
    filled, needed = {each.target for each in matches}, set(required(asked.target))
    for target in (column.name for column in tables[asked.target].columns):
        if target != "id" and target not in filled:
            must = target in needed
            made.append(Decision("MAP-044" if must else "MAP-041", target, _says(asked, target, must)))
    used = {name for each in matches for name in (each.source, each.beside)} | set(key) | set(asked.covered)
    for name, column in asked.columns.items():
        if name not in used:
            made.append(Decision("MAP-040", name, _found(column)))
    return made


def _says(asked: _Asked, name: str, must: bool) -> str:
    """Say what the model wants in a column."""
    info = column_info(asked.target, name)
    kind = f"a link to {info['references']}" if info["references"] else info["kind"]
    if info["enum"]:
        kind = f"one of {', '.join(info['enum'][:12])}{', …' if len(info['enum']) > 12 else ''}"
    reason = f"; {asked.left_out[name]}" if name in asked.left_out else ""
    return f"{'must be filled' if must else 'fill it, or give a reason'}: {info['dutch']} ({kind}){reason}"


def _found(column: Mapping[str, Any]) -> str:
    """Say what a column holds; the values of a code that may be shown, since somebody must say what they mean."""
    if not column["rows"] or column["nulls"] == column["rows"]:
        return "use it, or give a reason: it holds nothing but NULL"
    said = ["one value" if column["distinct"] == 1 else f"{column['distinct']:,} different values"]
    if column["distinct"] <= _FEW_CODES and column["open_values"]:
        said.append(f"such as {', '.join(quoted(each['text']) for each in column['open_values'][:_FEW_CODES])}")
    said += [f"looks like {each['kind']}" for each in column["kinds"][:1]]
    said += [f"dates {each['kind']}" for each in column["dates"][:1]]
    said += [f"points to {each['relation']}.{each['column']}" for each in column["foreign_keys"][:1]]
    return f"use it, or give a reason: {', '.join(said)}"


def _open_part(
    decisions: Sequence[Decision], matches: Sequence[_Match], asked: _Asked, key: Sequence[str]
) -> list[str]:
    """Return the end of the file: as comments what is open, ready to be made into `unfilled` and `ignore`."""
    if not decisions:
        return []
    lines = ["", "# To decide (the codes are those of `omnicase mapping check`):"]
    lines += [
        f"#   {each.code or '(loads as it is)'} {_comment(each.about)}: {_comment(each.message)}" for each in decisions
    ]
    empty = [each.about for each in decisions if each.code == "MAP-041"]
    left = [each.about for each in decisions if each.code == "MAP-040"]
    if empty:
        lines += ["# unfilled:", f"#   - {{columns: {_comment(listed(empty))}, reason: why they stay empty}}"]
    if left:
        lines += ["# ignore:", f"#   - {{columns: {_comment(listed(left))}, reason: why they stay behind}}"]
    return lines


def _comment(text: str) -> str:
    return printable(text)
