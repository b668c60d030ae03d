"""The shop's orders as the source has them; the lines of an order are in order_details."""

from salespipe_spark.contract import Column, Contract, Source, Type

CONTRACT = Contract(
    grain="One row per order.",
    source=Source("orders"),
    key=("order_number",),
    month="order_date",
    columns=(
        Column("order_number", Type.INT, "The order's number."),
        Column("order_date", Type.DATE, "The day the order was placed."),
        Column("required_date", Type.DATE, "The day the customer wants it by."),
        Column("shipped_date", Type.DATE, "The day it left; NULL while it has not.", nullable=True),
        Column("status", Type.STRING, "Shipped, Cancelled, On Hold and others, as typed in the shop."),
        Column("comments", Type.TEXT, "Free text of the sales staff.", nullable=True),
        Column("customer_number", Type.INT, "The customer who ordered."),
    ),
)
