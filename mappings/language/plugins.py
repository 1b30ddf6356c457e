"""Plug-ins: Python functions in the workspace's ``plugins`` folder, the escape hatch of the language.

What is read is what runs and what the digest of the meaning holds: the text of the module, never something found on a
path.  A module sees the packages that are installed, but no other file of the folder.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from casemodel import Place, RefusedError, read_regular_file

_NAME: Final = re.compile(r"([a-z][a-z0-9_]*):([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Plugin:
    """A function of a module.

    text: the module's source, as it was read.
    """

    name: str
    text: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the module's text."""
        return hashlib.sha256(self.text).hexdigest()


def read_plugin(name: str, folder: Path, place: Place) -> Plugin:
    """Read the module of ``module:function``.

    Raises:
        RefusedError: MAP-080, with the place in the mapping.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        hint = "Write use: module:function, for a function in plugins/module.py of the workspace."
        raise RefusedError("MAP-080", "the plug-in is not named as module:function", hint=hint, place=place)
    path = folder / f"{found[1]}.py"
    problem = ""
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            problem = "lies outside the folder plugins"
        else:
            return Plugin(name, read_regular_file(path))
    except OSError as error:
        problem = f"cannot be read ({error.strerror or 'unknown reason'})"
    hint = "Plug-ins are files in plugins/ of the workspace."
    raise RefusedError("MAP-080", f"plugins/{found[1]}.py {problem}", hint=hint, place=place) from None


def load_plugin(plugin: Plugin, place: Place) -> Callable[..., Any]:
    """Return the function of a plug-in.

    Raises:
        RefusedError: MAP-080, the module fails or has no such function; what it raised is named by its kind alone.
    """
    module_name, _, function = plugin.name.partition(":")
    key = f"_omnicase_plugin_{module_name}_{plugin.digest[:16]}"
    module = sys.modules.get(key)
    if module is None:
        module = ModuleType(key)
        sys.modules[key] = module
        try:
            exec(compile(plugin.text, f"plugins/{module_name}.py", "exec", dont_inherit=True), module.__dict__)  # noqa: S102
        except (Exception, SystemExit) as error:
            del sys.modules[key]
            raise RefusedError(
                "MAP-080",
                f"plugins/{module_name}.py cannot be loaded ({type(error).__name__})",
                hint="Run the file with Python to see what is wrong with it.",
                place=place,
            ) from None
    found = getattr(module, function, None)
    if callable(found):
        return found  # type: ignore[no-any-return]
    raise RefusedError(
        "MAP-080",
        f"plugins/{module_name}.py has no function '{function}'",
        hint=f"Define it: def {function}(…).",
        place=place,
    )
