"""The floor in Spark: the statements as a user of PySpark writes them, in the session that the pipeline would have.

A table is written once, one file a month, and read from there by what is made of it: a view of the
statement would be worked out again by each. Called with the lake, a folder to write to, the calendar's
first and last day, and Spark's master.
"""

import json
import sys
import time
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from salespipe_dagster_tests.bench import floor
from salespipe_dagster_tests.bench.engines import opened


def views(spark: SparkSession, lake: Path, first: str, last: str) -> None:
    """The staging tables and the calendar as views."""
    for name in (*floor.MONTHLY_INPUTS, *floor.SNAPSHOT_INPUTS):
        spark.read.parquet(f"{lake}/staging/{name}").createOrReplaceTempView(name)
    days = f"SELECT explode(sequence(DATE '{first}', DATE '{last}')) AS day"
    spark.sql(days).createOrReplaceTempView("days")


def make(spark: SparkSession, target: Path) -> dict[str, float]:
    """Make every table and write it; returns the seconds of each."""
    seconds: dict[str, float] = {}
    for name, query in floor.TABLES.items():
        start = time.perf_counter()
        rows, folder = spark.sql(query), f"{target}/{floor.layer(name)}/{name}"
        _write(rows, floor.MONTH_COLUMN.get(name), folder)
        spark.read.schema(rows.schema).parquet(folder).createOrReplaceTempView(name)
        seconds[name] = time.perf_counter() - start
    return seconds


def _write(rows: DataFrame, day: str | None, folder: str) -> None:
    if day:
        month = {"year": F.date_format(day, "yyyy"), "month": F.date_format(day, "MM")}
        rows = rows.withColumns(month).repartition(*month)
        rows.write.option("compression", "zstd").partitionBy(*month).parquet(folder)
    else:
        rows.coalesce(1).write.option("compression", "zstd").parquet(folder)


def main(lake: str, target: str, first: str, last: str, master: str) -> None:
    """Make the tables and tell the time as JSON; the session's start and imports are not in it."""
    with opened(master, Path(target).parent) as engine:
        views(engine.session, Path(lake), first, last)
        start = time.perf_counter()
        tables = make(engine.session, Path(target))
        sys.stdout.write(json.dumps({"seconds": time.perf_counter() - start, "tables": tables}))


if __name__ == "__main__":
    main(*sys.argv[1:])
