"""The month's online sales by the customers' age group and membership tier.

Who has no profile buys too: these sales stand under NULL, so that the segments' months sum to the fact.
"""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.marts import _online

CONTRACT = Contract(
    grain="One row per month, age group and tier with a sale; those not known are under NULL.",
    key=("month_start", "age_group", "membership_tier"),
    month="month_start",
    figures=_online.FIGURES,
    balances=_online.BALANCES,
    columns=(
        _online.MONTH,
        Column("age_group", Type.STRING, "The customers' age group; NULL where no profile has it.", nullable=True),
        Column("membership_tier", Type.STRING, "The customers' tier; NULL where no profile has it.", nullable=True),
        *_online.MEASURES,
    ),
)


def online_revenue_by_segment(fact_online_sales: DataFrame) -> DataFrame:
    """The measures of each segment's transactions."""
    return (
        fact_online_sales.groupBy(_online.month_start(), "age_group", "membership_tier")
        .agg(*_online.measures())
        .withColumn("avg_transaction_value", _online.average())
        .select(*CONTRACT.names)
    )
