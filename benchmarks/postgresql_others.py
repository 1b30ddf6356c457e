"""How others load the same rows: ``python -m benchmarks.postgresql_others core|petl|pandas READ WRITTEN``.

They read records that are mapped already and write them into the same table with its keys, checks and indexes; they
map nothing and keep no ledger.
"""

from __future__ import annotations

import sys

import sqlalchemy as sa

from casemodel import tables

ROWS = 50_000


def core(read: sa.Engine, written: sa.Engine) -> None:
    """SQLAlchemy Core: a streaming SELECT into insertmanyvalues."""
    table = tables["case_file"]
    with read.connect().execution_options(yield_per=ROWS) as source:
        for rows in source.execute(sa.select(table)).mappings().partitions():
            with written.begin() as connection:
                connection.execute(sa.insert(table).returning(table.c.id), [dict(row) for row in rows])


def petl(read: sa.Engine, written: sa.Engine) -> None:
    """petl: fromdb, a row at a time, into appenddb."""
    import petl as tool

    names = [column.name for column in tables["case_file"].columns]
    with read.connect() as source, written.connect() as into:
        rows = tool.fromdb(source.connection.driver_connection, f"SELECT {', '.join(names)} FROM case_file")
        tool.appenddb(rows, into.connection.driver_connection, "case_file")


def pandas(read: sa.Engine, written: sa.Engine) -> None:
    """pandas: read_sql by chunks into to_sql."""
    import pandas as tool

    for chunk in tool.read_sql("SELECT * FROM case_file", read, chunksize=ROWS):
        types = {column.name: column.type for column in tables["case_file"].columns}
        chunk.to_sql("case_file", written, if_exists="append", index=False, dtype=types)


if __name__ == "__main__":
    run = {"core": core, "petl": petl, "pandas": pandas}[sys.argv[1]]
    urls = [each.replace("postgresql:", "postgresql+psycopg:") for each in sys.argv[2:4]]
    run(*(sa.create_engine(url, hide_parameters=True) for url in urls))
