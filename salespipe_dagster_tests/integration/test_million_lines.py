"""A million order lines through the pipeline: the marts are what the company has in its own books, to the cent."""

from decimal import Decimal
from pathlib import Path

from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.configured import company_of
from salespipe_dagster_tests.integration.pipeline import run, salespipe, table_rows
from salespipe_spark import months
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import tables

SPAN = {"start_month": "2025-07", "end_month": "2025-12", "company_orders_per_month": "21000"}


def test_the_marts_are_what_the_company_has_in_its_books(tmp_path: Path) -> None:
    """The books are sums of the integers that rows are made of: database, scan and engine have no part in them."""
    run(home=tmp_path, **SPAN)
    company = company_of(Settings.checked(home=tmp_path, **SPAN))
    books = {month: company.ledger(month) for month in months.between("2025-07", "2025-12")}
    revenue = [row for row in table_rows(tmp_path, "monthly_revenue") if row["channel"] == "wholesale"]
    assert {months.month_of(row["month_start"]): row["ordered_amount"] for row in revenue} == {
        month: ledger.ordered_amount for month, ledger in books.items()
    }
    assert [(row["cancelled_amount"], row["orders"]) for row in revenue] == [
        (ledger.cancelled_amount, ledger.orders) for ledger in books.values()
    ]
    catalogue, facts = Catalogue(tmp_path / "lake"), tables()["fact_orders"]
    lines = [catalogue.intact(facts, month).figures.rows for month in books]
    assert lines == [ledger.lines for ledger in books.values()]
    assert sum(lines) >= 1_000_000
    by_product = table_rows(tmp_path, "revenue_by_product")
    assert sum((row["ordered_amount"] for row in by_product), Decimal(0)) == sum(
        (ledger.ordered_amount for ledger in books.values()), Decimal(0)
    )
    done = salespipe("verify", home=tmp_path, **SPAN)
    assert done.returncode == 0, done.stdout + done.stderr
