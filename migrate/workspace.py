"""The workspace: what a municipality writes by hand and keeps in git (DESIGN.md, sections 2 and 9)."""

from __future__ import annotations

import difflib
import itertools
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from casemodel import (
    Place,
    PlacedDict,
    PlacedList,
    RefusedError,
    RefusedMany,
    Relation,
    Secrets,
    derive_secrets,
    read_regular_file,
    read_strict_yaml,
)
from connectors import SystemConfig, read_secret_file, url_holds_secret
from migrate.settings import WorkspaceModel, known_names

FILE = "workspace.yml"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(frozen=True)
class Workspace:
    """A workspace as read, with the environment applied.

    Args:
        root: its folder, absolute.
        model: the settings of workspace.yml.
        env: the name of the chosen environment, or None.
    """

    root: Path
    model: WorkspaceModel
    env: str | None = None
    systems: Mapping[str, SystemConfig] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the workspace."""
        return self.model.workspace

    @property
    def municipality(self) -> str:
        """The name of the municipality; empty where workspace.yml says none."""
        told = self.model.municipality
        return told.name if "name" in told.model_fields_set else ""

    @property
    def production(self) -> bool:
        """Whether the chosen environment is production."""
        return self.env is not None and self.model.environments[self.env].production == "true"

    @property
    def target_url(self) -> str:
        """The target's SQLAlchemy URL; a relative SQLite path starts in the workspace.

        Raises:
            GuardError: CON-095 others can read the file that OMNICASE_TARGET_URL_FILE names (exit 6).
            RefusedError: CON-096 it holds nothing (exit 4).
        """
        chosen = self.model.environments[self.env].target if self.env else None
        url = _given_url("TARGET", "target") or (chosen or self.model.target).url
        return _absolute_sqlite(url, self.root)

    def is_personal(self, relation: Relation, column: str) -> bool:
        """Return whether a source column is personal (promise 9): as the system's `personal:` says, else as read.

        ``personal: {RELATION: [COLUMN, …]}`` names the personal columns of a relation; its other columns are not. Of a
        relation that is not named there everything is personal, and so is a column that a relation does not have.
        """
        known = {each.name.upper(): each.personal for each in relation.columns}
        declared = self.model.systems.get(relation.system, {}).get("personal")
        if isinstance(declared, dict):
            by_name = {str(name).upper(): columns for name, columns in declared.items()}
            if relation.name.upper() in by_name and column.upper() in known:
                return column.upper() in {str(each).upper() for each in by_name[relation.name.upper()] or []}
            return True
        return known.get(column.upper(), True)

    @property
    def max_rejects(self) -> float | None:
        """Share of rejected rows (0 to 1) at which a run stops; None: never."""
        text = self.model.run.max_rejects
        return float(text.removesuffix("%")) / 100 if text else None

    @property
    def documents(self) -> str:
        """The content store: a folder or a URL."""
        store = self.model.documents.store
        return store if "://" in store else str(self.root / store)

    @property
    def reports(self) -> Path:
        """The folder of the reports."""
        return self.root / "reports"

    @cached_property
    def secrets(self) -> Secrets:
        """The keys of the workspace, derived from its namespace.

        Raises:
            RefusedError: WSP-010 no source or more than one, WSP-011 the variable or file is missing, WSP-012 the file
                can be read by others, WSP-013 a public namespace in production.
        """
        return derive_secrets(_namespace(self))


def load_workspace(folder: Path, env: str | None = None) -> Workspace:
    """Read workspace.yml of a folder and apply the environment.

    Raises:
        RefusedError: WSP-001 not a workspace, WSP-002 a setting is wrong, WSP-003 a variable is not set, WSP-004
            unknown environment, WSP-005 a password in a URL; YML-… when the file cannot be read as
            strict YAML.
    """
    root = folder.absolute()
    if not (root / FILE).is_file():
        raise RefusedError(
            "WSP-001",
            "this folder is no workspace: it has no workspace.yml",
            hint="Name the workspace with -C, or make one with `omnicase init DIR` or `omnicase demo DIR`.",
            place=str(folder),
        )
    raw = read_strict_yaml(root / FILE)
    _refuse_passwords(raw)
    model = _validated(_filled(raw, Place(FILE)), raw)
    if env is not None and env not in model.environments:
        known = ", ".join(sorted(model.environments)) or "none"
        raise RefusedError(
            "WSP-004", f"there is no environment '{env}'", hint=f"Known environments: {known}.", place=FILE
        )
    production = env is not None and model.environments[env].production == "true"
    return Workspace(root, model, env, _systems(model, root, raw, production=production))


_URLS = (
    ("target", "url", "target", "Remove it and give the whole URL in the environment as OMNICASE_TARGET_URL."),
    ("documents", "store", "content store", "Remove it and write ${NAME} there, which reads the environment."),
)
"""Settings that may be a URL: where they stand, what they are called, and how to give a password instead."""


def _refuse_passwords(raw: PlacedDict) -> None:
    """Refuse a password written in a URL; one that comes out of the environment is where it belongs."""
    environments = raw.get("environments")
    holders = (raw, *(environments.values() if isinstance(environments, PlacedDict) else ()))
    for (section, setting, called, hint), holder in itertools.product(_URLS, holders):
        found = holder.get(section) if isinstance(holder, PlacedDict) else None
        if not isinstance(found, PlacedDict) or not isinstance(found.get(setting), str):
            continue
        if url_holds_secret(_VARIABLE.sub(lambda variable: variable.group(2) or "", found[setting])):
            place = Place(FILE, *found.value_places[setting])
            raise RefusedError("WSP-005", f"the URL of the {called} holds a password", hint=hint, place=place)


def _systems(model: WorkspaceModel, root: Path, raw: PlacedDict, *, production: bool) -> dict[str, SystemConfig]:
    systems = {}
    for name, options in model.systems.items():
        kind = str(options.get("kind", ""))
        rest = {key: value for key, value in options.items() if key not in ("kind", "personal")}
        url = os.environ.get(f"OMNICASE_{name.upper()}_URL")
        if not url and (file := os.environ.get(f"OMNICASE_{name.upper()}_URL_FILE")):
            # Read when the system is opened, and not before.
            options, url = {**options, "url": {"file": str(Path(file).absolute())}}, None
            rest["url"] = options["url"]
        elif url and kind == "sqlite":
            rest, url = {**rest, "path": _sqlite_path(url)}, None
        else:
            written = raw["systems"][name].get("url")
            if isinstance(written, str) and _VARIABLE.search(written):
                # What comes out of the environment may hold a password; what stands in the file may not.
                url = url or str(rest["url"])
                rest["url"] = _VARIABLE.sub(lambda found: found.group(2) or "", written)
        systems[name] = SystemConfig(name, kind, rest, root, url=url, production=production)
    return systems


def _given_url(name: str, place: str) -> str | None:
    """Return a URL that the environment gives: itself, or the file (0600) that holds it."""
    url, file = os.environ.get(f"OMNICASE_{name}_URL"), os.environ.get(f"OMNICASE_{name}_URL_FILE")
    return url or (read_secret_file(Path(file).absolute(), place) if file else None)


def _sqlite_path(url: str) -> str:
    return url.removeprefix("sqlite:///")


def _absolute_sqlite(url: str, root: Path) -> str:
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        return f"sqlite:///{root / url.removeprefix('sqlite:///')}"
    return url


def _filled(value: Any, place: Place) -> Any:
    """Replace ``${NAME}`` and ``${NAME:-default}`` in every text."""
    if isinstance(value, PlacedDict):
        return {key: _filled(item, Place(FILE, *value.value_places[key])) for key, item in value.items()}
    if isinstance(value, PlacedList):
        return [_filled(item, Place(FILE, *where)) for item, where in zip(value, value.value_places, strict=True)]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _variable(found, place), value)
    return value


def _variable(found: re.Match[str], place: Place) -> str:
    name, default = found.group(1), found.group(2)
    value = os.environ.get(name) or default
    if value is None:
        raise RefusedError(
            "WSP-003",
            f"the environment variable {name} is not set and has no default",
            hint=f"Set {name}, or write ${{{name}:-default}}.",
            place=place,
        )
    return value


def _validated(values: Any, raw: PlacedDict) -> WorkspaceModel:
    try:
        return WorkspaceModel.model_validate(values)
    except ValidationError as error:
        raise RefusedMany(list(_refusals(error, raw))) from None


def _refusals(error: ValidationError, raw: PlacedDict) -> Iterator[RefusedError]:
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        path = [str(part) for part in item["loc"]]
        place = _place(raw, path)
        name = ".".join(path)
        if item["type"] == "extra_forbidden":
            known = known_names(path[:-1])
            near = difflib.get_close_matches(path[-1], known, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known here: {', '.join(known)}."
            yield RefusedError("WSP-002", f"the setting '{name}' is unknown", hint=hint, place=place)
        elif item["type"] == "missing":
            yield RefusedError(
                "WSP-002", f"the setting '{name}' is missing", hint="Add it; see docs/engineer.md.", place=place
            )
        else:
            yield RefusedError(
                "WSP-002", f"the setting '{name}' is wrong: {item['msg']}", hint="Correct the value.", place=place
            )


def _place(raw: PlacedDict, path: list[str]) -> Place:
    node: Any = raw
    where: tuple[int, int] = raw.place
    for part in path:
        if not isinstance(node, PlacedDict) or part not in node:
            break
        where, node = node.key_places[part], node[part]
    return Place(FILE, *where)


def namespace_secret(workspace: Workspace) -> str | None:
    """Return the namespace where it is a secret, so that it can be looked for where it must not be; None: public.

    Raises:
        RefusedError: as `Workspace.secrets`.
    """
    return None if workspace.model.namespace.public else _namespace(workspace)


def _namespace(workspace: Workspace) -> str:
    settings = workspace.model.namespace
    given = [name for name in ("public", "env", "file") if getattr(settings, name)]
    if len(given) != 1:
        raise RefusedError(
            "WSP-010",
            "namespace must name exactly one of public, env and file",
            hint="See docs/engineer.md.",
            place=FILE,
        )
    if settings.public:
        if workspace.production:
            raise RefusedError(
                "WSP-013",
                "a public namespace is refused in production",
                hint="Use {env: …} or {file: keys/namespace}.",
                place=FILE,
            )
        return settings.public
    if settings.env:
        value = os.environ.get(settings.env)
        if not value:
            raise RefusedError(
                "WSP-011", f"the environment variable {settings.env} is not set", hint="Set it.", place=FILE
            )
        return value
    return _secret_file(workspace.root / str(settings.file))


def _secret_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = read_regular_file(path).decode().strip()
    except (OSError, UnicodeDecodeError):
        raise RefusedError(
            "WSP-011",
            "the namespace file cannot be read",
            hint="Restore it from your backup; another one makes other ids.",
            place=str(path.name),
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise RefusedError(
            "WSP-012", "the namespace file can be read by others", hint="chmod 600 it.", place=str(path.name)
        )
    if not text:
        raise RefusedError(
            "WSP-011", "the namespace file is empty", hint="Restore it from your backup.", place=str(path.name)
        )
    return text
