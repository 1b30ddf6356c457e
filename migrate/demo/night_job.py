"""The clean-up of the counter system between two deliveries: a night job deletes customers without a trace (B32)."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl

from casemodel import RefusedError, SystemFailure

LIST = "systems/balie_opschoning.csv"
"""Which customers the night job deletes, one number a line below the heading."""
_EVERY, _OF = 3, 40


def deleted(customers: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers of the customers that the job will delete: one in forty."""
    return customers.filter(pl.col("KLANTNR") % _OF == _EVERY).select("KLANTNR")


def write_list(folder: Path, numbers: pl.DataFrame) -> None:
    """Write the job's list.

    Raises:
        SystemFailure: SYS-023 the disk refuses.
    """
    try:
        numbers.write_csv(folder / LIST)
    except OSError as error:
        raise SystemFailure(
            "SYS-023",
            "a file of the demo cannot be written",
            hint="Free some space or choose another folder, and run `omnicase demo` again.",
            place=LIST,
        ) from error


def clean_up(folder: Path) -> int:
    """Let the night job run over a demo's counter system; return how many customers it deleted.

    Raises:
        RefusedError: DEM-003 the folder is no demo (exit 4).
        SystemFailure: SYS-021 the database cannot be written.
    """
    database, listed = folder / "systems" / "balie.db", folder / LIST
    if not database.is_file() or not listed.is_file():
        raise RefusedError(
            "DEM-003", "there is no demo here to clean up", hint="Make it with `omnicase demo DIR`.", place=str(folder)
        )
    with listed.open(encoding="utf-8", newline="") as lines:
        numbers = [(int(row["KLANTNR"]),) for row in csv.DictReader(lines)]
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            return connection.executemany("DELETE FROM BLS_KLANT WHERE KLANTNR = ?", numbers).rowcount
    except sqlite3.Error as error:
        raise SystemFailure(
            "SYS-021",
            "the demo's database cannot be written",
            hint="Close what has it open, and see that the disk has room.",
            place=database.name,
        ) from error
