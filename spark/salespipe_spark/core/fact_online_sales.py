"""Online transactions with the product's category and the customer's profile.

Both are as they are when the month is made. A profile that comes or changes later restates the months
in which its customer bought; a category restates no month until the month is run again.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per transaction.",
    key=("transaction_id",),
    month="sale_date",
    figures={"units": "sum(CAST(quantity AS BIGINT))"},
    balances=(
        ("rows", "online_sales.rows"),
        ("amount", "online_sales.total_amount"),
        ("units", "online_sales.units"),
    ),
    columns=(
        Column("transaction_id", Type.STRING, "The shop's number of the transaction."),
        Column("sold_at", Type.INSTANT, "When it was sold; midnight where the file has only a date."),
        Column("sale_date", Type.DATE, "The day it was sold, as written; the month is its month."),
        Column("customer_id", Type.STRING, "The customer who bought, in dim_online_customers where it has a profile."),
        Column("product", Type.STRING, "The product sold, in dim_online_products where the catalogue has it."),
        Column("category", Type.STRING, "The product's category; NULL where the catalogue has none.", nullable=True),
        Column("region", Type.STRING, "The region it was sold in."),
        Column("quantity", Type.INT, "Units sold."),
        Column("unit_price", Type.PRICE, "Price of one unit."),
        Column("amount", Type.MONEY, "quantity x unit_price.", of=("online_sales.total_amount",)),
        Column("age_group", Type.STRING, "The customer's age group; NULL where no profile has it.", nullable=True),
        Column("membership_tier", Type.STRING, "The customer's tier; NULL where no profile has it.", nullable=True),
    ),
)


def fact_online_sales(
    online_sales: DataFrame, dim_online_customers: DataFrame, dim_online_products: DataFrame
) -> DataFrame:
    """Transactions joined to profile and category; one without either is sold all the same."""
    profiles = dim_online_customers.select("customer_id", "age_group", "membership_tier")
    categories = dim_online_products.select("product", "category")
    return (
        online_sales.withColumn("amount", F.col("total_amount").cast("decimal(18,2)"))
        .join(profiles, on="customer_id", how="left")
        .join(categories, on="product", how="left")
        .select(*CONTRACT.names)
    )
