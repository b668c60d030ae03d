"""A shop's staging tables of any size, made by DuckDB and published with no database between; the shape is `shop.py`'s.

Every value is arithmetic on a number: the same shop each time. A month is written at a time, and some are
audited at once, so that memory does not grow with the shop.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

from salespipe_dagster_tests.bench import floor
from salespipe_dagster_tests.bench.engines import SAIL, opened
from salespipe_dagster_tests.bench.online import SHARE, publish_online
from salespipe_dagster_tests.bench.shop import FIRST_ORDER, LINES_IN_BLOCK, ORDERS_IN_BLOCK, Shop
from salespipe_spark import months as calendar
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.staged import staged_file
from salespipe_spark.tables import tables

AUDITED = 2_000_000
"""Lines that are audited at once."""

_COUNTRIES = "['USA','France','Germany','Spain','UK','Italy','Norway','Japan','Australia','Canada','Finland','Austria']"
_LINES = "['Classic Cars','Motorcycles','Planes','Ships','Trains','Trucks and Buses','Vintage Cars']"
_CENTS = "0.01::DECIMAL(3,2)"
CHANCE = """CREATE MACRO chance(number, what, outcomes) AS
    (number * (2654435761 + 15838 * what) % 4294967296 // 64 % outcomes)::INT"""

MONTHLY = {
    "orders": """
        SELECT order_number, order_date, order_date + 7 AS required_date,
            CASE WHEN chance(i, 1, 100) >= 8 THEN order_date + 3 END AS shipped_date,
            CASE WHEN chance(i, 1, 100) < 2 THEN 'On Hold' WHEN chance(i, 1, 100) < 8 THEN 'In Process'
                WHEN chance(i, 1, 100) < 12 THEN 'Cancelled' ELSE 'Shipped' END AS status,
            CASE WHEN i % 4 = 0 THEN 'The customer asks for delivery before noon, see call ' || i END AS comments,
            1 + chance(i, 2, {customers}) AS customer_number
        FROM placed""",
    # 61 is a prime, and so an order repeats no product.
    "order_details": f"""
        SELECT order_number, 'S' || (10000 + (i * 29 + line * 61) % {{products}}) AS product_code,
            1 + chance(i * 16 + line, 3, 60) AS quantity_ordered,
            ((1500 + chance(i * 16 + line, 4, 20000)) * {_CENTS})::DECIMAL(10,2) AS price_each,
            line::INT AS order_line_number, order_date
        FROM (SELECT *, unnest(range(1, 2 + i % {ORDERS_IN_BLOCK})) AS line FROM placed)
        WHERE i // {ORDERS_IN_BLOCK} * {LINES_IN_BLOCK}
            + i % {ORDERS_IN_BLOCK} * (i % {ORDERS_IN_BLOCK} + 1) // 2 + line <= {{lines}}""",
    "payments": f"""
        SELECT 1 + chance(i, 2, {{customers}}) AS customer_number, 'HQ' || i AS check_number,
            order_date AS payment_date,
            ((100000 + chance(i, 5, 5000000)) * {_CENTS})::DECIMAL(10,2) AS amount
        FROM placed""",
}
SNAPSHOTS = {
    "product_lines": f"""
        SELECT {_LINES}[n] AS product_line, 'Text of line ' || n AS text_description,
            CASE WHEN n % 2 = 0 THEN '<p>Text</p>' END AS html_description FROM range(1, 8) t(n)""",
    "products": f"""
        SELECT 'S' || (9999 + n) AS product_code, 'Model ' || n AS product_name,
            {_LINES}[1 + n % 7] AS product_line, ['1:10', '1:18', '1:72'][1 + n % 3] AS product_scale,
            'Maker ' || n % 13 AS product_vendor, 'What the catalogue says of model ' || n AS product_description,
            (100 + n % 9000)::INT AS quantity_in_stock,
            ((2000 + n * 37 % 9000)::INT * {_CENTS})::DECIMAL(10,2) AS buy_price,
            ((4000 + n * 71 % 18000)::INT * {_CENTS})::DECIMAL(10,2) AS msrp FROM range(1, {{products}} + 1) t(n)""",
    "offices": f"""
        SELECT n::VARCHAR AS office_code, 'Office Town ' || n AS city, '+1 555 ' || n AS phone,
            'High Street 1' AS address_line1, NULL::VARCHAR AS address_line2, NULL::VARCHAR AS state,
            {_COUNTRIES}[n] AS country, 'O' || n AS postal_code, ['NA', 'EMEA', 'APAC', 'Japan'][1 + n % 4] AS territory
        FROM range(1, 8) t(n)""",
    "employees": """
        SELECT (1000 + n)::INT AS employee_number, 'Last' || n AS last_name, 'First' || n AS first_name,
            'x' || n AS extension, 'e' || n || '@example.com' AS email, (1 + n % 7)::VARCHAR AS office_code,
            CASE WHEN n > 1 THEN 1001 END::INT AS reports_to, 'Sales Rep' AS job_title FROM range(1, 31) t(n)""",
    "customers": f"""
        SELECT n::INT AS customer_number, 'Customer ' || n AS customer_name, 'Last' || n % 997 AS contact_last_name,
            'First' AS contact_first_name, '555-' || n AS phone, 'Street ' || n AS address_line1,
            CASE WHEN n % 3 = 0 THEN 'Suite 1' END AS address_line2,
            CASE WHEN n % 50 = 0 THEN ' ' ELSE '' END || 'City ' || n % 2000 AS city,
            CASE WHEN n % 5 = 0 THEN 'State ' || n % 2000 % 40 END AS state,
            CASE WHEN n % 2000 % 11 > 0 THEN lpad((n % 2000 // 4)::VARCHAR, 5, '0') END AS postal_code,
            {_COUNTRIES}[1 + n % 2000 % 12] AS country,
            CASE WHEN n % 17 > 0 THEN 1002 + n % 29 END::INT AS sales_rep_employee_number,
            CASE WHEN n % 10 > 0 THEN 100 * (n % 2000) END::DECIMAL(10,2) AS credit_limit
        FROM range(1, {{customers}} + 1) t(n)""",
}


def make(root: Path, shop: Shop) -> None:
    """Publish the shop's staging tables, and online sales beside them, in the lake at `root`."""
    link = duckdb.connect(config={"threads": floor.THREADS})
    link.execute(CHANCE)
    at_once = max(1, len(shop.months) * AUDITED // shop.lines)
    blocks = [shop.months[start : start + at_once] for start in range(0, len(shop.months), at_once)]
    with opened(SAIL, root.parent) as engine:
        lake = Lake(root, engine)
        with lake.staging() as folder:
            for block in blocks:
                for month in block:
                    _place(link, shop, month)
                    for name, query in MONTHLY.items():
                        _write(link, shop, query, staged_file(folder, tables()[name], month))
                _publish(lake, folder, list(MONTHLY), block)
            for name, query in SNAPSHOTS.items():
                _write(link, shop, query, staged_file(folder, tables()[name], SNAPSHOT))
            _publish(lake, folder, list(SNAPSHOTS), [])
            publish_online(lake, folder, shop.months, shop.lines // SHARE)


def _place(link: duckdb.DuckDBPyConnection, shop: Shop, month: str) -> None:
    """The month's orders: a share of all, one after the other over its days."""
    place, of = shop.months.index(month), len(shop.months)
    first, end = shop.orders * place // of, shop.orders * (place + 1) // of
    opening = calendar.first_day(month)
    days = (calendar.end_day(month) - opening).days
    day = f"DATE '{opening}' + ((i - {first}) * {days} // {max(1, end - first)})::INT"
    placed = f"SELECT i, ({FIRST_ORDER} + i)::INT AS order_number, {day} AS order_date FROM range({first}, {end}) t(i)"
    link.execute(f"CREATE OR REPLACE TEMP TABLE placed AS {placed}")


def _write(link: duckdb.DuckDBPyConnection, shop: Shop, query: str, file: Path) -> None:
    file.parent.mkdir(parents=True)
    rows = query.format(lines=shop.lines, customers=shop.customers, products=shop.products)
    link.execute(f"COPY ({rows}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")


def _publish(lake: Lake, folder: Path, names: list[str], months: list[str]) -> None:
    for name in names:
        table = tables()[name]
        staged = lake.audit(lake.open(table, table.parts(months)), folder / table.layer / name)
        if not staged.passed:
            raise RuntimeError(f"{name} failed its audit: {staged.checks}")
        lake.publish(staged, "bench")


def main(root: str, lines: str, first: str, last: str, customers: str) -> None:
    """Make the shop; tells the seconds as JSON."""
    start = time.perf_counter()
    make(Path(root), Shop("", int(lines), first, last, int(customers)))
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(*sys.argv[1:])
