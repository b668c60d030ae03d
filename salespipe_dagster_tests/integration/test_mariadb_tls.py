"""Who the server is, proved or refused. 127.0.0.2 is no name of this machine that salespipe knows: elsewhere."""

from pathlib import Path

import pytest

from salespipe_dagster.io_managers.mysql import slice_of
from salespipe_dagster.resources.source_scan import stream
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster_tests.integration.mariadb import execute, open_source
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import tables


def test_a_host_elsewhere_without_tls_is_refused(classicmodels: str) -> None:
    """127.0.0.2 is no name of this machine that salespipe knows: it stands for a host elsewhere."""
    with pytest.raises(SalespipeError, match="offers no TLS"):
        open_source(classicmodels, host="127.0.0.2").probe()
    trusting = open_source(classicmodels, host="127.0.0.2", query={"ssl_disabled": "true"})
    trusting.probe()
    assert len(list(trusting.scan(tables()["orders"], ["2003-01"]))) == 1


def test_a_server_that_proves_who_it_is_is_read_encrypted(mariadb_tls: tuple[str, Path]) -> None:
    url, authority = mariadb_tls
    execute(url, "CREATE OR REPLACE DATABASE proven")
    source = open_source(url, host="localhost", database="proven", query={"ssl_ca": str(authority)})
    source.probe()
    assert source.describe().startswith("MariaDB 10.")
    assert "TLS TLS_AES" in source.describe()
    (row,) = next(stream(source.url, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")).to_pylist()
    assert row["Value"].startswith("TLS_AES")  # the scanner's connection is another one
    source.prepare_company(Company())
    source.replace(slice_of(tables()["offices"], SNAPSHOT), lambda there: there.batches("offices"))
    assert sum(batch.num_rows for batch in source.scan(tables()["offices"], None)) == 7


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_a_certificate_for_another_host_is_refused(mariadb_tls: tuple[str, Path], host: str) -> None:
    """With the CA alone verified, anybody with a certificate of that CA is the shop."""
    url, authority = mariadb_tls
    with pytest.raises(
        SalespipeError, match=r"does not prove who it is.*\n.*next: name the host as its certificate does"
    ):
        open_source(url, host=host, database="mysql", query={"ssl_ca": str(authority)}).probe()


def test_a_certificate_of_an_unknown_ca_is_refused(mariadb_tls: tuple[str, Path]) -> None:
    with pytest.raises(SalespipeError, match="does not prove who it is"):
        open_source(mariadb_tls[0], host="127.0.0.2", database="mysql").probe()
