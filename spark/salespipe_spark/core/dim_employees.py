"""The shop's employees with their manager and office, as they are today."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Contract, Type

CONTRACT = Contract(
    grain="One row per employee.",
    key=("employee_number",),
    columns=(
        Column("employee_number", Type.INT, "The employee's number."),
        Column(
            "full_name",
            Type.STRING,
            "First and last name.",
            personal=True,
            of=("employees.first_name", "employees.last_name"),
        ),
        Column("email", Type.STRING, "E-mail address.", personal=True),
        Column("job_title", Type.STRING, "Job title."),
        Column(
            "manager_number",
            Type.INT,
            "The employee's manager; NULL for the president.",
            nullable=True,
            of=("employees.reports_to",),
        ),
        Column(
            "manager_name", Type.STRING, "The manager's full name.", nullable=True, personal=True, of=("full_name",)
        ),
        Column("office_code", Type.STRING, "The office the employee works in."),
        Column("office_city", Type.STRING, "The office's city.", of=("dim_offices.city",)),
        Column("office_country", Type.STRING, "The office's country.", of=("dim_offices.country",)),
        Column("territory", Type.STRING, "The office's sales territory."),
    ),
)


def dim_employees(employees: DataFrame, dim_offices: DataFrame) -> DataFrame:
    """Employees, each with manager where it has one, and office; an office not found fails the audit."""
    people = employees.withColumn("full_name", F.concat_ws(" ", F.trim("first_name"), F.trim("last_name")))
    managers = people.select(F.col("employee_number").alias("manager_number"), F.col("full_name").alias("manager_name"))
    offices = dim_offices.select(
        "office_code", F.col("city").alias("office_city"), F.col("country").alias("office_country"), "territory"
    )
    return (
        people.withColumnRenamed("reports_to", "manager_number")
        .join(managers, on="manager_number", how="left")
        .join(offices, on="office_code", how="left")
        .select(*CONTRACT.names)
    )
