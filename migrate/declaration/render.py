"""A declaration as a page and as a document."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.declaration.blanks import blanks, plain
from migrate.declaration.facts import declaration_facts
from migrate.declaration.output import write_page
from migrate.declaration.pdf import as_pdf
from migrate.declaration.template import Template, fill, find_template
from migrate.evidence.record import tell
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


def write_out(made: Declaration, files: Sequence[Path]) -> None:
    """Write a declaration to files, as PDF where a name ends in ``.pdf``; all are made before one is written.

    Their digests go into the evidence, so that what somebody signed can be held against it.

    Raises:
        RefusedError: DCL-002 to DCL-005 the template is refused, DCL-009 to DCL-011 it cannot be made a PDF.
        GuardError: DCL-006 a link stands there.
        SystemFailure: DCL-008 it cannot be written.
    """
    page = made.page()
    asked = {file.suffix.lower() == ".pdf" for file in files}
    contents = {is_pdf: as_pdf(page, made.template.name) if is_pdf else page.encode() for is_pdf in asked}
    told = []
    for file in files:
        content = contents[file.suffix.lower() == ".pdf"]
        write_page(file, content)
        told.append({"name": file.name, "sha256": hashlib.sha256(content).hexdigest()})
    if told:
        tell("declaration", {"lang": made.lang, "files": told})


def declare(workspace: Workspace, lang: str, template: Path | None) -> Declaration:
    """Gather the facts of a workspace for a declaration that is drawn up now.

    Raises:
        RefusedError: DCL-001 the template cannot be read; RefusedMany a mapping file is refused.
        GuardError: DBS-003 the target is not upgraded.
    """
    found = find_template(workspace.root, lang, template)
    return Declaration(declaration_facts(workspace, now()), found, lang)
