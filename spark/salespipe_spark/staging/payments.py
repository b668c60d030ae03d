"""Payments of the shop's customers as the source has them; they name no order."""

from salespipe_spark.contract import Column, Contract, Source, Type

CONTRACT = Contract(
    grain="One row per payment.",
    source=Source("payments", amount=("amount",)),
    key=("customer_number", "check_number"),
    month="payment_date",
    columns=(
        Column("customer_number", Type.INT, "The customer who paid."),
        Column("check_number", Type.STRING, "The cheque's number, unique within a customer."),
        Column("payment_date", Type.DATE, "The day the payment arrived."),
        Column("amount", Type.PRICE, "The amount paid."),
    ),
)
