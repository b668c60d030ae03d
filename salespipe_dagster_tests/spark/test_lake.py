"""The lake's files: what any reader finds, and what is refused of what lies staged."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from salespipe_dagster_tests.spark.published import JANUARY, object_of
from salespipe_dagster_tests.support import Rows, frame, read_parquet, write_parquet
from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.lake.staged import staged_file
from salespipe_spark.tables import Table

EVERY_TYPE = Contract(
    grain="One row per test.",
    key=("a_int",),
    month="a_date",
    columns=tuple(Column(f"a_{type.value}", type, "", nullable=type is Type.TEXT) for type in Type),
)
TYPED = Table("core", "typed", EVERY_TYPE, "A column of each type.", "c0de")


def typed(number: int) -> tuple[Any, ...]:
    return (
        *('Zoë\'s "place"', None, number, 2**40 + number, True, date(2024, 1, 31)),
        datetime(2024, 1, 31, 23, 59, 59, 123456, tzinfo=UTC),
        *(Decimal("1234.56"), Decimal("1234567890123456.78"), Decimal("0.000001")),
    )


class TestFiles:
    """What any reader finds: Athena, DuckDB, Spark, pandas, Tableau."""

    ROWS: ClassVar[dict[str, Rows]] = {
        "written by the engine": [typed(1), typed(2)],
        "merged from many": [typed(1), typed(2), typed(3)],
        "empty": [],
    }

    @pytest.fixture(params=ROWS)
    def made(self, request: pytest.FixtureRequest) -> str:
        """How the file comes to be."""
        return request.param

    @pytest.fixture
    def file(self, made: str, lake: Lake, spark: SparkSession) -> Path:
        with lake.staging() as folder:
            opening = lake.open(TYPED, [JANUARY])
            if made == "written by the engine":
                staged = lake.stage(opening, frame(spark, EVERY_TYPE.ddl, self.ROWS[made]), folder)
            else:
                for n, row in enumerate(self.ROWS[made]):
                    target = staged_file(folder, TYPED, JANUARY).with_name(f"{n}.parquet")
                    write_parquet(target, arrow_schema(EVERY_TYPE), [row])
                staged = lake.audit(opening, folder / "core" / "typed")
            assert staged.passed, staged.checks
            lake.publish(staged, "run 1")
        return object_of(lake, TYPED, JANUARY)

    def test_columns_are_those_of_the_contract_without_the_folders_names(self, file: Path) -> None:
        """Year and month, or the part, inside the file too are a duplicate column for Athena."""
        assert [(f.name, str(f.type)) for f in pq.read_schema(file)] == [
            ("a_string", "string"),
            ("a_text", "string"),
            ("a_int", "int32"),
            ("a_bigint", "int64"),
            ("a_boolean", "bool"),
            ("a_date", "date32[day]"),
            ("a_instant", "timestamp[us, tz=UTC]"),
            ("a_price", "decimal128(10, 2)"),
            ("a_money", "decimal128(18, 2)"),
            ("a_average", "decimal128(18, 6)"),
        ]

    def test_dates_and_decimals_are_stored_as_such(self, file: Path) -> None:
        parquet = pq.ParquetFile(file).schema
        stored = {c.name: c for c in (parquet.column(i) for i in range(len(parquet.names)))}
        assert str(stored["a_date"].logical_type) == "Date"
        assert str(stored["a_price"].logical_type) == "Decimal(precision=10, scale=2)"
        assert str(stored["a_money"].logical_type) == "Decimal(precision=18, scale=2)"
        assert str(stored["a_average"].logical_type) == "Decimal(precision=18, scale=6)"
        assert {str(stored[name].logical_type) for name in ("a_string", "a_text")} == {"String"}
        assert "INT96" not in {column.physical_type for column in stored.values()}

    def test_columns_are_compressed_with_zstd(self, file: Path, made: str) -> None:
        metadata = pq.read_metadata(file)
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        codecs = {group.column(i).compression for group in groups for i in range(group.num_columns)}
        assert codecs == ({"ZSTD"} if self.ROWS[made] else set())

    def test_rows_are_all_there_with_every_value_exact(self, file: Path, made: str) -> None:
        assert sorted(read_parquet(file), key=lambda row: row[2]) == self.ROWS[made]

    def test_many_staged_files_become_one_object_with_all_their_rows(self, lake: Lake) -> None:
        """A month is one object: of several, a reader could see some."""
        with lake.staging() as folder:
            opening = lake.open(TYPED, [JANUARY])
            for n in range(5):
                target = staged_file(folder, TYPED, JANUARY).with_name(f"{n}.parquet")
                write_parquet(target, arrow_schema(EVERY_TYPE), [typed(3 * n + i) for i in range(3)])
            [published] = lake.publish(lake.audit(opening, folder / "core" / "typed"), "run 1")
        file = object_of(lake, TYPED, JANUARY)
        assert list(file.parent.iterdir()) == [file]
        assert sorted(row[2] for row in read_parquet(file)) == list(range(15))
        assert published.receipt.figures.rows == 15

    def test_every_row_group_of_every_staged_file_is_merged(self, lake: Lake) -> None:
        """A file of a million rows has several: the first alone looks right in every small test."""
        rows = pa.Table.from_pylist([dict(zip(EVERY_TYPE.names, typed(n), strict=True)) for n in range(6)])
        rows = rows.cast(arrow_schema(EVERY_TYPE))
        with lake.staging() as folder:
            for n in range(2):
                target = staged_file(folder, TYPED, JANUARY).with_name(f"{n}.parquet")
                target.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(rows.slice(3 * n, 3), target, row_group_size=1)
            lake.publish(lake.audit(lake.open(TYPED, [JANUARY]), folder / "core" / "typed"), "run 1")
        assert sorted(row[2] for row in read_parquet(object_of(lake, TYPED, JANUARY))) == [0, 1, 2, 3, 4, 5]

    def test_staged_files_that_differ_in_nullability_become_one(self, lake: Lake) -> None:
        """A task whose rows have no NULL may declare its columns as required."""
        required = pa.schema([field.with_nullable(field.name == "a_text") for field in arrow_schema(EVERY_TYPE)])
        with lake.staging() as folder:
            for n, schema in enumerate((arrow_schema(EVERY_TYPE), required)):
                target = staged_file(folder, TYPED, JANUARY).with_name(f"{n}.parquet")
                write_parquet(target, schema, [typed(n)])
            lake.publish(lake.audit(lake.open(TYPED, [JANUARY]), folder / "core" / "typed"), "run 1")
        assert sorted(row[2] for row in read_parquet(object_of(lake, TYPED, JANUARY))) == [0, 1]
