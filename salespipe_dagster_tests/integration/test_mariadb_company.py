"""The synthetic company's tables on a real server, by LOAD DATA and by INSERT, never over foreign ones."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from salespipe_dagster.advance import advance
from salespipe_dagster.io_managers.mysql import slice_of
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_sql import mirror
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster.synthetic.configured import company_of
from salespipe_dagster_tests.integration.mariadb import execute, open_source
from salespipe_dagster_tests.integration.pipeline import ask
from salespipe_spark import months as calendar
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import Table, tables

STAGED = [table for table in tables().values() if table.contract.source]
PAYMENTS = tables()["payments"]


def test_foreign_tables_are_never_written(classicmodels: str) -> None:
    before = ask(classicmodels, "SHOW TABLES")
    with pytest.raises(SalespipeError, match="not the synthetic company's"):
        open_source(classicmodels).prepare_company(Company())
    assert ask(classicmodels, "SHOW TABLES") == before


@pytest.fixture(params=["LOAD DATA", "INSERT"])
def company_database(request: pytest.FixtureRequest, mariadb: str, empty_database: Callable[[], str]) -> Iterator[str]:
    """An empty database, on a server that takes files of ours or does not."""
    execute(mariadb, f"SET GLOBAL local_infile = {int(request.param == 'LOAD DATA')}")
    yield empty_database()
    execute(mariadb, "SET GLOBAL local_infile = 1")


def test_rows_arrive_as_they_are_by_files_and_by_inserts(company_database: str) -> None:
    """In a file a tab ends a field, a backslash changes what follows it, and NULL is written otherwise."""
    source, table = open_source(company_database), tables()["product_lines"]
    characters = "".join(map(chr, range(1, 128)))
    texts = [
        characters,
        "\\N",
        "NULL",
        "",
        " a ",
        "\\",
        "\\\\t",
        "\t",
        "\r\n",
        "ẞ箱🚚é",
        "%s %(x)s :x",
        "nul\0nul",
        None,
    ]
    columns = [[f"line {i}" for i in range(len(texts))], texts, texts[::-1]]
    rows = pa.table(columns, ["productLine", "textDescription", "htmlDescription"])
    source.prepare_company(Company())
    source.replace(slice_of(table, SNAPSHOT), lambda _: [rows])
    found = pa.Table.from_batches(source.scan(table, None)).rename_columns(rows.column_names)
    assert sorted(found.to_pylist(), key=repr) == sorted(rows.to_pylist(), key=repr)


def test_a_row_that_the_server_would_cut_changes_nothing(company_database: str) -> None:
    """LOAD DATA makes a warning of it, and goes on with a shorter text."""
    source, table = open_source(company_database), tables()["product_lines"]
    names = [column.source_name for column in table.contract.columns]
    source.prepare_company(Company())
    source.replace(slice_of(table, SNAPSHOT), lambda _: [pa.table([["Ships"], ["a"], ["b"]], names)])
    with pytest.raises(SalespipeError, match=r"(too long|truncated) for column 'productLine'"):
        source.replace(slice_of(table, SNAPSHOT), lambda _: [pa.table([["x" * 256], ["a"], ["b"]], names)])
    assert ask(company_database, "SELECT productLine FROM productlines") == [("Ships",)]


def test_a_key_that_another_slice_has_changes_nothing(company_database: str) -> None:
    """LOAD DATA leaves such a row out without an error."""
    source = open_source(company_database)
    source.prepare_company(Company())
    paid = {"customerNumber": pa.array([103], pa.int32()), "checkNumber": ["A"]}
    price = pa.array([Decimal("1.00")], pa.decimal128(10, 2))
    for month in ("2024-01", "2024-02"):
        day = pa.array([calendar.first_day(month)], pa.date32())
        rows = pa.table({**paid, "paymentDate": day, "amount": price})
        if month == "2024-01":
            source.replace(slice_of(PAYMENTS, month), lambda _, rows=rows: [rows])
            continue
        with pytest.raises(SalespipeError, match="Duplicate entry"):
            source.replace(slice_of(PAYMENTS, month), lambda _, rows=rows: [rows])
    assert ask(company_database, "SELECT paymentDate FROM payments") == [(date(2024, 1, 1),)]


def test_the_company_is_read_back_as_it_was_made(company_database: str) -> None:
    source, company, quarter = open_source(company_database), Company(), calendar.between("2024-01", "2024-03")
    source.prepare_company(Company())
    made: dict[str, pa.Table] = {}
    for table in STAGED:
        parts = {part: company.rows(table.name, part if table.monthly else None) for part in table.parts(quarter)}
        for part, rows in parts.items():
            source.replace(slice_of(table, part), lambda _, rows=rows: [rows])
        made[table.name] = pa.concat_tables(parts.values())
    for table in STAGED:
        batches = source.scan(table, quarter if table.monthly else None)
        width = made[table.name].num_columns
        found = [tuple(row.values())[:width] for batch in batches for row in batch.to_pylist()]
        expected = [tuple(row.values()) for row in made[table.name].to_pylist()]
        assert sorted(found, key=repr) == sorted(expected, key=repr), table.name


def test_the_companys_tables_have_keys_and_an_index_on_each_date(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    open_source(url).prepare_company(Company())
    columns = (
        "SELECT table_name, index_name, column_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
    )
    found = {(table, column) for table, index, column in ask(url, columns) if index != "PRIMARY"}
    assert found == {("orders", "orderDate"), ("payments", "paymentDate")}
    keyed = {table for table, index, _ in ask(url, columns) if index == "PRIMARY"}
    assert {mirror(table).name for table in STAGED} <= keyed
    foreign = "SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()"
    assert ask(url, foreign) == [(0,)]


def test_the_company_moves_forward_here_as_it_does_in_a_file(company_database: str, tmp_path: Path) -> None:
    """Two at once on the server, one after the other in the file: the same rows in the end, byte by byte."""
    span = {"start_month": "2025-02", "end_month": "2025-04", "company_orders_per_month": 60}
    server = Settings.checked(home=tmp_path, source_url=company_database, source_mode="synthetic", **span)
    file = Settings.checked(home=tmp_path, **span)
    longer = {**span, "end_month": "2025-05"}
    made: list[list[bytes]] = []
    for settings in (server, file):
        source = open_source(settings.source.render_as_string(hide_password=False))
        source.prepare_company(company_of(settings))
        for table in STAGED:
            for part in table.parts(settings.months):
                source.replace(slice_of(table, part), lambda there, t=table, p=part: there.batches(t.name, month_of(p)))
        later = Settings.checked(home=tmp_path, **longer)
        workers = 2 if settings is server else 1
        with ThreadPoolExecutor(workers) as pool:
            url = settings.source.render_as_string(hide_password=False)
            list(pool.map(lambda days, url=url, later=later: advance(open_source(url), later, days), (9, 17)))
        there = source.made_by()
        assert there
        assert there.today == date(2025, 5, 26)
        made.append([_bytes(source, table, later.months) for table in STAGED])
    assert made[0] == made[1]


def month_of(part: str) -> str | None:
    return None if part == SNAPSHOT else part


def _bytes(source: SourceDatabase, table: Table, months: list[str]) -> bytes:
    """The rows that a scan reads, in the order of their key."""
    rows = pa.Table.from_batches(source.scan(table, months if table.monthly else None))
    ordered = rows.sort_by([(name, "ascending") for name in table.contract.key])
    return repr(ordered.to_pylist()).encode()
