"""The online channel from dropped files to marts: what the company has in its own books, to the cent."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.configured import company_of, dropped_by, shop_of
from salespipe_dagster.synthetic.online.books import OnlineLedger, online_ledger
from salespipe_dagster_tests.integration.pipeline import run_here, salespipe, table_rows
from salespipe_spark import months
from salespipe_spark.engine import Engine

SPAN = {"start_month": "2024-11", "end_month": "2025-02", "company_online_sales_per_month": "2500"}
MONTHS = months.between(SPAN["start_month"], SPAN["end_month"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """Four months with ten thousand online sales, from files with all that is nasty in them."""
    home = tmp_path_factory.mktemp("home")
    run_here(engine, home=home, **SPAN)
    return home


@pytest.fixture(scope="module")
def books(home: Path) -> dict[str, OnlineLedger]:
    """Sums of the integers that the files are made of: no file, parser or engine has a part in them."""
    settings = Settings.checked(home=home, **SPAN)
    today = dropped_by(settings, company_of(settings))
    return {month: online_ledger(shop_of(settings), month, today) for month in MONTHS}


def tallies(
    home: Path, mart: str, key: Callable[[dict[str, Any]], Any]
) -> dict[str, dict[Any, tuple[int, int, Decimal]]]:
    """What a mart has of each month: sales, units and amount by its key."""
    found: dict[str, dict[Any, tuple[int, int, Decimal]]] = {month: {} for month in MONTHS}
    for row in table_rows(home, mart):
        values = (row["transaction_count"], row["units"], row["total_revenue"])
        found[months.month_of(row["month_start"])][key(row)] = values
    return found


def test_regions_and_products_are_those_of_the_books(home: Path, books: dict[str, OnlineLedger]) -> None:
    found = tallies(home, "online_sales_summary", lambda row: (row["region"], row["product"]))
    assert found == {month: ledger.by_region_and_product for month, ledger in books.items()}
    assert sum(ledger.total.sales for ledger in books.values()) > 9_000


def test_segments_are_those_of_the_books_also_without_a_profile(home: Path, books: dict[str, OnlineLedger]) -> None:
    found = tallies(home, "online_revenue_by_segment", lambda row: (row["age_group"], row["membership_tier"]))
    assert found == {month: ledger.by_segment for month, ledger in books.items()}
    assert all((None, None) in segments for segments in found.values())


def test_months_of_the_channel_are_those_of_the_books(home: Path, books: dict[str, OnlineLedger]) -> None:
    rows = [row for row in table_rows(home, "monthly_revenue") if row["channel"] == "online"]
    found = {
        months.month_of(row["month_start"]): (row["orders"], row["units"], row["revenue"], row["customers"])
        for row in rows
    }
    assert found == {month: (*ledger.total, ledger.customers) for month, ledger in books.items()}
    for row in rows:
        assert row["average_order_value"] == round(row["revenue"] / row["orders"], 6)
        assert row["ordered_amount"] == row["revenue"]
        assert (row["cancelled_amount"], row["margin_amount"], row["cost_amount"]) == (0, None, None)


def test_verify_proves_both_channels(home: Path) -> None:
    done = salespipe("verify", home=home, **SPAN)
    assert done.returncode == 0, done.stdout + done.stderr
