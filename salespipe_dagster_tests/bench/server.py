"""A private MariaDB server: own data, port and socket, gone when the block ends."""

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pymysql

READY_WITHIN = 60.0
"""Seconds."""
SETTINGS = (
    "--innodb-buffer-pool-size=1G",
    "--innodb-log-file-size=512M",
    "--innodb-flush-log-at-trx-commit=0",  # the data is made anew each time: nothing to lose
    "--innodb-doublewrite=0",
    "--character-set-server=utf8mb4",
)


class NoServer(RuntimeError):
    """The server's programs are not installed, or it did not start."""


@dataclass(frozen=True)
class Server:
    """A running server. `socket` is for the command-line client, the port for everybody else."""

    port: int
    socket: Path

    def url(self, database: str) -> str:
        """What SALESPIPE_SOURCE_URL is set to."""
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def cursor(self, database: str | None = None) -> Generator[pymysql.cursors.Cursor]:
        """A cursor of a connection of its own."""
        with (
            pymysql.connect(host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True) as link,
            link.cursor() as cursor,
        ):
            yield cursor

    def client(self, database: str) -> list[str]:
        """The command-line client, streaming rows as they come."""
        return ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--quick", "--batch", database]


@contextmanager
def private_server(folder: Path) -> Generator[Server]:
    """A server whose data lies below a folder, which must not exist yet.

    Raises:
        NoServer: it is not installed, or did not start.
    """
    if shutil.which("mariadbd") is None or shutil.which("mariadb-install-db") is None:
        raise NoServer("MariaDB is not installed; next: apt-get install --no-install-recommends mariadb-server")
    data = folder / "data"
    folder.mkdir(parents=True)
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db", f"--user={getpass.getuser()}"], check=True, capture_output=True)
    server = Server(_free_port(), Path(tempfile.mkdtemp(prefix="salespipe-")) / "s")  # a socket's path is short
    command = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={server.socket}", f"--port={server.port}"]
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--bind-address=127.0.0.1", f"--user={getpass.getuser()}", f"--tmpdir={folder}", *SETTINGS],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(server, process, log)
        yield server
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
        process.kill()
        process.wait()
        shutil.rmtree(server.socket.parent, ignore_errors=True)


def _await(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        try:
            with server.cursor():
                return
        except pymysql.OperationalError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.1)
        if process.poll() is not None:
            break
    raise NoServer(f"MariaDB did not start: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
