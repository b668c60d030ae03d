"""Profiles of the online customers, as they are today.

A customer may buy long before the profile arrives: then the sales have no profile, and the months in
which the customer bought are made again when it does.
"""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per online customer with a profile.",
    key=("customer_id",),
    columns=(
        Column("customer_id", Type.STRING, "The customer, as sales name it."),
        Column("age_group", Type.STRING, "The age group, such as 25-34.", nullable=True),
        Column("membership_tier", Type.STRING, "The tier, such as Gold.", nullable=True),
        Column("signup_date", Type.DATE, "The day of signing up.", nullable=True),
        Column("name", Type.STRING, "The customer's name.", nullable=True, personal=True),
        Column("email", Type.STRING, "The customer's address.", nullable=True, personal=True),
        Column("country", Type.STRING, "The customer's country.", nullable=True),
    ),
)


def dim_online_customers(online_customers: DataFrame) -> DataFrame:
    """The profiles; landing has trimmed them, and what is blank is NULL."""
    return online_customers.select(*CONTRACT.names)
