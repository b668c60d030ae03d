"""The month's sales by country of the customer and line of the product."""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

CONTRACT = Contract(
    grain="One row per month, country and product line with an order.",
    key=("month_start", "country", "product_line"),
    month="month_start",
    figures=_measures.FIGURES,
    balances=_measures.BALANCES,
    columns=(
        _measures.MONTH,
        Column("country", Type.STRING, "The customer's country when the month was made."),
        Column("product_line", Type.STRING, "The product's line when the month was made."),
        *_measures.MEASURES,
    ),
)


def revenue_by_country_and_product_line(
    fact_orders: DataFrame, dim_locations: DataFrame, dim_products: DataFrame
) -> DataFrame:
    """The measures of each country's order lines in each product line."""
    countries = dim_locations.select("location_key", "country")
    lines = dim_products.select("product_code", "product_line")
    placed = fact_orders.join(countries, on="location_key", how="left").join(lines, on="product_code", how="left")
    return _measures.measured(placed, "country", "product_line").select(*CONTRACT.names)
