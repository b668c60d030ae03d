"""The synthetic company: a large month made, and written beside LOAD DATA of the same rows from ready files.

Each in a process of its own, which prints its figures as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from salespipe_dagster.io_managers.mysql import slice_of
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_sql import mirror
from salespipe_dagster.resources.source_write import write_lines
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster_tests.bench.memory import MEGABYTE, PeakMemory
from salespipe_spark.tables import tables

COMPANY, MONTH = Company(orders_per_month=100_000), "2024-11"
TABLES = ("orders", "order_details", "payments")
LOAD = (
    "LOAD DATA LOCAL INFILE %s INTO TABLE {} CHARACTER SET utf8mb4"
    " FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n'"
)


def generation() -> dict[str, Any]:
    """The three monthly tables of the month, each thrown away as it comes; what is made once is there before."""
    next(COMPANY.batches("order_details", "2023-01"))
    with PeakMemory() as memory:
        start = time.perf_counter()
        rows = {name: sum(batch.num_rows for batch in COMPANY.batches(name, MONTH)) for name in TABLES}
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "lines": rows["order_details"], **_told(memory)}


def writing(floor: str, ours: str, folder: str) -> dict[str, Any]:
    """The month into two empty databases of one server: seconds of the floor and of ours, the making included."""
    for url in (floor, ours):
        SourceDatabase(make_url(url)).prepare_company(COMPANY)
    by_hand, source = (SourceDatabase(make_url(url)) for url in (floor, ours))
    seconds = {"floor": 0.0, "seconds": 0.0}
    rows, most = 0, 0
    for name in TABLES:
        table = tables()[name]
        file = Path(folder) / f"{name}.tsv"
        write_lines(file, COMPANY.rows(name, MONTH))
        start = time.perf_counter()
        with by_hand._writing() as connection:
            connection.exec_driver_sql(LOAD.format(mirror(table).name), (str(file),))
        seconds["floor"] += time.perf_counter() - start
        file.unlink()
        with PeakMemory() as memory:
            start = time.perf_counter()
            rows += source.replace(slice_of(table, MONTH), lambda there, name=name: there.batches(name, MONTH))
            seconds["seconds"] += time.perf_counter() - start
        most = max(most, memory.peak)
    return {**seconds, "rows": rows, "peak": most / MEGABYTE}


def _told(memory: PeakMemory) -> dict[str, float]:
    return {"growth": memory.growth / MEGABYTE, "peak": memory.peak / MEGABYTE}


STAGES: dict[str, Callable[..., dict[str, Any]]] = {"generation": generation, "writing": writing}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(STAGES[sys.argv[1]](*sys.argv[2:])))
