"""Profiles of the online customers as their files have them; the newest file counts."""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Feed, Type
from salespipe_spark.staging import _landed

CONTRACT = Contract(
    grain="One row per online customer with a profile.",
    feed=Feed("customers", "ndjson"),
    key=("customer_id",),
    columns=(
        Column("customer_id", Type.STRING, "The customer."),
        Column("age_group", Type.STRING, "The age group, such as 25-34.", nullable=True),
        Column("membership_tier", Type.STRING, "The tier, such as Gold.", nullable=True),
        Column("signup_date", Type.DATE, "The day of signing up.", nullable=True),
        Column("name", Type.STRING, "The customer's name.", nullable=True, personal=True),
        Column("email", Type.STRING, "The customer's address.", nullable=True, personal=True),
        Column("country", Type.STRING, "The customer's country.", nullable=True),
    ),
)


def online_customers(landed: DataFrame) -> DataFrame:
    """Each customer once."""
    return _landed.newest(landed, "customer_id").select(*CONTRACT.names)
