"""SQL expressions of mappings: parsed by sqlglot, limited to a published list, translated to Polars."""

from mappings.expressions.functions import FUNCTIONS, NAMES
from mappings.expressions.parse import Expression, parse_expression
from mappings.expressions.translate import result_type, to_polars, translated

__all__ = [
    "FUNCTIONS",
    "NAMES",
    "Expression",
    "parse_expression",
    "result_type",
    "to_polars",
    "translated",
]
