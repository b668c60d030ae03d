"""A private MariaDB server for tests and measurements: own data, port and socket, gone when the block ends."""

import getpass
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pymysql
import sqlalchemy as sa

PASSWORD = "p@ss:w/rd%#"  # what a URL would trip over
READY_WITHIN = 60.0
"""Seconds."""
# 127.0.0.2 is this machine too, but no name of it that salespipe knows: it stands for a host elsewhere.
ADDRESSES = "127.0.0.1,127.0.0.2"
VOLATILE = ("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-flush-method=nosync")
"""Nothing is kept, so nothing need survive a power cut."""


class NoServer(RuntimeError):
    """The server's programs are not installed, or it did not start."""


@dataclass(frozen=True)
class Server:
    """A running server: its socket is for who sets the stage, its port for who is watched."""

    port: int
    socket: Path

    def url(self, database: str | None = None) -> str:
        """What SALESPIPE_SOURCE_URL is set to, for a user who may do everything."""
        url = sa.URL.create("mysql+pymysql", "shop", PASSWORD, "127.0.0.1", self.port, database)
        return url.render_as_string(hide_password=False)

    def client(self, *options: str) -> list[str]:
        """The command-line client as the server's owner."""
        return ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", *options]

    @contextmanager
    def cursor(self, database: str | None = None) -> Generator[pymysql.cursors.Cursor]:
        """A cursor of a connection of its own, as the server's owner."""
        with (
            pymysql.connect(unix_socket=str(self.socket), user="root", database=database, autocommit=True) as link,
            link.cursor() as cursor,
        ):
            yield cursor


def installed() -> bool:
    """Whether the server's programs are there."""
    return shutil.which("mariadbd") is not None and shutil.which("mariadb-install-db") is not None


def install(data: Path) -> Path:
    """Make a data folder, to be copied or to be used.

    Raises:
        NoServer: the programs are not there.
    """
    if not installed():
        raise NoServer("MariaDB is not installed; next: apt-get install --no-install-recommends mariadb-server")
    command = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}"]
    normal = ["--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=16M"]
    subprocess.run([*command, *normal], check=True, capture_output=True)
    return data


@contextmanager
def running(data: Path, *options: str) -> Generator[Server]:
    """A server on a copy of this data folder.

    Raises:
        NoServer: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="salespipe-") as name:  # a socket's path must be short
        folder = Path(name)
        server = Server(free_port(), folder / "socket")
        own = shutil.copytree(data, folder / "data")
        here = [f"--datadir={own}", f"--socket={server.socket}", f"--port={server.port}", f"--tmpdir={folder}"]
        common = [f"--bind-address={ADDRESSES}", f"--user={getpass.getuser()}", "--skip-name-resolve", *VOLATILE]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(["mariadbd", "--no-defaults", *here, *common, *options], stdout=log, stderr=log)
        try:
            _await_ready(server, process, folder / "log")
            with server.cursor() as cursor:
                cursor.execute("CREATE USER IF NOT EXISTS shop@'127.0.0.%%' IDENTIFIED BY %s", (PASSWORD,))
                cursor.execute("GRANT ALL ON *.* TO shop@'127.0.0.%' WITH GRANT OPTION")
            yield server
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
            process.kill()
            process.wait()


def _await_ready(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Knock at the server's socket until it opens, or the server is gone, or time is up."""
    end = time.monotonic() + READY_WITHIN
    while process.poll() is None and time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(str(server.socket)) == 0:
                return
        threading.Event().wait(0.05)
    raise NoServer(f"MariaDB did not start: {log.read_text()[-2000:]}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
