"""Rows that landed from files: of each key the one of the newest file counts, whatever landed first."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from salespipe_spark.contract import Column, Type

PROVENANCE = (
    Column("landed_file", Type.STRING, "The key of the file that the row is from."),
    Column("landed_version", Type.STRING, "Which content of that file: the name of its landing receipt."),
    Column("landed_modified_at", Type.INSTANT, "When that file was written."),
    Column("is_moved", Type.BOOLEAN, "Whether only the key is here: that file has the row in another month."),
)
"""What a landed row holds beside the columns of its table."""


def newest(landed: DataFrame, key: str) -> DataFrame:
    """One row of each key, from the file that was written last; none where that file has it in another month."""
    # In a range that holds both months the row itself goes before what says that it is elsewhere.
    order = [F.col("landed_modified_at").desc(), F.col("landed_file").desc(), F.col("is_moved")]
    placed = landed.withColumn("place", F.row_number().over(Window.partitionBy(key).orderBy(*order)))
    return placed.where("place = 1 AND NOT is_moved").drop("place")
