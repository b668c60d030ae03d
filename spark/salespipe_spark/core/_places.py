"""How a place is cleaned and keyed: the same for customers and for offices."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

PARTS = ("city", "state", "postal_code", "country")


def cleaned(frame: DataFrame) -> DataFrame:
    """The frame with the four parts of its place trimmed; case is kept, NULL stays NULL."""
    return frame.withColumns({part: F.trim(F.col(part)) for part in PARTS})


def location_key() -> Column:
    """Hex SHA-256 of the four trimmed parts.

    Each part is written with its length, so that no two places give one text: NULL is not the empty
    string, and ("ab", "c") is not ("a", "bc").
    """
    texts = [
        F.coalesce(F.concat(F.length(F.col(part)).cast("string"), F.lit(":"), F.col(part)), F.lit("-"))
        for part in PARTS
    ]
    return F.sha2(F.concat(*texts), 256)
