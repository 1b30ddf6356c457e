"""What all models of the language share: strict keys, an error that knows its place, shorthand made long."""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from casemodel import Place, PlacedDict, RefusedError


class Model(BaseModel):
    """A part of a mapping file.  Unknown keys are collected with their place, so that all are shown at once."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, populate_by_name=False, defer_build=True)

    expects: ClassVar[str] = "keys and values"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """Turn a shorthand into keys and values; most parts have none."""
        return value

    @model_validator(mode="before")
    @classmethod
    def _strict_keys(cls, value: Any, info: ValidationInfo) -> Any:
        value = cls.long_form(value)
        if not isinstance(value, dict):
            found = "nothing" if value is None else "a list" if isinstance(value, list) else "text"
            raise PydanticCustomError(
                "form", "expected {expects}, found {found}", {"expects": cls.expects, "found": found}
            )
        known = cls.keys()
        if not isinstance(value, PlacedDict) or not info.context:
            return value
        unknown = [key for key in value if key not in known]
        if not unknown:
            return value
        info.context["errors"] += [_unknown_key(key, known, value, info.context["file"]) for key in unknown]
        return {key: item for key, item in value.items() if key in known}

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Return the keys that the file may use here."""
        return _keys(cls)


@cache
def _keys(model: type[Model]) -> tuple[str, ...]:
    names = (field.alias or name for name, field in model.model_fields.items())
    return tuple(name for name in names if not name.startswith("_"))


def near(name: str, known: tuple[str, ...] | list[str]) -> str:
    """Return the nearest right name in the words of a hint, or an empty text.

    Names match in any case, so that a name in another case is the nearest of all; then comes one without its accents.
    """
    folded = {_bare(item): item for item in known}
    match = get_close_matches(_bare(name), list(folded), n=1, cutoff=0.6)
    return f"Did you mean '{folded[match[0]]}'?" if match else ""


def _bare(name: str) -> str:
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


def _unknown_key(key: str, known: tuple[str, ...], value: PlacedDict, file: str) -> RefusedError:
    line, column = value.key_places[key]
    hint = near(key, known) or f"Allowed here: {', '.join(known)}."
    return RefusedError(
        "MAP-001", f"the key '{key}' is not part of the language here", hint=hint, place=Place(file, line, column)
    )
