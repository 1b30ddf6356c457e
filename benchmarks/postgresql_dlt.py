"""How dlt loads the same rows: ``python -P postgresql_dlt.py first|again READ WRITTEN FOLDER``.

It runs in dlt's environment and imports nothing of ours.  Rows come as Arrow tables and go by COPY into the table as it
is, with its keys, checks, links and indexes; ``again`` merges all of them by their id, as dlt does where it is not told
what changed.  dlt maps nothing here, and keeps no ledger: of a row it knows neither source nor hash.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

ROWS = 50_000


def place(url: str) -> dict[str, str]:
    """Return a URL of PostgreSQL in parts, a socket's folder as the host."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query)["host"][0]
    found = {"host": host, "port": str(parts.port or 5432), "database": parts.path.lstrip("/")}
    return {**found, "username": parts.username or "postgres", "password": parts.password or "none"}


def _prepare(into: dict[str, str]) -> None:
    """Make the table into which dlt puts rows before it merges them: dlt makes its ids texts."""
    import psycopg2

    names = {"dbname": into["database"], "user": into["username"], "password": into["password"]}
    with psycopg2.connect(host=into["host"], port=into["port"], **names) as link, link.cursor() as cursor:
        cursor.execute("CREATE SCHEMA public_staging")
        cursor.execute("CREATE TABLE public_staging.case_file (LIKE public.case_file)")


def main() -> None:
    """Load once, or once more."""
    way, read, written, folder = sys.argv[1:]
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DLT_DATA_DIR": folder}
    import dlt
    import sqlalchemy as sa
    from dlt.destinations import postgres
    from dlt.sources.sql_database import sql_table

    source = place(read)
    url = sa.URL.create("postgresql+psycopg2", source["username"], source["password"], database=source["database"])
    engine = sa.create_engine(url, connect_args={"host": source["host"], "port": source["port"]})
    rows = sql_table(engine, table="case_file", schema="public", backend="pyarrow", chunk_size=ROWS)
    # dlt puts the parts into a URL as they are.
    into = place(written)
    destination = postgres({**into, "host": quote(into["host"], safe="")})
    folder = str(Path(folder) / "dlt")
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="public", pipelines_dir=folder)
    if way == "again":
        _prepare(into)
    merge = {"disposition": "merge", "strategy": "upsert"}
    rows.apply_hints(write_disposition=merge if way == "again" else "append", primary_key="id")
    pipeline.run(rows, loader_file_format="csv").raise_on_failed_jobs()


if __name__ == "__main__":
    main()
