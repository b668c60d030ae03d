"""The shop's offices as the source has them."""

from salespipe_spark.contract import Column, Contract, Source, Type

CONTRACT = Contract(
    grain="One row per office.",
    source=Source("offices"),
    key=("office_code",),
    columns=(
        Column("office_code", Type.STRING, "The office's code."),
        Column("city", Type.STRING, "City."),
        Column("phone", Type.STRING, "The office's phone number."),
        Column("address_line1", Type.STRING, "Street and number."),
        Column("address_line2", Type.STRING, "Suite, floor and the like.", nullable=True),
        Column("state", Type.STRING, "State or region, where the country has them.", nullable=True),
        Column("country", Type.STRING, "Country."),
        Column("postal_code", Type.STRING, "Postal code."),
        Column("territory", Type.STRING, "The sales territory: NA, EMEA, APAC, Japan."),
    ),
)
