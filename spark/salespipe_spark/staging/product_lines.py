"""The shop's product lines as the source has them."""

from salespipe_spark.contract import Column, Contract, Source, Type

CONTRACT = Contract(
    grain="One row per product line.",
    source=Source("productlines"),
    key=("product_line",),
    columns=(
        Column("product_line", Type.STRING, "The line's name."),
        Column("text_description", Type.TEXT, "What the catalogue says of the line.", nullable=True),
        Column("html_description", Type.TEXT, "The same for the web shop.", nullable=True),
    ),
)
