"""A job on a standalone cluster whose executors are killed while it runs: `python -m … <home> <master> <how often>`.

The one who kills is a thread beside the job: it waits until tasks of the job run, so that each kill is in
mid-job. Prints how many executors it killed, and the error that the job ended with.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from salespipe_dagster.resources.engine import open_engine
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.spark_servers import executors_of
from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.lake import Lake
from salespipe_spark.tables import Table

SALES = Contract(
    grain="One row per sale.",
    key=("number",),
    month="day",
    columns=(
        Column("number", Type.BIGINT, "The sale's number."),
        Column("day", Type.DATE, "The day."),
        Column("digest", Type.STRING, "What takes long to work out."),
    ),
)
TABLE = Table("core", "sales", SALES, "Sales of a test.", "c0de")
MONTHS = ["2024-01", "2024-02", "2024-03"]
ROWS = 20_000
LINKS = 400
"""Digests of digests: each makes a row slower to make, so that a task lasts for seconds."""


def sales(session: SparkSession) -> DataFrame:
    """Sales of 90 days, in four tasks that take some seconds each."""
    number = F.col("id")
    chain = F.expr(f"aggregate(sequence(1, {LINKS}), CAST(id AS STRING), (link, n) -> sha2(link, 256))")
    day = F.date_from_unix_date((F.lit(19723) + number % F.lit(90)).cast("int"))
    return session.range(0, ROWS, 1, 4).select(number.alias("number"), day.alias("day"), chain.alias("digest"))


def kill(context: SparkContext, workers: list[int], times: int, killed: list[int], done: threading.Event) -> None:
    """Kill an executor that runs a task, so often."""
    tracker = context.statusTracker()
    while len(killed) < times and not done.wait(0.05):
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        alive = [pid for pid in executors_of(workers) if pid not in killed]
        if alive and any(stage and stage.numActiveTasks for stage in stages):
            os.kill(alive[0], signal.SIGKILL)
            killed.append(alive[0])


def publish(home: Path, master: str, workers: list[int], times: int) -> None:
    """Publish the sales, while executors are killed."""
    killed: list[int] = []
    done = threading.Event()
    with open_engine(Settings.checked(home=home, engine=master)) as engine:
        lake = Lake(home / "lake", engine)
        rows = sales(engine.session)
        killer = threading.Thread(target=kill, args=(engine.session.sparkContext, workers, times, killed, done))
        killer.start()
        try:
            with lake.staging() as folder:
                staged = lake.stage(lake.open(TABLE, MONTHS), rows, folder)
                done.set()
                assert staged.passed, staged.checks
                lake.publish(staged, "a run")
        except SalespipeError as error:
            print(error)  # noqa: T201 - the test reads it
        finally:
            done.set()
            killer.join()
            print(f"killed {len(killed)}")  # noqa: T201


if __name__ == "__main__":
    publish(Path(sys.argv[1]), sys.argv[2], [int(group) for group in sys.argv[4].split(",")], int(sys.argv[3]))
