"""The `engine` resource: one session of the configured engine for each run, started at its first use."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pydantic import PrivateAttr
from pyspark.sql import SparkSession
from salespipe_spark.engine import Engine, SailEngine, SparkEngine
from salespipe_spark.lake.store import LocalStore


class EngineResource(dg.ConfigurableResource):
    """The engine of a run. Attributes: name (`sail` or `spark`), scratch (the folder it spills into)."""

    name: str
    scratch: str
    _engine: Engine | None = PrivateAttr(default=None)

    @property
    def engine(self) -> Engine:
        """The engine of the run under way."""
        if self._engine is None:
            raise RuntimeError("The engine is there only while a run is under way.")
        return self._engine

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["EngineResource"]:
        """Hold an engine for the run."""
        with self.open() as self._engine:
            yield self
        self._engine = None

    @contextmanager
    def open(self) -> Iterator[Engine]:
        """An engine, closed when the block ends; what it spilled goes with it, also if the process is killed."""
        with LocalStore(Path(self.scratch)).staging() as scratch:
            engine = SailEngine(scratch) if self.name == "sail" else SparkEngine(_spark_session, scratch)
            try:
                yield engine
            finally:
                engine.close()


def _spark_session(settings: dict[str, str]) -> SparkSession:
    return LazyPySparkResource(spark_config=settings).spark_session
