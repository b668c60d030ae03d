"""How old what each customer owes is; payments settle the oldest orders first.

The age is counted to the end of the newest month with an order or a payment, not to today: the same
months make the same table whenever they are run.
"""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

BUCKETS = ("0-30 days", "31-60 days", "61-90 days", "over 90 days")
CREDIT = "credit"

CONTRACT = Contract(
    grain="One row per customer and bucket with an open amount.",
    key=("customer_number", "bucket"),
    balances=(("amount", "receivables.balance"),),
    columns=(
        Column("customer_number", Type.INT, "The customer, in dim_customers."),
        Column(
            "bucket",
            Type.STRING,
            f"Days since the order: {', '.join(BUCKETS)}; '{CREDIT}' is paid ahead.",
            of=("fact_orders.order_date", "receivables.month_start", "amount"),
        ),
        Column(
            "amount",
            Type.MONEY,
            "The open amount; below zero where it is a credit.",
            of=("fact_orders.amount", "fact_orders.is_cancelled", "receivables.revenue", "receivables.paid_amount"),
        ),
        Column("as_of_date", Type.DATE, "The day to which the age is counted.", of=("receivables.month_start",)),
    ),
)


def receivables_ageing(fact_orders: DataFrame, receivables: DataFrame) -> DataFrame:
    """Each day's revenue of a customer, less what its payments leave of the days before."""
    paid = receivables.groupBy("customer_number").agg(
        _measures.amount(F.col("paid_amount"), "paid"), _measures.amount(F.col("revenue"), "bought")
    )
    as_of = receivables.agg(F.last_day(F.max("month_start")).alias("as_of_date"))
    so_far = "ORDER BY order_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    bought = f"sum(amount) OVER (PARTITION BY customer_number {so_far})"
    before = "coalesce(lag(owed) OVER (PARTITION BY customer_number ORDER BY order_date), CAST(0 AS DECIMAL(18,2)))"
    days = (
        fact_orders.where("NOT is_cancelled")
        .groupBy("customer_number", "order_date")
        .agg(_measures.amount(F.col("amount"), "amount"))
        .withColumn("bought", F.expr(bought).cast("decimal(18,2)"))
        .join(paid.select("customer_number", "paid"), on="customer_number", how="inner")
        .withColumn("owed", _measures.above_zero(F.col("bought") - F.col("paid")))
        # What is owed after a day, less what was owed before it: these add up to what is owed in the end.
        .withColumn("open", F.col("owed") - F.expr(before))
        .crossJoin(as_of)
        .withColumn("days", F.date_diff("as_of_date", "order_date"))
        .select("customer_number", _bucket().alias("bucket"), "open", "as_of_date")
    )
    ahead = paid.crossJoin(as_of).select(
        "customer_number",
        F.lit(CREDIT).alias("bucket"),
        (-_measures.above_zero(F.col("paid") - F.col("bought"))).alias("open"),
        "as_of_date",
    )
    return (
        days.unionByName(ahead)
        .groupBy("customer_number", "bucket", "as_of_date")
        .agg(_measures.amount(F.col("open"), "amount"))
        .where("amount <> 0")
        .select(*CONTRACT.names)
    )


def _bucket() -> Expression:
    days = F.col("days")
    first, second, third, oldest = map(F.lit, BUCKETS)
    return F.when(days <= 30, first).when(days <= 60, second).when(days <= 90, third).otherwise(oldest)
