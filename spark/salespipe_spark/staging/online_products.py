"""The online catalogue as its files have it; the newest file counts."""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Feed, Type
from salespipe_spark.staging import _landed

CONTRACT = Contract(
    grain="One row per product of the online catalogue.",
    feed=Feed("products", "csv"),
    key=("product",),
    columns=(
        Column("product", Type.STRING, "The product."),
        Column("category", Type.STRING, "The category it belongs to.", nullable=True),
        Column("price", Type.PRICE, "Its price now.", nullable=True),
        Column("stock", Type.INT, "Units in stock now.", nullable=True),
    ),
)


def online_products(landed: DataFrame) -> DataFrame:
    """Each product once."""
    return _landed.newest(landed, "product").select(*CONTRACT.names)
