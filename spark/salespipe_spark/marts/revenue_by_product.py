"""The month's sales by product."""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

CONTRACT = Contract(
    grain="One row per month and product sold.",
    key=("month_start", "product_code"),
    month="month_start",
    figures=_measures.FIGURES,
    balances=_measures.BALANCES,
    columns=(
        _measures.MONTH,
        Column("product_code", Type.STRING, "The product, in dim_products."),
        Column("product_line", Type.STRING, "The product's line when the month was made."),
        *_measures.MEASURES,
    ),
)


def revenue_by_product(fact_orders: DataFrame, dim_products: DataFrame) -> DataFrame:
    """The measures of each product's order lines; the product's line is joined to the sums, not to the lines.

    An order has a product on one line: order and product are the key of order_details, which its audit holds.
    """
    sums = fact_orders.groupBy(_measures.month_start(), "product_code").agg(*_measures.measures())
    lines = dim_products.select("product_code", "product_line")
    return sums.join(lines, on="product_code", how="left").select(*CONTRACT.names)
