"""`mapping schema`: the JSON Schemas of what people write in YAML, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from mappings import defaults_schema, mapping_schema, schema_of, tests_schema
from migrate.paper import write_paper
from migrate.settings import WorkspaceModel

FOLDER: Final = "schemas"
KINDS: Final = ("mapping", "workspace", "tests", "defaults")


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of mapping files, workspace.yml, files of tests or defaults.yml."""
    if kind == "workspace":
        return schema_of(WorkspaceModel, "workspace.yml of omnicase")
    return {"mapping": mapping_schema, "tests": tests_schema, "defaults": defaults_schema}[kind]()


def schema_text(kind: str) -> str:
    """Return a JSON Schema as the text of its file."""
    return json.dumps(schema(kind), ensure_ascii=False, indent=2) + "\n"


def schema_files() -> dict[str, str]:
    """Return the text of every schema by its file in a workspace."""
    return {f"{FOLDER}/{kind}.json": schema_text(kind) for kind in KINDS}


def write_schemas(folder: Path, kinds: tuple[str, ...]) -> list[str]:
    """Write schemas to a folder and return the names of their files."""
    for kind in kinds:
        write_paper(folder / f"{kind}.json", schema_text(kind))
    return [f"{kind}.json" for kind in kinds]
