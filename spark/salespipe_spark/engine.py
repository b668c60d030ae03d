"""The engines: who runs a transform. A session is started at its first use and ends with its run.

`sail` is the embedded engine, a Spark Connect server inside this process, without a JVM; `spark` is
Apache Spark in a local JVM. Transforms never ask which it is; what differs in writing is here.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.store import S3Server, environment

SPARK_SETTINGS = {
    "spark.app.name": "salespipe",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",  # no .crc files
    "spark.sql.shuffle.partitions": "8",
    "spark.driver.memory": "2g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


S3A_SETTINGS = {
    # 13 MB; the bundle that hadoop-aws asks for is 690.
    "spark.jars.packages": "org.apache.hadoop:hadoop-aws:3.5.0,software.amazon.awssdk:s3:2.35.4,"
    "software.amazon.awssdk:s3-transfer-manager:2.35.4,software.amazon.awssdk:sts:2.35.4",
    "spark.jars.excludes": "software.amazon.awssdk:bundle,io.netty:*,org.slf4j:*,commons-codec:*,commons-logging:*,"
    "org.apache.httpcomponents:*,org.wildfly.openssl:*,com.google.protobuf:*",
    # S3A's buffers on the disk are of no other kind; what is written to S3 has no .crc files.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
    # S3A's own chain knows no profile, no SSO and no web identity.
    "spark.hadoop.fs.s3a.aws.credentials.provider": "software.amazon.awssdk.auth.credentials."
    "DefaultCredentialsProvider",
}

FAILURES = (PySparkException, Py4JError)
"""What the engines raise; their classes differ further, so that nobody asks which one it was."""


def s3a_settings(server: S3Server, jars: Path) -> dict[str, str]:
    """What Spark needs to read and write s3a://."""
    settings = S3A_SETTINGS | {"spark.jars.ivy": str(jars)}
    if server.region:
        settings |= {"spark.hadoop.fs.s3a.endpoint.region": server.region}
    if server.endpoint_url:
        settings |= {
            "spark.hadoop.fs.s3a.endpoint": server.endpoint_url,
            "spark.hadoop.fs.s3a.endpoint.region": server.region or "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
        }
    return settings


def brief(error: BaseException) -> str:
    """What an engine's error comes to: its root cause, without the stack of a JVM."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return causes[-1] if causes else lines[0]


class Engine(ABC):
    """One session of an engine, started at its first use."""

    name: str
    layout: ClassVar[dict[str, str]] = {"compression": "zstd"}
    """How Parquet is written, in the engine's own words."""

    def __init__(self, server: S3Server | None = None) -> None:
        """An engine that has not started.

        Args:
            server: who serves s3://, where the lake lies there.
        """
        self._session: SparkSession | None = None
        self.server = server

    @property
    def session(self) -> SparkSession:
        """The session; every step of a run shares it."""
        if self._session is None:
            if self.server:
                # Credentials go by the environment: never into a plan, a log or a list of processes.
                os.environ.update(environment(self.server))
            self._session = self._start()
        return self._session

    def close(self) -> None:
        """End the session, if one was started."""
        if self._session is not None:
            self._session.stop()
            self._session = None

    def write(self, frame: DataFrame, target: str, by: str = "") -> None:
        """Write the frame as Parquet below a fresh path or URL of S3, one folder for each value of `by`.

        Raises:
            SalespipeError: the engine failed, over the data or the disk.
        """
        writer = self._gathered(frame, by).write.options(**self.layout)
        try:
            (writer.partitionBy(by) if by else writer).parquet(self._named(target))
        except FAILURES as error:
            hint = "if the disk is full, make room; then run again"
            raise SalespipeError(f"The engine {self.name} could not write {target}: {brief(error)}", hint) from error

    def read(self, files: list[str], ddl: str) -> DataFrame:
        """The rows of exactly these files, paths or URLs of S3.

        The schema is always given: without it an engine merges or guesses. The files must exist: Sail
        reads a path that does not as no rows, and says nothing.
        """
        if not files:
            return self.session.createDataFrame([], ddl)
        return self.session.read.schema(ddl).parquet(*map(self._named, files))

    @abstractmethod
    def _start(self) -> SparkSession: ...

    def _named(self, place: str) -> str:
        """The path or URL as the engine takes it."""
        return place

    def _gathered(self, frame: DataFrame, by: str) -> DataFrame:
        """The frame laid out so that a partitioned write gives one file for each value of `by`."""
        return frame


class SailEngine(Engine):
    """The embedded engine: a Spark Connect server on a free port of this machine alone."""

    name = "sail"
    # Dictionaries cost a quarter of the time, and after zstd no file is smaller for them.
    layout: ClassVar[dict[str, str]] = {"compression": "zstd(1)", "dictionary_enabled": "false"}

    def __init__(self, scratch: Path, server: S3Server | None = None) -> None:
        super().__init__(server)
        self._scratch = scratch
        self._server: Any = None

    def close(self) -> None:
        """End the session, then the server: the other way round the session waits for minutes."""
        super().close()
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _named(self, place: str) -> str:
        # A plain path with [ or { in it is a pattern to Sail, which matches nothing; a URL is read as one.
        scheme, found, rest = place.partition("://")
        return f"{scheme}://{quote(rest)}" if found else Path(place).as_uri()

    def _start(self) -> SparkSession:
        # Sail reads its settings from the environment at its start, and nowhere else.
        self._scratch.mkdir(parents=True, exist_ok=True)
        os.environ["RUST_LOG"] = "off"
        os.environ["SAIL_RUNTIME__TEMPORARY_FILES__PATHS"] = f'["{self._scratch}"]'
        os.environ["SAIL_SPARK__SESSION_TIMEOUT_SECS"] = "86400"
        from pysail.spark import SparkConnectServer

        # The reference is kept: a server that is garbage-collected stops, and its clients hang.
        self._server = SparkConnectServer("127.0.0.1", 0)
        self._server.start(background=True)
        host, port = self._server.listening_address
        session = SparkSession.builder.remote(f"sc://{host}:{port}").create()
        # Else instants are written in the machine's own time zone, and a file is not what its contract says.
        session.conf.set("spark.sql.session.timeZone", "UTC")
        return session


class SparkEngine(Engine):
    """Apache Spark in a local JVM."""

    name = "spark"

    def __init__(
        self,
        session: Callable[[dict[str, str]], SparkSession],
        scratch: Path,
        server: S3Server | None = None,
        jars: Path | None = None,
    ) -> None:
        """An engine that has not started.

        Args:
            session: makes the session from the settings.
            scratch: where it spills.
            server: who serves s3://, where the lake lies there.
            jars: where the jars that speak S3 are kept from run to run.
        """
        super().__init__(server)
        self._make = session
        self._scratch = scratch
        self._jars = jars or scratch

    def _start(self) -> SparkSession:
        self._scratch.mkdir(parents=True, exist_ok=True)
        # Whoever used Spark Connect hands this on to what it starts, and then no session is a classic one.
        os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
        settings = {
            "spark.master": "local[*]",
            "spark.local.dir": str(self._scratch),
            "spark.sql.warehouse.dir": str(self._scratch / "warehouse"),
        }
        settings |= s3a_settings(self.server, self._jars) if self.server else {}
        try:
            session = self._make(SPARK_SETTINGS | settings)
        except Exception as error:
            hint = "install Java 17 or later and set JAVA_HOME, or use SALESPIPE_ENGINE=sail"
            if self.server:
                hint += "; for a lake in S3 it fetches its jars by Maven's coordinates, once"
            raise SalespipeError(f"Apache Spark did not start: {error}", hint) from error
        session.sparkContext.setLogLevel("ERROR")
        return session

    def _named(self, place: str) -> str:
        return f"s3a://{place.removeprefix('s3://')}" if place.startswith("s3://") else place

    def _gathered(self, frame: DataFrame, by: str) -> DataFrame:
        # Without this every task writes a file of its own for every month.
        return frame.repartition(by) if by else frame.coalesce(1)
