"""What does not fit, and what is lopsided, on both engines: the right answer, or one clear error and no part."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from salespipe_dagster_tests.integration.pipeline import Contents, contents_of
from salespipe_dagster_tests.support import SHOP, Rows
from salespipe_spark.contract import SNAPSHOT, Column, Contract, Type
from salespipe_spark.engine import Engine
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.lake import Lake
from salespipe_spark.tables import Table, tables

MONTHS = ["2024-01", "2024-02", "2024-03"]
MOST = Decimal("99999999.99")
FACTS = ("dim_customers", "dim_products", "fact_orders")
LANDED = ("online_sales", "online_customers", "online_products")
ONLINE = (*LANDED, "dim_online_customers", "dim_online_products", "fact_online_sales")


@pytest.fixture(params=["sail", "spark"])
def either(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue({"sail": "engine", "spark": "apache"}[request.param])


class Shop:
    """A lake of one engine, of which a test says the orders and their lines."""

    def __init__(self, lake: Lake, orders: Rows, lines: Rows, **more: Rows) -> None:
        self.lake = lake
        self.rows = {**SHOP, "orders": orders, "order_details": lines, **{name: [] for name in LANDED}, **more}
        for name in ("customers", "employees", "products", "product_lines", "orders", "order_details"):
            self.make(name)

    def make(self, *names: str) -> None:
        """Stage, audit and publish tables, as their assets do."""
        for name in names:
            table = tables()[name]
            given = {each: self.lake.read(tables()[each], tables()[each].parts(MONTHS)) for each in table.upstream}
            opening = self.lake.open(table, table.parts(MONTHS))
            if name in self.rows:
                made = self.lake.engine.session.createDataFrame(self.rows[name], table.contract.ddl)
            else:
                assert table.transform is not None
                made = table.transform(**given)
            with self.lake.staging() as folder:
                staged = self.lake.stage(opening, made, folder)
                assert staged.passed, staged.checks
                self.lake.publish(staged, "a run")

    def refuses(self, name: str) -> None:
        """The table ends with one error that says what and where, and nothing of it is published or left."""
        with pytest.raises(SalespipeError) as raised:
            self.make(name)
        assert raised.value.message.startswith(f"The engine {self.lake.engine.name} could not write ")
        assert raised.value.hint
        assert len(raised.value.message.splitlines()) == 1
        assert self.lake.published(tables()[name]) == []
        assert not list(Path(self.lake.store.uri("")).rglob(f"_staging/**/{name}/**/*.parquet"))

    def found(self) -> Contents:
        return contents_of(self.lake)


def order(number: int, day: date, customer: int = 103, status: str = "Shipped") -> tuple[object, ...]:
    return (number, day, date(2024, 4, 9), None, status, None, customer)


def line(number: int, day: date, quantity: int, price: Decimal, place: int = 1) -> tuple[object, ...]:
    return (number, "S10", quantity, price, place, day)


JANUARY = date(2024, 1, 15)


def test_amount_of_a_line_that_does_not_fit_stops_the_table(either: Engine, tmp_path: Path) -> None:
    """2,000,000,000 x 99,999,999.99 has 18 digits before the point, the column 16."""
    shop = Shop(Lake(tmp_path, either), [order(1, JANUARY)], [line(1, JANUARY, 2_000_000_000, MOST)])
    shop.make("dim_customers", "dim_products")
    shop.refuses("fact_orders")


def test_sum_that_does_not_fit_stops_the_table_and_not_the_facts(either: Engine, tmp_path: Path) -> None:
    """Each line fits its column, both together do not: wrapped around they would be a loss."""
    orders = [order(1, JANUARY), order(2, JANUARY)]
    lines = [line(n, JANUARY, 99_000_000, MOST) for n in (1, 2)]
    shop = Shop(Lake(tmp_path, either), orders, lines)
    shop.make(*FACTS)
    amounts = {row[12] for row in shop.found()["fact_orders", "2024-01"]}
    assert amounts == {Decimal("9899999999010000.00")}
    shop.refuses("revenue_by_customer")


def test_average_that_does_not_fit_stops_the_table(either: Engine, tmp_path: Path) -> None:
    """It has twelve digits before the point."""
    shop = Shop(Lake(tmp_path, either), [order(1, JANUARY)], [line(1, JANUARY, 99_000_000, MOST)])
    shop.make(*FACTS, *ONLINE)
    shop.refuses("monthly_revenue")


def test_cast_of_text_that_is_no_number_stops_the_table(either: Engine, tmp_path: Path) -> None:
    """Were it NULL instead, a sum would be short of it."""
    contract = Contract("One row.", (Column("number", Type.INT, "A number.", nullable=True),), ("number",))
    table = Table("core", "numbers", contract, "Numbers of a test.", "c0de")
    lake = Lake(tmp_path, either)
    texts = either.session.createDataFrame([("1",), ("2 or 3",)], "text string")
    with lake.staging() as folder, pytest.raises(SalespipeError, match=f"The engine {either.name} could not write"):
        lake.stage(lake.open(table, [SNAPSHOT]), texts.select(F.col("text").cast("int").alias("number")), folder)
    assert lake.published(table) == []


def test_month_of_cancelled_orders_alone_has_no_average(either: Engine, tmp_path: Path) -> None:
    """Nothing is divided by zero: NULL, while all amounts are there."""
    orders = [order(1, JANUARY, status="Cancelled")]
    shop = Shop(Lake(tmp_path, either), orders, [line(1, JANUARY, 3, Decimal("9.99"))])
    shop.make(*FACTS, *ONLINE, "monthly_revenue")
    zero = Decimal("0.00")
    amounts = (Decimal("29.97"), Decimal("29.97"), zero, 0, 0, zero, 0, zero, None)
    assert shop.found()["monthly_revenue", "2024-01"] == [(date(2024, 1, 1), "wholesale", *amounts)]


def test_one_customer_with_half_of_all_orders_and_one_month_of_a_hundred_times_the_others(
    either: Engine, tmp_path: Path
) -> None:
    """No row is lost or doubled where nearly all go to one partition."""
    days = [date(2024, 1, 15)] * 40 + [date(2024, 2, 29)] * 4_000 + [date(2024, 3, 1)] * 40
    customers = [103 if n % 2 else 112 + n for n in range(len(days))]
    orders = [order(n, day, customers[n]) for n, day in enumerate(days)]
    sold = [(n % 7 + 1, Decimal(n % 997) / 100) for n in range(len(days))]
    lines = [line(n, day, *sold[n]) for n, day in enumerate(days)]
    known = [(number, *SHOP["customers"][0][1:]) for number in sorted(set(customers))]
    shop = Shop(Lake(tmp_path, either), orders, lines, customers=known)
    shop.make(*FACTS, "revenue_by_customer")
    revenue: dict[tuple[date, int], Decimal] = defaultdict(Decimal)
    for customer, day, (quantity, price) in zip(customers, days, sold, strict=True):
        revenue[day.replace(day=1), customer] += quantity * price
    found = shop.found()
    rows = [row for month in MONTHS for row in found["revenue_by_customer", month]]
    assert {(row[0], row[1]): row[4] for row in rows} == revenue
    assert len(rows) == len(revenue) == 20 + 2_000 + 20 + 3
    assert [row[5] for row in rows if row[1] == 103] == [20, 2_000, 20]
