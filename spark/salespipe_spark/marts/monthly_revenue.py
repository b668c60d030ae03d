"""The month's sales by channel: what was ordered, cancelled and earned, and by how many customers."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

CONTRACT = Contract(
    grain="One row per month and channel that had sales.",
    key=("month_start", "channel"),
    month="month_start",
    figures=_measures.FIGURES,
    balances=(*_measures.BALANCES, ("cost_amount", "fact_orders.revenue_cost")),
    columns=(
        _measures.MONTH,
        Column("channel", Type.STRING, "wholesale: the orders of the shop's database."),
        *_measures.MEASURES,
        Column(
            "customers",
            Type.BIGINT,
            "Customers with an order that is not cancelled; not additive.",
            of=("fact_orders.customer_number", "fact_orders.is_cancelled"),
        ),
        Column(
            "cost_amount",
            Type.MONEY,
            "Cost of the lines that are not cancelled.",
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


def monthly_revenue(fact_orders: DataFrame) -> DataFrame:
    """The wholesale channel's months."""
    average = F.col("revenue").cast("decimal(28,8)") / F.expr("nullif(orders, CAST(0 AS BIGINT))").cast("decimal(10,0)")
    return (
        fact_orders.groupBy(_measures.month_start())
        .agg(
            *_measures.measures(),
            F.count_distinct(_measures.live("customer_number")).alias("customers"),
            _measures.amount(_measures.live("cost_amount"), "cost_amount"),
        )
        .withColumns({"channel": F.lit("wholesale"), "average_order_value": average.cast("decimal(18,6)")})
        .select(*CONTRACT.names)
    )
