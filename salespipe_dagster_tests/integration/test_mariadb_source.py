"""The source database on a real server: what only MariaDB can show, on classicmodels.

That the answers and the I/O manager are those of SQLite is shown by `test_mariadb_answers` and
`test_mariadb_io_manager`; the company's writing is in `test_mariadb_company`, TLS in `test_mariadb_tls`.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from salespipe_dagster.resources.source_answers import Outside
from salespipe_dagster.resources.source_sql import mirror
from salespipe_dagster_tests.integration.mariadb import execute, open_source
from salespipe_dagster_tests.integration.pipeline import ask
from salespipe_spark import months as calendar
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.tables import tables

STAGED = [table for table in tables().values() if table.contract.source]
ORDERS, LINES, PAYMENTS = (tables()[name] for name in ("orders", "order_details", "payments"))
MONTHS = calendar.between("2003-01", "2005-06")


def test_fingerprints_of_classicmodels_are_the_servers_own_figures(classicmodels: str) -> None:
    """To the cent, every month, in one statement."""
    found = open_source(classicmodels).fingerprints(LINES, MONTHS)
    expected = ask(
        classicmodels,
        "SELECT DATE_FORMAT(orderDate, '%%Y-%%m'), COUNT(*), SUM(quantityOrdered * priceEach)"
        " FROM orderdetails JOIN orders USING (orderNumber) GROUP BY 1",
    )
    assert {month: (f.rows, f.amount) for month, f in found.items() if f.rows} == {m: (n, a) for m, n, a in expected}
    assert found["2005-06"].rows == 0
    paid = open_source(classicmodels).fingerprints(PAYMENTS, None)
    assert sum(f.amount or 0 for f in paid.values()) == ask(classicmodels, "SELECT SUM(amount) FROM payments")[0][0]


def test_classicmodels_is_scanned_whole(classicmodels: str) -> None:
    """Every row of every table; of all columns one, a picture, is in no contract."""
    source = open_source(classicmodels)
    source.probe()
    assert source.check_schema(STAGED) == ["productlines.image"]
    assert source.span() == ("2003-01", "2005-06")
    for table in STAGED:
        batches = list(source.scan(table, MONTHS if table.monthly else None))
        assert {batch.schema for batch in batches} == {arrow_schema(table.contract)}
        assert (
            sum(b.num_rows for b in batches) == ask(classicmodels, f"SELECT COUNT(*) FROM {mirror(table).name}")[0][0]
        )


def test_blanks_around_places_are_kept(classicmodels: str) -> None:
    """Cleaning is a step of its own; a reader that trims would hide what is to be cleaned."""
    rows = pa.Table.from_batches(open_source(classicmodels).scan(tables()["customers"], None))
    assert {"Norway  ", "Norway"} <= set(rows["country"].to_pylist())
    assert " 530-0003" in rows["postal_code"].to_pylist()


def test_what_lies_outside_the_months_of_classicmodels_is_counted(classicmodels: str) -> None:
    source = open_source(classicmodels)
    assert source.outside(LINES, "2003-01", "2005-05") == Outside(0, Decimal("0.00"))
    late = ask(classicmodels, "SELECT COUNT(*), SUM(amount) FROM payments WHERE paymentDate >= '2005-06-01'")[0]
    assert source.outside(PAYMENTS, "2003-01", "2005-05") == Outside(*late)


def test_a_status_that_changes_changes_its_month_alone(classicmodels_copy: str) -> None:
    source = open_source(classicmodels_copy)
    before = source.fingerprints(ORDERS, MONTHS)
    execute(classicmodels_copy, "UPDATE orders SET status = 'Cancelled' WHERE orderNumber = 10229")
    after = source.fingerprints(ORDERS, MONTHS)
    assert [month for month in MONTHS if after[month] != before[month]] == ["2004-03"]


def test_an_order_whose_date_moves_changes_both_its_months(classicmodels_copy: str) -> None:
    source = open_source(classicmodels_copy)
    before = source.fingerprints(LINES, MONTHS)
    execute(classicmodels_copy, "UPDATE orders SET orderDate = '2003-05-01' WHERE orderNumber = 10229")
    after = source.fingerprints(LINES, MONTHS)
    assert [month for month in MONTHS if after[month] != before[month]] == ["2003-05", "2004-03"]


def test_the_digest_does_not_depend_on_character_sets(classicmodels_copy: str) -> None:
    """CRC and SHA see bytes: the same text as Latin-1 and as UTF-8 would be two."""
    source = open_source(classicmodels_copy)
    execute(classicmodels_copy, "UPDATE products SET productName = 'Citroën' WHERE productCode = 'S10_1678'")
    before = source.fingerprints(tables()["products"], None)
    execute(classicmodels_copy, "ALTER TABLE products MODIFY productName VARCHAR(70) CHARACTER SET utf8mb4 NOT NULL")
    assert source.fingerprints(tables()["products"], None) == before


def test_zero_dates_stop_the_scan_by_name(classicmodels_copy: str) -> None:
    execute(classicmodels_copy, "UPDATE orders SET shippedDate = '0000-00-00' WHERE orderNumber IN (10100, 10101)")
    with pytest.raises(SalespipeError, match=r"orders\.shippedDate holds 2 values.*orderNumber 10100.*\n.*next:"):
        list(open_source(classicmodels_copy).scan(ORDERS, MONTHS))
    assert len(list(open_source(classicmodels_copy).scan(ORDERS, ["2004-03"]))) == 1


def test_a_connection_killed_in_mid_scan_is_an_error(classicmodels_copy: str) -> None:
    """A reader that takes it for the end publishes half a month."""
    execute(classicmodels_copy, "DROP TABLE payments")
    execute(
        classicmodels_copy,
        # The scanner reads ahead, so that a quick scan is over when the first rows are here: this one waits at a row.
        "CREATE VIEW payments AS SELECT seq AS customerNumber, 'x' AS checkNumber, DATE '2004-01-01' AS paymentDate,"
        " CAST(1 + (seq > 70000 AND SLEEP(60)) AS DECIMAL(10,2)) AS amount FROM seq_1_to_70001",
    )
    batches = open_source(classicmodels_copy).scan(PAYMENTS, ["2004-01"])
    next(batches)
    database = sa.make_url(classicmodels_copy).database
    of_scan = f"SELECT id FROM information_schema.processlist WHERE db = '{database}' AND info LIKE 'SELECT payments%%'"
    for (connection,) in ask(classicmodels_copy, of_scan):
        execute(classicmodels_copy, f"KILL {connection}")
    with pytest.raises(SalespipeError, match="could not be read to the end"):
        sum(batch.num_rows for batch in batches)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "wrong"}, "refuses the user"),
        ({"username": "nobody"}, "refuses the user"),
        ({"database": "no_such"}, "has no such database"),
        ({"host": "no.such.host.invalid"}, "cannot be reached"),
    ],
)
def test_what_cannot_be_reached_is_named_within_seconds(classicmodels: str, change: dict[str, Any], says: str) -> None:
    """The scanner alone would try for half a minute, and log each attempt."""
    begun = time.monotonic()
    with pytest.raises(SalespipeError, match=says) as raised:
        open_source(classicmodels, **change).probe()
    assert time.monotonic() - begun < 10
    assert "next: " in str(raised.value)
    assert str(sa.make_url(classicmodels).password) not in str(raised.value)


def test_a_user_without_rights_is_told_so(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    name = sa.make_url(url).database
    execute(url, "CREATE TABLE orders (orderNumber INT)")
    execute(url, "CREATE USER reader@'127.0.0.%%' IDENTIFIED BY 'r'")
    execute(url, f"GRANT CREATE ON {name}.* TO reader@'127.0.0.%%'")
    with pytest.raises(SalespipeError, match=r"does not allow this.*\n.*grant SELECT"):
        open_source(url, username="reader", password="r").fingerprints(ORDERS, None)


def test_types_that_would_lose_cents_or_break_the_scanner_are_refused(classicmodels_copy: str) -> None:
    for column, kind in (("priceEach", "DECIMAL(12,3)"), ("quantityOrdered", "DECIMAL(10,0)")):
        execute(classicmodels_copy, f"ALTER TABLE orderdetails MODIFY {column} {kind}")
    execute(classicmodels_copy, "ALTER TABLE payments MODIFY amount DECIMAL(30,2), MODIFY paymentDate DATETIME")
    execute(classicmodels_copy, "ALTER TABLE customers MODIFY creditLimit DOUBLE, MODIFY phone VARBINARY(50)")
    with pytest.raises(SalespipeError) as raised:
        open_source(classicmodels_copy).check_schema(STAGED)
    for name in (
        "orderdetails.priceEach is DECIMAL(12, 3)",
        "orderdetails.quantityOrdered is DECIMAL(10, 0)",
        "payments.amount is DECIMAL(30, 2)",
        "payments.paymentDate is DATETIME",
        "customers.creditLimit is DOUBLE",
        "customers.phone is VARBINARY(50)",
    ):
        assert name in str(raised.value)


def test_types_that_hold_the_same_values_are_taken(classicmodels_copy: str) -> None:
    """Shops choose their widths, and names in MySQL have no case."""
    scales = ", ".join(f"'1:{n}'" for n in (10, 12, 18, 24, 32, 50, 72, 700))
    for change in (
        "ALTER TABLE payments MODIFY amount DECIMAL(12,1) UNSIGNED, MODIFY checkNumber CHAR(50)",
        "ALTER TABLE products MODIFY quantityInStock BIGINT UNSIGNED",
        f"ALTER TABLE products CHANGE productscale PRODUCTSCALE ENUM({scales})",
        "ALTER TABLE orderdetails MODIFY orderLineNumber TINYINT(1)",
    ):
        execute(classicmodels_copy, change)
    source = open_source(classicmodels_copy)
    source.check_schema(STAGED)
    for table in (PAYMENTS, tables()["products"], LINES):
        batches = list(source.scan(table, MONTHS if table.monthly else None))
        assert {batch.schema for batch in batches} == {arrow_schema(table.contract)}
    assert max(batch["order_line_number"].to_pylist() for batch in batches) != [1]  # TINYINT(1) is no BOOLEAN


def test_the_servers_sql_mode_does_not_matter(mariadb: str, classicmodels: str) -> None:
    before = ask(mariadb, "SELECT @@GLOBAL.sql_mode")[0][0]
    source = open_source(classicmodels)
    expected = source.fingerprints(LINES, MONTHS), sum(b.num_rows for b in source.scan(LINES, MONTHS))
    try:
        execute(
            mariadb, "SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE'"
        )
        assert (source.fingerprints(LINES, MONTHS), sum(b.num_rows for b in source.scan(LINES, MONTHS))) == expected
    finally:
        execute(mariadb, f"SET GLOBAL sql_mode = '{before}'")


def test_sessions_that_read_cannot_write(classicmodels: str) -> None:
    with pytest.raises(SalespipeError, match="READ ONLY"), open_source(classicmodels)._reading() as connection:
        connection.exec_driver_sql("DELETE FROM payments")
