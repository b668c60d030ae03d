"""What is asked of the source: the same answers on SQLite here and on MariaDB in `integration`."""

import binascii
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from salespipe_dagster.resources.source_answers import Outside
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_sql import column_of, mirror, own_columns
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster_tests.support import SHOP, Rows
from salespipe_spark.contract import SNAPSHOT, Type
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.tables import Table, tables

SOURCES = [table for table in tables().values() if table.contract.source]
ORDERS, LINES, PAYMENTS = (tables()[name] for name in ("orders", "order_details", "payments"))
NULLABLE_ORDERS = (
    "CREATE TABLE orders (orderNumber INTEGER PRIMARY KEY, orderDate DATE, requiredDate DATE, shippedDate DATE,"
    " status VARCHAR(15), comments TEXT, customerNumber INTEGER)"
)


@pytest.fixture
def empty(tmp_path: Path) -> SourceDatabase:
    """A database without tables."""
    return SourceDatabase(sa.URL.create("sqlite", database=str(tmp_path / "a shop%ü.db")))


@pytest.fixture
def source(empty: SourceDatabase) -> SourceDatabase:
    """The literal shop, as a database of the company's."""
    empty.prepare_company(Company())
    fill(empty, SHOP)
    return empty


def fill(source: SourceDatabase, shop: dict[str, Rows]) -> None:
    """Insert literal rows, by table."""
    with sa.create_engine(source.url, poolclass=sa.NullPool).begin() as connection:
        for table, rows in shop.items():
            names = [column.source_name for column in own_columns(tables()[table])]
            values = [dict(zip(names, row, strict=True)) for row in rows]
            connection.execute(mirror(tables()[table]).insert(), values)


def insert(source: SourceDatabase, table: str, *rows: tuple[Any, ...]) -> None:
    """Insert literal rows into one table."""
    fill(source, {table: list(rows)})


def execute(source: SourceDatabase, *statements: str) -> None:
    """Run SQL, with the manners of an old server: whatever is no date is stored as it is."""
    with sa.create_engine(source.url, poolclass=sa.NullPool).begin() as connection:
        if source.dialect == "mysql":
            connection.exec_driver_sql("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
        for statement in statements:
            connection.exec_driver_sql(statement)


def digest(source: SourceDatabase, table: Table, part: str) -> str:
    """A part's digest now."""
    return source.fingerprints(table, [part] if table.monthly else None)[part].digest


def scanned(source: SourceDatabase, table: Table, *months: str) -> Rows:
    """The rows that a scan reads, in order of their values."""
    batches = source.scan(table, list(months) or None)
    return sorted((tuple(row.values()) for batch in batches for row in batch.to_pylist()), key=repr)


def test_fingerprints_are_rows_amount_and_digest_of_each_month(source: SourceDatabase) -> None:
    """Sums of a REAL column lose cents; here every cent is there."""
    found = source.fingerprints(LINES, ["2024-01", "2024-02", "2024-03"])
    assert {month: (each.rows, each.amount) for month, each in found.items()} == {
        "2024-01": (3, Decimal("3130.99")),
        "2024-02": (0, Decimal("0.00")),
        "2024-03": (1, Decimal("123.40")),
    }
    assert len({each.digest for each in found.values()}) == 3


def test_fingerprints_without_months_are_those_that_the_source_has(source: SourceDatabase) -> None:
    assert list(source.fingerprints(PAYMENTS, None)) == ["2024-01", "2024-03"]


def test_fingerprints_of_months_apart_leave_out_what_lies_between(source: SourceDatabase) -> None:
    insert(source, "payments", (103, "A2", date(2024, 2, 10), Decimal("1.00")))
    assert {m: f.rows for m, f in source.fingerprints(PAYMENTS, ["2024-03", "2024-01"]).items()} == {
        "2024-01": 1,
        "2024-03": 1,
    }


def test_a_snapshot_has_one_fingerprint_and_no_amount(source: SourceDatabase) -> None:
    found = source.fingerprints(tables()["products"], None)
    assert {part: (each.rows, each.amount) for part, each in found.items()} == {SNAPSHOT: (2, None)}


def test_an_empty_snapshot_has_a_fingerprint(empty: SourceDatabase) -> None:
    empty.prepare_company(Company())
    assert empty.fingerprints(tables()["products"], None)[SNAPSHOT].rows == 0


def test_the_digest_does_not_depend_on_the_order_of_rows(source: SourceDatabase) -> None:
    before = digest(source, LINES, "2024-01")
    execute(source, "DELETE FROM orderdetails")
    insert(source, "order_details", *reversed(SHOP["order_details"]))
    assert digest(source, LINES, "2024-01") == before


def test_two_rows_that_change_alike_change_the_digest(source: SourceDatabase) -> None:
    """XOR of CRC32, the usual digest, is the same before and after: the two differences cancel."""
    execute(source, "UPDATE orderdetails SET quantityOrdered = 30, priceEach = 10 WHERE orderNumber = 10100")
    before = digest(source, LINES, "2024-01")
    execute(source, "UPDATE orderdetails SET quantityOrdered = 31 WHERE orderNumber = 10100")
    lines = ("10100,S10,{},10.00,1,2024-01-06", "10100,S18,{},10.00,2,2024-01-06")
    usual = [reduce(xor, (binascii.crc32(line.format(n).encode()) for line in lines)) for n in (30, 31)]
    assert usual[0] == usual[1]
    assert digest(source, LINES, "2024-01") != before


@pytest.mark.parametrize("table", SOURCES, ids=lambda table: table.name)
def test_every_column_is_in_the_digest(source: SourceDatabase, table: Table) -> None:
    """A change in a column that the digest leaves out would never reach the lake."""
    part = "2024-01" if table.monthly else SNAPSHOT
    execute(source, f"DELETE FROM {mirror(table).name}")
    insert(source, table.name, SHOP[table.name][0])
    if table is LINES:  # the order that the line is going to belong to
        insert(source, "orders", (4711, *SHOP["orders"][0][1:]))
    other = {Type.DATE: date(2024, 1, 7), Type.INT: 4711, Type.PRICE: Decimal("47.11")}
    digests = [digest(source, table, part)]
    for column in table.contract.columns:
        changed = column_of(table, column.name)
        with sa.create_engine(source.url, poolclass=sa.NullPool).begin() as connection:
            connection.execute(changed.table.update().values({changed: other.get(column.type, "else")}))
        digests.append(digest(source, table, part))
    assert all(text.startswith("1-") for text in digests)
    assert len(set(digests)) == 1 + len(table.contract.columns)


def test_null_and_empty_text_have_different_digests(source: SourceDatabase) -> None:
    """CONCAT_WS skips NULL, so that NULL and '' would be the same."""
    execute(source, "UPDATE productlines SET textDescription = '', htmlDescription = NULL")
    before = digest(source, tables()["product_lines"], SNAPSHOT)
    execute(source, "UPDATE productlines SET textDescription = NULL, htmlDescription = ''")
    assert digest(source, tables()["product_lines"], SNAPSHOT) != before


def test_text_that_moves_to_the_next_column_changes_the_digest(source: SourceDatabase) -> None:
    """Joined with a separator alone, ('a,b', 'c') and ('a', 'b,c') would be the same text."""
    execute(source, "UPDATE productlines SET textDescription = 'a,b', htmlDescription = 'c'")
    before = digest(source, tables()["product_lines"], SNAPSHOT)
    execute(source, "UPDATE productlines SET textDescription = 'a', htmlDescription = 'b,c'")
    assert digest(source, tables()["product_lines"], SNAPSHOT) != before


def test_nothing_lies_outside_the_months_that_hold_everything(source: SourceDatabase) -> None:
    assert source.outside(LINES, "2024-01", "2024-03") == Outside(0, Decimal("0.00"))
    assert source.outside(ORDERS, "2024-01", "2024-03") == Outside(0, None)


def test_what_is_dated_before_or_after_lies_outside(source: SourceDatabase) -> None:
    assert source.outside(LINES, "2024-02", "2024-02") == Outside(4, Decimal("3254.39"))
    assert source.outside(PAYMENTS, "2024-02", "2024-03") == Outside(1, Decimal("3031.00"))
    assert str(source.outside(PAYMENTS, "2024-01", "2024-02")) == "1 row, amount 50.00"
    assert str(source.outside(ORDERS, "2024-01", "2024-02")) == "1 row"


def test_a_line_without_its_order_lies_outside(source: SourceDatabase) -> None:
    """The join of a scan does not see it; no total may lack it silently."""
    insert(source, "order_details", (99999, "S10", 3, Decimal("1.50"), 1))
    assert source.outside(LINES, "2024-01", "2024-03") == Outside(1, Decimal("4.50"))
    assert (99999, "S10", 3, Decimal("1.50"), 1) not in [row[:5] for row in scanned(source, LINES, "2024-01")]


def test_what_has_no_date_lies_outside(source: SourceDatabase) -> None:
    execute(source, "DROP TABLE orders", NULLABLE_ORDERS)
    execute(source, "INSERT INTO orders (orderNumber, status, customerNumber) VALUES (10102, 'New', 112)")
    assert source.outside(ORDERS, "2024-01", "2024-03") == Outside(1, None)
    assert source.outside(LINES, "2024-01", "2024-03") == Outside(4, Decimal("3254.39"))  # one undated, three orphans


def test_the_span_is_that_of_orders_and_payments(source: SourceDatabase) -> None:
    insert(source, "payments", (112, "B2", date(2024, 6, 1), Decimal("1.00")))
    assert source.span() == ("2024-01", "2024-06")


def test_an_empty_source_has_no_span(empty: SourceDatabase) -> None:
    empty.prepare_company(Company())
    assert empty.span() is None


def test_a_scan_has_the_contracts_columns_and_the_date_of_the_order(source: SourceDatabase) -> None:
    assert scanned(source, LINES, "2024-01") == [
        (10100, "S10", 30, Decimal("100.00"), 1, date(2024, 1, 6)),
        (10100, "S18", 2, Decimal("15.50"), 2, date(2024, 1, 6)),
        (10101, "S10", 1, Decimal("99.99"), 1, date(2024, 1, 31)),
    ]


def test_a_scan_of_a_range_takes_all_its_months_and_no_other(source: SourceDatabase) -> None:
    assert [row[0] for row in scanned(source, ORDERS, "2024-02", "2024-03")] == [10102]
    assert [row[0] for row in scanned(source, ORDERS, "2024-01")] == [10100, 10101]


@pytest.mark.parametrize("table", SOURCES, ids=lambda table: table.name)
def test_a_scan_has_the_contracts_types_whatever_the_rows(source: SourceDatabase, table: Table) -> None:
    """A reader that infers types takes them from the first row, and has none where that is NULL."""
    batches = list(source.scan(table, ["2024-01", "2024-02", "2024-03"] if table.monthly else None))
    assert {batch.schema for batch in batches} == {arrow_schema(table.contract)}
    assert sum(batch.num_rows for batch in batches) == len(SHOP[table.name])


def test_a_scan_of_no_rows_yields_none(source: SourceDatabase) -> None:
    assert scanned(source, ORDERS, "2024-02") == []
    execute(source, "DELETE FROM products")
    assert scanned(source, tables()["products"]) == []


def test_text_and_money_come_back_as_they_were_written(source: SourceDatabase) -> None:
    """Latin-1, a missing escape or a float in between would change some of these."""
    text = "箱🚚 Łódź \\ \\N 'quoted' \"twice\" 100%s :x {0}\t\r\n NULL "
    lines: Rows = [(text, "", text), ("\\N", "NULL", " ")]
    insert(source, "product_lines", *lines)
    assert set(scanned(source, tables()["product_lines"])) == {*lines, *SHOP["product_lines"]}
    insert(source, "payments", (1, "most", date(2024, 2, 29), Decimal("99999999.99")))
    insert(source, "payments", (2, "least", date(2024, 2, 29), Decimal("-0.01")))
    assert [row[3] for row in scanned(source, PAYMENTS, "2024-02")] == [Decimal("99999999.99"), Decimal("-0.01")]


@pytest.mark.parametrize("value", ["2024-01-00", "2024-01-32", "0000-00-00", "0000-01-05"])
def test_what_is_no_date_stops_the_scan_by_name(source: SourceDatabase, value: str) -> None:
    """The scanner dies of it, and an order that belongs to no month would be missing from all."""
    if source.dialect == "mysql" and value == "2024-01-32":
        value = "2024-02-31"  # the server takes no 32nd
    month = "2024-02" if value == "2024-02-31" else "2024-01"
    execute(source, f"UPDATE orders SET orderDate = '{value}' WHERE orderNumber = 10101")
    for table in (ORDERS, LINES):
        with pytest.raises(SalespipeError, match=r"orders\.orderDate holds 1 value.*orderNumber 10101"):
            scanned(source, table, month)


def test_what_is_no_date_stops_only_the_months_it_belongs_to(source: SourceDatabase) -> None:
    execute(source, "UPDATE orders SET shippedDate = '2024-02-00' WHERE orderNumber = 10102")
    assert len(scanned(source, ORDERS, "2024-01")) == 2
    with pytest.raises(SalespipeError, match=r"orders\.shippedDate holds 1 value.*orderNumber 10102"):
        scanned(source, ORDERS, "2024-03")


def test_the_companys_tables_fit_the_contracts(source: SourceDatabase) -> None:
    assert source.check_schema(SOURCES) == []


def test_all_that_does_not_fit_is_named_at_once(source: SourceDatabase) -> None:
    """One at a time, a user would mend the source as often as it has faults."""
    execute(
        source,
        "DROP TABLE offices",
        "ALTER TABLE customers DROP COLUMN creditLimit",
        "DROP TABLE payments",
        "CREATE TABLE payments (customerNumber INTEGER, checkNumber VARCHAR(9), paymentDate TEXT, amount DOUBLE)",
    )
    with pytest.raises(SalespipeError) as raised:
        source.check_schema(SOURCES)
    for part in (
        "the table offices is missing",
        "the column customers.creditLimit is missing",
        "payments.paymentDate is TEXT, not a DATE",
        "payments.amount is DOUBLE, not a DECIMAL",
        "salespipe doctor",
    ):
        assert part in str(raised.value)


def test_the_table_that_dates_a_table_is_looked_at_too(source: SourceDatabase) -> None:
    execute(source, "DROP TABLE orders")
    with pytest.raises(SalespipeError, match="the table orders is missing"):
        source.check_schema([LINES])


def test_a_column_that_no_contract_knows_is_reported(source: SourceDatabase) -> None:
    execute(source, "ALTER TABLE orders ADD COLUMN foo INTEGER")
    assert source.check_schema(SOURCES) == ["orders.foo"]
    assert len(scanned(source, ORDERS, "2024-01")[0]) == len(ORDERS.contract.columns)


def test_the_probe_finds_what_is_there(source: SourceDatabase) -> None:
    source.probe()
    assert source.describe().startswith(("SQLite 3.", "MariaDB 1"))


def test_the_company_makes_its_tables_once(source: SourceDatabase) -> None:
    source.prepare_company(Company())
    assert len(scanned(source, tables()["customers"])) == 2


def test_the_company_does_not_write_among_foreign_tables(empty: SourceDatabase) -> None:
    execute(empty, "CREATE TABLE customers (name VARCHAR(9))")
    with pytest.raises(SalespipeError, match="not the synthetic company's"):
        empty.prepare_company(Company())
    assert sa.inspect(sa.create_engine(empty.url, poolclass=sa.NullPool)).get_table_names() == ["customers"]


def test_a_company_that_was_killed_while_it_made_its_tables_makes_the_rest(empty: SourceDatabase) -> None:
    empty.prepare_company(Company())
    execute(empty, "DROP TABLE payments", "DELETE FROM salespipe_company")
    empty.prepare_company(Company())
    assert empty.check_schema(SOURCES) == []


def test_reading_cannot_write(source: SourceDatabase) -> None:
    with pytest.raises(SalespipeError), source._reading() as connection:
        connection.exec_driver_sql("DELETE FROM orders")


def test_a_scan_is_one_statement(source: SourceDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked month by month, a server reads its tables once for each."""
    asked: list[str] = []

    def stream(url: sa.URL, statement: str) -> Iterator[pa.RecordBatch]:
        asked.append(statement)
        return iter(())

    monkeypatch.setattr("salespipe_dagster.resources.source_db.stream", stream)
    scanned(source, LINES, "2024-01", "2024-02", "2024-03")
    assert len(asked) == 1
