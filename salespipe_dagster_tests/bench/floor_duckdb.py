"""The floor in DuckDB: its tables stay in memory from one to the next, and are written as they are made.

Called with the lake, a folder to write to, and the calendar's first and last day.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

from salespipe_dagster_tests.bench import floor

WORDS = (
    "CREATE MACRO sha2(text, bits) AS sha256(text)",
    "CREATE MACRO weekday(day) AS isodow(day) - 1",
    # Its own division of decimals is one of floating point, which is wrong in the sixth place of large amounts.
    "CREATE MACRO try_divide(amount, number) AS 0.000001::DECIMAL(6,6) * "
    "(((amount::DECIMAL(38,2) * 100)::HUGEINT * 20000 + number) // nullif(2 * number, 0))::DECIMAL(24,0)",
    "CREATE MACRO date_format(day, pattern) AS CASE pattern WHEN 'MMMM' THEN monthname(day) ELSE dayname(day) END",
)
"""Spark's words that DuckDB does not know, or means something else by."""


def connect(lake: Path, first: str, last: str) -> duckdb.DuckDBPyConnection:
    """A database in memory with the staging tables as views, and the calendar."""
    link = duckdb.connect(config={"threads": floor.THREADS})
    link.execute("SET preserve_insertion_order = false")
    for words in WORDS:
        link.execute(words)
    for name in (*floor.MONTHLY_INPUTS, *floor.SNAPSHOT_INPUTS):
        depth = "*/*/*" if name in floor.MONTHLY_INPUTS else "*"
        files = f"read_parquet('{lake}/staging/{name}/{depth}.parquet', hive_partitioning = false)"
        link.execute(f"CREATE VIEW {name} AS SELECT * FROM {files}")
    days = f"generate_series(DATE '{first}', DATE '{last}', INTERVAL 1 DAY)"
    link.execute(f"CREATE VIEW days AS SELECT unnest({days})::DATE AS day")
    return link


def make(link: duckdb.DuckDBPyConnection, target: Path) -> dict[str, float]:
    """Make every table and write it; returns the seconds of each."""
    seconds: dict[str, float] = {}
    for name, query in floor.TABLES.items():
        start = time.perf_counter()
        link.execute(f"CREATE TABLE {name} AS {query}")
        _write(link, name, target / floor.layer(name) / name)
        seconds[name] = time.perf_counter() - start
    return seconds


def _write(link: duckdb.DuckDBPyConnection, name: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    if day := floor.MONTH_COLUMN.get(name):
        rows = f"(SELECT *, strftime({day}, '%Y') AS year, strftime({day}, '%m') AS month FROM {name})"
        link.execute(f"COPY {rows} TO '{folder}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year, month))")
    else:
        link.execute(f"COPY {name} TO '{folder}/data.parquet' (FORMAT parquet, COMPRESSION zstd)")


def main(lake: str, target: str, first: str, last: str) -> None:
    """Make the tables and tell the time as JSON; connecting and imports are not in it."""
    link = connect(Path(lake), first, last)
    start = time.perf_counter()
    tables = make(link, Path(target))
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - start, "tables": tables}))


if __name__ == "__main__":
    main(*sys.argv[1:])
