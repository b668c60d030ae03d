"""The online catalogue, as it is today."""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per product of the online catalogue.",
    key=("product",),
    columns=(
        Column("product", Type.STRING, "The product, as sales name it."),
        Column("category", Type.STRING, "The category it belongs to.", nullable=True),
        Column("price", Type.PRICE, "Its price now; what it was sold for stands in the sales.", nullable=True),
        Column("stock", Type.INT, "Units in stock now.", nullable=True),
    ),
)


def dim_online_products(online_products: DataFrame) -> DataFrame:
    """The catalogue; landing has trimmed it, and what is blank is NULL."""
    return online_products.select(*CONTRACT.names)
