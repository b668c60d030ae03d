"""The job's command line, and the code that goes to a cluster."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from salespipe_dagster.cluster import bundle
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError
from salespipe_spark.job import ClusterEngine, Order, run
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.tables import tables

ORDER = Order(
    lake="s3://bucket/a lake",
    table="fact_orders",
    months=["2023-11", "2023-12", "2024-02"],
    target="s3://bucket/a lake/_staging/run/core/fact_orders",
    result="s3://bucket/a lake/_staging/run/core/fact_orders-result",
    inputs={"orders": ["2023-11", "2023-12", "2024-02"], "dim_customers": ["snapshot"], "dim_locations": []},
    calendar=(date(2023, 1, 1), date(2025, 12, 31)),
    size=10**12,
)


def test_command_line_says_the_whole_order() -> None:
    """The list of months travels whole, gaps and all."""
    assert Order.parse(ORDER.arguments()) == ORDER


def test_what_a_service_adds_to_the_command_line_is_ignored() -> None:
    assert Order.parse(["--JOB_NAME", "x", *ORDER.arguments(), "--dagster-pipes-context", "abc"]) == ORDER


def test_ten_years_of_months_fit_into_one_argument() -> None:
    """A service takes some ten thousand characters of one; months by themselves need eight each."""
    decades = months.between("1990-01", "2029-12")
    order = Order("s3://b", "fact_orders", decades, "s3://b/t", inputs={t: decades for t in tables()})
    assert max(map(len, order.arguments())) < 2_000
    assert Order.parse(order.arguments()) == order


@pytest.mark.parametrize("table", ["no_such_table", "orders", "online_sales"])
def test_table_that_no_job_makes_is_named(table: str) -> None:
    """None of this name, of the source, of the files that land."""
    order = Order("lake", table, ["2024-01"], "target")
    with pytest.raises(SalespipeError, match=f"No job makes the table {table}"):
        run(order, ClusterEngine(), lambda line: None)


@pytest.mark.parametrize("table", ["fact_orders", "customer_lifetimes"])
def test_months_that_nobody_names_are_asked_for(table: str) -> None:
    """Else a month, or all of them, would be made of nothing, and published as empty."""
    with pytest.raises(SalespipeError, match="which months"):
        run(Order("lake", table, [], "target"), ClusterEngine(), lambda line: None)


@pytest.mark.parametrize("text", ["2024-13", "2024-02...2024-01", "2024", "a...b"])
def test_months_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(SalespipeError):
        months.described(text)


@pytest.mark.parametrize("span", [[], ["2024-01"], ["2023-12", "2024-01", "2024-05"]])
def test_months_that_were_described_are_read_again(span: list[str]) -> None:
    assert months.described(months.describe(span)) == span


def test_same_code_is_the_same_zip() -> None:
    """It lies in the lake under its digest: a zip with the time in it would be another one each run."""
    with zipfile.ZipFile(io.BytesIO(bundle.files()[bundle.ARCHIVE])) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(archive.namelist())


def test_zip_holds_the_spark_package_and_pipes_and_no_more() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle.files()[bundle.ARCHIVE])) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"salespipe_spark", "dagster_pipes", "licenses"}
    assert {"salespipe_spark/job.py", "salespipe_spark/core/fact_orders.py", "dagster_pipes/__init__.py"} <= {*names}


def test_code_is_put_into_the_lake_once(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    code = bundle.put(store)
    before = {entry.key: entry.modified for entry in store.entries("")}
    assert bundle.put(store) == code
    assert {entry.key: entry.modified for entry in store.entries("")} == before
    assert Path(code.script).read_bytes() == bundle.MAIN
    assert zipfile.is_zipfile(code.archive)
