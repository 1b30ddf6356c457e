"""From YAML text to a checked `MappingFile`: every error names file, line, column, what was found and expected."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from casemodel import (
    Place,
    PlacedDict,
    Query,
    RefusedError,
    RefusedMany,
    parse_strict_yaml,
    read_yaml_bytes,
)
from mappings.language.code_tables import CodeTable, inline_table, read_code_table, read_texts
from mappings.language.decisions import PersonDecision, read_decisions
from mappings.language.defaults import DEFAULTS, SystemDefaults, check_systems, read_defaults, with_defaults
from mappings.language.models import Chain, FieldSpec, MappingModel, ValueSpec
from mappings.language.places import Path_, find_place, translate
from mappings.language.plugins import Plugin, read_plugin
from mappings.language.queries import query_of
from mappings.pausing import no_collecting

TESTS = "tests"
"""Sub-folder of the mappings that holds files of tests."""


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping file as parsed: its model, the places of its parts, and the code tables that it uses.

    ``tables`` holds code tables by the place of the ``codes`` key in the file (a dotted path); ``texts`` the lists that
    ``null_if: {file: …}`` names, by file.
    """

    name: str
    shown_as: str
    model: MappingModel
    tree: PlacedDict
    file_digest: str
    tables: Mapping[str, CodeTable] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    query: Query | None = None
    timezone: str | None = None
    """Time zone of the system (``defaults.yml``), where a field says none."""
    date_formats: tuple[str, ...] = ()
    """Date formats of the system (``defaults.yml``)."""
    plugins: Mapping[str, Plugin] = field(default_factory=dict)
    """Plug-ins that the mapping uses, by their names."""
    decisions: tuple[PersonDecision, ...] = ()
    """What people decided about rows of a mapping with an identity (``codes/same_person.csv``)."""

    @property
    def system(self) -> str:
        """Name of the legacy system, the first part of the mapping's name."""
        return self.name.partition(".")[0]

    @property
    def relation(self) -> str:
        """Name of the relation it reads."""
        return self.query.name if self.query is not None else self.model.source.relation or ""

    def place(self, *path: str | int, key: bool = False) -> Place:
        """Return the place of a part of the file, or of the nearest part around it; with ``key`` that of its key."""
        line, column = find_place(self.tree, path, key=key)
        return Place(self.shown_as, line, column)

    def counted_as(self, owner: str, chain: Chain) -> str:
        """Return the name under which the use of a chain's code table is counted: its file, or whose it is."""
        assert chain.codes is not None
        return code_file(chain.codes.file) if chain.codes.file else f"{self.name}:{owner}"

    def code_tables(self) -> Iterator[tuple[str, Path_, CodeTable]]:
        """Yield the code tables of its values and fields, by the names under which their use is counted, with the paths
        of their ``codes`` in the file."""
        for owner, path, chain in self.chains():
            table = self.tables.get(".".join(str(part) for part in path))
            if chain.codes is not None and table is not None:
                yield self.counted_as(owner, chain), (*path, "codes"), table

    def chains(self) -> Iterator[tuple[str, Path_, Chain]]:
        """Yield every chain of stages with the name of its value or field and its path, branches after their owner."""
        for section, chains in (("values", self.model.values), ("fields", self.model.fields)):
            for name, chain in chains.items():
                assert isinstance(chain, ValueSpec | FieldSpec)
                yield name, (section, name), chain
                for branch, spec in chain.alternatives.items():
                    yield name, (section, name, "try", branch), spec
                for index, spec in enumerate(chain.otherwise):
                    yield name, (section, name, "else", index), spec


@no_collecting()
def load_mappings(folder: Path, workspace_root: Path) -> list[MappingFile]:
    """Read every ``*.yml`` and ``*.yaml`` of a folder (and its sub-folders) as a mapping, in the order of their names.

    Args:
        folder: the workspace's ``mappings`` folder.
        workspace_root: the workspace; code tables lie in its ``codes`` folder, places are shown relative to it.

    Raises:
        RefusedMany: every error of every file.
    """
    files: list[MappingFile] = []
    errors: list[RefusedError] = []
    defaults: Mapping[str, SystemDefaults] = {}
    try:
        defaults = read_defaults(folder, workspace_root)
    except RefusedMany as many:
        errors += many.errors
    except RefusedError as error:
        errors.append(error)
    broken = bool(errors)
    for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        if path == folder / DEFAULTS or folder / TESTS in path.parents:
            continue
        try:
            files.append(load_mapping(path, workspace_root, {} if broken else defaults))
        except RefusedMany as many:
            errors += many.errors
        except RefusedError as error:
            errors.append(error)
    seen: dict[str, MappingFile] = {}
    for file in files:
        if file.name in seen:
            errors.append(
                RefusedError(
                    "MAP-006",
                    f"the mapping {file.name} is also in {seen[file.name].shown_as}",
                    hint="Give one of the two another name.",
                    place=file.place("mapping"),
                )
            )
        seen[file.name] = file
    if broken:  # what the mappings miss in it is not known
        errors = [error for error in errors if error.code != "MAP-007"]
    elif not errors:
        errors += check_systems(defaults, {file.system for file in files}, folder, workspace_root)
    files = _with_decisions(files, workspace_root / "codes", errors)
    if errors:
        raise RefusedMany(errors)
    return sorted(files, key=lambda file: file.name)


def _with_decisions(files: list[MappingFile], codes: Path, errors: list[RefusedError]) -> list[MappingFile]:
    try:
        decisions = read_decisions(codes)
    except RefusedMany as many:
        errors += many.errors
        return files
    return [replace(file, decisions=decisions) if file.model.identity is not None else file for file in files]


def load_mapping(path: Path, workspace_root: Path, defaults: Mapping[str, SystemDefaults] | None = None) -> MappingFile:
    """Read one mapping file, and ``defaults.yml`` of the workspace if it is not given.

    Raises:
        RefusedError, RefusedMany: what is wrong with either of them.
    """
    if defaults is None:
        defaults = read_defaults(workspace_root / "mappings", workspace_root)
    shown = path.relative_to(workspace_root).as_posix() if path.is_relative_to(workspace_root) else path.name
    data = read_yaml_bytes(path, shown)
    return parse_mapping(data, shown_as=shown, codes=workspace_root / "codes", defaults=defaults)


def parse_mapping(
    data: bytes, *, shown_as: str, codes: Path, defaults: Mapping[str, SystemDefaults] | None = None
) -> MappingFile:
    """Parse the bytes of a mapping file.

    Args:
        codes: the folder of its code tables.
        defaults: what the mappings of each system share.
    """
    tree = parse_strict_yaml(data, shown_as=shown_as)
    errors: list[RefusedError] = []
    try:
        model = MappingModel.model_validate(tree, context={"errors": errors, "file": shown_as})
    except ValidationError as error:
        errors += [translate(item, tree, shown_as) for item in error.errors(include_url=False, include_input=False)]
        raise RefusedMany(sorted(errors, key=line_of)) from None
    shared = (defaults or {}).get(model.mapping.partition(".")[0])
    model, missing = with_defaults(model, shared, tree, shown_as)
    errors += missing
    if errors:
        raise RefusedMany(sorted(errors, key=line_of))
    file = MappingFile(model.mapping, shown_as, model, tree, hashlib.sha256(data).hexdigest())
    tables, texts, errors = _read_tables(file, codes)
    query, refused = _read_query(file, codes.parent / "queries")
    plugins, missing = _read_plugins(file, codes.parent / "plugins")
    errors += [*refused, *missing]
    if errors:
        raise RefusedMany(sorted(errors, key=line_of))
    zone, days = (shared.timezone, shared.date) if shared else (None, ())
    return MappingFile(
        model.mapping, shown_as, model, tree, file.file_digest, tables, texts, query, zone, days, plugins
    )


def line_of(error: RefusedError) -> tuple[int, int]:
    """Return line and column of an error, to sort by."""
    return error.place.line or 0, error.place.column or 0


def _read_tables(
    file: MappingFile, codes: Path
) -> tuple[dict[str, CodeTable], dict[str, tuple[str, ...]], list[RefusedError]]:
    tables: dict[str, CodeTable] = {}
    texts: dict[str, tuple[str, ...]] = {}
    errors: dict[tuple[str, str], RefusedError] = {}
    for name, path, chain in file.chains():
        label = ".".join(str(part) for part in path)
        try:
            if chain.codes and chain.codes.inline is not None:
                tables[label] = inline_table(name, chain.codes.inline, fold=chain.codes.fold)
            elif chain.codes and chain.codes.file:
                tables[label] = read_code_table(codes, code_file(chain.codes.file), fold=chain.codes.fold)
            if chain.null_if and chain.null_if.file:
                texts[chain.null_if.file] = read_texts(codes, code_file(chain.null_if.file))
            if chain.date and chain.date.formats:
                tables[f"{label}.date"] = read_code_table(codes, code_file(chain.date.formats))
        except RefusedMany as many:
            for error in many.errors:
                shown = error
                if error.code == "MAP-018" and error.place.line is None:
                    part = "date" if chain.date and chain.date.formats else "null_if" if chain.null_if else "codes"
                    part = (
                        "codes"
                        if chain.codes and error.place.file == f"codes/{code_file(chain.codes.file or '')}"
                        else part
                    )
                    shown = RefusedError(
                        "MAP-018",
                        f"{error.place.file}: {error.message}",
                        hint=error.hint,
                        place=file.place(*path, part),
                    )
                errors.setdefault((str(shown.place), shown.message), shown)
    return tables, texts, list(errors.values())


def _read_plugins(file: MappingFile, folder: Path) -> tuple[dict[str, Plugin], list[RefusedError]]:
    named: list[tuple[str, Path_]] = [(chain.use, (*path, "use")) for _, path, chain in file.chains() if chain.use]
    named += [(step.step, ("use", index, "step")) for index, step in enumerate(file.model.use)]
    plugins: dict[str, Plugin] = {}
    errors: list[RefusedError] = []
    for name, path in named:
        try:
            plugins[name] = plugins.get(name) or read_plugin(name, folder, file.place(*path))
        except RefusedError as error:
            errors.append(error)
    return plugins, errors


def _read_query(file: MappingFile, folder: Path) -> tuple[Query | None, list[RefusedError]]:
    """Read the query that the mapping names; what is wrong with the file itself is shown where it is named."""
    try:
        return query_of(file.model.source, folder), []
    except RefusedMany as many:
        return None, [
            error
            if error.place.line is not None
            else RefusedError(
                error.code,
                f"{error.place.file}: {error.message}",
                hint=error.hint,
                place=file.place("source", "query"),
            )
            for error in many.errors
        ]


def code_file(name: str) -> str:
    """Return the name of a file inside ``codes/``; the folder's own name in front is allowed."""
    return name.removeprefix("codes/")
