"""The measures that every wholesale mart has, defined once.

ordered_amount counts all lines, whatever their status; revenue leaves out the cancelled ones, and
so do orders, units and margin. Distinct counts hold at the mart's own grain and are never summed.
"""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Type

MONTH = Column(
    "month_start",
    Type.DATE,
    "The first day of the month in which the orders were placed.",
    of=("fact_orders.order_date",),
)

MEASURES = (
    Column("ordered_amount", Type.MONEY, "All order lines, whatever their status.", of=("fact_orders.amount",)),
    Column(
        "cancelled_amount",
        Type.MONEY,
        "Lines of cancelled orders.",
        of=("fact_orders.amount", "fact_orders.is_cancelled"),
    ),
    Column(
        "revenue",
        Type.MONEY,
        "ordered_amount - cancelled_amount.",
        of=("fact_orders.amount", "fact_orders.is_cancelled"),
    ),
    Column(
        "orders",
        Type.BIGINT,
        "Orders that are not cancelled, counted once each; not additive.",
        of=("fact_orders.order_number", "fact_orders.is_cancelled"),
    ),
    Column(
        "units",
        Type.BIGINT,
        "Units of lines that are not cancelled.",
        of=("fact_orders.quantity", "fact_orders.is_cancelled"),
    ),
    Column(
        "margin_amount",
        Type.MONEY,
        "revenue - cost of the lines that are not cancelled.",
        of=("fact_orders.margin_amount", "fact_orders.is_cancelled"),
    ),
)

FIGURES = {"units": "sum(units)"}

BALANCES = (
    ("ordered_amount", "fact_orders.amount"),
    ("cancelled_amount", "fact_orders.cancelled"),
    ("revenue", "fact_orders.revenue"),
    ("margin_amount", "fact_orders.revenue_margin"),
    ("units", "fact_orders.units"),
)


def month_start(day: str = "order_date") -> Expression:
    """The month of a day, as its first day; F.trunc goes by nanoseconds on Sail, and fails before 1677."""
    return F.make_date(F.year(day), F.month(day), F.lit(1)).alias("month_start")


def live(column: str) -> Expression:
    """The column's value where the line is not cancelled, else NULL."""
    return F.when(~F.col("is_cancelled"), F.col(column))


def amount(value: Expression, name: str) -> Expression:
    """The sum of an amount, 0.00 where there is nothing to sum."""
    return F.coalesce(F.sum(value), _zero()).cast("decimal(18,2)").alias(name)


def amount_or_zero(name: str) -> Expression:
    """The amount, 0.00 where a join found none."""
    return F.coalesce(F.col(name), _zero()).alias(name)


def average(amount: str, count: str) -> Expression:
    """The amount over the count, NULL where that is zero; a plain division of decimals is cut off on Sail."""
    divisor = F.expr(f"nullif({count}, CAST(0 AS BIGINT))").cast("decimal(10,0)")
    return (F.col(amount).cast("decimal(28,8)") / divisor).cast("decimal(18,6)")


def above_zero(value: Expression) -> Expression:
    """The amount where it is above zero, else 0.00."""
    return F.greatest(value.cast("decimal(18,2)"), _zero())


def measured(lines: DataFrame, *by: str) -> DataFrame:
    """The rows of MEASURES by month and these columns."""
    return by_order(lines, *by).groupBy(month_start(), *by).agg(*measures())


def by_order(lines: DataFrame, *by: str) -> DataFrame:
    """The lines summed by order and these columns: an order has one row in a group, as `measures` wants it.

    On every engine this takes less time and memory than a set of distinct orders beside the sums of each group.
    An order has one day: its month is worked out once for each order, and not for each of its lines.
    """
    sums = [amount(F.col(name), name) for name in ("amount", "cost_amount", "margin_amount")]
    units = F.sum(F.col("quantity").cast("bigint")).alias("quantity")
    return lines.groupBy("order_date", "order_number", "is_cancelled", *by).agg(*sums, units)


def measures() -> list[Expression]:
    """The aggregates behind MEASURES, of rows of which an order has one at most in a group."""
    cancelled = F.when(F.col("is_cancelled"), F.col("amount"))
    units = F.coalesce(F.sum(live("quantity").cast("bigint")), F.lit(0).cast("bigint"))
    return [
        amount(F.col("amount"), "ordered_amount"),
        amount(cancelled, "cancelled_amount"),
        amount(live("amount"), "revenue"),
        F.count(live("order_number")).alias("orders"),
        units.alias("units"),
        amount(live("margin_amount"), "margin_amount"),
    ]


def _zero() -> Expression:
    return F.lit("0").cast("decimal(18,2)")
