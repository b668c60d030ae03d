"""The shop's offices with their place, as they are today."""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.core import _places

CONTRACT = Contract(
    grain="One row per office.",
    key=("office_code",),
    columns=(
        Column("office_code", Type.STRING, "The office's code."),
        Column("phone", Type.STRING, "The office's phone number."),
        Column("city", Type.STRING, "City, trimmed."),
        Column("state", Type.STRING, "State or region, trimmed.", nullable=True),
        Column("postal_code", Type.STRING, "Postal code, trimmed."),
        Column("country", Type.STRING, "Country, trimmed."),
        Column("location_key", Type.STRING, "The office's place in dim_locations.", of=_places.PARTS),
        Column("territory", Type.STRING, "The sales territory: NA, EMEA, APAC, Japan."),
    ),
)


def dim_offices(offices: DataFrame) -> DataFrame:
    """Offices, cleaned and keyed by place."""
    return _places.cleaned(offices).withColumn("location_key", _places.location_key()).select(*CONTRACT.names)
