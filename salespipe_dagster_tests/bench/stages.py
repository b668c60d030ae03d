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
from typing import Any

import connectorx  # noqa: F401  # pyright: ignore[reportUnusedImport]  (loaded before the clock starts)
from pyspark.sql import DataFrame
from sqlalchemy.engine import make_url

from salespipe_dagster.extract import extract as extract_tables
from salespipe_dagster.extract import scan_into
from salespipe_dagster.resources.source_answers import Fingerprint
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster_tests.bench import floor
from salespipe_dagster_tests.bench.engines import SAIL, SCRATCH, opened
from salespipe_dagster_tests.bench.memory import MEGABYTE, PeakDisk, PeakMemory
from salespipe_dagster_tests.bench.online import SHARE, publish_online
from salespipe_spark import months as calendar
from salespipe_spark.engine import FAILURES, brief
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.audit import Measured
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.staged import Opening, Staged
from salespipe_spark.tables import CALENDAR, CALENDAR_DDL, Table, tables

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


def transforms(origin: str, first: str, last: str, root: str, engine: str = SAIL) -> Figures:
    """The floor's tables of the range, staged, audited and published: seconds of each, and memory.

    Besides how long it took to start the session, and a trivial job in it afterwards.
    """
    chosen = [table for table in tables().values() if table.name in floor.TABLES]
    _link(Path(origin), Path(root))
    begun = time.perf_counter()
    with _opened(Path(root), engine) as lake, lake.staging() as folder:
        started = time.perf_counter() - begun
        with PeakMemory(tree=engine != SAIL) as memory:
            seconds, found = _all_made(lake, chosen, calendar.between(first, last), folder)
        begun = time.perf_counter()
        lake.engine.session.range(2).count()
        again = time.perf_counter() - begun
    told = {"seconds": seconds, "tables": found, "started": started, "again": again}
    return told | {"growth": memory.growth / MEGABYTE, "peak": memory.peak / MEGABYTE}


def everything(origin: str, first: str, last: str, root: str, engine: str = SAIL) -> Figures:
    """Every table that is transformed, as far as it comes: seconds, memory of both sides, and what lay on the disk.

    Sail is within the orchestrator, and so is its memory.
    """
    chosen = [table for table in tables().values() if table.layer != "staging"]
    _link(Path(origin), Path(root))
    told: Figures = {}
    with _opened(Path(root), engine) as lake, lake.staging() as folder:
        started, own = PeakMemory(tree=True, own=False), PeakMemory(every=0.1)
        with started, own, PeakDisk(Path(root).parent, SCRATCH) as disk:
            try:
                told["seconds"], _ = _all_made(lake, chosen, calendar.between(first, last), folder)
            except SalespipeError as error:
                told["failed"] = str(error)
            except FAILURES as error:
                told["failed"] = f"{type(error).__name__}: {brief(error)}"
    peaks = {"engine": own if engine == SAIL else started, "orchestrator": own, "disk": disk}
    return told | {name: peak.peak / MEGABYTE for name, peak in peaks.items()}


def years(first: str, last: str) -> tuple[date, date]:
    """The first and the last day of the calendar of these months."""
    return date(int(first[:4]), 1, 1), date(int(last[:4]) + 1, 12, 31)


def _all_made(
    lake: TimedLake, chosen: list[Table], months: list[str], folder: Path
) -> tuple[float, dict[str, dict[str, float]]]:
    """The tables one after the other: seconds in all, and of each."""
    start = time.perf_counter()
    found = {table.name: _made(lake, table, months, folder) for table in chosen}
    return time.perf_counter() - start, found


def _link(origin: Path, root: Path) -> None:
    """Let a lake begin with the staging tables of another one."""
    for folder in ("staging", "_receipts"):
        shutil.copytree(origin / folder, root / folder, copy_function=os.link)


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
        return lake.engine.session.createDataFrame([years(months[0], months[-1])], CALENDAR_DDL)
    if name == table.name:
        return lake.read_published(table)
    return lake.read(tables()[name], tables()[name].parts(months))


def _require(staged: Staged) -> Staged:
    for check in staged.checks:
        if not check.passed:
            raise RuntimeError(f"{staged.opening.table.name} failed its audit: {check}")
    return staged


@contextmanager
def _opened(root: Path, name: str = SAIL) -> Generator[TimedLake]:
    with opened(name, root.parent) as engine:
        yield TimedLake(root, engine)


STAGES: dict[str, Callable[..., Figures]] = {
    stage.__name__: stage for stage in (extraction, staging, transforms, everything)
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(STAGES[sys.argv[1]](*sys.argv[2:])))
