"""A private MariaDB server for the tests that need one: own data, port and socket, gone at the end."""

import getpass
import itertools
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from salespipe_dagster_tests.support import require

DUMP = Path(__file__).parents[3] / "shared" / "data" / "classicmodels.sql"
PASSWORD = "p@ss:w/rd%#"  # what a URL would trip over
READY_WITHIN = 60.0
FAST = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=64M",
)
# 127.0.0.2 is this machine too, but no name of it that salespipe knows: it stands for a host elsewhere.
ADDRESSES = "127.0.0.1,127.0.0.2"


@pytest.fixture(scope="session")
def mariadb_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that was never started, to be copied."""
    require(shutil.which("mariadbd"), "there is no mariadbd: apt-get install --no-install-recommends mariadb-server")
    data = tmp_path_factory.mktemp("mariadb") / "data"
    command = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}"]
    normal = ["--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=16M"]
    subprocess.run([*command, *normal], check=True, capture_output=True)
    return data


@pytest.fixture(scope="session")
def mariadb(mariadb_data: Path) -> Iterator[str]:
    """A running server that offers no TLS: its URL, without a database."""
    with server(mariadb_data) as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_tls(mariadb_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server with a certificate for `localhost` alone: its URL, and the certificate of its CA."""
    require(shutil.which("openssl"), "there is no openssl")
    folder = tmp_path_factory.mktemp("a CA")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"]
    for arguments in (
        ["req", "-x509", *key, "ca.key", "-out", "ca.pem", "-subj", "/CN=test CA", "-days", "9"],
        ["req", *key, "server.key", "-out", "server.csr", "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", "server.csr", "-out", "server.pem", "-days", "9", *signing],
    ):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    files = [f"--ssl-{what}={folder / name}" for what, name in (("cert", "server.pem"), ("key", "server.key"))]
    with server(mariadb_data, *files) as url:
        yield url, folder / "ca.pem"


@pytest.fixture(scope="session")
def empty_database(mariadb: str) -> Callable[[], str]:
    """Makes a database of its own at each call, and returns its URL."""
    numbers = itertools.count(1)

    def make() -> str:
        return create_database(mariadb, f"empty_{next(numbers)}")

    return make


@pytest.fixture(scope="session")
def load_classicmodels(mariadb: str) -> Callable[[], str]:
    """Makes a database with the classicmodels dump at each call, and returns its URL."""
    require(DUMP.exists(), f"{DUMP} is not there")
    dump = DUMP.read_text(encoding="utf-8")
    numbers = itertools.count(1)

    def load() -> str:
        name = f"classicmodels_{next(numbers)}"
        url = sa.make_url(mariadb).set(database=name)
        to_server = [f"--host={url.host}", f"--port={url.port}", f"--user={url.username}", f"--password={url.password}"]
        statements = dump.replace("`classicmodels`", f"`{name}`")
        subprocess.run(["mariadb", "--no-defaults", *to_server], input=statements.encode(), check=True)
        return url.render_as_string(hide_password=False)

    return load


@pytest.fixture(scope="session")
def classicmodels(load_classicmodels: Callable[[], str]) -> str:
    """The classicmodels database as its dump makes it; to be read, not changed."""
    return load_classicmodels()


@pytest.fixture
def classicmodels_copy(load_classicmodels: Callable[[], str]) -> str:
    """A classicmodels database of the test's own, to be changed."""
    return load_classicmodels()


def create_database(server: str, name: str) -> str:
    """An empty database, latin1 as the server's default; its URL."""
    with sa.create_engine(server, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def server(data: Path, *options: str) -> Generator[str]:
    """A server on a copy of the data folder, and the URL of a user who may do everything."""
    with tempfile.TemporaryDirectory(prefix="salespipe-") as folder:  # a socket's path must be short
        shutil.copytree(data, f"{folder}/data")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        here = [f"--datadir={folder}/data", f"--socket={folder}/socket", f"--port={port}", f"--tmpdir={folder}"]
        common = [f"--bind-address={ADDRESSES}", f"--user={getpass.getuser()}", "--skip-name-resolve", *FAST]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(["mariadbd", "--no-defaults", *here, *common, *options], stdout=log, stderr=log)
        try:
            await_ready(Path(folder, "socket"), process, Path(folder, "log"))
            socket_url = sa.URL.create("mysql+pymysql", "root", query={"unix_socket": f"{folder}/socket"})
            with sa.create_engine(socket_url, poolclass=sa.NullPool).connect() as connection:
                connection.exec_driver_sql("CREATE USER shop@'127.0.0.%%' IDENTIFIED BY %s", (PASSWORD,))
                connection.exec_driver_sql("GRANT ALL ON *.* TO shop@'127.0.0.%%' WITH GRANT OPTION", ())
            url = sa.URL.create("mysql+pymysql", "shop", PASSWORD, "127.0.0.1", port)
            yield url.render_as_string(hide_password=False)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
            process.kill()
            process.wait()


def await_ready(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Knock at the server's socket until it opens, or the server is gone, or time is up."""
    end = time.monotonic() + READY_WITHIN
    while process.poll() is None and time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(str(path)) == 0:
                return
        threading.Event().wait(0.05)
    pytest.fail(f"MariaDB did not start: {log.read_text()[-2000:]}")
