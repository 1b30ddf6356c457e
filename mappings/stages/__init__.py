"""The typed stages as pure functions of Polars expressions: date, datetime, number, boolean, write, truncate.

Every function takes a text (or typed) expression and returns expressions; nothing raises on data, a value that fails is
NULL and its row is flagged.  What is wrong with a stage itself (a format, a time zone) is refused with MAP-028.
"""

from mappings.stages.booleans import boolean
from mappings.stages.dates import date
from mappings.stages.datetimes import datetime, local_date
from mappings.stages.formats import TOKENS, Format, parse_format
from mappings.stages.numbers import number
from mappings.stages.result import Cut, Staged
from mappings.stages.texts import truncate
from mappings.stages.write import write_date, write_instant, write_number

__all__ = [
    "TOKENS",
    "Cut",
    "Format",
    "Staged",
    "boolean",
    "date",
    "datetime",
    "local_date",
    "number",
    "parse_format",
    "truncate",
    "write_date",
    "write_instant",
    "write_number",
]
