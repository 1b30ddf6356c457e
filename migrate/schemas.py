"""`mapping schema`: the JSON Schemas of mapping files and workspace.yml, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from mappings import mapping_schema, schema_of
from migrate.paper import write_paper
from migrate.workspace import WorkspaceModel

FOLDER: Final = "schemas"
KINDS: Final = ("mapping", "workspace")


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of mapping files or of workspace.yml."""
    return mapping_schema() if kind == "mapping" else schema_of(WorkspaceModel, "workspace.yml of omnicase")


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
