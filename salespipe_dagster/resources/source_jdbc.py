"""The scan by Spark itself, over JDBC: several ranges of a table's integer key at a time, straight into the lake.

It asks by the same statement as the streaming scan. How Connector/J connects is in `source_jdbc_connection`.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from salespipe_dagster.resources import source_queries as queries
from salespipe_dagster.resources.source_connection import place, without_password
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_jdbc_connection import connection_options
from salespipe_dagster.resources.source_sql import dating, source_of
from salespipe_spark.contract import SPARK, Column, Type
from salespipe_spark.engine import FAILURES, Engine, brief
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import Table

ROWS = 50_000
"""Rows of a table for which there is one partition, and with it one query."""
MOST_PARTITIONS = 200
ROW_BYTES = 100
"""What a row takes, packed: only so that shuffles are sized to the scan."""
TEXTS = (Type.STRING, Type.TEXT)
DECIMALS = {Type.INT: 0, Type.BIGINT: 0, Type.PRICE: 2, Type.MONEY: 2}


class JdbcScan:
    """The source's tables as frames of an Apache Spark session of this process."""

    def __init__(self, source: SourceDatabase, engine: Engine, folder: Path) -> None:
        """A scan of a run.

        Args:
            source: what is read; MySQL or MariaDB.
            engine: whose session reads it, with Connector/J among its jars.
            folder: of the run, gone when it ends; where Spark's workers are elsewhere, one that they share.
        """
        self._source = source
        self._engine = engine
        self._folder = folder

    def frame(self, table: Table, months: list[str] | None, rows: int) -> DataFrame:
        """The rows with the contract's types; each partition is one query, made when the frame is used.

        Args:
            table: of the source.
            months: an unbroken range; None for a snapshot.
            rows: how many they are; about as many will do.

        Raises:
            SalespipeError: a date is none, a column cannot be read exactly, or the server refuses Connector/J.
        """
        self._source.refuse_no_dates(table, months)
        url = self._source.url
        statement = queries.text(queries.scan(table, months), self._source.dialect)
        options = connection_options(url, self._folder) | read_options(table, statement)
        options |= partition_options(table, rows, self._source.key_bounds(table, months))
        session = self._engine.session
        session.conf.set(
            "spark.sql.readSideCharPadding", "false"
        )  # MySQL gives CHAR without the blanks, the stream too
        with self.explained():
            found = session.read.format("jdbc").options(**options).load()
        return conformed(found, table)

    @contextmanager
    def explained(self) -> Generator[None]:
        """Turn what Connector/J, or a value that does not fit, raises into an error of the source."""
        try:
            yield
        except FAILURES as error:
            raise self._explanation(error) from None
        except SalespipeError as error:  # as the engine says it of what it writes
            cause = error.__cause__
            if cause is None or not isinstance(cause, FAILURES) or not _is_of_the_source(cause):
                raise
            raise self._explanation(cause) from None

    def _explanation(self, error: BaseException) -> SalespipeError:
        chain = _chain(error)
        if misfit := re.search(r"\[USER_RAISED_EXCEPTION\] (.*? holds a value that is no .*)", _text(chain)):
            hint = "correct the value in the source, or widen the type in the contract"
            return SalespipeError(misfit[1].partition(" SQLSTATE:")[0], hint)
        where = place(self._source.url)
        hint = (
            "run again, and see that each of Spark's workers reaches the source; `salespipe doctor` tells of this one"
        )
        said = without_password(brief(chain[-1]), self._source.url).rstrip(". ")
        if "java.security.cert" in said:
            hint = "name its CA by ?ssl_ca=/path/ca.pem in SALESPIPE_SOURCE_URL: Java trusts others than Python does"
        return SalespipeError(f"{where} could not be read to the end over JDBC: {said}.", hint)


def size_of(rows: int) -> int:
    """About how many bytes so many rows take, packed."""
    return rows * ROW_BYTES


def read_options(table: Table, statement: str) -> dict[str, str]:
    """What is read: texts and dates as text, whatever the server's type.

    java.sql.Date knows neither the days that its calendar skips, such as 1582-10-10, nor midnights that a
    time zone skips.
    """
    as_text = [c.name for c in table.contract.columns if c.type in (*TEXTS, Type.DATE)]
    return {
        "dbtable": f"({statement}) AS {table.name}",
        "customSchema": ", ".join(f"{name} STRING" for name in as_text),
    }


def partition_options(table: Table, rows: int, bounds: tuple[int, int] | None) -> dict[str, str]:
    """How the table is cut: by ranges of its integer key, one for so many rows.

    The first range is open below and the last above: a row that came since the bounds were asked is in one.
    """
    number = min(MOST_PARTITIONS, -(-rows // ROWS))
    name = queries.integer_key(table)
    if number < 2 or bounds is None or not name:
        return {}
    first, last = bounds
    return {
        "partitionColumn": name,
        "lowerBound": str(first),
        "upperBound": str(last + 1),
        "numPartitions": str(number),
    }


def conformed(frame: DataFrame, table: Table) -> DataFrame:
    """The frame with the contract's types; a value that does not fit is an error, nothing is rounded or cut.

    Raises:
        SalespipeError: a column is of a type that cannot be read exactly.
    """
    columns = [_typed(column, frame.schema[column.name].dataType, table) for column in table.contract.columns]
    return frame.select(*columns)


def _typed(column: Column, found: T.DataType, table: Table) -> Expression:
    if column.type in TEXTS:
        return F.col(column.name)
    owner = dating(table) if column.name == table.contract.month else table
    name, wanted = f"{source_of(owner).table}.{column.source_name}", SPARK[column.type]
    if column.type is not Type.DATE and not _is_exact(found, DECIMALS[column.type]):
        hint = "correct the tables or SALESPIPE_SOURCE_URL; then `salespipe doctor`"
        raise SalespipeError(f"{name} is {found.simpleString()}, which is no {wanted}.", hint)
    value, cast = F.col(column.name), F.expr(f"try_cast({column.name} AS {wanted})")
    misfit = F.concat(F.lit(f"{name} holds a value that is no {wanted}: "), value.cast("string"), F.lit("."))
    return F.when(value.isNotNull() & cast.isNull(), F.raise_error(misfit)).otherwise(cast).alias(column.name)


def _is_exact(found: T.DataType, scale: int) -> bool:
    """Whether a cast to so many decimals loses none."""
    if isinstance(found, T.DecimalType):
        return found.scale <= scale
    return isinstance(found, T.IntegralType)


def _is_of_the_source(error: BaseException) -> bool:
    return any(mark in _text(_chain(error)) for mark in ("com.mysql.cj", "FAILED_JDBC", "USER_RAISED_EXCEPTION"))


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what caused it in the JVM, the root last; pyspark has no public name for that."""
    found = [error]
    while (cause := getattr(found[-1], "_cause", None)) is not None:
        found.append(cause)
    return found


def _text(chain: list[BaseException]) -> str:
    return "\n".join(map(str, chain))
