"""Extraction by Spark over JDBC: the stream's cells, verified TLS, and no secret where anybody may look.

One run of `salespipe run`, and one session of Spark that answers everything else: a JVM is slow to start.
"""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import sqlalchemy as sa

from salespipe_dagster.io_managers.mysql import slice_of
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster_tests.integration.mariadb import execute
from salespipe_dagster_tests.integration.pipeline import ask, contents, environment, run
from salespipe_dagster_tests.mariadb_server import PASSWORD
from salespipe_dagster_tests.support import require
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import sources

ROOT = Path(__file__).parents[2]
SPAN = {"start_month": "2003-01", "end_month": "2005-06"}
STAGING = " or ".join(f'key:"staging/{table.name}"' for table in sources())
SECRETS = [PASSWORD, quote(PASSWORD), quote_plus(PASSWORD)]
SCALES = ", ".join(f"'1:{n}'" for n in (10, 12, 18, 24, 32, 50, 72, 700))
ODD = (
    "ALTER TABLE orders CONVERT TO CHARACTER SET utf8mb4",
    "UPDATE orders SET shippedDate = '1582-10-10' WHERE orderNumber = 10100",
    "UPDATE orders SET comments = '\U0001f600 O''Hara \\\\ \"x\"\\n' WHERE orderNumber = 10100",
    "UPDATE orders SET shippedDate = '0001-01-01', comments = '' WHERE orderNumber = 10101",
    "UPDATE orders SET shippedDate = '9999-12-31', requiredDate = '1900-02-28' WHERE orderNumber = 10102",
    "UPDATE orders SET shippedDate = '2018-11-04', comments = ' 名前  ' WHERE orderNumber = 10103",
    "ALTER TABLE payments MODIFY amount DECIMAL(12,1) UNSIGNED, MODIFY checkNumber CHAR(50)",
    "ALTER TABLE products MODIFY quantityInStock BIGINT UNSIGNED, MODIFY productVendor CHAR(50)",
    f"ALTER TABLE products MODIFY productScale ENUM({SCALES})",
    "ALTER TABLE orderdetails MODIFY orderLineNumber TINYINT(1), MODIFY priceEach DECIMAL(27,2)",
    "ALTER TABLE customers MODIFY creditLimit DECIMAL(9)",
)


@dataclass
class Watched:
    """What a run left, printed and was seen doing."""

    home: Path
    printed: str
    events: Path
    commands: set[str] = field(default_factory=set[str])
    queries: list[str] = field(default_factory=list[str])


@contextmanager
def logged(server: str) -> Generator[list[str]]:
    """The statements that the server was asked in the meantime."""
    execute(server, "SET GLOBAL log_output = 'TABLE'", "TRUNCATE mysql.general_log", "SET GLOBAL general_log = 1")
    found: list[str] = []
    try:
        yield found
    finally:
        execute(server, "SET GLOBAL general_log = 0")
        asked = ask(
            server, "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Query'"
        )
        found += [str(row[0]) for row in asked]


@contextmanager
def watching_processes(seen: set[str]) -> Generator[None]:
    """Note the command line of every process that there is meanwhile."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue  # it has ended

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@pytest.fixture(scope="module")
def streamed(classicmodels: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose staging tables were streamed."""
    home = tmp_path_factory.mktemp("streamed")
    run("--select", STAGING, home=home, url=classicmodels, **SPAN)
    return home


@pytest.fixture(scope="module")
def by_spark(mariadb: str, classicmodels: str, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """The same by Spark over JDBC, watched; Spark writes its event log, and the password comes by its own variable."""
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    folder = tmp_path_factory.mktemp("by spark")
    found = Watched(folder / "home", "", folder / "events")
    found.events.mkdir()
    (folder / "conf").mkdir()
    defaults = f"spark.eventLog.enabled true\nspark.eventLog.dir {found.events.as_uri()}\n"
    (folder / "conf" / "spark-defaults.conf").write_text(defaults + "spark.eventLog.compress false\n")
    url = sa.make_url(classicmodels).set(password=None).render_as_string()
    chosen = {"engine": "local[2]", "extraction": "jdbc", "source_password": PASSWORD} | SPAN
    variables = environment(found.home, url, **chosen) | {"SPARK_CONF_DIR": str(folder / "conf")}
    command = [str(Path(sys.executable).parent / "salespipe"), "run", "--select", STAGING]
    with logged(mariadb) as found.queries, watching_processes(found.commands):
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    found.printed = done.stdout + done.stderr
    assert done.returncode == 0, found.printed
    return found


def company(url: str) -> str:
    """A database with two months of a synthetic company, quirks and all, of more lines than one partition takes."""
    made = Company(orders_per_month=7_000)
    source = SourceDatabase(sa.make_url(url))
    source.prepare_company(made)
    for table in sources():
        for part in table.parts(["2024-01", "2024-02"]):
            source.replace(slice_of(table, part), lambda there, t=table, p=part: there.batches(t.name, month_of(p)))
    return url


def month_of(part: str) -> str | None:
    return None if part == SNAPSHOT else part


@pytest.fixture(scope="module")
def answers(
    mariadb: str,
    mariadb_tls: tuple[str, Path],
    load_classicmodels: Callable[[], str],
    classicmodels: str,
    empty_database: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What one session of Spark finds in several databases, beside the stream, and what it is refused."""
    require(shutil.which("java"), "there is no java: Spark needs Java 17")
    odd, wide = load_classicmodels(), load_classicmodels()
    execute(odd, *ODD)
    execute(wide, "ALTER TABLE payments MODIFY amount DECIMAL(12,2)")
    execute(wide, "UPDATE payments SET amount = 1234567890.12 WHERE checkNumber = 'HQ336336'")
    long = empty_database()
    execute(
        long,
        "CREATE TABLE payments ENGINE=InnoDB AS SELECT seq AS customerNumber, REPEAT('x', 99) AS checkNumber,"
        " DATE '2004-01-01' AS paymentDate, 1.00 AS amount FROM seq_1_to_800000",
    )
    secure, authority = mariadb_tls
    proven = {"query": {"ssl_ca": str(authority)}, "database": "mysql"}
    home = tmp_path_factory.mktemp("a session")
    asked = {
        "home": str(home),
        "classicmodels": classicmodels,
        "odd": odd,
        "company": company(empty_database()),
        "wrong": [wide],
        "long": long,
        "tls": [
            (secure, proven | {"host": "localhost"}),
            (secure, proven | {"host": "127.0.0.1"}),
            (secure, {"host": "127.0.0.2", "database": "mysql"}),
            (mariadb, {"host": "127.0.0.2", "database": "mysql"}),
            (mariadb, {"host": "127.0.0.2", "database": "mysql", "query": {"ssl_disabled": "true"}}),
            (mariadb, {"password": "wrong", "database": "mysql"}),
            (mariadb, {"database": "no_such"}),
            (mariadb, {"port": 1, "database": "mysql"}),
        ],
    }
    questions = home / "questions.json"
    questions.write_text(json.dumps(asked), encoding="utf-8")
    command = [sys.executable, "-m", "salespipe_dagster_tests.integration.jdbc", str(questions)]
    with logged(mariadb) as queries:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads(done.stdout) | {"queries": queries, "printed": done.stderr}


def test_staging_by_spark_differs_in_no_cell_from_the_stream(streamed: Path, by_spark: Watched) -> None:
    found = contents(by_spark.home)
    assert len(found) == sum(30 if table.monthly else 1 for table in sources())
    assert found == contents(streamed)
    assert sum(len(rows) for (name, _), rows in found.items() if name == "order_details") == 2996


def test_receipts_by_spark_hold_the_streams_digests_and_fingerprints(streamed: Path, by_spark: Watched) -> None:
    ours, theirs = Catalogue(by_spark.home / "lake"), Catalogue(streamed / "lake")
    for table in sources():
        for part in theirs.published(table):
            one, other = ours.intact(table, part), theirs.intact(table, part)
            assert (one.figures, one.provenance) == (other.figures, other.provenance)
            assert one.engine == "spark"


def test_thirty_months_are_one_query_of_each_table_and_no_sum_of_money(by_spark: Watched) -> None:
    """A scan a month reads whole tables thirty times; a SUM in a JDBC subquery loses its cents."""
    asked = [query for query in by_spark.queries if ") AS " in query and "WHERE 1=0" not in query]
    read = {t.name: [q for q in asked if f") AS {t.name}" in q] for t in sources()}
    assert {name: len(queries) for name, queries in read.items()} == {table.name: 1 for table in sources()}
    assert not any("SUM(" in query.upper() for queries in read.values() for query in queries)


def test_no_secret_in_the_run_s_logs_its_records_or_spark_s_event_log(by_spark: Watched) -> None:
    files = [file for folder in (by_spark.home, by_spark.events) for file in folder.rglob("*") if file.is_file()]
    events = [file for file in files if by_spark.events in file.parents]
    assert b"JDBCRelation" in b"".join(file.read_bytes() for file in events), "the event log says nothing of the scan"
    assert any("dagster" in file.parts for file in files)
    for secret in SECRETS:
        assert secret not in by_spark.printed
        assert [file for file in files if secret.encode() in file.read_bytes()] == []


def test_no_secret_in_the_list_of_processes(by_spark: Watched) -> None:
    assert any("org.apache.spark.deploy.SparkSubmit" in command for command in by_spark.commands)
    assert not any(secret in command for command in by_spark.commands for secret in SECRETS)


def test_no_secret_in_plans_and_settings(answers: dict[str, Any]) -> None:
    assert "JDBCRelation" in answers["plan"]
    assert not any(secret in answers["plan"] + answers["printed"] for secret in SECRETS)


@pytest.mark.parametrize("of", ["classicmodels", "odd", "company", "cut"])
def test_spark_reads_what_the_stream_reads(answers: dict[str, Any], of: str) -> None:
    """Blanks, NULLs, all of Unicode, days that no calendar of Java has, widths and types that shops choose."""
    for name, found in answers[of].items():
        assert found["differing"] == "[]", name
        assert found["types"], name
        assert found["rows"], name


def test_large_tables_are_cut_by_their_integer_key(answers: dict[str, Any]) -> None:
    cut = {name: found["partitions"] for name, found in answers["cut"].items()}
    assert cut["order_details"] == 30
    assert (cut["orders"], cut["payments"], cut["customers"], cut["products"]) == (4, 3, 2, 1)
    assert {found["partitions"] for found in answers["classicmodels"].values()} == {1}
    assert answers["company"]["order_details"]["partitions"] == 2


def test_each_partition_is_one_query_of_its_own_range(answers: dict[str, Any]) -> None:
    ranges = [q for q in answers["queries"] if ") AS order_details" in q and "`order_number` >=" in q]
    assert len(ranges) == len(set(ranges)) == 29 + 1  # 30 ranges of which the first is open, and the company's second
    assert len([q for q in answers["queries"] if ") AS order_details" in q and "IS NULL" in q.upper()]) == 2


def test_amount_wider_than_the_contract_is_an_error_by_name(answers: dict[str, Any]) -> None:
    """Rounded, cut or NULL it would be a payment of another amount."""
    (said,) = answers["errors"]
    assert "payments.amount holds a value that is no decimal" in said
    assert "next: correct the value in the source" in said


def test_connections_killed_in_mid_scan_are_an_error_of_the_source(answers: dict[str, Any]) -> None:
    """A reader that takes it for the end publishes half a month."""
    assert "could not be read to the end over JDBC" in answers["killed"]


def test_server_that_proves_who_it_is_is_read_encrypted(answers: dict[str, Any]) -> None:
    assert answers["ciphers"][0].startswith("answered: 'TLS_AES")


@pytest.mark.parametrize(
    ("number", "why"),
    [
        pytest.param(1, "Server identity verification failed", id="a certificate for another host"),
        pytest.param(2, "does not chain with any of the trust anchors", id="a certificate of an unknown CA"),
        pytest.param(3, "SSL Connection required, but not provided by server", id="no TLS at all"),
    ],
)
def test_server_that_does_not_prove_who_it_is_is_refused(answers: dict[str, Any], number: int, why: str) -> None:
    """PyMySQL refuses it before; this is Connector/J, asked without it."""
    assert why in answers["ciphers"][number]
    assert "next: " in answers["ciphers"][number]


def test_plain_text_is_for_who_asks_for_it(answers: dict[str, Any]) -> None:
    assert answers["ciphers"][4] == "answered: ''"


@pytest.mark.parametrize(("number", "why"), [(5, "Access denied"), (6, "Unknown database"), (7, "Connection refused")])
def test_what_cannot_be_reached_is_an_error_of_the_source_without_a_secret(
    answers: dict[str, Any], number: int, why: str
) -> None:
    said = answers["ciphers"][number]
    assert why in said
    assert "The source database" in said
    assert "next: " in said
    assert not any(secret in said for secret in SECRETS)
