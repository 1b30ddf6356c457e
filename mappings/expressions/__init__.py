"""SQL expressions of mappings: parsed by sqlglot, limited to a published list, translated to Polars."""

from mappings.expressions.functions import FUNCTIONS, NAMES, polars_replacement
from mappings.expressions.parse import Expression, parse_expression
from mappings.expressions.translate import result_type, to_polars, translated

__all__ = [
    "FUNCTIONS",
    "NAMES",
    "Expression",
    "parse_expression",
    "polars_replacement",
    "result_type",
    "to_polars",
    "translated",
]
