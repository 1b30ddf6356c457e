"""A declaration as a page and as a document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.declaration.blanks import blanks, plain
from migrate.declaration.facts import declaration_facts
from migrate.declaration.template import Template, fill, find_template
from migrate.ledger.store import now
from migrate.workspace import Workspace


@dataclass(frozen=True)
class Declaration:
    """The facts, and the template that shows them."""

    facts: dict[str, Any]
    template: Template
    lang: str

    @property
    def blank(self) -> int:
        """How many of its facts are not known."""
        return blanks(self.facts)

    def page(self) -> str:
        """Return the HTML page.

        Raises:
            RefusedError: DCL-002 to DCL-005 the template is refused.
        """
        return fill(self.template, self.facts, self.lang)

    def as_dict(self) -> dict[str, Any]:
        """Return the document of `declaration_schema`."""
        document: dict[str, Any] = plain({**self.facts, "template": self.template.as_dict()})
        return {**document, "blanks": self.blank}


def declare(workspace: Workspace, lang: str, template: Path | None) -> Declaration:
    """Gather the facts of a workspace for a declaration that is drawn up now.

    Raises:
        RefusedError: DCL-001 the template cannot be read; RefusedMany a mapping file is refused.
        GuardError: DBS-003 the target is not upgraded.
    """
    found = find_template(workspace.root, lang, template)
    return Declaration(declaration_facts(workspace, now()), found, lang)
