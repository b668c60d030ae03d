"""The month's sales by customer."""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

CONTRACT = Contract(
    grain="One row per month and customer with an order.",
    key=("month_start", "customer_number"),
    month="month_start",
    figures=_measures.FIGURES,
    balances=_measures.BALANCES,
    columns=(
        _measures.MONTH,
        Column("customer_number", Type.INT, "The customer, in dim_customers."),
        *_measures.MEASURES,
    ),
)


def revenue_by_customer(fact_orders: DataFrame) -> DataFrame:
    """The measures of each customer's order lines."""
    return _measures.measured(fact_orders, "customer_number").select(*CONTRACT.names)
