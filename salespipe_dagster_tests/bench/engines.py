"""The engines as the bench starts them, by one name: `sail`, or what Spark's master is to be, as `local[2]`."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import SparkSession

from salespipe_dagster.resources.engine import _spark_session
from salespipe_spark.engine import Engine, SailEngine, SparkEngine

SAIL, SPARK = "sail", "local[*]"
SCRATCH = "scratch-"
"""What the name of a folder begins with that an engine spills to."""


@contextmanager
def opened(name: str, folder: Path) -> Generator[Engine]:
    """The engine, started and asked one thing; below the folder it spills."""
    with TemporaryDirectory(dir=folder, prefix=SCRATCH) as scratch:
        engine = SailEngine(Path(scratch)) if name == SAIL else SparkEngine(partial(_session, name), Path(scratch))
        try:
            engine.session.sql("SELECT 1").collect()
            yield engine
        finally:
            engine.close()


def _session(master: str, settings: dict[str, str]) -> SparkSession:
    return _spark_session(settings | {"spark.master": master})
