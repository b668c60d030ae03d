"""The same answers everywhere: Sail and Spark, SQLite and MariaDB, cell by cell."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from salespipe_dagster_tests.integration import online
from salespipe_dagster_tests.integration.conftest import ALL_MONTHS
from salespipe_dagster_tests.integration.pipeline import contents, run, run_here
from salespipe_dagster_tests.support import require
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import tables

ROOT = Path(__file__).parents[2]
LITERAL = (
    "salespipe_dagster_tests/spark/test_online_tables.py",
    "salespipe_dagster_tests/spark/test_marts.py::TestMonthlyRevenue::"
    "test_online_channel_has_a_row_of_its_own_without_cost_and_margin",
)


def digests(home: Path) -> dict[tuple[str, str], str]:
    catalogue = Catalogue(home / "lake")
    return {
        (table.name, part): catalogue.intact(table, part).figures.digest
        for table in tables().values()
        for part in catalogue.published(table)
    }


def test_spark_and_sail_differ_in_no_cell_of_classicmodels(
    classicmodels: str, classicmodels_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each engine in a process of its own: classic Spark cannot start where Sail has been.

    What Sail's session leaves in the environment must not keep it from starting in a process after that.
    """
    monkeypatch.setenv("SPARK_CONNECT_MODE_ENABLED", "1")
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    run(home=tmp_path, url=classicmodels, engine="spark", **ALL_MONTHS)
    parts = sum(30 if table.monthly else 1 for table in tables().values())
    by_sail = contents(classicmodels_home)
    assert len(by_sail) == parts
    assert contents(tmp_path) == by_sail
    assert digests(tmp_path) == digests(classicmodels_home)


def test_spark_and_sail_differ_in_no_cell_of_the_online_channel(tmp_path: Path) -> None:
    """From rows that landed to the marts: which file counts, instants to the microsecond, NULL profiles, averages."""
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    for engine in ("sail", "spark"):
        command = [sys.executable, "-m", "salespipe_dagster_tests.integration.online", str(tmp_path / engine), engine]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    found = contents(tmp_path / "sail")
    assert len(found) == sum(3 if tables()[name].monthly else 1 for name in online.MADE)
    assert sum(len(rows) for (name, _), rows in found.items() if name == "fact_online_sales") > 500
    assert contents(tmp_path / "spark") == found
    assert digests(tmp_path / "spark") == digests(tmp_path / "sail")


def test_literal_rows_of_the_online_channel_come_out_of_spark_as_well() -> None:
    """The tests of its tables, by the engine that clusters run."""
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *LITERAL]
    environment = os.environ | {"SALESPIPE_TESTS_ENGINE": "spark"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_sqlite_and_mariadb_differ_in_no_cell_of_the_company(
    empty_database: Callable[[], str], tmp_path: Path, engine: Engine
) -> None:
    """The same company, written to each through the I/O manager and read back: unicode, NULLs, cents and all."""
    span = {"start_month": "2024-10", "end_month": "2025-01"}
    run_here(engine, home=tmp_path / "sqlite", **span)
    run_here(engine, home=tmp_path / "mariadb", url=empty_database(), source_mode="synthetic", **span)
    assert contents(tmp_path / "sqlite")
    assert contents(tmp_path / "mariadb") == contents(tmp_path / "sqlite")
