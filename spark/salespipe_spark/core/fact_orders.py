"""Order lines with their order's dates and status, the customer's place and rep, and the money.

Cost and list amount take the product's prices, and place and rep the customer's, as they are when
the month is made: a later change of price restates no month until the month is run again.
"""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per order line.",
    key=("order_number", "order_line_number"),
    month="order_date",
    figures={
        "revenue": "sum(CASE WHEN NOT is_cancelled THEN amount END)",
        "cancelled": "sum(CASE WHEN is_cancelled THEN amount END)",
        "revenue_cost": "sum(CASE WHEN NOT is_cancelled THEN cost_amount END)",
        "revenue_margin": "sum(CASE WHEN NOT is_cancelled THEN margin_amount END)",
        "units": "sum(CASE WHEN NOT is_cancelled THEN CAST(quantity AS BIGINT) END)",
    },
    balances=(("rows", "order_details.rows"), ("amount", "order_details.amount")),
    columns=(
        Column("order_number", Type.INT, "The order the line belongs to."),
        Column("order_line_number", Type.INT, "The line's place within its order, from 1."),
        Column("product_code", Type.STRING, "The product ordered, in dim_products."),
        Column("customer_number", Type.INT, "The customer who ordered, in dim_customers."),
        Column("location_key", Type.STRING, "The customer's place, in dim_locations."),
        Column("sales_rep_number", Type.INT, "The customer's sales rep, in dim_employees.", nullable=True),
        Column("order_date", Type.DATE, "The day the order was placed."),
        Column("required_date", Type.DATE, "The day the customer wants it by."),
        Column("shipped_date", Type.DATE, "The day it left; NULL while it has not.", nullable=True),
        Column("status", Type.STRING, "The order's status, trimmed."),
        Column("quantity", Type.INT, "Units ordered.", of=("order_details.quantity_ordered",)),
        Column(
            "unit_price", Type.PRICE, "Price of one unit as agreed for this line.", of=("order_details.price_each",)
        ),
        Column("amount", Type.MONEY, "quantity x unit_price.", of=("quantity", "unit_price")),
        Column(
            "cost_amount", Type.MONEY, "quantity x the product's buy price.", of=("quantity", "dim_products.buy_price")
        ),
        Column("margin_amount", Type.MONEY, "amount - cost_amount.", of=("amount", "cost_amount")),
        Column(
            "list_amount",
            Type.MONEY,
            "quantity x the product's suggested retail price.",
            of=("quantity", "dim_products.msrp"),
        ),
        Column(
            "is_cancelled",
            Type.BOOLEAN,
            "Whether the status is 'cancelled' in any case; every other counts.",
            of=("status",),
        ),
    ),
)


def fact_orders(
    order_details: DataFrame, orders: DataFrame, dim_customers: DataFrame, dim_products: DataFrame
) -> DataFrame:
    """Order lines joined to their order, customer and product; a product or customer not found fails the audit."""
    customers = dim_customers.select("customer_number", "location_key", "sales_rep_number")
    products = dim_products.select("product_code", "buy_price", "msrp")
    # What is an order's is worked out once for each order, and not for each of its lines.
    status = F.trim("status").alias("status")
    headers = (
        orders.select("order_number", "required_date", "shipped_date", status, "customer_number")
        .withColumn("is_cancelled", F.lower(F.col("status")) == F.lit("cancelled"))
        .join(customers, on="customer_number", how="left")
    )
    return (
        order_details.withColumnsRenamed({"quantity_ordered": "quantity", "price_each": "unit_price"})
        .join(headers, on="order_number", how="inner")
        .join(products, on="product_code", how="left")
        .withColumn("amount", _money("unit_price"))
        .withColumns({"cost_amount": _money("buy_price"), "list_amount": _money("msrp")})
        .withColumn("margin_amount", (F.col("amount") - F.col("cost_amount")).cast("decimal(18,2)"))
        .select(*CONTRACT.names)
    )


def _money(price: str) -> Expression:
    return (F.col("quantity") * F.col(price)).cast("decimal(18,2)")
