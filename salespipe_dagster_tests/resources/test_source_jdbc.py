"""How Spark is told to read the source: where, as whom, how verified, cut by what. Nothing here starts a JVM."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from salespipe_dagster.resources import source_queries as queries
from salespipe_dagster.resources.source_jdbc import MOST_PARTITIONS, ROWS, partition_options, read_options
from salespipe_dagster.resources.source_jdbc_connection import connection_options, trust_store
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import sources, tables

SECRET = "p@ss:w/rd%#"
ORDERS, LINES, OFFICES = tables()["orders"], tables()["order_details"], tables()["offices"]


def options(folder: Path, host: str = "db.example", **query: str) -> dict[str, str]:
    return connection_options(sa.URL.create("mysql+pymysql", "reader", SECRET, host, None, "my shop", query), folder)


def test_url_names_the_place_and_no_secret(tmp_path: Path) -> None:
    found = options(tmp_path)
    assert found["url"] == "jdbc:mysql://db.example:3306/my%20shop"
    assert (found["user"], found["password"]) == ("reader", SECRET)
    assert [name for name, value in found.items() if SECRET in value] == ["password"]
    assert options(tmp_path, "::1")["url"] == "jdbc:mysql://[::1]:3306/my%20shop"


def test_scheme_is_mysql_s_whatever_the_server(tmp_path: Path) -> None:
    """By MariaDB's own, Spark's quoted names are literals, and each row holds the columns' names."""
    found = connection_options(sa.make_url("mysql+pymysql://u@localhost/shop"), tmp_path)
    assert found["url"].startswith("jdbc:mysql://")
    assert found["driver"] == "com.mysql.cj.jdbc.Driver"


def test_host_elsewhere_is_verified_against_what_the_system_trusts(tmp_path: Path) -> None:
    """VERIFY_CA takes a certificate for any host; a key that anybody hands out is not asked for."""
    found = options(tmp_path)
    assert found["sslMode"] == "VERIFY_IDENTITY"
    assert not {"trustCertificateKeyStoreUrl", "allowPublicKeyRetrieval"} & set(found)


@pytest.mark.parametrize(("host", "query"), [("127.0.0.1", {}), ("db.example", {"ssl_disabled": "true"})])
def test_plain_text_is_for_this_machine_and_for_who_asks_for_it(
    tmp_path: Path, host: str, query: dict[str, str]
) -> None:
    assert options(tmp_path, host, **query)["sslMode"] == "DISABLED"


def test_authority_that_is_none_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(SalespipeError, match=r"The CA .*\n.*next: correct ssl_ca in SALESPIPE_SOURCE_URL"):
            options(tmp_path, ssl_ca=str(tmp_path / name))


def test_trust_store_is_made_once_a_run(tmp_path: Path) -> None:
    """Two steps scan; keytool refuses a name that it has."""
    (tmp_path / "authority.p12").touch()
    assert trust_store(tmp_path / "ca.pem", tmp_path) == tmp_path / "authority.p12"


def test_each_table_is_cut_by_an_integer_of_its_key_where_it_has_one() -> None:
    assert {table.name: queries.integer_key(table) for table in sources()} == {
        "customers": "customer_number",
        "employees": "employee_number",
        "offices": "",
        "order_details": "order_number",
        "orders": "order_number",
        "payments": "customer_number",
        "product_lines": "",
        "products": "",
    }


def test_bounds_of_lines_are_asked_of_their_orders() -> None:
    """Joined to the lines it would be a scan of the largest table before the scan."""
    asked = queries.text(queries.key_bounds(LINES, "order_number", ["2024-01", "2024-02"]), "mysql")
    assert " ".join(asked.split()) == (
        "SELECT min(orders.`orderNumber`) AS min_1, max(orders.`orderNumber`) AS max_1 FROM orders "
        "WHERE orders.`orderDate` >= '2024-01-01' AND orders.`orderDate` < '2024-03-01'"
    )


@pytest.mark.parametrize(
    ("rows", "number"), [(0, 0), (1, 0), (ROWS, 0), (ROWS + 1, 2), (10 * ROWS, 10), (10**9, MOST_PARTITIONS)]
)
def test_partitions_go_by_the_number_of_rows(rows: int, number: int) -> None:
    found = partition_options(ORDERS, rows, (100, 2_000_000))
    assert int(found.get("numPartitions", 0)) == number
    if number:
        assert (found["partitionColumn"], found["lowerBound"], found["upperBound"]) == (
            "order_number",
            "100",
            "2000001",
        )


def test_table_without_rows_or_without_an_integer_key_is_one_partition() -> None:
    assert partition_options(ORDERS, 10 * ROWS, None) == {}
    assert partition_options(OFFICES, 10 * ROWS, None) == {}


def test_statement_is_the_streams_and_texts_and_dates_are_read_as_text() -> None:
    statement = queries.text(queries.scan(ORDERS, ["2024-01"]), "mysql")
    found = read_options(ORDERS, statement)
    assert found["dbtable"] == f"({statement}) AS orders"
    assert found["customSchema"] == (
        "order_date STRING, required_date STRING, shipped_date STRING, status STRING, comments STRING"
    )
