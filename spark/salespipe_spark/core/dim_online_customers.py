"""Profiles of the online customers, as they are today.

A customer may buy long before the profile arrives: then the sales have no profile, and the months in
which the customer bought are made again when it does.
"""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per online customer with a profile.",
    key=("customer_id",),
    columns=(
        Column("customer_id", Type.STRING, "The customer, as sales name it."),
        Column("age_group", Type.STRING, "The age group, such as 25-34, trimmed.", nullable=True),
        Column("membership_tier", Type.STRING, "The tier, such as Gold, trimmed.", nullable=True),
        Column("signup_date", Type.DATE, "The day of signing up.", nullable=True),
        Column("name", Type.STRING, "The customer's name.", nullable=True, personal=True),
        Column("email", Type.STRING, "The customer's address.", nullable=True, personal=True),
        Column("country", Type.STRING, "The customer's country, trimmed.", nullable=True),
    ),
)


def dim_online_customers(online_customers: DataFrame) -> DataFrame:
    """Profiles, cleaned: what is blank is not known."""
    trimmed = {name: _known(name) for name in ("age_group", "membership_tier", "country")}
    return online_customers.withColumns(trimmed).select(*CONTRACT.names)


def _known(name: str) -> Expression:
    return F.expr(f"nullif(trim({name}), '')")
