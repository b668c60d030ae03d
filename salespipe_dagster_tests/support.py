"""What tests share: literal rows as frames and in Parquet, and a shop of literal rows with its runs."""

import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.testing import assertDataFrameEqual

from salespipe_dagster.definitions import build_defs
from salespipe_dagster.landing.ledger import entry_key, part_key
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.parts import landed_schema
from salespipe_dagster.landing.version import Version
from salespipe_dagster.partitions import range_tags
from salespipe_dagster.resources.source_answers import Fingerprint, Outside
from salespipe_dagster.settings import Settings
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Store
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.staging._landed import PROVENANCE
from salespipe_spark.tables import Table, feeds, tables

Rows = list[tuple[Any, ...]]


def sale(number: str, day: str, customer: str, product: str, quantity: int, price: str, region: str) -> tuple[Any, ...]:
    """An online sale, at noon."""
    at = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
    amount = quantity * Decimal(price)
    return (number, at, at.date(), customer, product, quantity, Decimal(price), region, amount)


# January holds a cancelled order, February nothing, March one order.
SHOP: dict[str, Rows] = {
    "offices": [("1", "San Francisco", "+1 650", "100 Market", None, "CA", "USA", "94080", "NA")],
    "employees": [
        (1002, "Murphy", "Diane", "x5800", "diane@shop.example", "1", None, "President"),
        (1165, "Jennings", "Leslie", "x3291", "leslie@shop.example", "1", 1002, "Sales Rep"),
    ],
    "customers": [
        (
            103,
            "Atelier",
            "Schmitt",
            "Carine",
            "40.32",
            "54 Royale",
            None,
            "Nantes",
            None,
            "44000",
            "France",
            1165,
            None,
        ),
        (112, "Signal", "King", "Jean", "70.25", "8489 Strong", None, " Las Vegas", "NV", "83030", "USA", None, None),
    ],
    "product_lines": [("Planes", "Wings", None), ("Ships", None, None)],
    "products": [
        ("S10", "Jet", "Planes", "1:10", "Min Lin", "A jet", 7, Decimal("48.81"), Decimal("95.70")),
        ("S18", "Brig", "Ships", "1:18", "Min Lin", "A brig", 9, Decimal("10.00"), Decimal("20.00")),
    ],
    "orders": [
        (10100, date(2024, 1, 6), date(2024, 1, 13), date(2024, 1, 10), "Shipped", None, 103),
        (10101, date(2024, 1, 31), date(2024, 2, 9), None, "Cancelled", "No stock", 112),
        (10102, date(2024, 3, 1), date(2024, 3, 8), None, "In Process", None, 112),
    ],
    "order_details": [
        (10100, "S10", 30, Decimal("100.00"), 1),
        (10102, "S18", 10, Decimal("12.34"), 1),
        (10100, "S18", 2, Decimal("15.50"), 2),
        (10101, "S10", 1, Decimal("99.99"), 1),
    ],
    "payments": [
        (103, "A1", date(2024, 1, 10), Decimal("3031.00")),
        (112, "B1", date(2024, 3, 15), Decimal("50.00")),
    ],
}

# January has three sales, one of them to a customer without a profile, February none, March one.
ONLINE: dict[str, Rows] = {
    "online_sales": [
        sale("T1", "2024-01-05", "C1", "Lamp", 2, "10.00", "North"),
        sale("T2", "2024-01-31", "C2", "Chair", 1, "99.99", "South"),
        sale("T3", "2024-01-31", "C9", "Lamp", 3, "10.00", "South"),
        sale("T4", "2024-03-01", "C1", "Kettle", 1, "89.50", "North"),
    ],
    "online_customers": [
        ("C1", "25-34", "Gold", date(2023, 12, 1), "Ann", "ann@shop.example", "France"),
        ("C2", "35-44", "Silver", None, None, None, None),
    ],
    "online_products": [("Lamp", "Home", Decimal("12.00"), 5), ("Chair", "Garden", None, None)],
}


class FakeSource:
    """The source database as the pipeline asks it, over literal rows; every question is kept in `asked`.

    `read` may spoil what a scan sees: it is handed the table and its rows, and returns those that arrive.
    """

    def __init__(self, rows: dict[str, Rows] | None = None) -> None:
        self.rows = deepcopy(SHOP) | deepcopy(rows or {})
        self.asked: list[tuple[str, str]] = []
        self.months: list[list[str] | None] = []
        self.read: Callable[[Table, Rows], Rows] = lambda table, rows: rows

    @property
    def scans(self) -> list[str]:
        """The tables scanned, in order."""
        return [name for what, name in self.asked if what == "scan"]

    def probe(self) -> None:
        """It is always there."""
        self.asked.append(("probe", ""))

    def check_schema(self, wanted: list[Table]) -> list[str]:
        """Every column is as its contract says, and one more is in no contract."""
        return ["orders.weather"]

    def fingerprints(self, table: Table, months: list[str] | None) -> dict[str, Fingerprint]:
        """Rows, amount and digest of each part."""
        self.asked.append(("fingerprints", table.name))
        rows = self._dated(table)
        if not table.monthly:
            return {SNAPSHOT: self._fingerprint(table, rows)}
        return {m: self._fingerprint(table, [r for r in rows if self._month(table, r) == m]) for m in months or []}

    def scan(self, table: Table, months: list[str] | None) -> Iterator[pa.RecordBatch]:
        """The rows in batches of two, in the order in which they lie."""
        self.asked.append(("scan", table.name))
        self.months.append(months)
        rows = [r for r in self._dated(table) if not months or months[0] <= self._month(table, r) <= months[-1]]
        yield from batches(table, self.read(table, rows), size=2)

    def outside(self, table: Table, first: str, last: str) -> Outside:
        """What lies before the first month or after the last."""
        found = [row for row in self._dated(table) if not first <= self._month(table, row) <= last]
        return Outside(len(found), self._amount(table, found))

    def _dated(self, table: Table) -> Rows:
        """The rows as a scan joins them: lines take their order's date, and are not seen without an order."""
        if table.name != "order_details":
            return self.rows[table.name]
        dates = {order[0]: order[1] for order in self.rows["orders"]}
        return [(*line, dates[line[0]]) for line in self.rows["order_details"] if line[0] in dates]

    def _month(self, table: Table, row: tuple[Any, ...]) -> str:
        return f"{row[table.contract.names.index(table.contract.month)]:%Y-%m}"

    def _fingerprint(self, table: Table, rows: Rows) -> Fingerprint:
        digest = hashlib.sha256(repr(sorted(rows, key=repr)).encode()).hexdigest()[:12]
        return Fingerprint(len(rows), self._amount(table, rows), f"{len(rows)}-{digest}")

    def _amount(self, table: Table, rows: Rows) -> Decimal | None:
        if table.name == "order_details":
            return sum((row[2] * row[3] for row in rows), Decimal("0.00"))
        return sum((row[3] for row in rows), Decimal("0.00")) if table.name == "payments" else None


class StandInEngine(Engine):
    """An engine on a session that is there already; what it does otherwise than engines do, a test adds."""

    name = "stand-in"

    def __init__(self, session: SparkSession) -> None:
        super().__init__()
        self._given = session

    def _start(self) -> SparkSession:
        return self._given


def batches(table: Table, rows: Rows, size: int) -> Iterator[pa.RecordBatch]:
    """Literal rows in batches of the table's columns."""
    schema = arrow_schema(table.contract)
    for start in range(0, len(rows), size):
        columns = zip(*rows[start : start + size], strict=True)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def materialise(
    settings: Settings, engine: Engine, source: FakeSource, months: list[str], *names: str
) -> dg.ExecuteInProcessResult:
    """Run `monthly_refresh` for these tables as production does: only engine and source are replaced."""
    keys = [dg.AssetKey([tables()[name].layer, name]) for name in names]
    return (
        build_defs(settings, engine=engine, source_db=source)
        .resolve_job_def("monthly_refresh")
        .execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            asset_selection=keys,
            tags=range_tags(months),
            raise_on_error=False,
        )
    )


def publish_online(lake: Lake, rows: dict[str, Rows], months: list[str]) -> None:
    """Publish the staging tables of the online channel as if these rows had landed."""
    with lake.staging() as folder:
        for table in feeds():
            opening = lake.open(table, table.parts(months))
            made = lake.engine.session.createDataFrame(rows[table.name], table.contract.ddl)
            lake.publish(lake.stage(opening, made, folder), "a run")


def land_online(store: Store, rows: dict[str, Rows]) -> None:
    """Let these rows have landed, each feed's from one file, as if a run had parsed it."""
    for table in feeds():
        feed = table.contract.feed
        assert feed is not None
        version = Version(table.name, f"{feed.folder}/all.{feed.format}", "a", 1, datetime(2024, 4, 1, tzinfo=UTC))
        land_rows(store, table, version, rows[table.name])


def land_rows(store: Store, table: Table, version: Version, rows: Rows) -> None:
    """Let these rows of a version of a file have landed, as if a run had parsed it."""
    by_part: dict[str, Rows] = defaultdict(list)
    for row in rows:
        day = row[table.contract.names.index(table.contract.month)] if table.monthly else None
        provenance = (version.key, version.id, version.modified, False)
        by_part[f"{day:%Y-%m}" if day else SNAPSHOT].append((*row, *provenance))
    for part, landed in by_part.items():
        write_parquet(Path(store.uri(part_key(table.name, part, version.id))), landed_schema(table.contract), landed)
    entry = {"file": version.key, "rows": {part: len(landed) for part, landed in by_part.items()}}
    store.put(entry_key(table.name, version.id, Status.LANDED), json.dumps(entry).encode())


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """Why the steps of a run failed, each with its causes."""
    events = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    texts: list[str] = []
    for event in events:
        data = event.step_failure_data
        error, text = data.error, str(data.user_failure_data and data.user_failure_data.description)
        while error is not None:
            text, error = f"{text}\n{error.message}", error.cause
        texts.append(text)
    return texts


def evaluations(result: dg.ExecuteInProcessResult, table: str) -> dict[str, dg.AssetCheckEvaluation]:
    """The checks of a table that a run evaluated, by name; each once."""
    found = [each for each in result.get_asset_check_evaluations() if each.asset_key.path[-1] == table]
    assert max(Counter(each.check_name for each in found).values(), default=1) == 1
    return {each.check_name: each for each in found}


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder with its time and content; locks are no content."""
    files = [path for path in root.rglob("*") if path.is_file() and "_locks" not in path.parts]
    return {str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def local(lake: Catalogue) -> LocalStore:
    """The store of a lake that lies in a folder."""
    assert isinstance(lake.store, LocalStore)
    return lake.store


def named_on_disk(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each file that gets its name by a rename from now on: whether its content was brought to the disk before."""
    synced: set[int] = set()
    found: list[bool] = []
    sync, renamed = os.fsync, Path.replace

    def rename(file: Path, target: Path) -> Path:
        on_disk = file.stat().st_ino in synced
        renamed(file, target)
        found.append(on_disk)
        return target

    monkeypatch.setattr(os, "fsync", lambda file: (sync(file), synced.add(os.fstat(file).st_ino)))
    monkeypatch.setattr(Path, "replace", rename)
    return found


def frame(spark: SparkSession, ddl: str, rows: Rows) -> DataFrame:
    """A frame of literal rows; `ddl` names and types its columns. Money is written as Decimal."""
    return spark.createDataFrame(rows, ddl)


def landed_ddl(table: Table) -> str:
    """The columns of rows that landed for a table: its own, and where each is from."""
    contract = replace(table.contract, columns=table.contract.columns + PROVENANCE)
    return contract.ddl


def assert_rows(actual: DataFrame, ddl: str, rows: Rows) -> None:
    """The frame has exactly these rows, in any order, and exactly these columns and types.

    Nothing is tolerated but nullability, which engines set differently: the defaults of
    assertDataFrameEqual would let a float pass for money.
    """
    __tracebackhide__ = True
    expected = actual.sparkSession.createDataFrame(rows, ddl)
    assert _columns(actual) == _columns(expected)
    # Where rows differ, pyspark asks a process for colours and leaves it open: an error in some later test.
    with mock.patch("os.popen", side_effect=OSError):
        assertDataFrameEqual(actual, expected, ignoreNullable=True, checkRowOrder=False, rtol=0, atol=0)


def write_parquet(file: Path, schema: pa.Schema, rows: Rows) -> Path:
    """A Parquet file of literal rows, written without an engine."""
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), file)
    return file


def read_parquet(file: Path) -> Rows:
    """The rows of one file, in its order. Read as a file: as a dataset its folders would become columns."""
    with pq.ParquetFile(file) as parquet:
        return [tuple(row.values()) for row in parquet.read().to_pylist()]


def _columns(frame: DataFrame) -> list[tuple[str, str]]:
    return [(field.name, field.dataType.simpleString()) for field in frame.schema]


def require(condition: object, reason: str) -> None:
    """Skip the test where what it needs is not there; fail it where nothing may be skipped, as in CI."""
    __tracebackhide__ = True
    if not condition:
        (pytest.fail if os.environ.get("SALESPIPE_TESTS_MUST_NOT_SKIP") == "1" else pytest.skip)(reason)
