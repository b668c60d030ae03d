"""The month's sales by the sales rep of the customer.

A customer without a rep sells too: its lines stand under NULL, so that the reps' months sum to the fact.
"""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

CONTRACT = Contract(
    grain="One row per month and sales rep with an order, and one for the customers without a rep.",
    key=("month_start", "sales_rep_number"),
    month="month_start",
    figures=_measures.FIGURES,
    balances=_measures.BALANCES,
    columns=(
        _measures.MONTH,
        Column(
            "sales_rep_number",
            Type.INT,
            "The customer's rep when the month was made, in dim_employees; NULL for customers without one.",
            nullable=True,
        ),
        *_measures.MEASURES,
    ),
)


def revenue_by_sales_rep(fact_orders: DataFrame) -> DataFrame:
    """The measures of each rep's order lines."""
    return _measures.measured(fact_orders, "sales_rep_number").select(*CONTRACT.names)
