"""Connectors: nothing but this package opens a database or a source file (DESIGN.md, section 7)."""

from connectors.codes import CODES
from connectors.config import SystemConfig, url_holds_secret
from connectors.credentials import read_secret_file
from connectors.document_checks import check_folders, look_at_store
from connectors.prefetch import ahead
from connectors.registry import kinds, open_source
from connectors.scratch import Scratch
from connectors.targets import (
    PostgresTarget,
    SqliteTarget,
    append_rows,
    as_sqlite_has_it,
    as_text,
    id_list,
    in_canonical_form,
    json_places,
    open_target,
    postgresql_failure,
    record_ids,
    shares_a_connection,
)
from connectors.volume import Volume, read_volume

__all__ = [
    "CODES",
    "PostgresTarget",
    "Scratch",
    "SqliteTarget",
    "SystemConfig",
    "Volume",
    "ahead",
    "append_rows",
    "as_sqlite_has_it",
    "as_text",
    "check_folders",
    "id_list",
    "in_canonical_form",
    "json_places",
    "kinds",
    "look_at_store",
    "open_source",
    "open_target",
    "postgresql_failure",
    "read_secret_file",
    "read_volume",
    "record_ids",
    "shares_a_connection",
    "url_holds_secret",
]
