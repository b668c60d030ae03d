"""The whole pipeline on every kind of Spark that there is: the same company, cell by cell and digest by digest.

One run on Sail is the reference. A leg that is slow names its engine; charts, which no engine draws, are
left out.
"""

import shutil
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from salespipe_dagster_tests.integration.pipeline import contents, environment, run, salespipe, table_rows
from salespipe_dagster_tests.integration.test_parity import digests
from salespipe_dagster_tests.spark_servers import Cluster
from salespipe_dagster_tests.support import require
from salespipe_spark.tables import tables

SPAN = {"start_month": "2024-01", "end_month": "2024-04"}
EMPTY = "2024-02"
SOURCE = 'key:"source/*" or key:"files/*"'
TABLES = " or ".join(f'key:"{layer}/*"' for layer in ("landed", "staging", "core", "marts"))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a company of four months with all its dirt; in the second it had no order, and no file."""
    home = tmp_path_factory.mktemp("company")
    run("--select", SOURCE, home=home, **SPAN)
    dates = {"payments": "paymentDate", "orders": "orderDate"}
    with sqlite3.connect(home / "source.db") as database:
        lines = 'DELETE FROM orderdetails WHERE "orderNumber" IN (SELECT "orderNumber" FROM orders WHERE {})'
        gone = [f"\"{column}\" LIKE '{EMPTY}-%'" for column in dates.values()]
        statements = [lines.format(gone[1]), *(f"DELETE FROM {t} WHERE {w}" for t, w in zip(dates, gone, strict=True))]
        assert all(database.execute(statement).rowcount > 50 for statement in statements)
    shutil.rmtree(home / "files" / "sales" / EMPTY.replace("-", "/"))
    return home


def source(company: Path) -> dict[str, str]:
    """Where a leg reads the company from."""
    url, files = f"sqlite:///{company / 'source.db'}", str(company / "files")
    return {"url": url, "source_mode": "external", "files_url": files, **SPAN}


def leg(company: Path, home: Path, engine: str) -> Path:
    """A home whose lake one engine has made."""
    run("--select", TABLES, home=home, engine=engine, **source(company))
    return home


@pytest.fixture(scope="module")
def on_sail(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference: not trivial, and one month of the shop without a row."""
    home = leg(company, tmp_path_factory.mktemp("sail"), "sail")
    found = contents(home)
    assert len(found) == sum(4 if table.monthly else 1 for table in tables().values())
    rows = {part: len(found["fact_orders", part]) for part in ("2024-01", EMPTY, "2024-03", "2024-04")}
    assert rows.pop(EMPTY) == 0
    assert min(rows.values()) > 100
    channels = [row["channel"] for row in table_rows(home, "monthly_revenue") if row["month_start"] == date(2024, 2, 1)]
    assert channels == ["online"]  # what a file of March brought late
    return home


def assert_same(home: Path, reference: Path) -> None:
    __tracebackhide__ = True
    assert contents(home) == contents(reference)
    assert digests(home) == digests(reference)


def test_local_spark_differs_in_no_cell(company: Path, on_sail: Path, tmp_path: Path) -> None:
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    assert_same(leg(company, tmp_path, "spark"), on_sail)
    # Sail has counted what Spark staged; here Spark counts all of it again, and holds its figures to the receipts.
    done = salespipe("verify", home=tmp_path, engine="spark", **source(company))
    assert done.returncode == 0, done.stdout + done.stderr


def test_spark_connect_server_differs_in_no_cell(
    company: Path, on_sail: Path, spark_connect: str, tmp_path: Path
) -> None:
    assert_same(leg(company, tmp_path, spark_connect), on_sail)


REFUSED = """
from salespipe_dagster.cli import main
from salespipe_spark.apache import SQL_SETTINGS

SQL_SETTINGS["spark.sql.warehouse.dir"] = "elsewhere"
main(["run"])
"""


def test_a_session_whose_settings_the_server_refuses_ends_the_run(spark_connect: str, tmp_path: Path) -> None:
    """Where the session was left open, the process waited for ever at its end."""
    chosen = environment(tmp_path, engine=spark_connect, start_month="2024-01", end_month="2024-01")
    command = [sys.executable, "-c", REFUSED]
    done = subprocess.run(command, env=chosen, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "No session from sc://" in done.stdout + done.stderr


def test_standalone_cluster_differs_in_no_cell(
    company: Path, on_sail: Path, spark_cluster: Cluster, tmp_path: Path
) -> None:
    """Two workers: what is shuffled goes through sockets, and months are written by executors apart."""
    assert_same(leg(company, tmp_path, spark_cluster.url), on_sail)
