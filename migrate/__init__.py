"""The command line, the runs and the ledger: the only place that wires the wings together.

This module stays empty of imports, so that ``omnicase --help`` answers at once.
"""

__version__ = "0.1.0"
