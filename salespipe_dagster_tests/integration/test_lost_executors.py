"""Executors that are killed in mid-job: the right answer, or one clear error, and nothing half published."""

import hashlib
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

from salespipe_dagster_tests.integration import cluster
from salespipe_dagster_tests.integration.pipeline import Rows, rows_of
from salespipe_dagster_tests.spark_servers import Cluster
from salespipe_spark.lake.catalogue import Catalogue

ROOT = Path(__file__).parents[2]
EVERY_ONE = 1_000


def job(home: Path, on: Cluster, kills: int) -> list[str]:
    """What the job said: its error, if there was one, and how many executors were killed."""
    workers = ",".join(map(str, on.workers))
    command = [sys.executable, "-m", "salespipe_dagster_tests.integration.cluster", str(home), on.url, str(kills)]
    done = subprocess.run([*command, workers], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def expected() -> dict[str, Rows]:
    """The sales by month, worked out here."""
    found: dict[str, Rows] = {month: [] for month in cluster.MONTHS}
    for number in range(cluster.ROWS):
        text = str(number)
        for _ in range(cluster.LINKS):
            text = hashlib.sha256(text.encode()).hexdigest()
        day = date(2024, 1, 1) + timedelta(days=number % 90)
        found[f"{day:%Y-%m}"].append((number, day, text))
    return found


def published(home: Path) -> dict[str, Rows]:
    catalogue = Catalogue(home / "lake")
    parts = catalogue.published(cluster.TABLE)
    return {part: sorted(rows_of(catalogue, catalogue.key(cluster.TABLE, part))) for part in parts}


def test_job_that_loses_an_executor_gives_the_right_answer(spark_cluster: Cluster, tmp_path: Path) -> None:
    """Its tasks are done again, and what it had written is not published twice."""
    assert job(tmp_path, spark_cluster, kills=1) == ["killed 1"]
    assert published(tmp_path) == expected()


def test_job_that_loses_every_executor_ends_with_one_error_and_publishes_nothing(
    spark_cluster: Cluster, tmp_path: Path
) -> None:
    """Spark gives a task up after four attempts."""
    said = job(tmp_path, spark_cluster, kills=EVERY_ONE)
    assert said[0].startswith("The engine spark could not write ")
    assert "next: " in said[1]
    assert int(said[-1].removeprefix("killed ")) >= 4
    assert len(said) == 3
    assert published(tmp_path) == {}
    assert [file for file in (tmp_path / "lake").rglob("*.parquet")] == []
