"""The month's online sales by region and product."""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _online

CONTRACT = Contract(
    grain="One row per month, region and product sold online.",
    key=("month_start", "region", "product"),
    month="month_start",
    figures=_online.FIGURES,
    balances=_online.BALANCES,
    columns=(
        _online.MONTH,
        Column("region", Type.STRING, "The region it was sold in."),
        Column("product", Type.STRING, "The product, in dim_online_products where the catalogue has it."),
        *_online.MEASURES,
    ),
)


def online_sales_summary(fact_online_sales: DataFrame) -> DataFrame:
    """The measures of each region's transactions of each product."""
    return (
        fact_online_sales.groupBy(_online.month_start(), "region", "product")
        .agg(*_online.measures())
        .withColumn("avg_transaction_value", _online.average())
        .select(*CONTRACT.names)
    )
