"""The form of workspace.yml: what may stand in it, and what holds where it says nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NamespaceSettings(_Strict):
    """Where the secret of the target ids comes from; exactly one of the three."""

    public: str | None = None
    env: str | None = None
    file: str | None = None


class TargetSettings(_Strict):
    """Where the records go."""

    url: str


class RunSettings(_Strict):
    """How to load."""

    batch_rows: int = Field(default=10_000, ge=1, le=1_000_000)
    max_rejects: str | None = Field(default=None, pattern=r"^(100|\d{1,2}(\.\d+)?)%$")


class ReconcileSettings(_Strict):
    """How to compare."""

    rule_seconds: int = Field(default=300, ge=1, le=86_400)


class WaiverSettings(_Strict):
    """Who may accept differences, once people have keys: holders of one of these roles."""

    approvers: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        default=("administrator", "owner"), min_length=1
    )


class MunicipalitySettings(_Strict):
    """Who the workspace is of; shown in reports."""

    name: str = "gemeente"
    rsin: str | None = None


class EnvironmentSettings(_Strict):
    """What differs in an environment."""

    production: Literal["true", "false"] = "false"
    target: TargetSettings | None = None


class DocumentSettings(_Strict):
    """Where the content of documents is kept: a folder (a relative one starts in the workspace), or a URL."""

    store: str = "documents"


class WaveSettings(_Strict):
    """A slice of the old systems that moves together: which rows of which mappings it begins with."""

    about: str | None = None
    where: dict[str, str] = Field(min_length=1)


class WorkspaceModel(_Strict):
    """The form of workspace.yml."""

    workspace: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$")
    municipality: MunicipalitySettings = MunicipalitySettings()
    namespace: NamespaceSettings
    target: TargetSettings
    systems: dict[str, dict[str, Any]] = {}
    run: RunSettings = RunSettings()
    reconcile: ReconcileSettings = ReconcileSettings()
    waivers: WaiverSettings = WaiverSettings()
    documents: DocumentSettings = DocumentSettings()
    waves: dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")], WaveSettings] = {}
    environments: dict[str, EnvironmentSettings] = {}


def known_names(path: list[str]) -> list[str]:
    """Return what may be written at a place of workspace.yml, by the keys that lead to it."""
    models: dict[str, type[BaseModel]] = {
        "": WorkspaceModel,
        "namespace": NamespaceSettings,
        "target": TargetSettings,
        "run": RunSettings,
        "reconcile": ReconcileSettings,
        "waivers": WaiverSettings,
        "municipality": MunicipalitySettings,
        "environments": EnvironmentSettings,
        "waves": WaveSettings,
    }
    return sorted(models.get(path[0] if path else "", WorkspaceModel).model_fields)
