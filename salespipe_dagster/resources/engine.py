"""The `engine` resource: one session of the configured engine for each run, started at its first use."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pyspark.sql import SparkSession

from salespipe_dagster.setting_types import SERVICES
from salespipe_dagster.settings import Settings
from salespipe_spark.apache import LOCAL_MASTER, ConnectEngine, SparkEngine
from salespipe_spark.engine import Engine, SailEngine
from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.store import S3Server

CONNECTOR = "com.mysql:mysql-connector-j:9.7.0"
"""Spark's way to the source. MariaDB's own driver must not be it: under its scheme names are read as values."""


@contextmanager
def open_engine(settings: Settings) -> Generator[Engine]:
    """The configured engine, closed when the block ends; what it spilled goes with it, also if killed."""
    with LocalStore(settings.scratch).staging() as scratch:
        server = settings.s3_server if settings.lake_in_s3 else None
        engine = _engine(settings, scratch, server)
        try:
            yield engine
        finally:
            engine.close()


def _engine(settings: Settings, scratch: Path, server: S3Server | None) -> Engine:
    if settings.engine in ("sail", *SERVICES):  # beside a service it reads what this process is to look at
        return SailEngine(scratch, server)
    counter = SailEngine(scratch, server, beside=True)
    if settings.engine.startswith("sc://"):
        return ConnectEngine(settings.engine, server, counter)
    master = LOCAL_MASTER if settings.engine == "spark" else settings.engine
    packages = (CONNECTOR,) if settings.extraction == "jdbc" else ()
    return SparkEngine(
        _spark_session,
        scratch,
        master=master,
        server=server,
        packages=packages,
        jars=settings.root / "jars",
        counter=counter,
    )


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
