"""The shop's customers with their place and sales rep, as they are today.

Many customers share a postal code: a place is joined by `location_key`, never by postal code.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.core import _places

CONTRACT = Contract(
    grain="One row per wholesale customer.",
    key=("customer_number",),
    columns=(
        Column("customer_number", Type.INT, "The customer's number."),
        Column("customer_name", Type.STRING, "The company's name."),
        Column(
            "contact_name",
            Type.STRING,
            "The contact's first and last name.",
            personal=True,
            of=("customers.contact_first_name", "customers.contact_last_name"),
        ),
        Column("phone", Type.STRING, "The contact's phone number.", personal=True),
        Column("city", Type.STRING, "City, trimmed."),
        Column("state", Type.STRING, "State or region, trimmed.", nullable=True),
        Column("postal_code", Type.STRING, "Postal code, trimmed.", nullable=True),
        Column("country", Type.STRING, "Country, trimmed."),
        Column("location_key", Type.STRING, "The customer's place in dim_locations.", of=_places.PARTS),
        Column("credit_limit", Type.PRICE, "The most that the customer may owe.", nullable=True),
        Column(
            "sales_rep_number",
            Type.INT,
            "The employee who looks after the customer.",
            nullable=True,
            of=("customers.sales_rep_employee_number",),
        ),
        Column(
            "sales_rep_name",
            Type.STRING,
            "That employee's full name.",
            nullable=True,
            personal=True,
            of=("employees.first_name", "employees.last_name"),
        ),
    ),
)


def dim_customers(customers: DataFrame, employees: DataFrame) -> DataFrame:
    """Customers, cleaned, each with its sales rep where it has one."""
    reps = employees.select(
        F.col("employee_number").alias("sales_rep_number"),
        F.concat_ws(" ", F.trim("first_name"), F.trim("last_name")).alias("sales_rep_name"),
    )
    return (
        _places.cleaned(customers)
        .withColumnRenamed("sales_rep_employee_number", "sales_rep_number")
        .join(reps, on="sales_rep_number", how="left")
        .withColumn("contact_name", F.concat_ws(" ", F.trim("contact_first_name"), F.trim("contact_last_name")))
        .withColumn("location_key", _places.location_key())
        .select(*CONTRACT.names)
    )
