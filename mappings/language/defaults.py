"""What the mappings of a system share: ``defaults.yml`` in the folder of the mappings (LANGUAGE.md, last line).

A time zone holds wherever a mapping says none.  Null texts and formats are taken by name (``null_if: {shared: code}``,
``date: shared``), so that a field shows what happens to it.  They are put into the mapping when it is read: digests,
`explain` and every check see them as if they were written there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from casemodel import Place, PlacedDict, RefusedError, RefusedMany, parse_strict_yaml, read_regular_file
from mappings.language.base import Model, near
from mappings.language.models import Chain, MappingModel
from mappings.language.places import Path_, find_place, translate
from mappings.language.scalars import Filled, Texts
from mappings.language.stages import DateFormats, NullIf

DEFAULTS: Final = "defaults.yml"
SHARED: Final = ("shared",)


def _null_texts(value: Any) -> Any:
    if isinstance(value, str | list):
        return {"true": value}
    if isinstance(value, dict) and value:
        return dict(value)
    raise PydanticCustomError("form", "expected a list of texts, or lists with a name each")


class SystemDefaults(Model):
    """What the mappings of one system share.

    null_if: lists of texts by their names; a list without a name is called ``true``.
    """

    null_if: Annotated[
        dict[str, Texts],
        BeforeValidator(_null_texts, json_schema_input_type=str | list[str] | dict[str, str | list[str]]),
    ] = Field(default={}, description="Lists of texts that mean: no value, by name; taken as null_if: {shared: name}.")
    date: Texts = Field(default=(), description="Formats of days; taken as date: shared.")
    datetime: Texts = Field(default=(), description="Formats of date and time; taken as datetime: shared.")
    timezone: Filled | None = Field(default=None, description="Time zone wherever a mapping names none.")

    expects = "null_if, date, datetime or timezone"


def read_defaults(folder: Path, workspace_root: Path) -> dict[str, SystemDefaults]:
    """Read ``defaults.yml`` of a folder; nothing where there is none.

    Raises:
        RefusedError: the file is not YAML.
        RefusedMany: it says something that the language does not know.
    """
    path = folder / DEFAULTS
    shown = path.relative_to(workspace_root).as_posix() if path.is_relative_to(workspace_root) else path.name
    try:
        tree = parse_strict_yaml(read_regular_file(path), shown_as=shown)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RefusedError(
            "YML-001",
            f"the file cannot be read ({error.strerror or 'unknown reason'})",
            hint="Check that you may read it.",
            place=shown,
        ) from None
    errors: list[RefusedError] = []
    found: dict[str, SystemDefaults] = {}
    for system, part in tree.items():
        context = {"errors": errors, "file": shown}
        try:
            found[system] = SystemDefaults.model_validate(part, context=context)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False):
                errors.append(translate({**item, "loc": (system, *item["loc"])}, tree, shown))
            continue
        errors += _formats(found[system], system, tree, shown)
    if errors:
        raise RefusedMany(errors)
    return found


def _formats(shared: SystemDefaults, system: str, tree: PlacedDict, shown: str) -> list[RefusedError]:
    """Return what is wrong with formats and time zone: shown here, not at each field that takes them."""
    import polars as pl

    from mappings.stages import date, datetime

    def place(key: str) -> Place:
        return Place(shown, *find_place(tree, (system, key)))

    errors = []
    blank = pl.lit("")
    for key in ("date", "datetime", "timezone"):
        try:
            if key == "date" and shared.date:
                date(blank, shared.date, pivot_year=1950, place=place(key))
            elif key == "datetime" and shared.datetime:
                datetime(blank, shared.datetime, timezone="UTC", pivot_year=1950, place=place(key))
            elif key == "timezone" and shared.timezone:
                datetime(blank, ["YYYYMMDD"], timezone=shared.timezone, place=place(key))
        except RefusedError as error:
            errors.append(error)
    return errors


def check_systems(
    defaults: Mapping[str, SystemDefaults], systems: set[str], folder: Path, workspace_root: Path
) -> list[RefusedError]:
    """Return an error for each system that no mapping reads: its defaults would hold for nothing."""
    unknown = [system for system in defaults if system not in systems]
    if not unknown:
        return []
    path = folder / DEFAULTS
    shown = path.relative_to(workspace_root).as_posix() if path.is_relative_to(workspace_root) else path.name
    tree = parse_strict_yaml(read_regular_file(path), shown_as=shown)
    return [
        RefusedError(
            "MAP-007",
            f"no mapping reads the system '{system}'",
            hint=near(system, sorted(systems)) or f"Systems of the mappings: {', '.join(sorted(systems))}.",
            place=Place(shown, *find_place(tree, (system,), key=True)),
        )
        for system in unknown
    ]


def with_defaults(
    model: MappingModel, shared: SystemDefaults | None, tree: PlacedDict, shown: str
) -> tuple[MappingModel, list[RefusedError]]:
    """Return the model with what it takes from the defaults of its system, and an error for each that is not there."""
    known = shared or SystemDefaults()
    errors: list[RefusedError] = []

    def refuse(path: Path_, what: str, names: list[str]) -> None:
        system = model.mapping.partition(".")[0]
        hint = f"Names there: {', '.join(names)}." if names else f"Add it to {DEFAULTS}, or write it here."
        errors.append(
            RefusedError(
                "MAP-007",
                f"{DEFAULTS} has no {what} for the system {system}",
                hint=hint,
                place=Place(shown, *find_place(tree, path)),
            )
        )

    def filled(chain: Chain, path: Path_) -> Chain:
        update: dict[str, Any] = {}
        if chain.null_if is not None and chain.null_if.shared is not None:
            texts = known.null_if.get(chain.null_if.shared)
            if texts is None:
                refuse((*path, "null_if"), f"null texts '{chain.null_if.shared}'", list(known.null_if))
            else:
                update["null_if"] = NullIf.model_construct(texts=(*texts, *chain.null_if.also), file=None)
        if chain.date is not None and chain.date.formats_ == SHARED:
            if not known.date:
                refuse((*path, "date"), "date formats", [])
            update["date"] = DateFormats.model_construct(formats_=known.date, by=None, formats=None, otherwise=())
        if chain.datetime == SHARED:
            if not known.datetime:
                refuse((*path, "datetime"), "datetime formats", [])
            update["datetime"] = known.datetime
        if known.timezone and chain.datetime and chain.timezone is None:
            update["timezone"] = known.timezone
        branches = getattr(chain, "alternatives", {})
        others = getattr(chain, "otherwise", ())
        if branches:
            update["alternatives"] = {name: filled(branch, (*path, "try", name)) for name, branch in branches.items()}
        if others:
            update["otherwise"] = tuple(filled(branch, (*path, "else", i)) for i, branch in enumerate(others))
        return chain.model_copy(update=update) if update else chain

    return model.model_copy(
        update={
            section: {name: filled(chain, (section, name)) for name, chain in getattr(model, section).items()}
            for section in ("values", "fields")
        }
    ), errors
