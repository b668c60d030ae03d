"""The scan: one streaming statement, as Arrow batches of the contract. The one place that calls connectorx.

It reads SQLite too: it takes a column's type from its declaration, so that no rows, or NULL in the first
of them, make no other type; the company's tables are all declared.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from salespipe_dagster.resources.source_connection import DOCTOR, place, scanner_url, without_password
from salespipe_spark.contract import Contract, Type
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.schema import arrow_schema, of_cents

BATCH_ROWS = 65_536


def stream(url: sa.URL, statement: str) -> Iterator[pa.RecordBatch]:
    """The statement's rows as connectorx types them; the server is asked at once, and its rows are waited for later.

    Raises:
        SalespipeError: the connection broke off, or the scanner cannot read a value.
    """
    os.environ["RUST_BACKTRACE"] = "0"  # a panic is reported below, without its stack
    import connectorx

    reader: Any = _guarded(
        url,
        lambda: connectorx.read_sql(scanner_url(url), statement, return_type="arrow_stream", batch_size=BATCH_ROWS),
    )
    return iter(lambda: _guarded(url, lambda: next(reader, None)), None)


def _guarded(url: sa.URL, step: Callable[[], Any]) -> Any:
    try:
        return step()
    except BaseException as error:
        # A panic of Rust is no Exception; whatever else is none (Ctrl-C) passes.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise _broken(url, error) from None


def _broken(url: sa.URL, error: BaseException) -> SalespipeError:
    said = without_password(str(error), url).strip()
    return SalespipeError(f"{place(url)} could not be read to the end: {said}.", f"run again; {DOCTOR}")


def conformed(batch: pa.RecordBatch, contract: Contract, *, cents: bool) -> pa.RecordBatch:
    """The batch with the contract's types; `cents` says that money comes as integer cents.

    Raises:
        SalespipeError: a value does not fit its column's type; nothing is rounded or cut.
    """
    schema = arrow_schema(contract)
    arrays: list[pa.Array] = []
    for column, field in zip(contract.columns, schema, strict=True):
        values = batch.column(column.name)
        try:
            if cents and column.type in (Type.PRICE, Type.MONEY):
                values = of_cents(values)
            arrays.append(values.cast(field.type))
        except pa.ArrowInvalid as error:
            hint = "correct the value in the source, or widen the type in the contract"
            message = f"{contract.source and contract.source.table}.{column.source_name} holds a value that is no"
            raise SalespipeError(f"{message} {field.type}: {error}.", hint) from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
