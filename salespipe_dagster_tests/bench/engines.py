"""The engines as the bench starts them, by one name: `sail`, Spark's master, or a cluster that is started for it."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from salespipe_dagster.resources.engine import _spark_session
from salespipe_dagster_tests.spark_servers import standalone_cluster
from salespipe_spark.apache import LOCAL_MASTER, SparkEngine
from salespipe_spark.engine import Engine, SailEngine

SAIL, SPARK = "sail", LOCAL_MASTER
CLUSTERS = {"1 executor": 1, "2 executors": 2}
"""Standalone clusters by how many workers they have, each with an executor of one core and EXECUTOR_MEMORY."""
EXECUTOR_MEMORY = "4g"
SCRATCH = "scratch-"
"""What the name of a folder begins with that an engine spills to."""


@contextmanager
def opened(name: str, folder: Path) -> Generator[Engine]:
    """The engine, started and asked one thing; below the folder it spills."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(dir=folder, prefix=SCRATCH)))
        master, own = name, {}
        if name in CLUSTERS:
            master = stack.enter_context(standalone_cluster(CLUSTERS[name], EXECUTOR_MEMORY, place)).url
            own = {"spark.executor.memory": EXECUTOR_MEMORY}
        spark = SparkEngine(
            lambda settings: _spark_session(settings | own),
            place,
            master=master,
            counter=SailEngine(place, beside=True),
        )
        engine = SailEngine(place) if name == SAIL else spark
        try:
            engine.session.sql("SELECT 1").collect()
            yield engine
        finally:
            engine.close()
