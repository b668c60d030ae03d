"""The places of customers and offices.

A place once published stays, so that no old month loses its place when a customer moves: the table
is one of its own inputs.
"""

from pyspark.sql import DataFrame

from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.core import _places

CONTRACT = Contract(
    grain="One row per distinct cleaned place.",
    key=("location_key",),
    columns=(
        Column(
            "location_key",
            Type.STRING,
            "Hex SHA-256 of the four trimmed parts, NULL distinct from empty.",
            of=_places.PARTS,
        ),
        Column("city", Type.STRING, "City."),
        Column("state", Type.STRING, "State or region, where the country has them.", nullable=True),
        Column("postal_code", Type.STRING, "Postal code.", nullable=True),
        Column("country", Type.STRING, "Country."),
    ),
)


def dim_locations(customers: DataFrame, offices: DataFrame, dim_locations: DataFrame) -> DataFrame:
    """Every place that a customer or an office has, or once had."""
    today = customers.select(*_places.PARTS).unionByName(offices.select(*_places.PARTS))
    places = _places.cleaned(today).withColumn("location_key", _places.location_key())
    return places.select(*CONTRACT.names).unionByName(dim_locations.select(*CONTRACT.names)).distinct()
