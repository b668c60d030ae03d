"""Parquet files and contracts: what a file must look like, an empty one, many merged into one."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from salespipe_spark.contract import Contract, Type

ARROW = {
    Type.STRING: pa.string(),
    Type.TEXT: pa.string(),
    Type.INT: pa.int32(),
    Type.BIGINT: pa.int64(),
    Type.BOOLEAN: pa.bool_(),
    Type.DATE: pa.date32(),
    Type.INSTANT: pa.timestamp("us", tz="UTC"),
    Type.PRICE: pa.decimal128(10, 2),
    Type.MONEY: pa.decimal128(18, 2),
    Type.AVERAGE: pa.decimal128(18, 6),
}
HUNDREDTH = pa.scalar(Decimal("0.01"), pa.decimal128(3, 2))


def arrow_schema(contract: Contract) -> pa.Schema:
    """The contract's columns as Arrow fields."""
    return pa.schema([pa.field(c.name, ARROW[c.type], metadata={"comment": c.description}) for c in contract.columns])


def of_cents(cents: pa.Array) -> pa.Array:
    """Integer cents as amounts, exactly."""
    return pc.call_function("multiply", [cents.cast(pa.decimal128(19)), HUNDREDTH])


def footer(file: BinaryIO) -> pq.FileMetaData:
    """The footer of a Parquet file: its columns, and the number of its rows."""
    return pq.read_metadata(file)


def deviations(footer: pq.FileMetaData, contract: Contract) -> list[str]:
    """How a file's columns differ from the contract's; nothing where they agree.

    Names, order and types are compared, as they stand in the file's footer. Nullability is not: engines
    set it differently, and the audit counts NULLs in the data.
    """
    found = [(field.name, str(field.type)) for field in footer.schema.to_arrow_schema()]
    expected = [(field.name, str(field.type)) for field in arrow_schema(contract)]
    if found == expected:
        return []
    missing = [f"{n} {t} is missing" for n, t in expected if n not in dict(found)]
    extra = [f"{n} {t} is not in the contract" for n, t in found if n not in dict(expected)]
    wrong = [f"{n} is {dict(found)[n]}, not {t}" for n, t in expected if dict(found).get(n, t) != t]
    return missing + extra + wrong or ["the columns are in another order"]


def writer_of(file: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of a file of the lake.

    Decimals as integers, as Spark writes them; dictionaries for text alone: of numbers that hardly repeat
    they are work for nothing.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=texts, store_decimal_as_integer=True)


def merged(files: Iterable[BinaryIO], contract: Contract, target: Path) -> Path:
    """One new file with the rows of all, row group by row group."""
    schema = arrow_schema(contract)
    with writer_of(target, schema) as writer:
        for file in files:
            with file, pq.ParquetFile(file) as parquet:
                for group in range(parquet.num_row_groups):
                    writer.write_table(parquet.read_row_group(group).cast(schema))
    return target
