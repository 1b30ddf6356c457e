"""Where the documents of a relation are, as `documents:` of a system says, and the columns that tell of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.config import SystemConfig, known_options, refuse, text_option

FACTS = ("state", "size", "sha256", "type", "ref")
"""What is said of a document: its state, number of bytes, SHA-256, media type by its bytes, and place in the store.

States are found, none, missing, empty, unreadable, outside.
"""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(frozen=True, slots=True)
class DocumentRule:
    """One document that each row of a relation carries: the column of its path or of its bytes.

    Args:
        column: of the path or the bytes.
        blob: whether it holds the bytes.
        folder: below which the documents lie now.
        below: what a path begins with in the old system, and which is not there in ``folder``.
        base64: whether the bytes are written in base64.
        name: of the document, where a row carries several; it stands in the names of the columns.
    """

    column: str
    blob: bool
    folder: str = ""
    below: str = ""
    base64: bool = False
    name: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that tell `FACTS`."""
        start = f"_doc_{self.name}_" if self.name else "_doc_"
        return tuple(start + fact for fact in FACTS)

    def reads(self, column: str) -> bool:
        """Return whether this is the column of its path or bytes."""
        return column.casefold() == self.column.casefold()


def read_rules(config: SystemConfig) -> dict[str, tuple[DocumentRule, ...]]:
    """Return the rules of `documents:` of a system, by the name of the relation in small letters.

    Raises:
        RefusedError: CON-003 (exit 4).
    """
    given = config.options.get("documents")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise refuse(config, "the setting documents is not a map", "Write documents: {RELATION: {path: COLUMN, …}}.")
    return {str(name).casefold(): _rules(config, str(name), options) for name, options in given.items()}


def _rules(config: SystemConfig, relation: str, options: Any) -> tuple[DocumentRule, ...]:
    several = options if isinstance(options, list | tuple) else [options]
    found = tuple(_rule(config, relation, each) for each in several)
    columns = [column for rule in found for column in rule.columns]
    if not found or len(set(columns)) < len(columns):
        raise refuse(
            config,
            f"the documents of relation {relation} have no names that tell them apart",
            f"Write documents: {{{relation}: [{{path: COLUMN, folder: FOLDER}}, {{content: COLUMN, as: copy}}]}}.",
        )
    return found


def _rule(config: SystemConfig, relation: str, options: Any) -> DocumentRule:
    if not isinstance(options, Mapping) or ("path" in options) == ("content" in options):
        raise refuse(
            config,
            f"the documents of relation {relation} have neither a column path nor a column content, or both",
            f"Write documents: {{{relation}: {{path: COLUMN, folder: FOLDER}}}}.",
        )
    blob = "content" in options
    known = ("content", "coded", "as") if blob else ("path", "folder", "below", "as")
    known_options(config, options, known, f"documents.{relation}.")
    name, coded = (text_option(config, options, option, "") for option in ("as", "coded"))
    if "as" in options and not _NAME.fullmatch(name):
        raise refuse(
            config,
            f"the setting documents.{relation}.as is no name",
            "Write small letters, digits and underscores, for example as: scan.",
        )
    if coded not in ("", "base64"):
        raise refuse(
            config, f"the setting documents.{relation}.coded is unknown", "Write coded: base64, or leave it out."
        )
    if blob:
        return DocumentRule(text_option(config, options, "content"), True, base64=bool(coded), name=name)
    folder, below = text_option(config, options, "folder"), text_option(config, options, "below", "")
    return DocumentRule(text_option(config, options, "path"), False, folder, below, name=name)
