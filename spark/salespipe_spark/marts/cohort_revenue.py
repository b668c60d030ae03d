"""What the customers of each first month bought in each later one.

The first month of a cohort is its customers' first order that is not cancelled, so a late change of
an old order can move a customer to another cohort: this is a snapshot, made anew from all months.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

CONTRACT = Contract(
    grain="One row per cohort and month in which one of its customers ordered.",
    key=("cohort_month", "month_start"),
    balances=(("revenue", "revenue_by_customer.revenue"),),
    columns=(
        Column(
            "cohort_month",
            Type.DATE,
            "First day of the month of the customers' first order.",
            of=("revenue_by_customer.month_start", "revenue_by_customer.orders"),
        ),
        Column("month_start", Type.DATE, "First day of the month of the sales."),
        Column(
            "customers",
            Type.BIGINT,
            "Customers of the cohort who ordered in the month, once each; not additive.",
            of=("revenue_by_customer.customer_number", "revenue_by_customer.orders"),
        ),
        Column("orders", Type.BIGINT, "Their orders, without cancelled ones."),
        Column("revenue", Type.MONEY, "Their revenue."),
    ),
)


def cohort_revenue(revenue_by_customer: DataFrame) -> DataFrame:
    """The customers' months by the first of them; one with cancelled orders alone is no month of a customer."""
    active = revenue_by_customer.where("orders > 0").select("customer_number", "month_start", "orders", "revenue")
    first = active.groupBy("customer_number").agg(F.min("month_start").alias("cohort_month"))
    return (
        active.join(first, on="customer_number", how="inner")
        .groupBy("cohort_month", "month_start")
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.sum("orders").alias("orders"),
            _measures.amount(F.col("revenue"), "revenue"),
        )
        .select(*CONTRACT.names)
    )
