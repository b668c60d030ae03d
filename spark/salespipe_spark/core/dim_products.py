"""The shop's products with the description of their line, as they are today."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per wholesale product.",
    key=("product_code",),
    columns=(
        Column("product_code", Type.STRING, "The product's code."),
        Column("product_name", Type.STRING, "The product's name."),
        Column("product_line", Type.STRING, "The line the product belongs to."),
        Column(
            "product_line_description",
            Type.STRING,
            "What the catalogue says of the line.",
            nullable=True,
            of=("product_lines.text_description",),
        ),
        Column("scale", Type.STRING, "The model's scale, such as 1:10.", of=("products.product_scale",)),
        Column("vendor", Type.STRING, "Who makes it.", of=("products.product_vendor",)),
        Column("buy_price", Type.PRICE, "What the shop pays for one unit now."),
        Column("msrp", Type.PRICE, "The maker's suggested retail price now."),
        Column("quantity_in_stock", Type.INT, "Units in stock now."),
    ),
)


def dim_products(products: DataFrame, product_lines: DataFrame) -> DataFrame:
    """Products, each with its line's description where the line is known."""
    lines = product_lines.select("product_line", F.col("text_description").alias("product_line_description"))
    return (
        products.join(lines, on="product_line", how="left")
        .withColumnsRenamed({"product_scale": "scale", "product_vendor": "vendor"})
        .select(*CONTRACT.names)
    )
