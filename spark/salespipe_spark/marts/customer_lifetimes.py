"""What each customer ordered, paid and owes over all published months.

An order lies in one month, so that the orders of a customer's months may be added up: the one place
where that is right.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

CONTRACT = Contract(
    grain="One row per customer, also one who never ordered, or who is gone and has ordered.",
    key=("customer_number",),
    balances=(
        ("ordered_amount", "receivables.ordered_amount"),
        ("revenue", "receivables.revenue"),
        ("paid_amount", "receivables.paid_amount"),
        ("balance", "receivables.balance"),
    ),
    columns=(
        Column("customer_number", Type.INT, "The customer, in dim_customers."),
        Column(
            "first_order_month",
            Type.DATE,
            "First day of the month of the first order not cancelled.",
            nullable=True,
            of=("revenue_by_customer.month_start", "revenue_by_customer.orders"),
        ),
        Column(
            "last_order_month",
            Type.DATE,
            "First day of the month of the last order not cancelled.",
            nullable=True,
            of=("revenue_by_customer.month_start", "revenue_by_customer.orders"),
        ),
        Column("orders", Type.BIGINT, "Orders that are not cancelled."),
        Column(
            "ordered_amount", Type.MONEY, "All order lines, whatever their status.", of=("receivables.ordered_amount",)
        ),
        Column("revenue", Type.MONEY, "ordered_amount without cancelled orders.", of=("receivables.revenue",)),
        Column("paid_amount", Type.MONEY, "All payments."),
        Column(
            "balance",
            Type.MONEY,
            "revenue - paid_amount: what the customer owes; below zero, what it has paid ahead.",
            of=("revenue", "paid_amount"),
        ),
        Column("credit_limit", Type.PRICE, "The most that the customer may owe; NULL without a limit.", nullable=True),
        Column(
            "is_over_credit_limit",
            Type.BOOLEAN,
            "balance > credit_limit; NULL without a limit.",
            nullable=True,
            of=("balance", "credit_limit"),
        ),
    ),
)


def customer_lifetimes(revenue_by_customer: DataFrame, receivables: DataFrame, dim_customers: DataFrame) -> DataFrame:
    """The customers' months added up, beside today's credit limit."""
    ordered_in = F.when(F.col("orders") > 0, F.col("month_start"))
    orders = revenue_by_customer.groupBy("customer_number").agg(
        F.min(ordered_in).alias("first_order_month"),
        F.max(ordered_in).alias("last_order_month"),
        F.sum("orders").alias("orders"),
    )
    names = ("ordered_amount", "revenue", "paid_amount")
    amounts = receivables.groupBy("customer_number").agg(*(_measures.amount(F.col(name), name) for name in names))
    return (
        dim_customers.select("customer_number", "credit_limit")
        .join(amounts, on="customer_number", how="full")
        .join(orders, on="customer_number", how="left")
        .withColumns({name: _measures.amount_or_zero(name) for name in names})
        .withColumn("orders", F.coalesce("orders", F.lit(0).cast("bigint")))
        .withColumn("balance", (F.col("revenue") - F.col("paid_amount")).cast("decimal(18,2)"))
        .withColumn("is_over_credit_limit", F.col("balance") > F.col("credit_limit"))
        .select(*CONTRACT.names)
    )
