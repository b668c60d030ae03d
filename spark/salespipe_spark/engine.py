"""The engines: who runs a transform. A session is started at its first use and ends with its run.

Here is what all have in common, and the embedded one: Sail, a Spark Connect server inside this process,
without a JVM. Apache Spark is in `apache.py`. Transforms never ask which it is; what differs in writing
is the engine's own.
"""

import os
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.store import S3Server, environment

CALL_SITES = "spark.python.sql.dataFrameDebugging.enabled"
"""Whether each call of PySpark notes the line that it is made from: a millisecond for the measures of a mart."""

FAILURES = (PySparkException, Py4JError)
"""What the engines raise; their classes differ further, so that nobody asks which one it was."""


def brief(error: BaseException) -> str:
    """What an engine's error comes to: its root cause, without the stack of a JVM."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    if lines[0].startswith("An error occurred while calling"):  # Py4J's first line; the error is the next
        lines = [line.removeprefix(": ") for line in lines[1:]] or lines
    return causes[-1] if causes else lines[0]


def failed(engine: str, doing: str, error: BaseException) -> SalespipeError:
    """What a user is told of an engine's error: what it was about, why it failed, and the next step."""
    cause = brief(error)
    hint = "if the disk is full, make room; then run again"
    if re.search("allocate|OutOfMemory|Not enough memory|Resources exhausted|Java heap space", cause):
        hint = "run fewer months at once, or give the engine more memory"
    return SalespipeError(f"The engine {engine} could not {doing}: {cause}", hint)


class Engine(ABC):
    """One session of an engine, started at its first use."""

    name: str
    layout: ClassVar[dict[str, str]] = {"compression": "zstd"}
    """How Parquet is written, in the engine's own words."""
    keys_apart: ClassVar[bool] = False
    """Whether a query that counts keys beside other figures costs more than two."""
    counted_at_once: ClassVar[int] = 16 * 1024**2
    """Bytes of staged Parquet that one query counts, if a part is not larger: their keys are held in memory."""
    counted_for_others: ClassVar[int] = 512 * 1024**2
    """Bytes of a table staged by another engine up to which this one counts them: they pass through this machine."""

    def __init__(self, server: S3Server | None = None, counter: "Engine | None" = None) -> None:
        """An engine that has not started.

        Args:
            server: who serves s3://, where the lake lies there.
            counter: another engine that counts what this one staged, unless that is too large for it.
        """
        self._session: SparkSession | None = None
        self._counter = counter
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

    def counter_of(self, parts: list[int]) -> "Engine":
        """The engine that counts what this one staged: parts of so many bytes."""
        other = self._counter
        if other is None or max(parts, default=0) > other.counted_at_once or sum(parts) > other.counted_for_others:
            return self
        return other

    def close(self) -> None:
        """End the session, if one was started, and the counter's."""
        try:
            if self._session is not None:
                self._session.stop()
                self._session = None
        finally:
            if self._counter is not None:
                self._counter.close()

    def write(self, frame: DataFrame, target: str, by: str, size: int) -> None:
        """Write the frame as Parquet below a fresh path or URL of S3, one folder for each value of `by`.

        `size` is how many bytes the files have that the frame is made from.

        Raises:
            SalespipeError: the engine failed, over the data or the disk.
        """
        writer = self._gathered(frame, by, size).write.options(**self.layout)
        try:
            writer.partitionBy(by).parquet(self._named(target))
        except FAILURES as error:
            raise failed(self.name, f"write {target}", error) from error

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

    def _gathered(self, frame: DataFrame, by: str, size: int) -> DataFrame:
        """The frame laid out so that a write gives one file for each value of `by`; Sail does so by itself."""
        return frame


class SailEngine(Engine):
    """The embedded engine: a Spark Connect server on a free port of this machine alone."""

    name = "sail"
    # Dictionaries cost a quarter of the time, and after zstd no file is smaller for them.
    layout: ClassVar[dict[str, str]] = {"compression": "zstd(1)", "dictionary_enabled": "false"}

    def __init__(self, scratch: Path, server: S3Server | None = None, *, beside: bool = False) -> None:
        """An engine that has not started.

        Args:
            scratch: where it spills.
            server: who serves s3://, where the lake lies there.
            beside: whether another engine runs in this process, whose functions PySpark's own shall stay.
        """
        super().__init__(server)
        self._scratch = scratch
        self._beside = beside
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
        # Above this it spills, or fails with an error: without a bound it takes the machine's last memory.
        os.environ.setdefault("SAIL_RUNTIME__MEMORY_POOL__TYPE", "greedy")
        os.environ.setdefault("SAIL_RUNTIME__MEMORY_POOL__GREEDY__MAX_SIZE", str(machine_memory() // 2))
        # A hash table touches few bytes of each huge page, and the kernel clears it whole: up to a quarter of the time.
        # The library's allocator reads this when it is loaded, for the whole process.
        os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")
        from pysail.spark import SparkConnectServer
        from pyspark.sql.connect.session import SparkSession as ConnectSession

        # The reference is kept: a server that is garbage-collected stops, and its clients hang.
        self._server = SparkConnectServer("127.0.0.1", 0)
        self._server.start(background=True)
        _, port = self._server.listening_address
        # SparkSession's builder makes PySpark's functions those of Spark Connect, for all of the process.
        builder: Any = ConnectSession.builder if self._beside else SparkSession.builder
        # By this name: to any other, PySpark speaks TLS where there is a token for somebody else's server.
        session = builder.remote(f"sc://localhost:{port}").create()
        # Else instants are written in the machine's own time zone, and a file is not what its contract says.
        session.conf.set("spark.sql.session.timeZone", "UTC")
        session.conf.set(CALL_SITES, "false")
        return session


def machine_memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
