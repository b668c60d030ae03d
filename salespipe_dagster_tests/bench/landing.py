"""Landing of one large file: parsed, typed and checked, beside DuckDB's bare reading of the same file into Parquet.

Each in a process of its own, which prints its figures as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import click
import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq

from salespipe_dagster.landing.parse import parse
from salespipe_dagster.landing.version import Version
from salespipe_dagster.synthetic.online.bulk import FIRST_MONTH, LAST_MONTH, sales_csv
from salespipe_dagster_tests.bench import floor, report
from salespipe_dagster_tests.bench.measure import in_process
from salespipe_dagster_tests.bench.memory import MEGABYTE, PeakMemory
from salespipe_dagster_tests.bench.report import Line
from salespipe_spark.tables import tables

SIZE = 500 * MEGABYTE
SIZES = (100 * MEGABYTE, 2000 * MEGABYTE)
"""The sizes whose memory is compared."""

BARE = "COPY (SELECT * FROM read_csv(?)) TO '{}' (FORMAT parquet, COMPRESSION zstd)"


def made(file: str, size: str, quirks: str = "") -> dict[str, Any]:
    """A file of this size: its amount, and the seconds that it took to make."""
    start = time.perf_counter()
    bulk = sales_csv(Path(file), int(size), quirks=bool(quirks))
    return {"seconds": time.perf_counter() - start, "amount": str(bulk.amount), "size": bulk.size}


def bare(file: str, folder: str) -> dict[str, Any]:
    """DuckDB guesses the types and writes one file: nothing is checked, nothing is cut into months."""
    link = duckdb.connect(config={"threads": floor.THREADS})
    link.execute("SELECT 1").fetchall()
    return _timed(lambda: link.execute(BARE.format(Path(folder, "bare.parquet")), [file]))


def ours(file: str, folder: str) -> dict[str, Any]:
    """The same file as it lands."""
    path = Path(file)
    version = Version("online_sales", f"sales/{path.name}", "bench", path.stat().st_size, datetime.now(UTC))
    table, target = tables()["online_sales"], Path(folder, "parts")
    first = path.with_name("first.csv")
    with path.open("rb") as lines:
        first.write_bytes(b"".join(islice(lines, 10)))
    parse(first, version, table, FIRST_MONTH, LAST_MONTH, target, 1)  # what is loaded once is there before
    told = _timed(lambda: parse(path, version, table, FIRST_MONTH, LAST_MONTH, target, 1))
    parsed = told.pop("result")
    amounts = [pc.sum(pq.read_table(part, columns=["total_amount"])["total_amount"]) for part in parsed.parts.values()]
    rows = {"rows": parsed.records, "quarantined": parsed.quarantined, "duplicates": parsed.duplicates}
    return told | rows | {"amount": str(sum((amount.as_py() for amount in amounts), Decimal(0)))}


def landing_lines(folder: Path, repeat: int) -> list[Line]:
    """A large file beside its floor, the same with faults, and the memory that two sizes take."""
    lines: list[Line] = []
    least: dict[str, Any] = {}
    for title, quirks in (("500 MB of sales", ""), ("the same with faults and repeated lines", "quirks")):
        file = folder / "sales.csv"
        amount = in_process(__name__, "made", str(file), str(SIZE), quirks)["amount"]
        # What is spoilt the bare reader does not read: its time is that of the clean file.
        least = least or _best(title, "bare", file, folder, repeat)
        taken = _best(title, "ours", file, folder, repeat)
        if taken["amount"] != amount:
            raise RuntimeError(f"{title}: {taken['amount']} landed of {amount}.")
        memory = {"growth": taken["growth"], "peak": taken["peak"]}
        goal = None if quirks else report.LANDED
        lines.append(Line(title, taken["seconds"], taken["rows"], least["seconds"], most_ratio=goal, **memory))
        lines.append(Line("  in seconds of the processor", taken["cpu"], None, least["cpu"], most_ratio=goal))
    most: float | None = None
    for size in SIZES:
        file = folder / "sales.csv"
        in_process(__name__, "made", str(file), str(size))
        taken = in_process(__name__, "ours", str(file), str(folder))
        title, memory = f"{size // MEGABYTE:,} MB of sales", {"growth": taken["growth"], "peak": taken["peak"]}
        lines.append(Line(title, taken["seconds"], taken["rows"], **memory, most_growth=most))
        most = taken["growth"] * report.FLAT
    return lines


def _best(title: str, stage: str, file: Path, folder: Path, repeat: int) -> dict[str, Any]:
    turns = [in_process(__name__, stage, str(file), str(folder)) for _ in range(repeat)]
    for turn in turns:
        click.echo(f"{title}: {stage}: {turn['seconds']:.2f} s, {turn['cpu']:.2f} s of the processor", err=True)
    return min(turns, key=lambda turn: turn["cpu"])


def _timed(work: Callable[[], Any]) -> dict[str, Any]:
    with PeakMemory() as memory:
        start, processor = time.perf_counter(), time.process_time()
        result = work()
        seconds, cpu = time.perf_counter() - start, time.process_time() - processor
    told = {"seconds": seconds, "cpu": cpu, "growth": memory.growth / MEGABYTE, "peak": memory.peak / MEGABYTE}
    return told if result is None or isinstance(result, duckdb.DuckDBPyConnection) else told | {"result": result}


STAGES: dict[str, Callable[..., dict[str, Any]]] = {"made": made, "bare": bare, "ours": ours}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(STAGES[sys.argv[1]](*sys.argv[2:])))
