"""The shop's employees as the source has them."""

from salespipe_spark.contract import Column, Contract, Source, Type

CONTRACT = Contract(
    grain="One row per employee.",
    source=Source("employees"),
    key=("employee_number",),
    columns=(
        Column("employee_number", Type.INT, "The employee's number."),
        Column("last_name", Type.STRING, "Last name.", personal=True),
        Column("first_name", Type.STRING, "First name.", personal=True),
        Column("extension", Type.STRING, "Phone extension.", personal=True),
        Column("email", Type.STRING, "E-mail address.", personal=True),
        Column("office_code", Type.STRING, "The office the employee works in."),
        Column("reports_to", Type.INT, "The employee's manager; NULL for the president.", nullable=True),
        Column("job_title", Type.STRING, "Job title."),
    ),
)
