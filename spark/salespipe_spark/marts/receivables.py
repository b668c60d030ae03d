"""What each customer ordered and paid in a month.

A payment names no order, so a month's payments are mostly for orders of months before: what a
customer owes is the difference of the sums over all months, in customer_lifetimes.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

CONTRACT = Contract(
    grain="One row per month and customer with an order or a payment.",
    key=("month_start", "customer_number"),
    month="month_start",
    figures={"balance": "sum(revenue - paid_amount)"},
    balances=(
        ("ordered_amount", "fact_orders.amount"),
        ("revenue", "fact_orders.revenue"),
        ("paid_amount", "fact_payments.amount"),
    ),
    columns=(
        Column(
            "month_start",
            Type.DATE,
            "The first day of the month of the orders and of the payments.",
            of=("fact_orders.order_date", "fact_payments.payment_date"),
        ),
        Column("customer_number", Type.INT, "The customer, in dim_customers."),
        Column("ordered_amount", Type.MONEY, "All order lines, whatever their status.", of=("fact_orders.amount",)),
        Column(
            "revenue",
            Type.MONEY,
            "ordered_amount without cancelled orders.",
            of=("fact_orders.amount", "fact_orders.is_cancelled"),
        ),
        Column(
            "paid_amount",
            Type.MONEY,
            "Payments that arrived, whatever order they were for.",
            of=("fact_payments.amount",),
        ),
    ),
)


def receivables(fact_orders: DataFrame, fact_payments: DataFrame) -> DataFrame:
    """Orders and payments of the month, summed by customer before they meet."""
    ordered = fact_orders.groupBy(_measures.month_start(), "customer_number").agg(
        _measures.amount(F.col("amount"), "ordered_amount"),
        _measures.amount(_measures.live("amount"), "revenue"),
    )
    paid = fact_payments.groupBy(_measures.month_start("payment_date"), "customer_number").agg(
        _measures.amount(F.col("amount"), "paid_amount")
    )
    amounts = {name: _measures.amount_or_zero(name) for name in ("ordered_amount", "revenue", "paid_amount")}
    return (
        ordered.join(paid, on=["month_start", "customer_number"], how="full")
        .withColumns(amounts)
        .select(*CONTRACT.names)
    )
