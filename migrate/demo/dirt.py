"""The books of the dirt: what was planted, of how many, and how much the catalogue of dirt asks for."""

from __future__ import annotations

import re
from collections import defaultdict

import polars as pl

LISTED: dict[str, float] = {
    "B01": 0.08,
    "B02": 0.015,
    "B03": 0.62,
    "B04": 1.0,
    "B05": 0.003,
    "B06": 1.0,
    "B07": 0.09,
    "B08": 0.008,
    "B09": 0.02,
    "B11": 0.06,
    "B12": 0.025,
    "B13": 0.04,
    "B14": 0.15,
    "B15": 0.007,
    "B16": 0.07,
    "B17": 0.11,
    "B18": 0.06,
    "B19": 0.09,
    "B20": 0.04,
    "B21": 0.006,
    "B22": 0.03,
    "B22.status": 0.004,
    "B23": 0.18,
    "B24": 1.0,
    "B26": 0.005,
    "B27": 0.35,
    "B28": 1.0,
    "B29": 0.002,
    "B30": 0.012,
    "B31": 0.001,
    "Z01": 0.25,
    "Z02": 1.0,
    "Z03": 0.03,
    "Z04": 0.001,
    "Z05": 0.002,
    "Z06": 0.006,
    "Z07": 0.04,
    "Z08": 0.015,
    "Z09": 0.008,
    "Z10": 0.05,
    "Z11": 0.30,
    "Z11.same": 0.01,
    "Z12": 0.005,
    "Z13": 0.01,
    "Z14": 0.40,
    "Z15": 0.03,
    "Z16": 0.01,
    "Z17": 0.007,
    "Z18": 0.06,
    "Z19": 0.01,
    "Z20": 0.06,
    "Z21": 0.001,
    "Z22": 0.22,
    "Z23": 0.032,
    "Z24": 0.02,
    "Z26": 0.30,
    "Z27": 0.063,
    "Z27.missing": 0.01,
    "Z27.unreadable": 0.005,
    "Z27.cut": 0.01,
    "Z28": 0.12,
    "Z29": 0.08,
    "Z30": 0.01,
    "Z33": 0.121,
    "Z34": 0.001,
    "Z35": 0.015,
    "Z36": 0.12,
    "Z37": 0.008,
    "Z38": 0.02,
    "Z39": 0.05,
    "F01": 1 / 24,
    "F02": 0.005,
    "F02.unescaped": 0.001,
    "F03": 0.004,
    "F04": 1.0,
    "F05": 3 / 24,
    "F07": 0.004,
    "F08": 0.02,
    "F09": 1.0,
    "F14": 0.01,
    "F20": 1.0,
    "F21": 0.1,
    "F24": 1.0,
}
"""How often a kind of dirt occurs among the rows where it can, as the catalogue says; kinds without a rate excepted."""

_FLAG = re.compile(r"_([BZF]\d\d)(?:_(\w+))?")


class DirtCount:
    """Counts planted dirt by its columns: True planted, False could have been, NULL could not."""

    def __init__(self) -> None:
        self._planted: dict[str, int] = defaultdict(int)
        self._of: dict[str, int] = defaultdict(int)

    def add(self, frame: pl.DataFrame) -> None:
        """Count the flags of a frame: ``_B22`` counts for B22, ``_B22_status`` for its part B22.status."""
        flags = {name: found for name in frame.columns if (found := _FLAG.fullmatch(name))}
        if not flags:
            return
        sums = frame.select(pl.col(name).cast(pl.Boolean).sum() for name in flags).row(0)
        counts = frame.select(pl.col(name).count() for name in flags).row(0)
        for found, planted, of in zip(flags.values(), sums, counts, strict=True):
            self.count(found[1] if found[2] is None else f"{found[1]}.{found[2]}", planted, of)

    def count(self, kind: str, planted: int, of: int) -> None:
        """Count a kind of dirt directly."""
        self._planted[kind] += planted
        self._of[kind] += of

    def frame(self) -> pl.DataFrame:
        """Return the books: ``id``, ``planted``, ``of``, sorted by id."""
        kinds = sorted(self._planted)
        return pl.DataFrame(
            {"id": kinds, "planted": [self._planted[k] for k in kinds], "of": [self._of[k] for k in kinds]}
        )
