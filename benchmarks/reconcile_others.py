"""How others compare two tables: ``python -P reconcile_others.py datacompy|reladiff URL URL COLUMNS``.

It runs in their environment, imports nothing of ours, and prints how many rows differ.
"""

from __future__ import annotations

import io
import sys
from urllib.parse import parse_qs, urlsplit

TABLE, KEY = "person", "id"


def datacompy(first: str, second: str, columns: list[str]) -> int:
    """datacompy: both tables whole in memory, as Polars frames of texts."""
    import polars as pl
    import psycopg
    from datacompy.polars import PolarsCompare

    def read(url: str) -> pl.DataFrame:
        with psycopg.connect(url) as link, link.cursor().copy(
            f"COPY (SELECT {', '.join([KEY, *columns])} FROM {TABLE}) TO STDOUT (FORMAT csv)"
        ) as copied:
            text = io.BytesIO(b"".join(copied))
        return pl.read_csv(text, has_header=False, infer_schema=False, new_columns=[KEY, *columns])

    compared = PolarsCompare(read(first), read(second), join_columns=[KEY])
    return int(compared.intersect_rows.height - compared.count_matching_rows())


def reladiff(first: str, second: str, columns: list[str]) -> int:
    """reladiff: checksums of key ranges in both databases, and the rows of those that differ."""
    import reladiff as tool

    def table(url: str) -> object:
        parts = urlsplit(url)
        host = parts.hostname or parse_qs(parts.query)["host"][0]
        place = {"driver": "postgresql", "host": host, "user": parts.username or "", "password": parts.password or ""}
        port = {"port": parts.port} if parts.port else {}
        return tool.connect_to_table({**place, **port, "database": parts.path.lstrip("/")}, TABLE, KEY)

    found = tool.diff_tables(table(first), table(second), extra_columns=tuple(columns))
    return len({row[0] for _, row in found})


if __name__ == "__main__":
    run = {"datacompy": datacompy, "reladiff": reladiff}[sys.argv[1]]
    print(run(sys.argv[2], sys.argv[3], sys.argv[4].split(",")))
