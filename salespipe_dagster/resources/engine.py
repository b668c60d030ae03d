"""The `engine` resource: one session of the configured engine for each run, started at its first use."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pyspark.sql import SparkSession

from salespipe_dagster.settings import Settings
from salespipe_spark.engine import Engine, SailEngine, SparkEngine
from salespipe_spark.lake.store import LocalStore


@contextmanager
def open_engine(settings: Settings) -> Generator[Engine]:
    """The configured engine, closed when the block ends; what it spilled goes with it, also if killed."""
    with LocalStore(settings.scratch).staging() as scratch:
        server = settings.s3_server if settings.lake_in_s3 else None
        if settings.engine == "sail":
            engine = SailEngine(scratch, server)
        else:
            engine = SparkEngine(_spark_session, scratch, server, settings.root / "jars")
        try:
            yield engine
        finally:
            engine.close()


def engine_resource(settings: Settings) -> dg.ResourceDefinition:
    """The engine of a run.

    A plain resource, as is `lake`: Dagster starts a nested ConfigurableResource once for each resource
    that holds it, which here would be a session for each, and their frames do not join.
    """

    @dg.resource(description=f"The engine that transforms: {settings.engine}.")
    def engine(_: dg.InitResourceContext) -> Iterator[Engine]:
        with open_engine(settings) as opened:
            yield opened

    return engine


def _spark_session(settings: dict[str, str]) -> SparkSession:
    return LazyPySparkResource(spark_config=settings).spark_session
