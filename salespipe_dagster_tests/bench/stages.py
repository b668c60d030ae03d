"""Our side, each stage in a process of its own: what the pipeline calls, with a clock beside it.

Imports and the engine's start are done before the clock starts; what they cost is in the whole run.
A stage prints its figures as JSON.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import connectorx  # noqa: F401  # pyright: ignore[reportUnusedImport]  (loaded before the clock starts)
from pyspark.sql import DataFrame
from sqlalchemy.engine import make_url

from salespipe_dagster.extract import extract as extract_tables
from salespipe_dagster.extract import scan_into
from salespipe_dagster.resources.source_db import Fingerprint, SourceDatabase
from salespipe_dagster_tests.bench import floor
from salespipe_dagster_tests.bench.memory import MEGABYTE, PeakMemory
from salespipe_dagster_tests.bench.online import SHARE, publish_online
from salespipe_spark import months as calendar
from salespipe_spark.engine import SailEngine
from salespipe_spark.lake.audit import Measured
from salespipe_spark.lake.lake import Lake, Opening, Staged
from salespipe_spark.tables import CALENDAR, Table, tables

Figures = dict[str, Any]
ORDER_LINES = "order_details"


class TimedLake(Lake):
    """A lake that counts the seconds spent in its audits."""

    audits = 0.0

    def audit(
        self,
        opening: Opening,
        folder: Path,
        fingerprints: dict[str, str] | None = None,
        measured: Measured | None = None,
    ) -> Staged:
        """As the lake's, timed."""
        start = time.perf_counter()
        staged = super().audit(opening, folder, fingerprints, measured)
        self.audits += time.perf_counter() - start
        return staged


class TimedSource(SourceDatabase):
    """A source that counts the seconds spent in its fingerprints."""

    digests = 0.0

    def fingerprints(self, table: Table, months: list[str] | None) -> dict[str, Fingerprint]:
        """As the source's, timed."""
        start = time.perf_counter()
        found = super().fingerprints(table, months)
        self.digests += time.perf_counter() - start
        return found


def extraction(url: str, first: str, last: str, folder: str) -> Figures:
    """Orders and order lines, streamed to one Parquet file a month: seconds of each, and memory."""
    source, seconds = SourceDatabase(make_url(url)), {}
    source.probe()
    with PeakMemory() as memory:
        for name in ("order_details", "orders"):
            table = tables()[name]
            start = time.perf_counter()
            scan_into(Path(folder), source.scan(table, calendar.between(first, last)), table)
            seconds[name] = time.perf_counter() - start
    return {
        "seconds": sum(seconds.values()),
        "tables": seconds,
        "growth": memory.growth / MEGABYTE,
        "peak": memory.peak / MEGABYTE,
    }


def staging(url: str, first: str, last: str, root: str) -> Figures:
    """The pipeline's whole extraction into a lake, published: seconds of its parts.

    Online sales lie beside it afterwards; to make them is in no figure.
    """
    source = TimedSource(make_url(url))
    source.probe()
    staged = [table for table in tables().values() if table.contract.source]
    monthly, snapshots = [t for t in staged if t.monthly], [t for t in staged if not t.monthly]
    with _opened(Path(root)) as lake, lake.staging() as folder:
        start = time.perf_counter()
        made = extract_tables(source, lake, folder, monthly, calendar.between(first, last))
        made += extract_tables(source, lake, folder, snapshots, [])
        seconds, audits = time.perf_counter() - start, lake.audits
        for each in made:
            _require(each)
            lake.publish(each, "bench")
        lines = sum(f.rows for each in made for f in each.figures.values() if each.opening.table.name == ORDER_LINES)
        publish_online(lake, folder, calendar.between(first, last), lines // SHARE)
        return {"seconds": seconds, "fingerprints": source.digests, "audits": audits}


def transforms(origin: str, first: str, last: str, root: str) -> Figures:
    """Every transformed table of the range, staged, audited and published: seconds of each and memory."""
    for folder in ("staging", "_receipts"):
        shutil.copytree(Path(origin) / folder, Path(root) / folder, copy_function=os.link)
    months = calendar.between(first, last)
    found: dict[str, dict[str, float]] = {}
    with _opened(Path(root)) as lake, lake.staging() as folder, PeakMemory() as memory:
        start = time.perf_counter()
        for table in tables().values():
            if table.name in floor.TABLES:
                found[table.name] = _made(lake, table, months, folder)
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "tables": found, "growth": memory.growth / MEGABYTE, "peak": memory.peak / MEGABYTE}


def years(first: str, last: str) -> tuple[date, date]:
    """The first and the last day of the calendar of these months."""
    return date(int(first[:4]), 1, 1), date(int(last[:4]) + 1, 12, 31)


def _made(lake: TimedLake, table: Table, months: list[str], folder: Path) -> dict[str, float]:
    audits, start = lake.audits, time.perf_counter()
    opening = lake.open(table, table.parts(months))
    assert table.transform is not None
    frame = table.transform(**{name: _input(lake, table, name, months) for name in table.inputs})
    staged = _require(lake.stage(opening, frame, folder))
    ready = time.perf_counter()
    lake.publish(staged, "bench")
    audit = lake.audits - audits
    return {"stage": ready - start - audit, "audit": audit, "publish": time.perf_counter() - ready}


def _input(lake: TimedLake, table: Table, name: str, months: list[str]) -> DataFrame:
    """An input as the asset of the table reads it."""
    if name == CALENDAR:
        return lake.engine.session.createDataFrame([years(months[0], months[-1])], "first_date date, last_date date")
    if name == table.name:
        return lake.read_published(table)
    return lake.read(tables()[name], tables()[name].parts(months))


def _require(staged: Staged) -> Staged:
    for check in staged.checks:
        if not check.passed:
            raise RuntimeError(f"{staged.opening.table.name} failed its audit: {check}")
    return staged


@contextmanager
def _opened(root: Path) -> Generator[TimedLake]:
    with TemporaryDirectory(dir=root.parent) as scratch:
        engine = SailEngine(Path(scratch))
        engine.session.sql("SELECT 1").collect()
        try:
            yield TimedLake(root, engine)
        finally:
            engine.close()


STAGES: dict[str, Callable[[str, str, str, str], Figures]] = {
    stage.__name__: stage for stage in (extraction, staging, transforms)
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(STAGES[sys.argv[1]](*sys.argv[2:])))
