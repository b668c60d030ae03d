"""The source database on a real server: what only MariaDB can show, on classicmodels where rows are needed.

That the answers and the I/O manager are those of SQLite is shown by the two modules beside this one.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from salespipe_spark import months as calendar
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.tables import tables

from salespipe_dagster.io_managers.mysql import slice_of
from salespipe_dagster.resources.source_db import Outside, SourceDatabase
from salespipe_dagster.resources.source_sql import mirror
from salespipe_dagster.synthetic.company import Company

STAGED = [table for table in tables().values() if table.contract.source]
ORDERS, LINES, PAYMENTS = (tables()[name] for name in ("orders", "order_details", "payments"))
MONTHS = calendar.between("2003-01", "2005-06")
PASSWORD = "p@ss:w/rd%#"


def open_source(url: str, **changes: Any) -> SourceDatabase:
    """A source by its URL, with parts of the URL changed."""
    return SourceDatabase(sa.make_url(url).set(**changes))


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What the server itself says."""
    with sa.create_engine(url).begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


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
        assert sum(b.num_rows for b in batches) == ask(classicmodels, f"SELECT COUNT(*) FROM {mirror(table).name}")[0][0]


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
    ask(classicmodels_copy, "UPDATE orders SET status = 'Cancelled' WHERE orderNumber = 10229")
    after = source.fingerprints(ORDERS, MONTHS)
    assert [month for month in MONTHS if after[month] != before[month]] == ["2004-03"]


def test_an_order_whose_date_moves_changes_both_its_months(classicmodels_copy: str) -> None:
    source = open_source(classicmodels_copy)
    before = source.fingerprints(LINES, MONTHS)
    ask(classicmodels_copy, "UPDATE orders SET orderDate = '2003-05-01' WHERE orderNumber = 10229")
    after = source.fingerprints(LINES, MONTHS)
    assert [month for month in MONTHS if after[month] != before[month]] == ["2003-05", "2004-03"]


def test_the_digest_does_not_depend_on_character_sets(classicmodels_copy: str) -> None:
    """CRC and SHA see bytes: the same text as Latin-1 and as UTF-8 would be two."""
    source = open_source(classicmodels_copy)
    ask(classicmodels_copy, "UPDATE products SET productName = 'Citroën' WHERE productCode = 'S10_1678'")
    before = source.fingerprints(tables()["products"], None)
    ask(classicmodels_copy, "ALTER TABLE products MODIFY productName VARCHAR(70) CHARACTER SET utf8mb4 NOT NULL")
    assert source.fingerprints(tables()["products"], None) == before


def test_zero_dates_stop_the_scan_by_name(classicmodels_copy: str) -> None:
    ask(classicmodels_copy, "UPDATE orders SET shippedDate = '0000-00-00' WHERE orderNumber IN (10100, 10101)")
    with pytest.raises(SalespipeError, match=r"orders\.shippedDate holds 2 values.*orderNumber 10100.*\n.*next:"):
        list(open_source(classicmodels_copy).scan(ORDERS, MONTHS))
    assert len(list(open_source(classicmodels_copy).scan(ORDERS, ["2004-03"]))) == 1


def test_a_connection_killed_in_mid_scan_is_an_error(classicmodels_copy: str) -> None:
    """A reader that takes it for the end publishes half a month."""
    ask(classicmodels_copy, "DROP TABLE payments")
    ask(
        classicmodels_copy,
        "CREATE TABLE payments ENGINE=InnoDB AS SELECT seq AS customerNumber, REPEAT('x', 99) AS checkNumber,"
        " DATE '2004-01-01' AS paymentDate, 1.00 AS amount FROM seq_1_to_400000",
    )
    batches = open_source(classicmodels_copy).scan(PAYMENTS, ["2004-01"])
    next(batches)
    database = sa.make_url(classicmodels_copy).database
    of_scan = f"SELECT id FROM information_schema.processlist WHERE db = '{database}' AND info LIKE 'SELECT payments%%'"
    for (connection,) in ask(classicmodels_copy, of_scan):
        ask(classicmodels_copy, f"KILL {connection}")
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
    assert PASSWORD not in str(raised.value)


def test_a_user_without_rights_is_told_so(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    name = sa.make_url(url).database
    ask(url, "CREATE TABLE orders (orderNumber INT)")
    ask(url, "CREATE USER reader@'127.0.0.%%' IDENTIFIED BY 'r'")
    ask(url, f"GRANT CREATE ON {name}.* TO reader@'127.0.0.%%'")
    with pytest.raises(SalespipeError, match="does not allow this.*\n.*grant SELECT"):
        open_source(url, username="reader", password="r").fingerprints(ORDERS, None)


def test_types_that_would_lose_cents_or_break_the_scanner_are_refused(classicmodels_copy: str) -> None:
    for column, kind in (("priceEach", "DECIMAL(12,3)"), ("quantityOrdered", "DECIMAL(10,0)")):
        ask(classicmodels_copy, f"ALTER TABLE orderdetails MODIFY {column} {kind}")
    ask(classicmodels_copy, "ALTER TABLE payments MODIFY amount DECIMAL(30,2), MODIFY paymentDate DATETIME")
    ask(classicmodels_copy, "ALTER TABLE customers MODIFY creditLimit DOUBLE, MODIFY phone VARBINARY(50)")
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
    for change in (
        "ALTER TABLE payments MODIFY amount DECIMAL(12,1) UNSIGNED, MODIFY checkNumber CHAR(50)",
        "ALTER TABLE products MODIFY quantityInStock BIGINT UNSIGNED",
        "ALTER TABLE products CHANGE productscale PRODUCTSCALE ENUM('1:10', '1:12', '1:18', '1:24', '1:32', '1:50', '1:72', '1:700')",
        "ALTER TABLE orderdetails MODIFY orderLineNumber TINYINT(1)",
    ):
        ask(classicmodels_copy, change)
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
        ask(mariadb, "SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE'")
        assert (source.fingerprints(LINES, MONTHS), sum(b.num_rows for b in source.scan(LINES, MONTHS))) == expected
    finally:
        ask(mariadb, f"SET GLOBAL sql_mode = '{before}'")


def test_sessions_that_read_cannot_write(classicmodels: str) -> None:
    with pytest.raises(SalespipeError, match="READ ONLY"), open_source(classicmodels)._reading() as connection:
        connection.exec_driver_sql("DELETE FROM payments")


def test_foreign_tables_are_never_written(classicmodels: str) -> None:
    before = ask(classicmodels, "SHOW TABLES")
    with pytest.raises(SalespipeError, match="not the synthetic company's"):
        open_source(classicmodels).prepare_company()
    assert ask(classicmodels, "SHOW TABLES") == before


@pytest.fixture(params=["LOAD DATA", "INSERT"])
def company_database(request: pytest.FixtureRequest, mariadb: str, empty_database: Callable[[], str]) -> Iterator[str]:
    """An empty database, on a server that takes files of ours or does not."""
    ask(mariadb, f"SET GLOBAL local_infile = {int(request.param == 'LOAD DATA')}")
    yield empty_database()
    ask(mariadb, "SET GLOBAL local_infile = 1")


def test_rows_arrive_as_they_are_by_files_and_by_inserts(company_database: str) -> None:
    """In a file a tab ends a field, a backslash changes what follows it, and NULL is written otherwise."""
    source, table = open_source(company_database), tables()["product_lines"]
    characters = "".join(map(chr, range(1, 128)))
    texts = [characters, "\\N", "NULL", "", " a ", "\\", "\\\\t", "\t", "\r\n", "ẞ箱🚚é", "%s %(x)s :x", "nul\0nul", None]
    columns = [[f"line {i}" for i in range(len(texts))], texts, texts[::-1]]
    rows = pa.table(columns, ["productLine", "textDescription", "htmlDescription"])
    source.prepare_company()
    source.replace(slice_of(table, SNAPSHOT), rows)
    found = pa.Table.from_batches(source.scan(table, None)).rename_columns(rows.column_names)
    assert sorted(found.to_pylist(), key=repr) == sorted(rows.to_pylist(), key=repr)


def test_a_row_that_the_server_would_cut_changes_nothing(company_database: str) -> None:
    """LOAD DATA makes a warning of it, and goes on with a shorter text."""
    source, table = open_source(company_database), tables()["product_lines"]
    names = [column.source_name for column in table.contract.columns]
    source.prepare_company()
    source.replace(slice_of(table, SNAPSHOT), pa.table([["Ships"], ["a"], ["b"]], names))
    with pytest.raises(SalespipeError, match="too long for column 'productLine'|truncated for column 'productLine'"):
        source.replace(slice_of(table, SNAPSHOT), pa.table([["x" * 256], ["a"], ["b"]], names))
    assert ask(company_database, "SELECT productLine FROM productlines") == [("Ships",)]


def test_a_key_that_another_slice_has_changes_nothing(company_database: str) -> None:
    """LOAD DATA leaves such a row out without an error."""
    source = open_source(company_database)
    source.prepare_company()
    paid = {"customerNumber": pa.array([103], pa.int32()), "checkNumber": ["A"]}
    price = pa.array([Decimal("1.00")], pa.decimal128(10, 2))
    for month in ("2024-01", "2024-02"):
        day = pa.array([calendar.first_day(month)], pa.date32())
        rows = pa.table({**paid, "paymentDate": day, "amount": price})
        if month == "2024-01":
            source.replace(slice_of(PAYMENTS, month), rows)
            continue
        with pytest.raises(SalespipeError, match="Duplicate entry"):
            source.replace(slice_of(PAYMENTS, month), rows)
    assert ask(company_database, "SELECT paymentDate FROM payments") == [(date(2024, 1, 1),)]


def test_the_company_is_read_back_as_it_was_made(company_database: str) -> None:
    source, company, quarter = open_source(company_database), Company(), calendar.between("2024-01", "2024-03")
    source.prepare_company()
    made: dict[str, pa.Table] = {}
    for table in STAGED:
        parts = {part: company.rows(table.name, part if table.monthly else None) for part in table.parts(quarter)}
        for part, rows in parts.items():
            source.replace(slice_of(table, part), rows)
        made[table.name] = pa.concat_tables(parts.values())
    for table in STAGED:
        batches = source.scan(table, quarter if table.monthly else None)
        width = made[table.name].num_columns
        found = [tuple(row.values())[:width] for batch in batches for row in batch.to_pylist()]
        expected = [tuple(row.values()) for row in made[table.name].to_pylist()]
        assert sorted(found, key=repr) == sorted(expected, key=repr), table.name


def test_the_companys_tables_have_keys_and_an_index_on_each_date(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    open_source(url).prepare_company()
    columns = "SELECT table_name, index_name, column_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
    found = {(table, column) for table, index, column in ask(url, columns) if index != "PRIMARY"}
    assert found == {("orders", "orderDate"), ("payments", "paymentDate")}
    keyed = {table for table, index, _ in ask(url, columns) if index == "PRIMARY"}
    assert {mirror(table).name for table in STAGED} <= keyed
    foreign = "SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()"
    assert ask(url, foreign) == [(0,)]


def test_a_host_elsewhere_without_tls_is_refused(classicmodels: str) -> None:
    """127.0.0.2 is no name of this machine that salespipe knows: it stands for a host elsewhere."""
    with pytest.raises(SalespipeError, match="offers no TLS"):
        open_source(classicmodels, host="127.0.0.2").probe()
    trusting = open_source(classicmodels, host="127.0.0.2", query={"ssl_disabled": "true"})
    trusting.probe()
    assert len(list(trusting.scan(ORDERS, ["2003-01"]))) == 1


def test_a_server_that_proves_who_it_is_is_read_encrypted(mariadb_tls: tuple[str, Path]) -> None:
    url, authority = mariadb_tls
    ask(url, "CREATE OR REPLACE DATABASE proven")
    source = open_source(url, host="localhost", database="proven", query={"ssl_ca": str(authority)})
    source.probe()
    assert source.describe().startswith("MariaDB 10.")
    assert "TLS TLS_AES" in source.describe()
    source.prepare_company()
    source.replace(slice_of(tables()["offices"], SNAPSHOT), Company().rows("offices"))
    assert sum(batch.num_rows for batch in source.scan(tables()["offices"], None)) == 7


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_a_certificate_for_another_host_is_refused(mariadb_tls: tuple[str, Path], host: str) -> None:
    """With the CA alone verified, anybody with a certificate of that CA is the shop."""
    url, authority = mariadb_tls
    with pytest.raises(SalespipeError, match="does not prove who it is.*\n.*next: name the host as its certificate does"):
        open_source(url, host=host, database="mysql", query={"ssl_ca": str(authority)}).probe()


def test_a_certificate_of_an_unknown_ca_is_refused(mariadb_tls: tuple[str, Path]) -> None:
    with pytest.raises(SalespipeError, match="does not prove who it is"):
        open_source(mariadb_tls[0], host="127.0.0.2", database="mysql").probe()
