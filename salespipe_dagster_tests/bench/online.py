"""Online sales for the bench: made by the engine and published as staging tables, before any clock starts."""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from salespipe_spark import months as calendar
from salespipe_spark.lake.lake import Lake
from salespipe_spark.tables import feeds

SHARE = 10
"""There is one online sale for so many order lines."""

PRODUCTS, REGIONS, DAY = 50, 12, 86_400


def publish_online(lake: Lake, folder: Path, months: list[str], sales: int) -> None:
    """Publish so many sales of these months; a third of the customers have no profile."""
    session, customers = lake.engine.session, max(3, sales // 20)
    made = {
        "online_sales": _sales(session, months, sales, customers),
        "online_customers": _customers(session, customers * 2 // 3),
        "online_products": _products(session),
    }
    for table in feeds():
        staged = lake.stage(lake.open(table, table.parts(months)), made[table.name], folder)
        if not staged.passed:
            raise RuntimeError(f"{table.name} failed its audit: {staged.checks}")
        lake.publish(staged, "bench")


def _sales(session: SparkSession, months: list[str], sales: int, customers: int) -> DataFrame:
    first, end = calendar.first_day(months[0]), calendar.end_day(months[-1])
    drawn = session.range(sales).selectExpr(
        "concat('T', id) AS transaction_id",
        f"date_add(DATE'{first}', {_chance('day', (end - first).days)}) AS sale_date",
        f"{_chance('second', DAY)} AS second",
        f"concat('C', {_chance('customer', customers)}) AS customer_id",
        f"concat('Product ', {_chance('product', PRODUCTS)}) AS product",
        f"1 + {_chance('quantity', 9)} AS quantity",
        f"CAST({_price()} AS DECIMAL(10,2)) AS unit_price",
        f"concat('Region ', {_chance('region', REGIONS)}) AS region",
    )
    return drawn.selectExpr(
        "transaction_id",
        f"timestamp_seconds(CAST(unix_date(sale_date) AS BIGINT) * {DAY} + second) AS sold_at",
        *("sale_date", "customer_id", "product", "quantity", "unit_price", "region"),
        "CAST(quantity * unit_price AS DECIMAL(18,2)) AS total_amount",
    )


def _customers(session: SparkSession, customers: int) -> DataFrame:
    return session.range(customers).selectExpr(
        "concat('C', id) AS customer_id",
        "element_at(array('18-24', '25-34', '35-49', '50-64', '65+'), 1 + CAST(id % 5 AS INT)) AS age_group",
        "element_at(array('Bronze', 'Silver', 'Gold'), 1 + CAST(id % 3 AS INT)) AS membership_tier",
        "DATE'2023-12-31' AS signup_date",
        *(f"CAST(NULL AS STRING) AS {name}" for name in ("name", "email", "country")),
    )


def _products(session: SparkSession) -> DataFrame:
    return session.range(PRODUCTS).selectExpr(
        "concat('Product ', id) AS product",
        "concat('Category ', id % 7) AS category",
        "CAST(10 AS DECIMAL(10,2)) AS price",
        "CAST(id AS INT) AS stock",
    )


def _price() -> str:
    return f"CAST({_chance('price', 49_999)} + 1 AS DECIMAL(10,0)) * CAST('0.01' AS DECIMAL(3,2))"


def _chance(what: str, outcomes: int) -> str:
    """A number from 0 below `outcomes`, drawn by the row's place."""
    return f"CAST(pmod(xxhash64(id, '{what}'), {outcomes}) AS INT)"
