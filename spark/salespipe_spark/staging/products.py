"""The shop's products as the source has them."""

from salespipe_spark.contract import Column, Contract, Source, Type

CONTRACT = Contract(
    grain="One row per product.",
    source=Source("products"),
    key=("product_code",),
    columns=(
        Column("product_code", Type.STRING, "The product's code."),
        Column("product_name", Type.STRING, "The product's name."),
        Column("product_line", Type.STRING, "The line the product belongs to."),
        Column("product_scale", Type.STRING, "The model's scale, such as 1:10."),
        Column("product_vendor", Type.STRING, "Who makes it."),
        Column("product_description", Type.TEXT, "What the catalogue says of it."),
        Column("quantity_in_stock", Type.INT, "Units in stock now."),
        Column("buy_price", Type.PRICE, "What the shop pays for one unit now."),
        Column("msrp", Type.PRICE, "The maker's suggested retail price now.", source="MSRP"),
    ),
)
