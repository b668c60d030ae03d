"""The month's sales by channel: what was ordered, cancelled and earned, and by how many customers.

An online transaction is an order of one line, and never cancelled. What it cost is not known: its cost
and margin are NULL, not zero.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import SPARK, Column, Contract, Type
from salespipe_spark.marts import _measures

WHOLESALE, ONLINE = "wholesale", "online"

_BALANCES = {
    WHOLESALE: (*_measures.BALANCES, ("cost_amount", "fact_orders.revenue_cost")),
    ONLINE: (
        ("ordered_amount", "fact_online_sales.amount"),
        ("revenue", "fact_online_sales.amount"),
        ("orders", "fact_online_sales.rows"),
        ("units", "fact_online_sales.units"),
    ),
}
"""Which measures of a channel must equal which figure of its fact."""

CONTRACT = Contract(
    grain="One row per month and channel that had sales.",
    key=("month_start", "channel"),
    month="month_start",
    figures=_measures.FIGURES
    | {
        f"{channel}_{name}": f"sum(CASE WHEN channel = '{channel}' THEN {name} END)"
        for channel, pairs in _BALANCES.items()
        for name, _ in pairs
    },
    balances=tuple((f"{channel}_{name}", other) for channel, pairs in _BALANCES.items() for name, other in pairs),
    columns=(
        Column(
            "month_start",
            Type.DATE,
            "The first day of the month of the orders and of the online sales.",
            of=("fact_orders.order_date", "fact_online_sales.sale_date"),
        ),
        Column(
            "channel", Type.STRING, "wholesale: the orders of the shop's database; online: the files' transactions."
        ),
        Column(
            "ordered_amount",
            Type.MONEY,
            "All order lines, whatever their status.",
            of=("fact_orders.amount", "fact_online_sales.amount"),
        ),
        Column(
            "cancelled_amount",
            Type.MONEY,
            "Lines of cancelled orders; zero online.",
            of=("fact_orders.amount", "fact_orders.is_cancelled"),
        ),
        Column(
            "revenue",
            Type.MONEY,
            "ordered_amount - cancelled_amount.",
            of=("fact_orders.amount", "fact_orders.is_cancelled", "fact_online_sales.amount"),
        ),
        Column(
            "orders",
            Type.BIGINT,
            "Orders that are not cancelled, counted once each; online the transactions.",
            of=("fact_orders.order_number", "fact_orders.is_cancelled", "fact_online_sales.transaction_id"),
        ),
        Column(
            "units",
            Type.BIGINT,
            "Units of lines that are not cancelled.",
            of=("fact_orders.quantity", "fact_orders.is_cancelled", "fact_online_sales.quantity"),
        ),
        Column(
            "margin_amount",
            Type.MONEY,
            "revenue - cost_amount; NULL online, where the cost is not known.",
            nullable=True,
            of=("fact_orders.margin_amount", "fact_orders.is_cancelled"),
        ),
        Column(
            "customers",
            Type.BIGINT,
            "Customers with an order that is not cancelled; not additive.",
            of=("fact_orders.customer_number", "fact_orders.is_cancelled", "fact_online_sales.customer_id"),
        ),
        Column(
            "cost_amount",
            Type.MONEY,
            "Cost of the lines that are not cancelled; NULL online.",
            nullable=True,
            of=("fact_orders.cost_amount", "fact_orders.is_cancelled"),
        ),
        Column(
            "average_order_value",
            Type.AVERAGE,
            "revenue / orders; NULL where there are none.",
            nullable=True,
            of=("revenue", "orders"),
        ),
    ),
)


def monthly_revenue(fact_orders: DataFrame, fact_online_sales: DataFrame) -> DataFrame:
    """The months of both channels; one without sales in a month has no row there."""
    return (
        _wholesale(fact_orders)
        .unionByName(_online(fact_online_sales))
        .withColumn("average_order_value", _measures.average("revenue", "orders"))
        .select(*CONTRACT.names)
    )


def _wholesale(fact_orders: DataFrame) -> DataFrame:
    orders = _measures.by_order(fact_orders, "customer_number")
    sums = orders.groupBy(_measures.month_start()).agg(
        *_measures.measures(),
        F.count_distinct(_measures.live("customer_number")).alias("customers"),
        _measures.amount(_measures.live("cost_amount"), "cost_amount"),
    )
    return sums.withColumn("channel", F.lit(WHOLESALE))


def _online(fact_online_sales: DataFrame) -> DataFrame:
    sums = fact_online_sales.groupBy(_measures.month_start("sale_date")).agg(
        _measures.amount(F.col("amount"), "revenue"),
        F.count(F.lit(1)).alias("orders"),
        F.sum(F.col("quantity").cast("bigint")).alias("units"),
        F.count_distinct("customer_id").alias("customers"),
    )
    unknown = F.lit(None).cast(SPARK[Type.MONEY])
    return sums.withColumns(
        {
            "channel": F.lit(ONLINE),
            "ordered_amount": F.col("revenue"),
            "cancelled_amount": F.lit("0").cast(SPARK[Type.MONEY]),
            "margin_amount": unknown,
            "cost_amount": unknown,
        }
    )
