"""The declaration of migration (verklaring van migratie, Archiefregeling art. 25): facts, template, page."""

from migrate.declaration.facts import declaration_facts
from migrate.declaration.render import Declaration, declare, write_out
from migrate.declaration.schema import declaration_schema
from migrate.declaration.template import LANGUAGES, Template, find_template, shipped_template

__all__ = [
    "LANGUAGES",
    "Declaration",
    "Template",
    "declaration_facts",
    "declaration_schema",
    "declare",
    "find_template",
    "shipped_template",
    "write_out",
]
