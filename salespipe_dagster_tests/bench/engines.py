"""The engines as the bench starts them, by one name: `sail`, or what Spark's master is to be, as `local[2]`."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from salespipe_dagster.resources.engine import _spark_session
from salespipe_spark.apache import LOCAL_MASTER, SparkEngine
from salespipe_spark.engine import Engine, SailEngine

SAIL, SPARK = "sail", LOCAL_MASTER
SCRATCH = "scratch-"
"""What the name of a folder begins with that an engine spills to."""


@contextmanager
def opened(name: str, folder: Path) -> Generator[Engine]:
    """The engine, started and asked one thing; below the folder it spills."""
    with TemporaryDirectory(dir=folder, prefix=SCRATCH) as scratch:
        place = Path(scratch)
        engine = SailEngine(place) if name == SAIL else SparkEngine(_spark_session, place, master=name)
        try:
            engine.session.sql("SELECT 1").collect()
            yield engine
        finally:
            engine.close()
