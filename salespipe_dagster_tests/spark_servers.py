"""Private servers of Apache Spark for tests and measurements: own ports and folders, gone when the block ends.

A Spark Connect server, and a standalone cluster of one master and some workers. pip's pyspark has the
programs, but no start scripts.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyspark

from salespipe_dagster_tests.s3_servers import free_ports

SPARK_HOME = Path(pyspark.__file__).parent
READY_WITHIN = 90.0
"""Seconds."""
DAEMON_MEMORY = {"connect": "1g"}
"""Heaps of the programs; of a master and a worker, who only keep the books, 256m."""
EXECUTOR = "CoarseGrainedExecutorBackend"
LOGGING = """
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.target = SYSTEM_ERR
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c: %m%n
"""


class NoServer(RuntimeError):
    """Java is not installed, or the server did not start."""


@dataclass(frozen=True)
class Cluster:
    """A running standalone cluster."""

    url: str
    workers: tuple[int, ...]
    """The workers' process groups; an executor is in that of its worker."""

    def executors(self) -> list[int]:
        """The processes of the executors that run now."""
        return executors_of(self.workers)


def executors_of(workers: Iterable[int]) -> list[int]:
    """The processes of the executors in the process groups of these workers."""
    return [pid for group in workers for pid in _members(group) if EXECUTOR in _command(pid)]


def installed() -> bool:
    """Whether there is a Java to run them."""
    return shutil.which("java") is not None


@contextmanager
def connect_server(*options: str) -> Generator[str]:
    """A Spark Connect server on two threads of this machine: its sc:// URL.

    Raises:
        NoServer: it did not start.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        (port,) = free_ports(1)
        settings = {
            "spark.connect.grpc.binding.port": port,
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.local.dir": folder / "local",
            "spark.sql.warehouse.dir": folder / "warehouse",
        }
        chosen = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
        server = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
        command = ["spark-submit", "--master", "local[2]", *chosen, *options, *server]
        process = stack.enter_context(_running(folder, "connect", command))
        _await(lambda: _listens(port), process, folder / "connect.log")
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def standalone_cluster(workers: int = 2, memory: str = "1g", scratch: Path | None = None) -> Generator[Cluster]:
    """A master and some workers, each of one core and so much memory; in `scratch` they spill and shuffle.

    Raises:
        NoServer: one of them did not start.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        port, page = free_ports(2)
        url = f"spark://127.0.0.1:{port}"
        here = ["--host", "127.0.0.1"]
        command = ["spark-class", "org.apache.spark.deploy.master.Master", *here]
        where = ["--port", str(port), "--webui-port", str(page)]
        master = stack.enter_context(_running(folder, "master", [*command, *where]))
        _await(lambda: _alive(page) is not None, master, folder / "master.log")
        started: list[subprocess.Popen[bytes]] = []
        size = ["--cores", "1", "--memory", memory]
        for number in range(workers):
            command = ["spark-class", "org.apache.spark.deploy.worker.Worker", *here, *size]
            where = ["--webui-port", "0", "-d", str(folder / f"work{number}"), url]
            worker = _running(folder, f"worker{number}", [*command, *where], scratch)
            started.append(stack.enter_context(worker))
        _await(lambda: _alive(page) == workers, started[-1], folder / f"worker{workers - 1}.log")
        yield Cluster(url, tuple(worker.pid for worker in started))


@contextmanager
def _folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="salespipe-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "log4j2.properties").write_text(LOGGING)
        yield folder


@contextmanager
def _running(
    folder: Path, name: str, command: list[str], scratch: Path | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """A program of Spark's in a process group of its own, which ends with the block, whatever it has started."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "SALESPIPE_"))}
    own = {
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": DAEMON_MEMORY.get(name, "256m"),
    }
    places = {"SPARK_LOCAL_DIRS": str(scratch or folder / "local"), "SPARK_CONF_DIR": str(folder)}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(SPARK_HOME / "bin" / command[0]), *command[1:]],
            cwd=folder,
            env=kept | own | places,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Ask until it is ready, or gone, or time is up."""
    end = time.monotonic() + READY_WITHIN
    while process.poll() is None and time.monotonic() < end:
        if ready():
            return
        threading.Event().wait(0.1)
    raise NoServer(f"Spark did not start: {log.read_text()[-2000:]}")


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _alive(page: int) -> int | None:
    """How many workers the master knows, None as long as it does not answer."""
    with suppress(OSError, ValueError), urllib.request.urlopen(f"http://127.0.0.1:{page}/json/", timeout=5) as answer:
        return json.load(answer)["aliveworkers"]
    return None


def _members(group: int) -> list[int]:
    """The processes of a group."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(after_name[2]) == group:
                found.append(int(folder.name))
    return found


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""
