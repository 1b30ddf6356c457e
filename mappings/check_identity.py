"""What mappings that give to the same records must agree on, and what people may decide about their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from casemodel import required
from mappings.compile_identity import Giving
from mappings.compile_names import Refusals
from mappings.language import MappingFile
from mappings.language.base import near
from mappings.language.decisions import SAME_PERSON, PersonDecision, refused


def check_identities(files: Mapping[str, MappingFile], givings: Mapping[str, Giving], refusals: Refusals) -> None:
    """Note where mappings of one table do not go together.

    Args:
        givings: the mappings with an identity that could be compiled, by name.
    """
    for table in dict.fromkeys(files[name].model.target for name in givings):
        names = [name for name in sorted(givings) if files[name].model.target == table]
        filled = {column for name in names for column in files[name].model.fields}
        for column in required(table):
            if column not in filled:
                refusals.add(
                    "MAP-044",
                    f"no mapping fills the column {column} of {table}, which must be filled",
                    place=files[names[0]].place("fields", key=True),
                    hint="Add a field for it to one of them, with const if need be.",
                )
        for place, name in enumerate(names):
            for other in names[:place]:
                _pair(files[name], givings[name], other, givings[other], refusals)
    decisions = next((file.decisions for file in files.values() if file.decisions), ())
    _decisions(files, decisions, refusals)


def _pair(file: MappingFile, mine: Giving, other: str, theirs: Giving, refusals: Refusals) -> None:
    known = {tuple(name for name, _ in parts): dict(parts) for parts in theirs.by}
    shared = False
    for index, parts in enumerate(file.model.identity.by if file.model.identity else ()):
        names = tuple(sorted(parts))
        if names not in known:
            continue
        shared = True
        kinds = dict(next(each for each in mine.by if tuple(name for name, _ in each) == names))
        for name in names:
            if kinds[name] != known[names][name]:
                refusals.add(
                    "MAP-076",
                    f"the part {name} of the identity is {kinds[name]} here and {known[names][name]} in {other}, so"
                    " no two rows would ever be the same",
                    place=file.place("identity", "by", index, name),
                    hint="Give the part the same type in both mappings.",
                )
    if shared and mine.agree != theirs.agree:
        refusals.add(
            "MAP-076",
            f"agree is not what it is in {other}: {_listed(theirs.agree)}",
            place=file.place("identity", "agree"),
            hint="Compare the same names, of the same types, in all mappings that share an identity.",
        )
    if shared and mine.rank == theirs.rank and mine.newest != theirs.newest:
        refusals.add(
            "MAP-076",
            f"newest is {mine.newest or 'not there'} here and {theirs.newest or 'not there'} in {other}, with one rank",
            place=file.place("identity", "newest"),
            hint="Give newest one type in mappings of one rank, or give them different ranks.",
        )
    _groups(file, mine, other, theirs, refusals)


def _groups(file: MappingFile, mine: Giving, other: str, theirs: Giving, refusals: Refusals) -> None:
    for index, group in enumerate(mine.together):
        for their in theirs.together:
            if set(group) & set(their) and set(group) != set(their):
                refusals.add(
                    "MAP-076",
                    f"{other} keeps other fields together: {', '.join(their)}",
                    place=file.place("identity", "together", index),
                    hint="Name the same fields in both mappings.",
                )


def _listed(agree: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in agree) or "nothing"


def _decisions(files: Mapping[str, MappingFile], decisions: Iterable[PersonDecision], refusals: Refusals) -> None:
    """Note decisions about mappings that are not there, have no identity or fill different tables."""
    able = [name for name, file in files.items() if file.model.identity is not None]
    for each in decisions:
        wrong = next((name for name, _ in (each.left, each.right) if name not in able), None)
        if wrong is not None:
            there = f"the mapping {wrong} has no identity" if wrong in files else f"there is no mapping '{wrong}'"
            hint = near(wrong, able) or f"{SAME_PERSON} is about rows of mappings with an identity."
            refusals.errors.append(refused(there, hint, each.line))
        elif files[each.left[0]].model.target != files[each.right[0]].model.target:
            message = f"{each.left[0]} and {each.right[0]} fill different tables"
            refusals.errors.append(refused(message, "Name two rows that fill one table.", each.line))
