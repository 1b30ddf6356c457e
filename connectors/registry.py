"""Kinds of systems: the built-in ones, and others that announce themselves as entry points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.metadata import entry_points

from casemodel import Source, TellsRights
from connectors.config import SystemConfig, refuse, refuse_secrets
from connectors.credentials import with_credentials

GROUP = "omnicase.connectors"

_BUILT_IN = {
    "sqlite": "connectors.sources.sqlite.source:open_sqlite",
    "csv": "connectors.sources.csv.files:open_csv",
    "fixed": "connectors.sources.fixed.files:open_fixed",
    "excel": "connectors.sources.excel.files:open_excel",
    "json": "connectors.sources.json.files:open_json",
    "postgresql": "connectors.sources.postgresql.source:open_postgresql",
    "ticketlog": "connectors.sources.tickets.files:open_ticketlog",
    "sql": "connectors.sources.sql.source:open_sql",
    "xml": "connectors.sources.xml.source:open_xml",
}

_EXTRAS = {"psycopg": "postgresql", "fastexcel": "excel"}
"""The extra that brings a module."""


def kinds() -> tuple[str, ...]:
    """Return the kinds of systems that can be opened, sorted."""
    return tuple(sorted({*_BUILT_IN, *(point.name for point in entry_points(group=GROUP))}))


def open_source(config: SystemConfig) -> Source:
    """Open a legacy system read-only.

    Raises:
        RefusedError: CON-001 unknown kind, CON-002 a password in the settings, CON-003 a wrong setting, CON-004 its
            driver is not installed, CON-096 a secret is not where it should be (exit 4).
        GuardError: CON-095 others can read a file with a secret (exit 6).
        SystemFailure: the system cannot be reached or read (exit 5).
    """
    refuse_secrets(config)
    config = with_credentials(config)
    if "documents" not in config.options:
        return _opener(config)(config)
    from connectors.document_rules import read_rules
    from connectors.documented import Documented, DocumentedDatabase

    rules = read_rules(config)
    plain = {name: value for name, value in config.options.items() if name != "documents"}
    source = _opener(config)(replace(config, options=plain))
    return (DocumentedDatabase if isinstance(source, TellsRights) else Documented)(source, config, rules)


def _opener(config: SystemConfig) -> Callable[[SystemConfig], Source]:
    if config.kind in _BUILT_IN:
        module, name = _BUILT_IN[config.kind].split(":")
        try:
            found: Callable[[SystemConfig], Source] = getattr(import_module(module), name)
        except ModuleNotFoundError as missing:
            if missing.name not in _EXTRAS:
                raise
            raise refuse(
                config,
                f"the driver for the kind {config.kind!r} is not installed",
                f"Install omnicase[{_EXTRAS[missing.name]}].",
                code="CON-004",
            ) from None
        return found
    for point in entry_points(group=GROUP, name=config.kind):
        announced: Callable[[SystemConfig], Source] = point.load()
        return announced
    raise refuse(
        config, f"the kind {config.kind!r} is unknown", f"Known kinds are: {', '.join(kinds())}.", code="CON-001"
    )
