"""What tests share: frames from literal rows, rows held against literal rows, and literal rows in Parquet."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.testing import assertDataFrameEqual

Rows = list[tuple[Any, ...]]


def frame(spark: SparkSession, ddl: str, rows: Rows) -> DataFrame:
    """A frame of literal rows; `ddl` names and types its columns. Money is written as Decimal."""
    return spark.createDataFrame(rows, ddl)


def assert_rows(actual: DataFrame, ddl: str, rows: Rows) -> None:
    """The frame has exactly these rows, in any order, and exactly these columns and types.

    Nothing is tolerated but nullability, which engines set differently: the defaults of
    assertDataFrameEqual would let a float pass for money.
    """
    __tracebackhide__ = True
    expected = actual.sparkSession.createDataFrame(rows, ddl)
    assert _columns(actual) == _columns(expected)
    assertDataFrameEqual(actual, expected, ignoreNullable=True, checkRowOrder=False, rtol=0, atol=0)


def write_parquet(file: Path, schema: pa.Schema, rows: Rows) -> Path:
    """A Parquet file of literal rows, written without an engine."""
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), file)
    return file


def read_parquet(file: Path) -> Rows:
    """The rows of one file, in its order. Read as a file: as a dataset its folders would become columns."""
    with pq.ParquetFile(file) as parquet:
        return [tuple(row.values()) for row in parquet.read().to_pylist()]


def _columns(frame: DataFrame) -> list[tuple[str, str]]:
    return [(field.name, field.dataType.simpleString()) for field in frame.schema]
