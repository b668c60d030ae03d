"""What an engine does silently wrong (docs: facts measured on Sail and Spark), and that we do not step into it.

Traps of a single table are with that table's tests: decimal division and SUM of INT in test_marts.py,
NULLs in hashes in test_audit.py, joins in test_fact_orders.py.
"""

import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from salespipe_dagster_tests.support import Rows, StandInEngine, assert_rows, frame, local, read_parquet, write_parquet
from salespipe_spark import months
from salespipe_spark.contract import SNAPSHOT, Column, Contract, Type
from salespipe_spark.core.fact_orders import fact_orders
from salespipe_spark.engine import Engine, SailEngine
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake import audit
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.publish import Published
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.lake.staged import staged_file
from salespipe_spark.marts.revenue_by_customer import revenue_by_customer
from salespipe_spark.tables import Table, tables

SALES = Contract(
    grain="One row per sale.",
    key=("number",),
    month="day",
    columns=(
        Column("number", Type.INT, "The sale's number."),
        Column("day", Type.DATE, "The day."),
        Column("amount", Type.MONEY, "The amount."),
    ),
)
TABLE = Table("core", "sales", SALES, "Sales of a test.", "c0de")
MONTHS = ["2024-01", "2024-02", "2024-03"]


def publish(lake: Lake, rows: DataFrame, table: Table = TABLE, parts: list[str] = MONTHS) -> list[Published]:
    with lake.staging() as folder:
        staged = lake.stage(lake.open(table, parts), rows, folder)
        assert staged.passed, staged.checks
        return lake.publish(staged, "run 1")


def sales_of_each_day(spark: SparkSession) -> DataFrame:
    """One sale on each of the first 90 days of 2024, the nth of n cents."""
    first = date(2024, 1, 1)
    rows = [(n, first + timedelta(days=n), Decimal(n) / 100) for n in range(90)]
    return frame(spark, SALES.ddl, rows)


class CountingEngine(StandInEngine):
    """An engine that counts how often it is asked to write."""

    written = 0

    def write(self, frame: DataFrame, target: str, by: str, size: int) -> None:
        self.written += 1
        super().write(frame, target, by, size)


class TestReading:
    def test_one_object_that_is_missing_among_others_is_an_error(self, lake: Lake, spark: SparkSession) -> None:
        """Sail reads a path that does not exist as no rows, also in a list: a month would vanish from a total."""
        publish(lake, sales_of_each_day(spark))
        local(lake).path(lake.key(TABLE, "2024-02")).unlink()
        with pytest.raises(SalespipeError, match="core/sales 2024-02"):
            lake.read(TABLE, MONTHS)

    def test_months_read_together_keep_their_dates(self, lake: Lake, spark: SparkSession) -> None:
        """Read by leaf paths, partition columns are missing or NULL: the month is a column of the data."""
        publish(lake, sales_of_each_day(spark))
        counted = audit.cut(lake.read(TABLE, MONTHS), SALES).groupBy(audit.PART).agg(F.count("*").alias("rows"))
        expected = [(months.index(month), days) for month, days in zip(MONTHS, (31, 29, 30), strict=True)]
        assert_rows(counted, f"{audit.PART} int, rows bigint", expected)

    def test_no_files_are_read_as_no_rows_of_the_full_schema(self, engine: Engine) -> None:
        """A table of which nothing is published yet, or only empty months were staged."""
        assert_rows(engine.read([], SALES.ddl), SALES.ddl, [])

    def test_files_of_other_schemas_do_not_add_their_columns(self, engine: Engine, tmp_path: Path) -> None:
        """Without a schema Sail merges those of all files, and Spark takes that of any."""
        schema = arrow_schema(SALES)
        file = write_parquet(tmp_path / "0.parquet", schema, [(1, date(2024, 1, 1), Decimal("1.00"))])
        wider = schema.append(schema.field("number").with_name("extra"))
        other = write_parquet(tmp_path / "1.parquet", wider, [(2, date(2024, 1, 2), Decimal("2.00"), 7)])
        expected = [(1, date(2024, 1, 1), Decimal("1.00")), (2, date(2024, 1, 2), Decimal("2.00"))]
        assert_rows(engine.read([str(file), str(other)], SALES.ddl), SALES.ddl, expected)


class TestWriting:
    def test_rows_of_many_tasks_become_one_object_a_month(self, lake: Lake, spark: SparkSession) -> None:
        """Every task writes a file of its own; coalesce before a write is dropped by Sail."""
        rows = sales_of_each_day(spark)
        publish(lake, rows.repartition(7))
        files = sorted(path for path in local(lake).root.rglob("*.parquet"))
        assert [str(file.relative_to(local(lake).root)) for file in files] == [
            "core/sales/year=2024/month=01/data.parquet",
            "core/sales/year=2024/month=02/data.parquet",
            "core/sales/year=2024/month=03/data.parquet",
        ]
        assert [len(read_parquet(file)) for file in files] == [31, 29, 30]

    def test_snapshot_of_many_tasks_becomes_one_object(self, lake: Lake, spark: SparkSession) -> None:
        table = Table("core", "all_sales", Contract("", SALES.columns, ("number",)), "A snapshot of a test.", "c0de")
        publish(lake, sales_of_each_day(spark).repartition(7), table, [SNAPSHOT])
        assert [path.name for path in (local(lake).root / "core" / "all_sales").iterdir()] == ["data.parquet"]
        assert len(read_parquet(local(lake).path("core/all_sales/data.parquet"))) == 90

    def test_large_snapshot_is_staged_as_one_file(self, lake: Lake, spark: SparkSession) -> None:
        """Sail parts what is written without folders into four files, which publishing would read and write anew."""
        table = Table("core", "all_sales", Contract("", SALES.columns, ("number",)), "A snapshot of a test.", "c0de")
        numbers = spark.range(50_000).selectExpr("CAST(id AS INT) AS number")
        rows = numbers.selectExpr("number", "DATE'2024-01-01' AS day", "CAST(1 AS DECIMAL(18,2)) AS amount")
        with lake.staging() as folder:
            staged = lake.stage(lake.open(table, [SNAPSHOT]), rows, folder)
        assert (len(staged.files), staged.figures[SNAPSHOT].rows) == (1, 50_000)

    def test_empty_frame_is_published_as_empty_months(self, lake: Lake, spark: SparkSession) -> None:
        """A frame without rows is written as no file at all."""
        published = publish(lake, frame(spark, SALES.ddl, []))
        assert [(each.receipt.part, each.receipt.figures.rows) for each in published] == [(m, 0) for m in MONTHS]
        assert lake.read(TABLE, MONTHS).count() == 0

    def test_empty_snapshot_is_published_as_one_empty_object(self, lake: Lake, spark: SparkSession) -> None:
        table = Table("core", "all_sales", Contract("", SALES.columns, ("number",)), "A snapshot of a test.", "c0de")
        publish(lake, frame(spark, SALES.ddl, []), table, [SNAPSHOT])
        assert read_parquet(local(lake).path("core/all_sales/data.parquet")) == []

    def test_range_of_months_is_written_at_once(self, tmp_path: Path, spark: SparkSession) -> None:
        """A write for each month reads the source as many times: 24 s instead of 5 for 24 months."""
        engine = CountingEngine(spark)
        publish(Lake(tmp_path / "a lake", engine), sales_of_each_day(spark))
        assert engine.written == 1

    def test_table_that_reads_itself_is_not_destroyed_by_its_own_writing(self, lake: Lake, spark: SparkSession) -> None:
        """Overwriting the path that is read deletes the rows before they are read, on Spark as well."""
        publish(lake, sales_of_each_day(spark))
        twice = (F.col("amount") + F.col("amount")).cast("decimal(18,2)")
        doubled = lake.read(TABLE, MONTHS).withColumn("amount", twice)
        published = publish(lake, doubled)
        # cents 0 to 30, 31 to 59, 60 to 89: 465, 1305 and 2235, twice
        sums = [each.receipt.figures.sums["amount"] for each in published]
        assert sums == [Decimal("9.30"), Decimal("26.10"), Decimal("44.70")]

    @pytest.mark.parametrize(
        "name", ["a lake", "50% lake", "lake #1", "lake?", "lake*", "old [2] lake", "{a,b} lake", "søen", "it's"]
    )
    def test_lake_may_lie_in_a_folder_of_any_name(self, engine: Engine, tmp_path: Path, name: str) -> None:
        """An engine takes a path for a pattern: in a folder with [brackets] it refuses to write, and finds no rows."""
        lake = Lake(tmp_path / name, engine)
        publish(lake, sales_of_each_day(engine.session))
        assert lake.read(TABLE, MONTHS).count() == 90
        assert [path.name for path in tmp_path.iterdir()] == [name]

    @pytest.mark.parametrize("name", ["a lake", "50% lake", "lake #1", "lake?", "lake*", "old [2] lake", "{a,b} lake"])
    def test_what_is_staged_without_the_engine_is_read_in_a_folder_of_any_name(
        self, engine: Engine, tmp_path: Path, name: str
    ) -> None:
        lake = Lake(tmp_path / name, engine)
        rows: Rows = [(1, date(2024, 1, 1), Decimal("1.00"))]
        with lake.staging() as folder:
            write_parquet(staged_file(folder, TABLE, "2024-01"), arrow_schema(SALES), rows)
            staged = lake.audit(lake.open(TABLE, ["2024-01"]), folder / "core" / "sales")
        assert staged.passed, staged.checks


class TestOverflow:
    """Sail wraps integers around; money that does not fit its column must never become other money."""

    DETAILS = tables()["order_details"].contract
    LINE = (1, "S10", 2_000_000_000, Decimal("99999999.99"), 1, date(2024, 1, 15))

    def inputs(self, spark: SparkSession, lines: Rows) -> list[DataFrame]:
        place: tuple[Any, ...] = ("Nantes", None, "44000", "France", "key")
        order = (1, date(2024, 1, 15), date(2024, 1, 25), None, "Shipped", None, 103)
        customer = (103, "Customer", "Carine Schmitt", "40.32.2555", *place, None, None, None)
        product = ("S10", "Harley", "Motorcycles", None, "1:10", "Min Lin", Decimal("0.01"), Decimal("0.01"), 5)
        given = {"orders": order, "dim_customers": customer, "dim_products": product}
        details = frame(spark, self.DETAILS.ddl, lines)
        return [details, *(frame(spark, tables()[name].contract.ddl, [row]) for name, row in given.items())]

    def test_amount_of_the_source_is_summed_wider_than_any_column(self, spark: SparkSession) -> None:
        """2 x 2,000,000,000 x 99,999,999.99: held against the source's own sum, it must be exact."""
        lines = frame(spark, self.DETAILS.ddl, [self.LINE, (*self.LINE[:4], 2, self.LINE[5])])
        figures = audit.figures(lines, self.DETAILS)["2024-01"]
        assert figures.sums == {"amount": Decimal("399999999960000000.00")}

    def test_units_of_the_facts_are_summed_as_bigint(self, spark: SparkSession) -> None:
        lines = [(1, "S10", 2_000_000_000, Decimal("0.01"), n, date(2024, 1, 15)) for n in (1, 2)]
        facts = fact_orders(*self.inputs(spark, lines))
        contract = tables()["fact_orders"].contract
        assert audit.figures(facts, contract)["2024-01"].sums["units"] == Decimal(4_000_000_000)

    def test_line_whose_amount_does_not_fit_stops_the_run(self, spark: SparkSession) -> None:
        """199,999,999,980,000,000.00 has 18 digits before the point, the column 16."""
        facts = fact_orders(*self.inputs(spark, [self.LINE]))
        with pytest.raises(PySparkException):
            facts.collect()

    def test_sum_that_does_not_fit_stops_the_run(self, spark: SparkSession) -> None:
        contract = tables()["fact_orders"].contract
        money = Decimal("9999999999999999.99"), Decimal("0.00"), Decimal("0.00"), Decimal("0.00")
        day = date(2024, 1, 15)
        facts = [
            (1, n, "S10", 103, "key", None, day, day, None, "Shipped", 1, Decimal("0.01"), *money, False)
            for n in (1, 2)
        ]
        made = revenue_by_customer(frame(spark, contract.ddl, facts))
        with pytest.raises(PySparkException):
            made.collect()


def test_engine_that_was_never_used_has_started_nothing(tmp_path: Path) -> None:
    """Checks that read receipts only need no engine; starting one takes seconds, and 250 MB."""
    engine = SailEngine(tmp_path / "scratch")
    engine.close()
    assert list(tmp_path.iterdir()) == []


def test_embedded_engine_beside_others_leaves_pysparks_functions_and_others_tokens_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PySpark's own builder makes them those of Spark Connect: then no column is one of classic Spark's any more."""
    monkeypatch.delenv("SPARK_CONNECT_MODE_ENABLED", raising=False)
    monkeypatch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", "for another server")  # else PySpark speaks TLS to it
    engine = SailEngine(tmp_path / "scratch", beside=True)
    try:
        rows = frame(engine.session, SALES.ddl, [(n, date(2024, n, 1), Decimal("9.50")) for n in (1, 2)])
        found = audit.figures(rows, SALES, keys_apart=engine.keys_apart)
        assert {month: figures.sums["amount"] for month, figures in found.items()} == {
            "2024-01": Decimal("9.50"),
            "2024-02": Decimal("9.50"),
        }
    finally:
        engine.close()
    assert "SPARK_CONNECT_MODE_ENABLED" not in os.environ


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says whether a process takes huge pages")
def test_embedded_engine_takes_no_huge_pages(spark: SparkSession) -> None:
    """A setting of its allocator that a newer version may name otherwise: unheard, it costs a quarter of the time."""
    assert spark.range(1).count() == 1
    assert "THP_enabled:\t0" in Path("/proc/self/status").read_text(encoding="utf-8")
