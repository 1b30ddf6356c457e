"""pandas is left out: pandera and Arrow load it where it is installed, 50 MB and a second for nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from typing import Any

_LEFT_OUT = "pandas"


class _Without:
    """A finder of modules that does not find pandas; in all else the finder that it stands for."""

    def __init__(self, finder: Any) -> None:
        self._finder = finder

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """Return where a module is, or None."""
        if name.partition(".")[0] == _LEFT_OUT:
            return None
        found: ModuleSpec | None = self._finder.find_spec(name, path, target)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


def leave_pandas_out() -> None:
    """Let this process be as if pandas were not installed, which is how omnicase is installed; too late, do nothing."""
    if _LEFT_OUT in sys.modules:
        return
    sys.meta_path[:] = [each if isinstance(each, _Without) else _Without(each) for each in sys.meta_path]
