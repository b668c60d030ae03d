"""The measures that every mart of the online channel has, defined once: a transaction is one row of the fact."""

from pyspark.sql import Column as Expression
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Type
from salespipe_spark.marts import _measures

MONTH = Column(
    "month_start",
    Type.DATE,
    "The first day of the month in which it was sold.",
    of=("fact_online_sales.sale_date",),
)

MEASURES = (
    Column("total_revenue", Type.MONEY, "All transactions.", of=("fact_online_sales.amount",)),
    Column("transaction_count", Type.BIGINT, "Transactions.", of=("fact_online_sales.transaction_id",)),
    Column(
        "avg_transaction_value",
        Type.AVERAGE,
        "total_revenue / transaction_count.",
        of=("total_revenue", "transaction_count"),
    ),
    Column("units", Type.BIGINT, "Units sold.", of=("fact_online_sales.quantity",)),
)

FIGURES = {"units": "sum(units)", "transactions": "sum(transaction_count)"}

BALANCES = (
    ("total_revenue", "fact_online_sales.amount"),
    ("transactions", "fact_online_sales.rows"),
    ("units", "fact_online_sales.units"),
)


def month_start() -> Expression:
    """The month of the sale, as its first day."""
    return _measures.month_start("sale_date")


def measures() -> list[Expression]:
    """The aggregates behind MEASURES, but for the average, which is made of them."""
    return [
        _measures.amount(F.col("amount"), "total_revenue"),
        F.count(F.lit(1)).alias("transaction_count"),
        F.sum(F.col("quantity").cast("bigint")).alias("units"),
    ]


def average() -> Expression:
    """What a transaction comes to."""
    return _measures.average("total_revenue", "transaction_count")
