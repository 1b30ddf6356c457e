"""The bag that an auditor takes along (BagIt, RFC 8493): gathered, looked over for secrets and persons, validated."""

from migrate.bag.export import Export, export
from migrate.bag.sbom import bill_of_materials

__all__ = ["Export", "bill_of_materials", "export"]
