"""Payments by customer; a payment names no order."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per payment.",
    key=("customer_number", "check_number"),
    month="payment_date",
    balances=(("rows", "payments.rows"), ("amount", "payments.amount")),
    columns=(
        Column("customer_number", Type.INT, "The customer who paid, in dim_customers."),
        Column("check_number", Type.STRING, "The cheque's number, unique within a customer."),
        Column("payment_date", Type.DATE, "The day the payment arrived."),
        Column("amount", Type.MONEY, "The amount paid."),
    ),
)


def fact_payments(payments: DataFrame) -> DataFrame:
    """Payments, in the lake's money type."""
    return payments.withColumn("amount", F.col("amount").cast("decimal(18,2)")).select(*CONTRACT.names)
