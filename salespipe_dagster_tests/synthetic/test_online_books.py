"""The whole pipeline against the shop's books, cell by cell, and what is said where they differ."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from salespipe_dagster import runner, verify_online
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.landing.version import Version
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.configured import company_of, dropped_by, shop_of
from salespipe_dagster.synthetic.online.books import OnlineLedger, Tally, online_ledger
from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_dagster.verify_online import off_the_shops_books
from salespipe_dagster_tests.support import land_rows
from salespipe_spark.engine import Engine
from salespipe_spark.lake.lake import Lake
from salespipe_spark.tables import tables

MONTHS = ["2024-02", "2024-03", "2024-04"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> tuple[Settings, Lake]:
    """Three months of a small company, as `salespipe run` makes them; a correction moves a sale between two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "instance", lambda settings: dg.DagsterInstance.ephemeral())
        configured = Settings.embedded(tmp_path_factory.mktemp("shop")).model_copy(
            update={"start_month": MONTHS[0], "end_month": MONTHS[-1], "company_orders_per_month": 5}
        )
        defs = build_defs(configured, engine=engine)
        tables_alone = "not (group:charts or group:report)"
        done = runner.run(defs, configured, configured.months, tables_alone)
    assert done.problems == []
    return configured, Lake(configured.lake, engine)


def off(made: tuple[Settings, Lake], shop: Shop | None = None) -> list[str]:
    settings, lake = made
    today = dropped_by(settings, SourceDatabase(settings.source).made_by() or company_of(settings))
    return off_the_shops_books(lake, shop or shop_of(settings), today, MONTHS)


def test_what_is_published_is_what_the_shop_sold(made: tuple[Settings, Lake]) -> None:
    """Each region and product, each age and tier, each month: also where a correction moves a sale."""
    assert off(made) == []
    rows = made[1].read(tables()["fact_online_sales"], MONTHS).collect()
    booked = [online_ledger(shop_of(made[0]), month, date(2024, 4, 30)).total for month in MONTHS]
    assert len(rows) == sum(tally.sales for tally in booked) > 500
    assert sum(row["amount"] for row in rows) == sum(tally.amount for tally in booked)
    assert any(row["transaction_id"].startswith("T202403") and row["sale_date"].month == 2 for row in rows)


def test_where_the_books_differ_it_is_said_to_the_cent(
    made: tuple[Settings, Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cooked(shop: Shop, month: str, today: date) -> OnlineLedger:
        ledger = online_ledger(shop, month, today)
        if month != "2024-03":
            return ledger
        total = ledger.total
        more = Tally(total.sales, total.units, total.amount + Decimal("0.01"))
        return replace(ledger, total=more, by_segment={**ledger.by_segment, ("0-17", "Gold"): Tally(1, 1, Decimal(1))})

    monkeypatch.setattr(verify_online, "online_ledger", cooked)
    amount = online_ledger(shop_of(made[0]), "2024-03", date(2024, 4, 30)).total.amount
    assert off(made) == [
        "2024-03: of 0-17 and Gold online 0 sales, 0 units, 0.00, but in the shop's own books 1 sales, 1 units, 1",
        f"2024-03: online revenue {amount}, but in the shop's own books {amount + Decimal('0.01')}",
    ]


def test_months_with_files_of_others_are_in_no_book_of_the_shop(made: tuple[Settings, Lake], tmp_path: Path) -> None:
    """Another shop's files are all foreign; one foreign file takes its own months out, and no others."""
    assert off(made, replace(shop_of(made[0]), files_per_month=3)) == []
    sales = tables()["online_sales"]
    version = Version(sales.name, "sales/of somebody else.csv", "a", 1, datetime(2024, 4, 1, tzinfo=UTC))
    row = ("Z", datetime(2024, 3, 1, tzinfo=UTC), date(2024, 3, 1), "C", "Mug", 1, Decimal(1), "Europe", Decimal(1))
    land_rows(made[1].store, sales, version, [row])
    with pytest.MonkeyPatch.context() as patch:
        asked: list[str] = []
        patch.setattr(
            verify_online,
            "online_ledger",
            lambda shop, month, today: asked.append(month) or online_ledger(shop, month, today),
        )
        assert off(made) == []
    assert asked == ["2024-02", "2024-04"]
