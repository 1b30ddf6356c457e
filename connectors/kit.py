"""What a supplier needs to ship a connector for files: the words of `docs/connectors/your_own.md`, which stay.

A connector for a database implements `casemodel.Source` itself.
"""

from connectors.config import SystemConfig, flag_option, known_options, list_option, number_option, refuse, text_option
from connectors.sources.files.bytes import Bytes, check_unchanged, raw_blocks
from connectors.sources.files.finding import find_contents
from connectors.sources.files.relation import RECORD, UNREADABLE, FileRelation, Piece, RelationFiles, Surveyed
from connectors.sources.files.source import FileSource

__all__ = [
    "RECORD",
    "UNREADABLE",
    "Bytes",
    "FileRelation",
    "FileSource",
    "Piece",
    "RelationFiles",
    "Surveyed",
    "SystemConfig",
    "check_unchanged",
    "find_contents",
    "flag_option",
    "known_options",
    "list_option",
    "number_option",
    "raw_blocks",
    "refuse",
    "text_option",
]
