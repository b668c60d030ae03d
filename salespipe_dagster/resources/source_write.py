"""Writing a slice of the synthetic company's tables: valid or not at all, whole or not at all."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from salespipe_dagster.resources.source_sql import column_of, mirror, own_columns
from salespipe_spark.contract import Column
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.schema import ARROW
from salespipe_spark.tables import Table

HUNDRED = pa.scalar(100, pa.decimal128(3))
ROWS_AT_ONCE = 50_000
HINT = "correct what makes the rows; nothing was written"


@dataclass(frozen=True)
class TableSlice:
    """A part of a table that is replaced as a whole: where `column` lies from `first` to before `end`.

    Attributes:
        table: of the source.
        part: the month, or the one snapshot.
        column: the contract's name of the column whose range it is; empty for the whole table.
        first: the first value that belongs to it.
        end: the first value that does not any more.
    """

    table: Table
    part: str
    column: str = ""
    first: int | date | None = None
    end: int | date | None = None

    def __str__(self) -> str:
        """As errors name it."""
        return f"{mirror(self.table).name} {self.part}"

    @property
    def condition(self) -> sa.ColumnElement[bool]:
        """Whether a row of the table is in it."""
        if not self.column:
            return sa.true()
        column = column_of(self.table, self.column)
        return (column >= self.first) & (column < self.end)


def require_valid(owned: TableSlice, rows: pa.Table) -> None:
    """Refuse rows that the slice may not hold.

    Raises:
        SalespipeError: names columns that are missing, unknown or of a wrong type, NULLs, repeated keys, and
            rows that lie outside the slice.
    """
    columns = own_columns(owned.table)
    wrong = _wrong_columns(columns, rows.schema) or _nulls(columns, rows)
    wrong = wrong or _repeated(owned.table, rows) + _outside(owned, rows)
    if wrong:
        raise SalespipeError(f"{owned} cannot be written: {'; '.join(wrong)}.", HINT)


def replace(connection: sa.Connection, owned: TableSlice, made: Iterable[pa.Table]) -> int:
    """Delete the slice and insert the rows, table by table, in the connection's transaction; returns how many.

    A key that repeats within a table of rows is named; one that repeats in another is the database's to refuse.

    Raises:
        SalespipeError: the rows are not what the slice may hold, or not every row arrived as it is.
    """
    target, names = mirror(owned.table), [column.source_name for column in own_columns(owned.table)]
    load = _load_file if _takes_files(connection) else _insert
    connection.execute(target.delete().where(owned.condition))
    written = 0
    for rows in made:
        require_valid(owned, rows)
        written += rows.num_rows
        try:
            if rows.num_rows:
                load(connection, target, rows.select(names))
        except IntegrityError as error:
            raise SalespipeError(f"{owned} cannot be written: {error.orig}.", HINT) from None
    there = connection.scalar(sa.select(sa.func.count()).select_from(target).where(owned.condition))
    if there != written:
        raise SalespipeError(f"{owned} cannot be written: of {written} rows {there} arrived.", HINT)
    return written


def is_empty(connection: sa.Connection, owned: TableSlice) -> bool:
    """Whether the slice holds no row."""
    return (
        connection.execute(sa.select(sa.literal(1)).select_from(mirror(owned.table)).where(owned.condition)).first()
        is None
    )


def _wrong_columns(columns: list[Column], found: pa.Schema) -> list[str]:
    expected = {column.source_name: ARROW[column.type] for column in columns}
    missing = [f"the column {name} is missing" for name in expected if name not in found.names]
    extra = [f"the column {name} is not in the contract" for name in found.names if name not in expected]
    wrong = [
        f"the column {field.name} is {field.type}, not {expected[field.name]}"
        for field in found
        if field.name in expected and field.type != expected[field.name]
    ]
    return missing + extra + wrong


def _nulls(columns: list[Column], rows: pa.Table) -> list[str]:
    counted = {c.source_name: rows[c.source_name].null_count for c in columns if not c.nullable}
    return [f"{name} is NULL in {count} rows" for name, count in counted.items() if count]


def _repeated(table: Table, rows: pa.Table) -> list[str]:
    key = [column_of(table, name).name for name in table.contract.key]
    repeated = rows.num_rows - rows.select(key).group_by(key).aggregate([]).num_rows
    return [f"the key ({', '.join(key)}) repeats in {repeated} rows"] if repeated else []


def _outside(owned: TableSlice, rows: pa.Table) -> list[str]:
    """Rows out of the slice's range; and where the table has the date itself, rows of another month."""
    if not rows.num_rows or not owned.column:
        return []
    lines: list[str] = []
    name = column_of(owned.table, owned.column).name
    bounds = pc.min_max(rows[name]).as_py()
    if not owned.first <= bounds["min"] <= bounds["max"] < owned.end:
        lines.append(f"{name} is {bounds['min']} to {bounds['max']}, not {owned.first} to before {owned.end}")
    day = owned.table.contract.month
    if day != owned.column and day in [column.name for column in own_columns(owned.table)]:
        bounds = pc.min_max(rows[column_of(owned.table, day).name]).as_py()
        if {f"{bounds['min']:%Y-%m}", f"{bounds['max']:%Y-%m}"} != {owned.part}:
            lines.append(f"{day} is {bounds['min']} to {bounds['max']}, not in {owned.part}")
    return lines


def _takes_files(connection: sa.Connection) -> bool:
    """Whether the server takes LOAD DATA LOCAL; most do not by default."""
    return connection.dialect.name == "mysql" and bool(connection.scalar(sa.text("SELECT @@GLOBAL.local_infile")))


def _insert(connection: sa.Connection, target: sa.Table, rows: pa.Table) -> None:
    """INSERT of tuples, which drivers take faster than rows by name."""
    cents = connection.dialect.name == "sqlite"
    marks = ", ".join(["?" if cents else "%s"] * rows.num_columns)
    statement = f"INSERT INTO {target.name} {_column_list(connection, rows)} VALUES ({marks})"
    for batch in rows.combine_chunks().to_batches(max_chunksize=ROWS_AT_ONCE):
        values = [_driver_values(column, cents=cents).to_pylist() for column in batch.columns]
        connection.exec_driver_sql(statement, list(zip(*values, strict=True)))


def _column_list(connection: sa.Connection, rows: pa.Table) -> str:
    return f"({', '.join(connection.dialect.identifier_preparer.quote(name) for name in rows.column_names)})"


def _driver_values(values: pa.Array, *, cents: bool) -> pa.Array:
    """Values as a driver takes them: dates as ISO text, and cents for money where the database keeps cents."""
    if pa.types.is_date(values.type):
        return values.cast(pa.string())
    if cents and pa.types.is_decimal(values.type):
        return pc.multiply(values, HUNDRED).cast(pa.int64())
    return values


def _load_file(connection: sa.Connection, target: sa.Table, rows: pa.Table) -> None:
    """LOAD DATA LOCAL: several times as fast as INSERT. It makes warnings of errors, so each warning is one."""
    with tempfile.TemporaryDirectory(prefix="salespipe-") as folder:
        file = Path(folder) / "rows.tsv"
        write_lines(file, rows)
        connection.exec_driver_sql(
            f"LOAD DATA LOCAL INFILE %s INTO TABLE {target.name} CHARACTER SET utf8mb4"
            f" FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' {_column_list(connection, rows)}",
            (str(file),),
        )
    warnings = connection.exec_driver_sql("SHOW WARNINGS").all()
    if warnings:
        said = "; ".join(str(warning[2]) for warning in warnings[:3])
        raise SalespipeError(f"{target.name} cannot be written, {len(warnings)} warnings: {said}.", HINT)


def write_lines(file: Path, rows: pa.Table) -> None:
    """A file of the rows as LOAD DATA reads it: what Arrow joins is written as it lies in memory."""
    with file.open("wb") as lines:
        for batch in rows.combine_chunks().to_batches(max_chunksize=ROWS_AT_ONCE):
            fields: list[Any] = [_field(column) for column in batch.columns]
            last = pc.call_function("binary_join_element_wise", [fields[-1], "\n", ""])
            joined = pc.call_function("binary_join_element_wise", [*fields[:-1], last, "\t"])
            lines.write(joined.buffers()[2])


def _field(values: pa.Array) -> pa.Array:
    r"""Values as LOAD DATA reads them: \N for NULL, and a backslash before what would end a field or a line."""
    text = values.cast(pa.string())
    if pa.types.is_string(values.type):
        for character, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\0", "\\0")):
            text = pc.replace_substring(text, character, escaped)
    return text.fill_null("\\N")
