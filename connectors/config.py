"""The settings of one system, checked before anything is opened."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from casemodel import RefusedError

_SECRET_NAMES = re.compile(r"pass(word|wd|phrase)?|pwd|secret|token|api_?key|wachtwoord", re.IGNORECASE)
_SECRET_QUERY = re.compile(r"[?&;](\w*pass\w*|pwd|secret|token)=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """What `workspace.yml` (or the environment) says of one system.

    Args:
        name: the system's name in the workspace.
        kind: ``sqlite``, ``csv``, …
        options: the settings beside ``kind``; scalars are text.
        root: the workspace's folder; relative locations start there.
        url: where it is, as the environment says; it may hold a password and is never shown.
        snapshot: name of the snapshot of another process, whose rows are to be read.
        production: whether connections must be protected.
    """

    name: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    root: Path = field(default_factory=Path)
    url: str | None = field(default=None, repr=False)
    snapshot: str | None = None
    production: bool = False

    def located(self, text: str) -> Path:
        """Return a location as an absolute path; a system may lie anywhere."""
        return self.root.absolute() / text


def refuse(config: SystemConfig, message: str, hint: str, *, code: str = "CON-003") -> RefusedError:
    """Return the refusal of a setting (exit 4) with the system as its place."""
    return RefusedError(code, message, hint=hint, place=f"systems.{config.name}")


def refuse_secrets(config: SystemConfig) -> None:
    """Refuse passwords in settings and URLs: they belong in the environment, the keyring or a 0600 file."""
    for path, value in _walk(config.options, ""):
        leaf = path.rsplit(".", 1)[-1]
        named = _SECRET_NAMES.fullmatch(leaf) is not None and value not in (None, "")
        if named or (isinstance(value, str) and "://" in value and url_holds_secret(value)):
            raise refuse(
                config,
                f"the setting {path} holds a password",
                f"Remove it and give the whole URL in the environment as OMNICASE_{config.name.upper()}_URL.",
                code="CON-002",
            )


def url_holds_secret(url: str) -> bool:
    """Return whether a URL holds a password, before its host or among its parameters."""
    try:
        parts = urlsplit(url)
        return bool(parts.password) or _SECRET_QUERY.search(url) is not None
    except ValueError:
        return "@" in url


def _walk(value: Any, path: str) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            # Names of relations and columns are the source's words: a column may well be called "token".
            own = str(key) if path not in ("relations",) else "relation"
            if path.endswith(("aliases", "personal")):
                continue
            yield from _walk(inner, f"{path}.{own}" if path else own)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walk(inner, path + "[]")
    else:
        yield path, value


def known_options(config: SystemConfig, options: Mapping[str, Any], known: Iterable[str], where: str = "") -> None:
    """Refuse settings that nobody reads, naming the nearest right one."""
    names = sorted(known)
    for name in options:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known settings are: {', '.join(names)}."
            raise refuse(config, f"unknown setting {where}{name}", hint)


def text_option(config: SystemConfig, options: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Return a text setting; without a default it must be there."""
    value = options.get(name, default)
    if value is None or isinstance(value, Mapping | list | tuple):
        raise refuse(config, f"the setting {name} is missing or not a text", f"Give {name} a value.")
    return str(value)


def number_option(config: SystemConfig, options: Mapping[str, Any], name: str, default: int) -> int:
    """Return a whole number of 0 or more."""
    text = str(options.get(name, default))
    if not re.fullmatch(r"\d{1,9}", text):
        raise refuse(
            config, f"the setting {name} is not a whole number", f"Write {name} as digits, for example {default}."
        )
    return int(text)


def flag_option(config: SystemConfig, options: Mapping[str, Any], name: str, default: bool) -> bool:
    """Return a yes-or-no setting, written true or false."""
    value = options.get(name, default)
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise refuse(config, f"the setting {name} is neither true nor false", f"Write {name}: true or {name}: false.")


def list_option(config: SystemConfig, options: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of texts; one text counts as a list of one, nothing as an empty list."""
    value = options.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise refuse(config, f"the setting {name} is not a list of names", f"Write {name}: [first, second].")


def file_of(config: SystemConfig, scheme: str = "sqlite") -> Path:
    """Return the path of a system that is one file: ``path``, or ``url`` of the form ``sqlite:///file``."""
    text = str(config.url or config.options.get("url") or config.options.get("path") or "")
    if not text:
        raise refuse(config, "the setting path is missing", "Give the path of the database file.")
    if text.startswith(f"{scheme}://"):
        text = unquote(text.removeprefix(f"{scheme}://").split("?", 1)[0])
        # sqlite:///relative.db and sqlite:////absolute.db, as SQLAlchemy writes them.
        text = text.removeprefix("/")
    elif re.match(r"[a-z][a-z0-9+.-]*://", text):
        raise refuse(config, f"the location is not a file and not a {scheme} URL", f"Write a path or {scheme}:///path.")
    return config.located(text)
