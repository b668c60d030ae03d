"""The shop's customers as the source has them, blanks around places included."""

from salespipe_spark.contract import Column, Contract, Source, Type

CONTRACT = Contract(
    grain="One row per customer.",
    source=Source("customers"),
    key=("customer_number",),
    columns=(
        Column("customer_number", Type.INT, "The customer's number."),
        Column("customer_name", Type.STRING, "The company's name."),
        Column("contact_last_name", Type.STRING, "The contact's last name.", personal=True),
        Column("contact_first_name", Type.STRING, "The contact's first name.", personal=True),
        Column("phone", Type.STRING, "The contact's phone number.", personal=True),
        Column("address_line1", Type.STRING, "Street and number.", personal=True),
        Column("address_line2", Type.STRING, "Suite, floor and the like.", nullable=True, personal=True),
        Column("city", Type.STRING, "City."),
        Column("state", Type.STRING, "State or region, where the country has them.", nullable=True),
        Column("postal_code", Type.STRING, "Postal code.", nullable=True),
        Column("country", Type.STRING, "Country."),
        Column("sales_rep_employee_number", Type.INT, "The employee who looks after the customer.", nullable=True),
        Column("credit_limit", Type.PRICE, "The most that the customer may owe.", nullable=True),
    ),
)
