"""The extraction: rows are routed to their month's file as they come, children before parents, torn reads again."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame

from salespipe_dagster import extract as module
from salespipe_dagster.extract import extract, scan_into
from salespipe_dagster_tests.support import FakeSource, Rows, batches, read_parquet
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.engine import Engine
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.audit import PART
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.staged import Staged, staged_file
from salespipe_spark.months import from_index
from salespipe_spark.tables import Table, tables

PAYMENTS, LINES, OFFICES = tables()["payments"], tables()["order_details"], tables()["offices"]
FACTS = [tables()[name] for name in ("orders", "order_details", "payments")]
MONTHS = ["2024-01", "2024-02", "2024-03"]
MANY_DAYS = st.lists(st.dates(date(1, 1, 1), date(9999, 12, 31)) | st.dates(date(2023, 12, 25), date(2024, 3, 5)))


def paid(number: int, day: date) -> tuple[int, str, date, Decimal]:
    return (number, f"C{number}", day, Decimal(number) / 100)


def written(folder: Path, table: Table) -> dict[str, Rows]:
    """The rows of each month's staged file."""
    files = sorted(folder.rglob(f"{table.name}/**/*.parquet"))
    return {from_index(int(file.parent.name.removeprefix(f"{PART}="))): sorted(read_parquet(file)) for file in files}


def by_name(staged: list[Staged]) -> dict[str, Staged]:
    return {each.opening.table.name: each for each in staged}


@pytest.fixture
def staging(lake: Lake) -> Iterator[Path]:
    """A run's staging folder."""
    with lake.staging() as folder:
        yield folder


@settings(max_examples=60, deadline=None)
@given(days=MANY_DAYS, size=st.integers(1, 9))
def test_every_row_goes_to_its_own_month_and_none_is_lost(days: list[date], size: int) -> None:
    """Slices of a sorted batch: one off at an edge, and a row is in its neighbour's month."""
    rows = [paid(number, day) for number, day in enumerate(days)]
    found: dict[str, Rows] = defaultdict(list)
    for batch in batches(PAYMENTS, rows, size):
        parts = [part for part, _ in module._by_part(batch, PAYMENTS)]
        assert parts == sorted(set(parts)), "each month once a batch"
        for part, piece in module._by_part(batch, PAYMENTS):
            assert piece.num_rows
            found[part] += [tuple(row.values()) for row in piece.to_pylist()]
    expected: dict[str, Rows] = defaultdict(list)
    for row in rows:
        expected[row[2].isoformat()[:7]].append(row)
    assert {part: sorted(each) for part, each in found.items()} == {p: sorted(each) for p, each in expected.items()}


def test_rows_that_wait_do_not_hold_their_batch_in_memory() -> None:
    """One row of last month in each batch, kept as a slice, kept all the months after it too: 300 MB at 5M rows."""
    rows = [paid(0, date(2023, 12, 31)), *(paid(n, date(2024, 1, 1)) for n in range(1, 5000))]
    pieces = dict(module._by_part(next(batches(PAYMENTS, rows, 5000)), PAYMENTS))
    assert pieces["2023-12"].num_rows == 1
    assert pieces["2023-12"].get_total_buffer_size() < 1000 < pieces["2024-01"].get_total_buffer_size()


def test_batch_without_rows_has_no_months(tmp_path: Path) -> None:
    """A scan of a month without rows may yield a batch without rows; run-end encoding of nothing fails."""
    schema = next(batches(PAYMENTS, [paid(1, date(2024, 1, 1))], 1)).schema
    empty = pa.RecordBatch.from_pylist([], schema=schema)
    assert list(module._by_part(empty, PAYMENTS)) == []
    scan_into(tmp_path, [empty], PAYMENTS)
    assert written(tmp_path, PAYMENTS) == {}


def test_snapshot_is_one_part_and_stays_as_it_comes(tmp_path: Path) -> None:
    rows = FakeSource().rows["offices"]
    assert [part for part, _ in module._by_part(next(batches(OFFICES, rows, 5)), OFFICES)] == [SNAPSHOT]
    scan_into(tmp_path, batches(OFFICES, rows, 5), OFFICES)
    assert read_parquet(staged_file(tmp_path, OFFICES, SNAPSHOT)) == rows


def test_months_in_mixed_order_within_a_batch_are_one_file_each(tmp_path: Path) -> None:
    """The server promises no order: a writer closed when its month seems over would lose what follows."""
    days = ("2024-03-31", "2024-01-01", "2024-02-29", "2024-01-31", "2024-03-01", "2023-12-31")
    rows = [paid(number, date.fromisoformat(day)) for number, day in enumerate(days)]
    scan_into(tmp_path, batches(PAYMENTS, rows, 4), PAYMENTS)
    assert written(tmp_path, PAYMENTS) == {
        "2023-12": [rows[5]],
        "2024-01": [rows[1], rows[3]],
        "2024-02": [rows[2]],
        "2024-03": [rows[0], rows[4]],
    }


def test_at_most_the_buffered_rows_wait_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process may grow by 200 MB while it extracts, the same at one million lines and at five.

    What waits is what was scanned and is not yet written: counted before each further batch is asked for.
    """
    monkeypatch.setattr(module, "BUFFERED_ROWS", 10)
    written_rows = 0
    write = pq.ParquetWriter.write_table

    def counted(writer: pq.ParquetWriter, table: pa.Table) -> None:
        nonlocal written_rows
        written_rows += table.num_rows
        write(writer, table)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", counted)
    rows = [paid(number, date(2024, 1, 1) + timedelta(days=number % 360)) for number in range(1000)]
    waiting: list[int] = []

    def watched() -> Iterator[pa.RecordBatch]:
        for count, batch in enumerate(batches(PAYMENTS, rows, 7)):
            waiting.append(7 * count - written_rows)
            yield batch

    scan_into(tmp_path, watched(), PAYMENTS)
    assert max(waiting) <= 10
    files = sorted(tmp_path.rglob("*.parquet"))
    assert len(files) == 12
    assert all(pq.read_metadata(file).num_row_groups > 1 for file in files)
    assert sorted(row for file in files for row in read_parquet(file)) == sorted(rows)


def test_children_are_scanned_before_their_parents(lake: Lake, staging: Path) -> None:
    """The other way round an order placed in between leaves lines without their order."""
    source = FakeSource()
    extract(source, lake, staging, FACTS, MONTHS)
    assert source.scans.index("order_details") < source.scans.index("orders")


def test_range_of_24_months_is_one_scan_of_each_table(lake: Lake, staging: Path) -> None:
    """A scan a month reads the whole table 24 times where the date has no index."""
    months = [f"{year}-{month:02d}" for year in (2023, 2024) for month in range(1, 13)]
    source = FakeSource()
    staged = by_name(extract(source, lake, staging, FACTS, months))
    assert sorted(source.scans) == ["order_details", "orders", "payments"]
    assert source.months == [months] * 3
    assert [m for m, f in staged["orders"].figures.items() if f.rows] == ["2024-01", "2024-03"]
    assert list(staged["orders"].figures) == months


def test_fingerprints_are_read_before_the_scan(lake: Lake, staging: Path) -> None:
    """Read after it, a change in between would be in the fingerprint and not in the rows: lost for ever."""
    source = FakeSource()
    extract(source, lake, staging, FACTS, MONTHS)
    asked = [question for question, _ in source.asked]
    assert asked == ["fingerprints"] * 3 + ["scan"] * 3


def vanishing(source: FakeSource, orders: set[int], times: int) -> Callable[[Table, Rows], Rows]:
    """The first scans of orders do not see these any more, as if they were deleted after their lines were read."""

    def read(table: Table, rows: Rows) -> Rows:
        is_torn = table.name == "orders" and source.scans.count("orders") <= times
        return [row for row in rows if row[0] not in orders] if is_torn else rows

    return read


def test_torn_read_is_read_again(lake: Lake, staging: Path) -> None:
    source = FakeSource()
    source.read = vanishing(source, {10101}, times=2)
    staged = by_name(extract(source, lake, staging, FACTS, MONTHS))
    assert source.scans.count("orders") == source.scans.count("order_details") == 3
    assert all(each.passed for each in staged.values())
    assert staged["orders"].figures["2024-01"].rows == 2
    assert staged["order_details"].figures["2024-01"].rows == 3


def test_third_torn_read_fails_and_names_months_and_orders(lake: Lake, staging: Path) -> None:
    """Read for ever it would hang the night; published, a line would be without its order."""
    source = FakeSource()
    source.read = vanishing(source, {10100, 10102}, times=99)
    with pytest.raises(SalespipeError) as caught:
        extract(source, lake, staging, FACTS, MONTHS)
    assert source.scans.count("order_details") == 3
    assert "2024-01: 2 rows of order_details without their orders, such as order_number 10100" in caught.value.message
    assert "2024-03: 1 rows of order_details without their orders, such as order_number 10102" in caught.value.message
    assert "2024-02" not in caught.value.message


def test_lines_alone_are_not_held_against_orders_that_were_not_read(lake: Lake, staging: Path) -> None:
    """A selection of one table must not fail for want of the other."""
    (staged,) = extract(FakeSource(), lake, staging, [LINES], MONTHS)
    assert staged.passed
    assert staged.figures["2024-01"].sums["amount"] == Decimal("3130.99")


def test_row_lost_on_the_way_fails_the_check(lake: Lake, staging: Path) -> None:
    """The scan ended early and said nothing, and the server still counts what it counted."""
    source = FakeSource()
    source.read = lambda table, rows: rows[1:] if table is PAYMENTS else rows
    staged = by_name(extract(source, lake, staging, FACTS, MONTHS))
    assert not staged["payments"].passed
    assert staged["orders"].passed
    (check,) = [check for check in staged["payments"].checks if check.name == "source"]
    assert not check.passed
    assert check.parts == ["2024-01"]
    assert check.actual == "2024-01: 0 rows, amount 0, server 1, 3031.00"


def test_amount_that_changed_on_the_way_fails_the_check(lake: Lake, staging: Path) -> None:
    """As many rows as there should be, and a cent too few: a decimal that went through a float."""
    source = FakeSource()
    source.read = lambda table, rows: [(*r[:3], r[3] - Decimal("0.01")) for r in rows] if table is PAYMENTS else rows
    staged = by_name(extract(source, lake, staging, FACTS, MONTHS))
    (check,) = [check for check in staged["payments"].checks if check.name == "source"]
    assert check.actual.startswith("2024-01: 1 rows, amount 3030.99, server 1, 3031.00")


def test_row_that_came_during_the_scan_passes_with_a_note_and_the_old_fingerprint(lake: Lake, staging: Path) -> None:
    """What was read is whole and newer; the old fingerprint makes the next plan ask for the month again."""
    source = FakeSource()
    late = (112, "B2", date(2024, 3, 31), Decimal("0.50"))

    def read(table: Table, rows: Rows) -> Rows:
        if table is PAYMENTS and late not in source.rows["payments"]:
            source.rows["payments"].append(late)
            return [*rows, late]
        return rows

    before = source.fingerprints(PAYMENTS, MONTHS)
    source.read = read
    staged = by_name(extract(source, lake, staging, FACTS, MONTHS))["payments"]
    (check,) = [check for check in staged.checks if check.name == "source"]
    assert check.passed
    assert check.actual == "equal, but the source changed during the scan: 2024-03"
    assert staged.figures["2024-03"].sums["amount"] == Decimal("50.50")
    assert staged.fingerprints == {month: fingerprint.digest for month, fingerprint in before.items()}
    assert staged.fingerprints["2024-03"] != source.fingerprints(PAYMENTS, MONTHS)["2024-03"].digest


class BySpark:
    """A scan that hands over frames, as the one over JDBC does, of what a source of literal rows is asked."""

    def __init__(self, source: FakeSource, lake: Lake) -> None:
        self._source = source
        self._session = lake.engine.session
        self.counts: dict[str, int] = {}

    def frame(self, table: Table, months: list[str] | None, rows: int) -> DataFrame:
        self.counts[table.name] = rows
        found = [tuple(row.values()) for batch in self._source.scan(table, months) for row in batch.to_pylist()]
        return self._session.createDataFrame(found, table.contract.ddl)

    def explained(self) -> AbstractContextManager[None]:
        return nullcontext()


def test_what_the_engine_stages_is_what_the_stream_stages(lake: Lake, staging: Path) -> None:
    streamed = by_name(extract(FakeSource(), lake, staging / "one", FACTS, MONTHS))
    source = FakeSource()
    jdbc = BySpark(source, lake)
    found = by_name(extract(source, lake, staging / "other", FACTS, MONTHS, jdbc))
    assert {name: each.figures for name, each in found.items()} == {n: each.figures for n, each in streamed.items()}
    assert all(each.passed and len(each.checks) == len(streamed[name].checks) for name, each in found.items())
    assert sorted(source.scans) == ["order_details", "orders", "payments"]
    assert source.scans.index("order_details") < source.scans.index("orders")
    assert jdbc.counts == {"order_details": 4, "orders": 3, "payments": 2}


class StagedElsewhere(LocalStore):
    """As in S3: what is staged does not lie in the staging folder of this machine."""

    def staged_key(self, path: Path) -> str:
        return "_elsewhere" + str(path).partition("_staging")[2]


@pytest.mark.parametrize("by_spark", [False, True])
def test_torn_read_is_found_where_the_rows_lie_staged(tmp_path: Path, engine: Engine, *, by_spark: bool) -> None:
    """Looked for on this machine's disk, where no engine elsewhere writes, nothing was ever torn."""
    lake, source = Lake(StagedElsewhere(tmp_path / "a lake"), engine), FakeSource()
    source.read = vanishing(source, {10101}, times=2)
    with lake.staging() as staging:
        staged = by_name(extract(source, lake, staging, FACTS, MONTHS, BySpark(source, lake) if by_spark else None))
        assert bool(list(staging.rglob("*.parquet"))) is not by_spark
    assert source.scans.count("orders") == source.scans.count("order_details") == 3
    assert staged["order_details"].figures["2024-01"].rows == 3


def test_row_that_the_engine_lost_fails_the_check(lake: Lake, staging: Path) -> None:
    source = FakeSource()
    source.read = lambda table, rows: rows[1:] if table is PAYMENTS else rows
    staged = by_name(extract(source, lake, staging, FACTS, MONTHS, BySpark(source, lake)))
    (check,) = [check for check in staged["payments"].checks if check.name == "source"]
    assert check.actual == "2024-01: 0 rows, amount 0, server 1, 3031.00"
