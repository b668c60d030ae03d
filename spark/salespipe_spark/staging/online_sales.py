"""Online sales as their files have them; of a transaction in several files the newest file counts."""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Feed, Type
from salespipe_spark.staging import _landed

CONTRACT = Contract(
    grain="One row per transaction.",
    feed=Feed("sales", "csv", product=("quantity", "unit_price", "total_amount")),
    key=("transaction_id",),
    month="sale_date",
    figures={"units": "sum(CAST(quantity AS BIGINT))"},
    columns=(
        Column("transaction_id", Type.STRING, "The shop's number of the transaction."),
        Column("sold_at", Type.INSTANT, "When it was sold; midnight where only a date is written.", source="date"),
        Column("sale_date", Type.DATE, "The day it was sold, as written.", source="date"),
        Column("customer_id", Type.STRING, "The customer who bought."),
        Column("product", Type.STRING, "The product sold."),
        Column("quantity", Type.INT, "Units sold."),
        Column("unit_price", Type.PRICE, "Price of one unit."),
        Column("region", Type.STRING, "The region it was sold in."),
        Column("total_amount", Type.MONEY, "quantity x unit_price.", of=("quantity", "unit_price")),
    ),
)


def online_sales(landed: DataFrame) -> DataFrame:
    """Each transaction once."""
    return _landed.newest(landed, "transaction_id").select(*CONTRACT.names)
