"""Order lines, the marts that follow from them in plain Python, and the report that is made of these marts."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster.charts import About
from salespipe_dagster.report import report
from salespipe_dagster_tests.support import Rows, frame
from salespipe_spark import months
from salespipe_spark.tables import tables


class Line(NamedTuple):
    """An order line, with what marts know of it."""

    month: str
    country: str
    product_line: str
    product: str
    customer: int
    order: int
    amount: Decimal
    cost: Decimal = Decimal("0.00")
    quantity: int = 1
    cancelled: bool = False


def live(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if not line.cancelled]


def total(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal("0.00"))


def measures(lines: Sequence[Line]) -> tuple[Any, ...]:
    """As a mart has them: ordered, cancelled, revenue, orders, units, margin."""
    sold = live(lines)
    return (
        total(lines),
        total(line for line in lines if line.cancelled),
        total(sold),
        len({line.order for line in sold}),
        sum(line.quantity for line in sold),
        total(sold) - sum((line.cost for line in sold), Decimal("0.00")),
    )


def by(lines: Sequence[Line], *columns: str) -> Rows:
    """A mart by month and these columns, and the measures."""
    found: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        found.setdefault((line.month, *(getattr(line, name) for name in columns)), []).append(line)
    return [(months.first_day(key[0]), *key[1:], *measures(found[key])) for key in sorted(found)]


def monthly(lines: Sequence[Line]) -> Rows:
    found: Rows = []
    for row in by(lines):
        sold = [line for line in live(lines) if months.first_day(line.month) == row[0]]
        average = round(row[3] / row[4], 6) if row[4] else None
        cost = sum((line.cost for line in sold), Decimal("0.00"))
        found.append((row[0], "wholesale", *row[1:], len({line.customer for line in sold}), cost, average))
    return found


def frames(
    spark: SparkSession, lines: Sequence[Line], ageing: Rows = (), names: Callable[[int], str] = "Customer {}".format
) -> dict[str, DataFrame]:
    """All that the report reads: the marts of these lines, and ageing as (customer, bucket, amount)."""

    def table(name: str, rows: Rows) -> DataFrame:
        return frame(spark, tables()[name].contract.ddl, rows)

    products = by(lines, "product", "product_line")
    return {
        "monthly_revenue": table("monthly_revenue", monthly(lines)),
        "revenue_by_country": table("revenue_by_country", by(lines, "country")),
        "revenue_by_country_and_product_line": table(
            "revenue_by_country_and_product_line", by(lines, "country", "product_line")
        ),
        "revenue_by_product": table("revenue_by_product", products),
        "revenue_by_customer": table("revenue_by_customer", by(lines, "customer")),
        "receivables_ageing": table("receivables_ageing", [(*row, date(2024, 3, 31)) for row in ageing]),
        "dim_products": frame(
            spark, "product_code string, product_name string", sorted({(row[1], f"The {row[1]}") for row in products})
        ),
        "dim_customers": frame(
            spark,
            "customer_number int, customer_name string",
            [(number, names(number)) for number in sorted({line.customer for line in lines})],
        ),
    }


def made(
    spark: SparkSession,
    lines: Sequence[Line],
    *,
    published: Sequence[str] | None = None,
    ageing: Rows = (),
    names: Callable[[int], str] = "Customer {}".format,
) -> bytes:
    """The report of these lines, of which these months are published: by default those that they are in."""
    covered = sorted({line.month for line in lines} if published is None else published)
    expected = len(months.between(covered[0], covered[-1])) if covered else 3
    about = About(currency="EUR", months=covered, expected=expected, run="0a1b2c3d")
    return report(**frames(spark, lines, ageing, names), about=about)
