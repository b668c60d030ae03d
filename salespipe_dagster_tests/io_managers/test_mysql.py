"""The source's I/O manager: slices replaced whole or not at all; on SQLite here, on MariaDB in `integration`."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
import sqlalchemy as sa

from salespipe_dagster.io_managers.mysql import MySQLIOManager, slice_of
from salespipe_dagster.partitions import RANGE_END, RANGE_START
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_sql import own_columns, source_of
from salespipe_dagster.synthetic.company import Company, order_numbers
from salespipe_spark import months as calendar
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.schema import ARROW, arrow_schema
from salespipe_spark.tables import tables

MONTHS = ["2024-01", "2024-02", "2024-03"]
JANUARY, FEBRUARY = (order_numbers(month).start for month in MONTHS[:2])
Rows = list[tuple[Any, ...]]
Made = Callable[[Company], Iterator[pa.Table]]


@pytest.fixture
def empty(tmp_path: Path) -> SourceDatabase:
    """A database without tables, in a folder that is not there yet."""
    return SourceDatabase(sa.URL.create("sqlite", database=str(tmp_path / "a home" / "shop.db")))


def arrow(table: str, rows: Rows) -> pa.Table:
    """Literal rows as the source has them."""
    fields = [pa.field(column.source_name, ARROW[column.type]) for column in own_columns(tables()[table])]
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    return pa.table([pa.array(values, f.type) for values, f in zip(columns, fields, strict=True)], pa.schema(fields))


def payment(check: str, day: date, amount: str = "1.00") -> tuple[Any, ...]:
    return (103, check, day, Decimal(amount))


def line(order: int, product: str = "S10") -> tuple[Any, ...]:
    return (order, product, 30, Decimal("12.34"), 1)


def order(number: int, day: date) -> tuple[Any, ...]:
    return (number, day, day, None, "Shipped", None, 103)


def write(
    source: SourceDatabase, table: str, parts: dict[str, pa.Table], months: list[str] | None = None
) -> dg.ExecuteInProcessResult:
    """Materialise a table of the source, for the months of the parts or for these."""
    monthly = tables()[table].monthly
    keys = sorted(months or parts)

    @dg.asset(
        key=["source", source_of(tables()[table]).table],
        partitions_def=dg.MonthlyPartitionsDefinition("2024-01", fmt="%Y-%m", end_date="2024-04") if monthly else None,
        backfill_policy=dg.BackfillPolicy.single_run(),
        io_manager_key="mysql_io",
        dagster_type=dg.Any,
    )
    def made() -> list[tuple[str, Made]]:
        return [(part, tables_of(rows)) for part, rows in parts.items()]

    tags = {RANGE_START: keys[0], RANGE_END: keys[-1]} if monthly else {}
    return dg.materialize([made], tags=tags, resources={"mysql_io": MySQLIOManager(source, Company())})


def read(source: SourceDatabase, table: str) -> Rows:
    """The rows of the quarter, or of the snapshot."""
    batches = source.scan(tables()[table], MONTHS if tables()[table].monthly else None)
    return sorted((tuple(row.values()) for batch in batches for row in batch.to_pylist()), key=repr)


def test_a_range_of_months_is_written_by_one_run(empty: SourceDatabase) -> None:
    parts = {month: arrow("payments", [payment(month, calendar.first_day(month))]) for month in MONTHS}
    result = write(empty, "payments", parts)
    assert [row[1] for row in read(empty, "payments")] == MONTHS
    events = result.get_asset_materialization_events()
    assert {e.partition: e.materialization.metadata["rows"].value for e in events} == dict.fromkeys(MONTHS, 1)


def test_writing_twice_is_writing_once(empty: SourceDatabase) -> None:
    parts = {"2024-01": arrow("payments", [payment("A", date(2024, 1, 1)), payment("B", date(2024, 1, 31))])}
    write(empty, "payments", parts)
    once = read(empty, "payments")
    write(empty, "payments", parts)
    assert read(empty, "payments") == once
    assert len(once) == 2


def test_a_month_that_becomes_empty_is_emptied(empty: SourceDatabase) -> None:
    """Who replaces only the months that have rows keeps the old ones."""
    write(
        empty, "payments", {month: arrow("payments", [payment(month, calendar.first_day(month))]) for month in MONTHS}
    )
    write(empty, "payments", {"2024-02": arrow("payments", [])})
    assert [row[1] for row in read(empty, "payments")] == ["2024-01", "2024-03"]


def test_a_snapshot_is_replaced_as_a_whole(empty: SourceDatabase) -> None:
    write(
        empty, "product_lines", {SNAPSHOT: arrow("product_lines", [("Ships", None, ""), ("Trains", "on rails", None)])}
    )
    result = write(empty, "product_lines", {SNAPSHOT: arrow("product_lines", [("Planes", None, None)])})
    assert read(empty, "product_lines") == [("Planes", None, None)]
    (event,) = result.get_asset_materialization_events()
    assert (event.partition, event.materialization.metadata["rows"].value) == (None, 1)


def test_lines_are_replaced_by_their_orders_range_of_numbers(empty: SourceDatabase) -> None:
    """A line has no date of its own; joined by an order that is gone, it would stay for ever."""
    write(empty, "order_details", {"2024-01": arrow("order_details", [line(JANUARY), line(JANUARY, "S18")])})
    write(empty, "order_details", {"2024-02": arrow("order_details", [line(FEBRUARY)])})
    write(empty, "order_details", {"2024-01": arrow("order_details", [line(JANUARY + 1)])})
    write(empty, "orders", {"2024-01": arrow("orders", [order(JANUARY + 1, date(2024, 1, 1))])})
    write(empty, "orders", {"2024-02": arrow("orders", [order(FEBRUARY, date(2024, 2, 1))])})
    assert [row[0] for row in read(empty, "order_details")] == [JANUARY + 1, FEBRUARY]
    assert empty.outside(tables()["order_details"], *MONTHS[::2]).rows == 0


def test_a_slice_is_a_range_of_order_numbers_or_of_dates_or_the_whole_table() -> None:
    assert [(s.column, s.first, s.end) for s in (slice_of(tables()[n], "2024-02") for n in ("orders", "payments"))] == [
        ("order_number", FEBRUARY, order_numbers("2024-03").start),
        ("payment_date", date(2024, 2, 1), date(2024, 3, 1)),
    ]
    assert slice_of(tables()["order_details"], "2024-02").column == "order_number"
    assert slice_of(tables()["products"], SNAPSHOT).column == ""


GOOD = arrow("payments", [payment("A", date(2024, 1, 1)), payment("B", date(2024, 1, 31))])
REFUSED = {
    "wrong type": (GOOD.set_column(3, "amount", pa.array([1.0, 2.0])), "amount is double, not decimal"),
    "scale of money": (GOOD.set_column(3, "amount", pa.array([1, 2], pa.decimal128(10, 3))), "not decimal128"),
    "extra column": (GOOD.append_column("note", pa.array(["x", "y"])), "note is not in the contract"),
    "missing column": (GOOD.drop_columns("amount"), "amount is missing"),
    "null key": (
        arrow("payments", [payment("A", date(2024, 1, 1)), (None, "B", date(2024, 1, 2), Decimal(1))]),
        "NULL",
    ),
    "null date": (arrow("payments", [(103, "A", None, Decimal(1))]), "paymentDate is NULL in 1 rows"),
    "key twice": (arrow("payments", [payment("A", date(2024, 1, d)) for d in (1, 2)]), "repeats in 1 rows"),
    "day before": (arrow("payments", [payment("A", date(2023, 12, 31))]), "2023-12-31"),
    "day after": (arrow("payments", [payment("A", date(2024, 2, 1))]), "not 2024-01-01 to before 2024-02-01"),
}


@pytest.mark.parametrize(("rows", "says"), REFUSED.values(), ids=REFUSED)
def test_rows_that_a_slice_may_not_hold_change_nothing(empty: SourceDatabase, rows: pa.Table, says: str) -> None:
    """Deleted before it was looked at, the month would be gone."""
    write(empty, "payments", {"2024-01": GOOD})
    before = read(empty, "payments")
    with pytest.raises(SalespipeError, match=says) as raised:
        write(empty, "payments", {"2024-01": rows})
    assert "payments 2024-01 cannot be written" in str(raised.value)
    assert read(empty, "payments") == before


def tables_of(*parts: pa.Table) -> Made:
    """Rows that come one table after the other, as those of a month that memory would not hold."""
    return lambda there: iter(parts)


def test_a_slice_may_come_in_several_tables(empty: SourceDatabase) -> None:
    empty.prepare_company(Company())
    first, second = (arrow("payments", [payment(check, date(2024, 1, 5))]) for check in "AB")
    january = slice_of(tables()["payments"], "2024-01")
    assert empty.replace(january, tables_of(first, arrow("payments", []), second)) == 2
    assert [row[1] for row in read(empty, "payments")] == ["A", "B"]
    assert empty.replace(january, tables_of(second)) == 1
    assert [row[1] for row in read(empty, "payments")] == ["B"]


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (GOOD, "payments"),  # the server's own words for a key that repeats
        (arrow("payments", [payment("C", date(2024, 2, 1))]), "not 2024-01-01 to before 2024-02-01"),
        (GOOD.drop_columns("amount"), "amount is missing"),
    ],
    ids=["key twice", "day after", "missing column"],
)
def test_a_later_table_that_the_slice_may_not_hold_changes_nothing(
    empty: SourceDatabase, second: pa.Table, says: str
) -> None:
    """What was written of the slice before it goes too, and what was there comes back."""
    write(empty, "payments", {"2024-01": arrow("payments", [payment("Z", date(2024, 1, 9))])})
    before = read(empty, "payments")
    with pytest.raises(SalespipeError, match=says):
        empty.replace(slice_of(tables()["payments"], "2024-01"), tables_of(GOOD, second))
    assert read(empty, "payments") == before


def test_rows_are_made_of_the_company_that_the_marker_names(empty: SourceDatabase) -> None:
    """Not of the one that is configured: it may have moved forward since."""
    seen: list[Company] = []

    def made(there: Company) -> list[pa.Table]:
        seen.append(there)
        return [GOOD]

    empty.prepare_company(Company(seed=3, today=date(2024, 5, 6)))
    empty.prepare_company(Company(seed=3, today=date(2025, 5, 6)))
    empty.replace(slice_of(tables()["payments"], "2024-01"), made)
    assert seen == [Company(seed=3, today=date(2024, 5, 6))]


def test_an_orders_number_and_date_are_of_one_month(empty: SourceDatabase) -> None:
    """Deleted by its number and read by its date, it would be two orders after the next change."""
    for wrong in (order(JANUARY, date(2024, 2, 1)), order(FEBRUARY, date(2024, 1, 1))):
        with pytest.raises(SalespipeError, match=r"orders 2024-01 cannot be written: order"):
            write(empty, "orders", {"2024-01": arrow("orders", [wrong])})
    assert read(empty, "orders") == []


def test_a_key_that_another_month_has_is_refused_and_nothing_changed(empty: SourceDatabase) -> None:
    """The database finds it after the slice is deleted: the transaction must take that back."""
    write(empty, "payments", {"2024-01": GOOD, "2024-02": arrow("payments", [payment("C", date(2024, 2, 1))])})
    before = read(empty, "payments")
    with pytest.raises(SalespipeError, match=r"payments.* cannot be written"):
        write(empty, "payments", {"2024-02": arrow("payments", [payment("A", date(2024, 2, 9))])})
    assert read(empty, "payments") == before


def test_a_month_that_the_run_does_not_own_is_refused(empty: SourceDatabase) -> None:
    parts = {"2024-01": GOOD, "2024-02": arrow("payments", [])}
    with pytest.raises(SalespipeError, match="the run does not own 2024-02"):
        write(empty, "payments", parts, months=["2024-01"])


def test_a_month_of_the_run_that_was_not_made_is_an_error(empty: SourceDatabase) -> None:
    """It would keep what it had, and the run would have said that it made it."""
    with pytest.raises(SalespipeError, match="2024-02 was not made"):
        write(empty, "payments", {"2024-01": GOOD}, months=["2024-01", "2024-02"])


def test_foreign_tables_are_never_written(empty: SourceDatabase) -> None:
    write(empty, "payments", {"2024-01": GOOD})
    with sa.create_engine(empty.url, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql("DROP TABLE salespipe_company")
    with pytest.raises(SalespipeError, match="not the synthetic company's"):
        write(empty, "payments", {"2024-01": arrow("payments", [])})
    with pytest.raises(SalespipeError, match="not the synthetic company's"):
        empty.replace(slice_of(tables()["payments"], "2024-01"), tables_of(arrow("payments", [])))
    assert len(read(empty, "payments")) == 2


def test_text_is_written_as_it_is(empty: SourceDatabase) -> None:
    """In a file for LOAD DATA a tab ends a field, and a backslash what is after it."""
    characters = "".join(map(chr, range(1, 128)))
    texts = [
        characters,
        "\\N",
        "NULL",
        "",
        " a ",
        "\\",
        "\\\\t",
        "\t",
        "\r\n",
        "ẞ箱🚚é",
        'it\'s "%s" {0}',
        "nul\0nul",
        None,
    ]
    rows: Rows = [(f"line {i}", text, texts[-1 - i]) for i, text in enumerate(texts)]
    write(empty, "product_lines", {SNAPSHOT: arrow("product_lines", rows)})
    assert read(empty, "product_lines") == sorted(rows, key=repr)


def test_the_company_is_read_back_as_it_was_made(empty: SourceDatabase) -> None:
    """Every table and type, nasty text, unshipped orders and all."""
    company, staged = Company(orders_per_month=20), [table for table in tables().values() if table.contract.source]
    made: dict[str, pa.Table] = {}
    for table in staged:
        parts = {part: company.rows(table.name, part if table.monthly else None) for part in table.parts(MONTHS)}
        write(empty, table.name, parts)
        made[table.name] = pa.concat_tables(parts.values())
    for table in staged:
        rows = [tuple(row.values()) for row in made[table.name].to_pylist()]
        width = len(own_columns(table))  # lines come back with their order's date, which is their last column
        assert [row[:width] for row in read(empty, table.name)] == sorted(rows, key=repr), table.name


def test_an_asset_downstream_is_handed_the_rows_of_its_months(empty: SourceDatabase) -> None:
    write(
        empty, "payments", {month: arrow("payments", [payment(month, calendar.first_day(month))]) for month in MONTHS}
    )
    partitions = dg.MonthlyPartitionsDefinition("2024-01", fmt="%Y-%m", end_date="2024-04")
    payments = dg.AssetSpec(["source", "payments"], partitions_def=partitions).with_io_manager_key("mysql_io")
    seen: list[pa.Table] = []

    @dg.asset(
        ins={"rows": dg.AssetIn(["source", "payments"])},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def downstream(rows: pa.Table) -> None:
        seen.append(rows)

    tags = {RANGE_START: "2024-02", RANGE_END: "2024-03"}
    dg.materialize([payments, downstream], tags=tags, resources={"mysql_io": MySQLIOManager(empty, Company())})
    assert seen[0].schema == arrow_schema(tables()["payments"].contract)
    assert seen[0]["check_number"].to_pylist() == ["2024-02", "2024-03"]
