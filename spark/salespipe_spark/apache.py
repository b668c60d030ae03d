"""Apache Spark: in a local JVM, on a cluster by its master's URL, or behind a Spark Connect server.

The settings that decide what a query answers are the same in all three; those of a process (memory, jars,
where it spills) only where salespipe starts that process. Whatever else a cluster needs is Spark's own
configuration, in SPARK_CONF_DIR.
"""

import os
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from salespipe_spark.engine import CALL_SITES, FAILURES, Engine, brief, machine_memory
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.store import S3Server

LOCAL_MASTER = "local[*]"

SQL_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.adaptive.enabled": "true",
    # Before 4.0 a date before 1582 in a file of another writer is an error.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
"""What a query answers by: the same on every Spark, and told to a session that runs already."""

START_SETTINGS = {
    "spark.app.name": "salespipe",
    CALL_SITES: "false",  # no session can change it that runs already
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",  # no .crc files
    "spark.ui.showConsoleProgress": "false",
}

EXCLUDED_JARS = (
    "software.amazon.awssdk:bundle,io.netty:*,org.slf4j:*,commons-codec:*,commons-logging:*,"
    "org.apache.httpcomponents:*,org.wildfly.openssl:*,com.google.protobuf:*"
)
"""What fetched jars ask for and what Spark has itself, or nobody calls."""

S3A_SETTINGS = {
    "spark.jars.excludes": EXCLUDED_JARS,
    # S3A's buffers on the disk are of no other kind; what is written to S3 has no .crc files.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
    # S3A's own chain knows no profile, no SSO and no web identity.
    "spark.hadoop.fs.s3a.aws.credentials.provider": "software.amazon.awssdk.auth.credentials."
    "DefaultCredentialsProvider",
}

S3A_JARS = (
    # 13 MB; the bundle that hadoop-aws asks for is 690.
    "org.apache.hadoop:hadoop-aws:3.5.0",
    "software.amazon.awssdk:s3:2.35.4",
    "software.amazon.awssdk:s3-transfer-manager:2.35.4",
    "software.amazon.awssdk:sts:2.35.4",
)

SHUFFLED = 16 * 1024**2
"""Bytes of an input's files, packed, for which there is one partition of a shuffle."""
LEAST_PARTITIONS, MOST_PARTITIONS = 8, 4_000


def shuffle_partitions(size: int) -> int:
    """How many partitions a shuffle has of inputs of so many bytes; the engine joins those that stay small."""
    return max(LEAST_PARTITIONS, min(MOST_PARTITIONS, size // SHUFFLED))


def s3a_settings(server: S3Server) -> dict[str, str]:
    """What Spark needs to read and write s3a://, beside S3A_JARS."""
    settings = dict(S3A_SETTINGS)
    if server.region:
        settings |= {"spark.hadoop.fs.s3a.endpoint.region": server.region}
    if server.endpoint_url:
        settings |= {
            "spark.hadoop.fs.s3a.endpoint": server.endpoint_url,
            "spark.hadoop.fs.s3a.endpoint.region": server.region or "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
        }
    return settings


class ApacheEngine(Engine):
    """What Apache Spark does otherwise than others, wherever its session comes from."""

    keys_apart = True  # else it keeps all other figures for each key
    counted_at_once = sys.maxsize

    def read(self, files: list[str], ddl: str) -> DataFrame:
        """As any engine; a name that Spark would take for a pattern is the name of one file."""
        return super().read([re.sub(r"([\[\]{}*?\\])", r"\\\1", file) for file in files], ddl)

    def _named(self, place: str) -> str:
        return f"s3a://{place.removeprefix('s3://')}" if place.startswith("s3://") else place

    def _gathered(self, frame: DataFrame, by: str, size: int) -> DataFrame:
        # Shuffles are sized to the data: too few partitions do not fit into memory, too many cost a task each.
        self.session.conf.set("spark.sql.shuffle.partitions", str(shuffle_partitions(size)))
        # Without this every task writes a file of its own for every part.
        return frame.repartition(by)


class SparkEngine(ApacheEngine):
    """Apache Spark whose driver runs here: all of it in a local JVM, or the work on a cluster."""

    name = "spark"

    def __init__(
        self,
        session: Callable[[dict[str, str]], SparkSession],
        scratch: Path,
        *,
        master: str = LOCAL_MASTER,
        server: S3Server | None = None,
        packages: tuple[str, ...] = (),
        jars: Path | None = None,
        counter: Engine | None = None,
    ) -> None:
        """An engine that has not started.

        Args:
            session: makes the session from the settings.
            scratch: where it spills.
            master: Spark's own URL of the cluster, or local[n].
            server: who serves s3://, where the lake lies there.
            packages: further jars, by their Maven coordinates.
            jars: where jars are kept from run to run.
            counter: another engine that counts what this one staged.
        """
        super().__init__(server, counter)
        self._make = session
        self._scratch = scratch
        self._master = master
        self._packages = (*(S3A_JARS if server else ()), *packages)
        self._jars = jars or scratch

    @property
    def is_local(self) -> bool:
        """Whether all of it runs in the JVM that this process starts."""
        return self._master.startswith("local")

    def settings(self) -> dict[str, str]:
        """All that the session is started with. Nothing here is secret: Spark hands it on by the command line."""
        settings = SQL_SETTINGS | START_SETTINGS | {"spark.master": self._master}
        settings["spark.sql.warehouse.dir"] = str(self._scratch / "warehouse")
        if self.is_local:
            settings |= {
                "spark.local.dir": str(self._scratch),
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.ui.enabled": "false",
            }
        if self.server:
            settings |= s3a_settings(self.server)
        if self._packages:
            settings |= {"spark.jars.packages": ",".join(self._packages), "spark.jars.excludes": EXCLUDED_JARS}
            settings["spark.jars.ivy"] = str(self._jars)
        return settings

    def _start(self) -> SparkSession:
        self._scratch.mkdir(parents=True, exist_ok=True)
        # Whoever used Spark Connect hands this on to what it starts, and then no session is a classic one.
        os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
        # Spark's own default is 1 GB, also where the driver builds what a cluster's joins broadcast; of all ways to
        # say it this one gives way to a user's configuration.
        os.environ.setdefault("SPARK_DRIVER_MEMORY", f"{driver_memory()}m")
        try:
            session = self._make(self.settings())
        except Exception as error:
            hint = "install Java 17 or later and set JAVA_HOME, or use SALESPIPE_ENGINE=sail"
            if not self.is_local:
                hint = f"see that a master answers at {self._master}, and that its workers reach this machine"
            if self._packages:
                hint += "; it fetches jars by Maven's coordinates, once"
            raise SalespipeError(f"Apache Spark did not start: {brief(error)}", hint) from error
        session.sparkContext.setLogLevel("ERROR")
        return session


class ConnectEngine(ApacheEngine):
    """A Spark Connect server of one's own. Its S3, its jars and its memory are the server's configuration."""

    name = "spark-connect"

    def __init__(self, url: str, server: S3Server | None = None, counter: Engine | None = None) -> None:
        """An engine that has not connected.

        Args:
            url: sc://host:port; a token goes by SPARK_CONNECT_AUTHENTICATE_TOKEN, never in the URL.
            server: who serves s3://, where the lake lies there.
            counter: another engine that counts what this one staged.
        """
        super().__init__(server, counter)
        self._url = url

    def _start(self) -> SparkSession:
        from pyspark.sql.connect.client.retries import DefaultPolicy

        try:
            # The error says it, and what it means here.
            warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]")
            session = SparkSession.builder.remote(self._url).create()
        except FAILURES as error:
            raise self._refused(error) from error
        try:
            # Its default is to ask a server that is gone for ten minutes; this is some twenty seconds.
            session.client.set_retry_policies([DefaultPolicy(max_retries=5)])
            for name, value in SQL_SETTINGS.items():
                session.conf.set(name, value)
        except FAILURES as error:
            session.stop()  # left to the garbage collector, it may wait for ever
            raise self._refused(error) from error
        return session

    def _refused(self, error: BaseException) -> SalespipeError:
        hint = "see that a Spark Connect server answers there; SALESPIPE_ENGINE names it"
        return SalespipeError(f"No session from {self._url}: {brief(error)}", hint)


def driver_memory() -> int:
    """Megabytes for a JVM on this machine: a quarter of what it has, but two gigabytes at least."""
    return max(2048, machine_memory() // 4 // 1024**2)
