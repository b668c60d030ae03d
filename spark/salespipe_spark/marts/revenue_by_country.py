"""The month's sales by the country of the customer.

The country comes through `location_key`, which is unique in dim_locations: the postal code is not,
and a join on it counts the sales of the USA four times.
"""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _measures

CONTRACT = Contract(
    grain="One row per month and country with an order.",
    key=("month_start", "country"),
    month="month_start",
    figures=_measures.FIGURES,
    balances=_measures.BALANCES,
    columns=(
        _measures.MONTH,
        Column("country", Type.STRING, "The customer's country when the month was made."),
        *_measures.MEASURES,
    ),
)


def revenue_by_country(fact_orders: DataFrame, dim_locations: DataFrame) -> DataFrame:
    """The measures of each country's order lines; the country is joined to the orders, of which each has one place."""
    countries = dim_locations.select("location_key", "country")
    placed = _measures.by_order(fact_orders, "location_key").join(countries, on="location_key", how="left")
    sums = placed.groupBy(_measures.month_start(), "country").agg(*_measures.measures())
    return sums.select(*CONTRACT.names)
