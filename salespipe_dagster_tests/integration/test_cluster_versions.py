"""The job's code in environments that hold pyspark alone: Glue's Spark, EMR Serverless's, and our own.

Each environment is installed from the package index, as a cluster's image is by its maker.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pyspark
import pytest

from salespipe_dagster.cluster import bundle
from salespipe_dagster_tests.integration.pipeline import change, contents, run, table_rows
from salespipe_dagster_tests.support import require
from salespipe_spark.lake.audit import Measured, part_name
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.months import between
from salespipe_spark.tables import LANDED, tables

SPAN = {"start_month": "2024-01", "end_month": "2024-02"}
VERSIONS = ("3.5.6", "4.0.2", pyspark.__version__)
"""Of Glue 5.1, of EMR Serverless emr-spark-8.0, and of the session in this process."""
SCRIPT = Path(__file__).parent / "cluster_tables.py"
LOCAL = "--master local[2] --conf spark.driver.host=127.0.0.1 --conf spark.driver.bindAddress=127.0.0.1"
MADE = [table for table in tables().values() if table.transform and LANDED not in table.inputs]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose lake Sail made: two months of the company, with its dirt, and a date that Spark 3.5 is wary of."""
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    home = tmp_path_factory.mktemp("versions")
    run("--select", "not group:charts", home=home, **SPAN)
    first = "(SELECT min(orderNumber) FROM orders)"
    change(f"sqlite:///{home}/source.db", f"UPDATE orders SET shippedDate = '0001-01-01' WHERE orderNumber = {first}")
    run("--select", 'key:"staging/orders"+ and not group:charts', home=home, **SPAN)
    assert any(row["shipped_date"] == date(1, 1, 1) for row in table_rows(home, "fact_orders"))
    return home


def environment(folder: Path, version: str) -> Path:
    """A Python with this pyspark, and nothing else."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"pyspark=={version}"]
    subprocess.run(command, check=True)
    return python


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_of_spark_makes_the_rows_that_sail_made(version: str, home: Path, tmp_path: Path) -> None:
    """By the code in the zip, which imports no other package; every cell, and every figure of the audit."""
    python = environment(tmp_path / "python", version)
    archive = tmp_path / bundle.ARCHIVE
    archive.write_bytes(bundle.files()[bundle.ARCHIVE])
    words = [archive, home / "lake", "2024-01...2024-02", "2024-01-01...2025-12-31", tmp_path / "made"]
    around = {n: v for n, v in os.environ.items() if not n.startswith(("SALESPIPE_", "SPARK_", "PYTHON", "DAGSTER_"))}
    submitted = {"PYSPARK_SUBMIT_ARGS": f"{LOCAL} pyspark-shell", "PYSPARK_PYTHON": str(python)}
    command = [str(python), "-W", "ignore", str(SCRIPT), *map(str, words)]
    done = subprocess.run(command, env=around | submitted, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["spark"] == version
    assert told["imported"] == []
    _hold_rows(home, tmp_path / "made")
    _hold_figures(home, told["counted"])


def _hold_rows(home: Path, made: Path) -> None:
    expected = contents(home)
    for table in MADE:
        found: dict[str, list[Any]] = {part: [] for part in table.parts(between(*SPAN.values()))}
        for file in (made / table.name).rglob("*.parquet"):
            number = file.parent.name.partition("=")[2]
            part = part_name(table.contract, int(number) if number else None)
            with pq.ParquetFile(file) as parquet:
                found[part] += [tuple(row.values()) for row in parquet.read().to_pylist()]
        for part, rows in found.items():
            assert sorted(rows, key=repr) == expected[table.name, part], f"{table.name} {part}"


def _hold_figures(home: Path, counted: dict[str, Any]) -> None:
    catalogue = Catalogue(home / "lake")
    assert sorted(counted) == sorted(table.name for table in MADE)
    for table in MADE:
        figures = {part: r.figures for part, r in catalogue.receipts(table).items() if r.figures.rows}
        assert Measured.from_values(counted[table.name]).figures == figures, table.name


def test_this_environment_is_one_of_them() -> None:
    """What the lock installs is what the last of the versions says."""
    assert Path(sys.prefix) in Path(pyspark.__path__[0]).parents
