"""The online catalogue, as it is today."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per product of the online catalogue.",
    key=("product",),
    columns=(
        Column("product", Type.STRING, "The product, as sales name it."),
        Column("category", Type.STRING, "The category it belongs to, trimmed.", nullable=True),
        Column("price", Type.PRICE, "Its price now; what it was sold for stands in the sales.", nullable=True),
        Column("stock", Type.INT, "Units in stock now.", nullable=True),
    ),
)


def dim_online_products(online_products: DataFrame) -> DataFrame:
    """Products, cleaned: a blank category is not known."""
    category = F.expr("nullif(trim(category), '')")
    return online_products.withColumn("category", category).select(*CONTRACT.names)
