"""How the source is reached, as far as that can be told without a server; the rest is in `integration`."""

import socket
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import sqlalchemy as sa

from salespipe_dagster.resources.source_connection import engine, scanner_url, without_password
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_sql import Cents
from salespipe_dagster.synthetic.company import Company
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import tables

PASSWORD = "p@ss:w/rd%#"
ELSEWHERE = sa.URL.create("mysql+pymysql", "me@x", PASSWORD, "db.example", database="shop")
HERE = ELSEWHERE.set(host="127.0.0.1", port=3307)


def sqlite(file: Path) -> SourceDatabase:
    """A source in a file."""
    return SourceDatabase(sa.URL.create("sqlite", database=str(file)))


@pytest.fixture
def unused_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_making_a_source_opens_nothing_and_shows_no_password(tmp_path: Path) -> None:
    assert repr(SourceDatabase(ELSEWHERE)) == "SourceDatabase('mysql+pymysql://me%40x:***@db.example/shop')"
    sqlite(tmp_path / "shop.db")
    assert list(tmp_path.iterdir()) == []


def test_the_scanners_url_quotes_user_and_password() -> None:
    """Unquoted, the password's @ would end it, and its # the URL."""
    url = scanner_url(HERE)
    assert url == "mysql://me%40x:p%40ss%3Aw%2Frd%25%23@127.0.0.1:3307/shop?prefer_socket=false"
    assert unquote(url.partition("x:")[2].partition("@")[0]) == PASSWORD


def test_a_host_elsewhere_is_scanned_by_verified_tls_only() -> None:
    assert scanner_url(ELSEWHERE).endswith("@db.example:3306/shop?prefer_socket=false&ssl-mode=VERIFY_IDENTITY")


def test_a_ca_is_handed_to_the_scanner_and_asks_for_tls_here_too() -> None:
    url = scanner_url(HERE.update_query_dict({"ssl_ca": "/a CA/ca&1.pem"}))
    assert url.endswith("&ssl-mode=VERIFY_IDENTITY&ssl-ca=%2Fa%20CA%2Fca%261.pem")


def test_tls_can_be_turned_off() -> None:
    assert "ssl" not in scanner_url(ELSEWHERE.update_query_dict({"ssl_disabled": "true"}))


def test_an_ipv6_host_is_written_in_brackets() -> None:
    assert "@[::1]:3306/" in scanner_url(ELSEWHERE.set(host="::1"))


def test_an_unknown_parameter_is_an_error() -> None:
    """Misspelt, ssl_ca would be ignored, and with it what it asks for."""
    with pytest.raises(SalespipeError, match="no parameter sslca"):
        engine(ELSEWHERE.update_query_dict({"sslca": "ca.pem"}))


@pytest.mark.parametrize("url", [sa.make_url("mysql+pymysql://me@localhost"), sa.make_url("sqlite://")], ids=str)
def test_a_url_without_a_database_is_an_error(url: sa.URL) -> None:
    """SQLite would open an empty one in memory."""
    with pytest.raises(SalespipeError, match="names no database"):
        SourceDatabase(url).probe()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(SalespipeError, match=r"ca\.pem cannot be read"):
        engine(ELSEWHERE.update_query_dict({"ssl_ca": str(file)}))


def test_a_port_without_a_server_is_named_with_the_next_step(unused_port: int) -> None:
    with pytest.raises(SalespipeError) as raised:
        SourceDatabase(HERE.set(port=unused_port)).probe()
    assert f"shop at me@x@127.0.0.1:{unused_port} cannot be reached" in str(raised.value)
    assert "next: check host and port in SALESPIPE_SOURCE_URL" in str(raised.value)
    assert PASSWORD not in str(raised.value)


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some other service's port takes the connection and waits for ever for somebody to speak."""
    monkeypatch.setattr("salespipe_dagster.resources.source_db.TIMEOUT", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SalespipeError, match="broke off"):
        SourceDatabase(HERE.set(port=silent.getsockname()[1])).probe()


def test_the_password_is_taken_out_of_other_peoples_errors() -> None:
    said = f"cannot parse mysql://me:{quote(PASSWORD, safe='')}@h or {PASSWORD}"
    assert without_password(said, HERE) == "cannot parse mysql://me:***@h or ***"
    assert without_password("none given", sa.make_url("mysql+pymysql://me@h/shop")) == "none given"


def test_a_missing_file_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    """SQLite makes the file that it is asked to open; an empty shop would be read as one."""
    file = tmp_path / "shop.db"
    for ask in (SourceDatabase.probe, SourceDatabase.span, SourceDatabase.describe):
        with pytest.raises(SalespipeError, match=r"shop\.db does not exist"):
            ask(sqlite(file))
    assert not file.exists()


def test_a_file_without_the_companys_marker_is_refused(tmp_path: Path) -> None:
    """Somebody else's SQLite keeps money as floats."""
    file = tmp_path / "shop.db"
    with sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (orderNumber INTEGER)")
    with pytest.raises(SalespipeError, match="not a database of the synthetic company"):
        sqlite(file).probe()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    file.write_text("This is no database, although it is long enough to be the head of one. " * 9)
    with pytest.raises(SalespipeError, match=r"shop\.db: file is not a database"):
        sqlite(file).probe()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SalespipeError, match="cannot be made"):
        sqlite(tmp_path / "file" / "shop.db").prepare_company(Company())


def test_what_the_scanner_cannot_read_is_an_error_that_can_be_caught(tmp_path: Path) -> None:
    """A panic of the scanner is no Exception: it would pass every handler, Dagster's too."""
    source = sqlite(tmp_path / "shop.db")
    source.prepare_company(Company())
    with sa.create_engine(source.url, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql("INSERT INTO payments VALUES (1, 'A', '2024-01-01', 'much')")
    with pytest.raises(SalespipeError, match="could not be read to the end"):
        list(source.scan(tables()["payments"], ["2024-01"]))


def test_a_value_that_does_not_fit_its_type_is_named(tmp_path: Path) -> None:
    """Cut to fit, the order's number would be another order's."""
    source = sqlite(tmp_path / "shop.db")
    source.prepare_company(Company())
    with sa.create_engine(source.url, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO payments VALUES ({2**31}, 'A', '2024-01-01', 1)")
    with pytest.raises(SalespipeError, match=r"payments\.customerNumber holds a value that is no int32"):
        list(source.scan(tables()["payments"], ["2024-01"]))


def test_money_is_never_rounded_into_cents() -> None:
    dialect = sa.create_engine("sqlite://").dialect
    assert Cents(10, 2).process_bind_param(Decimal("-12.30"), dialect) == -1230
    with pytest.raises(ValueError, match="more than two decimals"):
        Cents(10, 2).process_bind_param(Decimal("0.005"), dialect)
