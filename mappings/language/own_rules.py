"""The municipality's own rules about the target (``checks/*.yml`` or ``.yaml``): read, and held to one SELECT of ids.

    rules:
      - id: EIG-01
        nl: Elke zaak van de balie heeft een kanaal
        en: Every case of the counter has a channel
        severity: signal            # signal: people judge it; error: no such record may be there
        table: case_file
        sql: SELECT id FROM case_file WHERE channel_id IS NULL
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from casemodel import Place, PlacedDict, PlacedList, RefusedError, RefusedMany, read_strict_yaml, tables
from mappings.language.base import near
from mappings.language.queries import one_select

_KEYS = ("id", "nl", "en", "severity", "table", "sql")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_LONGEST = 300
_SEVERITIES = ("error", "signal")


@dataclass(frozen=True, slots=True)
class OwnRule:
    """One rule of the municipality.

    Args:
        id: its name, unique in the workspace.
        dutch, english: the rule in one sentence, as it should be.
        severity: ``error`` or ``signal``.
        table: the table whose records it is about.
        sql: SELECT of the ids that break it, by the dialect of the target (``sqlite``, ``postgresql``).
        tables: the tables that it reads.
        place: where it stands.
    """

    id: str
    dutch: str
    english: str
    severity: str
    table: str
    sql: Mapping[str, str]
    tables: tuple[str, ...]
    place: Place


def load_own_rules(root: Path) -> tuple[OwnRule, ...]:
    """Return the rules of a workspace's folder ``checks``, file by file; none when there is no folder.

    Raises:
        RefusedMany: YML-… a file is not strict YAML, REC-020 a file or rule has another form, REC-021 an id is not one
            or stands twice, REC-022 the severity is not one, REC-023 there is no such table, REC-024 the SQL is not one
            SELECT that may be run, REC-025 it does not return the ids, REC-026 it reads what is not there.
    """
    found: list[OwnRule] = []
    errors: list[RefusedError] = []
    folder = root / "checks"
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        shown = f"checks/{path.name}"
        if not path.resolve().is_relative_to(root.resolve()):
            cause = "the file lies outside the workspace"
            errors.append(RefusedError("REC-020", cause, hint="Put it into checks/.", place=shown))
            continue
        try:
            for item, place in _items(read_strict_yaml(path, shown_as=shown), shown):
                problems: list[RefusedError] = []
                rule = _rule(item, place, problems)
                earlier = next((each for each in found if each.id == item.get("id")), None)
                if earlier is not None:
                    cause = f"the rule '{earlier.id}' stands in {earlier.place}, too"
                    problems.append(_wrong("REC-021", cause, "Give each rule an id of its own.", item, "id", shown))
                errors += problems
                if rule is not None and not problems:
                    found.append(rule)
        except RefusedMany as many:
            errors += many.errors
        except RefusedError as error:
            errors.append(error)
    if errors:
        raise RefusedMany(errors)
    return tuple(found)


def _items(root: PlacedDict, shown: str) -> Iterator[tuple[PlacedDict, Place]]:
    rules = root.get("rules")
    more = next((key for key in root if key != "rules"), None)
    if more is not None:
        place = Place(shown, *root.key_places[more])
        raise RefusedError("REC-020", f"the key '{more}' is not known here", hint="Write rules: only.", place=place)
    if not isinstance(rules, PlacedList) or not rules:
        raise RefusedError(
            "REC-020", "the file holds no list of rules", hint="Write rules: and a list of rules under it.", place=shown
        )
    for item, at in zip(rules, rules.value_places, strict=True):
        place = Place(shown, *at)
        if not isinstance(item, PlacedDict):
            raise RefusedError("REC-020", "a rule is no map of keys", hint=f"Keys: {', '.join(_KEYS)}.", place=place)
        yield item, place


def _rule(item: PlacedDict, place: Place, problems: list[RefusedError]) -> OwnRule | None:
    """Return a rule, or note what is wrong with it."""
    shown = place.file or ""
    for key in item:
        if key not in _KEYS:
            hint = near(key, list(_KEYS)) or f"Keys: {', '.join(_KEYS)}."
            problems.append(RefusedError("REC-020", f"the key '{key}' is not known", hint=hint,
                                         place=Place(shown, *item.key_places[key])))  # fmt: skip
    for key in _KEYS:
        value = item.get(key)
        if not isinstance(value, str) or not value.strip():
            problems.append(RefusedError("REC-020", f"the rule has no {key}", hint="Add it: see docs/rules.md.",
                                         place=place))  # fmt: skip
        elif key in ("nl", "en") and len(value) > _LONGEST:
            hint = f"Write one sentence of at most {_LONGEST} characters."
            problems.append(_wrong("REC-020", f"the text {key} is too long", hint, item, key, shown))
    if problems:
        return None
    if not _ID.fullmatch(item["id"]):
        hint = "Use letters, digits, - and _, at most 40."
        problems.append(_wrong("REC-021", "the id is not one", hint, item, "id", shown))
    if item["severity"] not in _SEVERITIES:
        cause = f"the severity '{item['severity']}' is not one"
        problems.append(_wrong("REC-022", cause, "Write error or signal.", item, "severity", shown))
    if item["table"] not in tables:
        hint = near(item["table"], list(tables)) or f"Tables: {', '.join(tables)}."
        problems.append(_wrong("REC-023", f"there is no table '{item['table']}'", hint, item, "table", shown))
    tree = _select(item, shown, problems)
    if problems or tree is None:
        return None
    sql = {name: tree.sql(dialect=spoken) for name, spoken in (("sqlite", "sqlite"), ("postgresql", "postgres"))}
    return OwnRule(
        item["id"], item["nl"], item["en"], item["severity"], item["table"], sql, _read(tree), place
    )  # fmt: skip


def _select(item: PlacedDict, shown: str, problems: list[RefusedError]) -> exp.Query | None:
    """Return the SELECT of a rule, or note why it is none that may be run."""
    try:
        tree = one_select(item["sql"], shown)
    except RefusedMany as many:
        problems += [_wrong("REC-024", each.message, each.hint, item, "sql", shown) for each in many.errors]
        return None
    if [name.casefold() for name in tree.named_selects] != ["id"]:
        cause = "the SELECT does not return the column id, and nothing else"
        problems.append(_wrong("REC-025", cause, "Write SELECT id FROM …", item, "sql", shown))
    for cause, hint in _unknown(tree):
        problems.append(_wrong("REC-026", cause, hint, item, "sql", shown))
    return tree


def _unknown(tree: exp.Query) -> Iterator[tuple[str, str]]:
    """Yield the tables and columns that the target does not have: cause and hint."""
    made = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    named = {alias.alias.casefold() for alias in tree.find_all(exp.Alias)}
    columns: dict[str, str] = {}
    complete = not made
    for table in tree.find_all(exp.Table):
        if table.name.casefold() in made:
            continue
        if table.name not in tables:
            complete = False
            yield f"the target has no table '{table.name}'", near(table.name, list(tables)) or "Check the name."
        else:
            columns |= {column.name.casefold(): column.name for column in tables[table.name].columns}
    for column in tree.find_all(exp.Column) if complete else ():
        if column.name and column.name.casefold() not in columns.keys() | named:
            hint = near(column.name, list(columns.values())) or "Check the name."
            yield f"the tables it reads have no column '{column.name}'", hint


def _read(tree: exp.Query) -> tuple[str, ...]:
    names = (table.name for table in tree.find_all(exp.Table))
    return tuple(dict.fromkeys(name for name in names if name in tables))


def _wrong(code: str, message: str, hint: str, item: PlacedDict, key: str, shown: str) -> RefusedError:
    return RefusedError(code, message, hint=hint, place=Place(shown, *item.value_places[key]))
