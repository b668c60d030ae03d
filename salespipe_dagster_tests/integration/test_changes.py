"""A source that changes: what the night asks for, what a run replaces, and what it comes to in the end."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from salespipe_dagster.definitions import build_defs
from salespipe_dagster.partitions import RANGE_END, RANGE_START
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.integration.pipeline import change, contents, objects, run_here
from salespipe_spark.engine import Engine

SPAN = {"start_month": "2004-01", "end_month": "2004-05"}
# An order's status is in staging, in the fact, and in what is counted without cancelled orders.
FROM_ORDERS = {
    "staging/orders",
    "core/fact_orders",
    "marts/monthly_revenue",
    "marts/revenue_by_customer",
    "marts/revenue_by_product",
    "marts/revenue_by_country",
    "marts/revenue_by_country_and_product_line",
    "marts/revenue_by_sales_rep",
    "marts/receivables",
}
OVER_ALL_MONTHS = {"marts/customer_lifetimes", "marts/cohort_revenue", "marts/receivables_ageing"}


def asked_at_night(home: Path, url: str) -> list[tuple[str, str]]:
    """The ranges that the schedule asks for, by a tick of the real one."""
    settings = Settings.checked(home=home, source_url=url, **SPAN)
    defs = build_defs(settings)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=datetime(2026, 11, 1, tzinfo=UTC),
            resources={"source_db": SourceDatabase(settings.source)},
            repository_def=defs.get_repository_def(),
        ) as context,
    ):
        requests = defs.resolve_schedule_def("nightly").evaluate_tick(context).run_requests or []
    return [(request.tags[RANGE_START], request.tags[RANGE_END]) for request in requests]


@pytest.fixture
def home(classicmodels_copy: str, tmp_path: Path, engine: Engine) -> Path:
    """Five months of a database that the test may change."""
    run_here(engine, home=tmp_path / "grown", url=classicmodels_copy, **SPAN)
    return tmp_path / "grown"


def test_a_changed_order_changes_its_month_alone(home: Path, classicmodels_copy: str, engine: Engine) -> None:
    """One order of 2004-03 is cancelled: the night asks for 2004-03, and that run replaces what derives from it."""
    assert asked_at_night(home, classicmodels_copy) == []
    before = objects(home)
    change(
        classicmodels_copy,
        "UPDATE orders SET status = 'Cancelled' WHERE orderDate LIKE '2004-03%%' AND status = 'Shipped' LIMIT 1",
    )
    assert asked_at_night(home, classicmodels_copy) == [("2004-03", "2004-03")]
    run_here(engine, home=home, url=classicmodels_copy, span=("2004-03", "2004-03"), **SPAN)
    after = objects(home)
    changed = {key for key in before if key.endswith(".parquet") and after[key] != before[key]}
    of_the_month = {f"{table}/year=2004/month=03/data.parquet" for table in FROM_ORDERS}
    assert changed == of_the_month | {f"{table}/data.parquet" for table in OVER_ALL_MONTHS}
    assert set(after) == set(before)
    assert asked_at_night(home, classicmodels_copy) == []


def test_an_order_that_moves_changes_both_its_months(home: Path, classicmodels_copy: str) -> None:
    """The month that it left would keep it otherwise, and its sales would count twice."""
    change(classicmodels_copy, "UPDATE orders SET orderDate = '2004-04-15' WHERE orderDate LIKE '2004-01%%' LIMIT 1")
    assert asked_at_night(home, classicmodels_copy) == [("2004-01", "2004-01"), ("2004-04", "2004-04")]


def test_a_lake_that_grew_equals_one_made_at_once(
    load_classicmodels: Callable[[], str], tmp_path: Path, engine: Engine
) -> None:
    """Month by month and change by change, or all in one run: the same rows in every table."""
    url, grown, rebuilt = load_classicmodels(), tmp_path / "grown", tmp_path / "rebuilt"
    for span in (("2004-02", "2004-02"), ("2004-01", "2004-01"), ("2004-03", "2004-05")):
        run_here(engine, home=grown, url=url, span=span, **SPAN)
    for statement in (
        "UPDATE orders SET status = 'cancelled ' WHERE orderDate LIKE '2004-02%%' LIMIT 1",
        "UPDATE orders SET orderDate = '2004-05-31' WHERE orderDate LIKE '2004-03%%' LIMIT 1",
        "DELETE FROM orderdetails WHERE orderNumber = (SELECT MIN(orderNumber) FROM orders "
        "WHERE orderDate LIKE '2004-04%%') AND orderLineNumber = 1",
        "UPDATE payments SET amount = amount + 0.01 WHERE paymentDate LIKE '2004-01%%' LIMIT 1",
    ):
        change(url, statement)
        for span in asked_at_night(grown, url):
            run_here(engine, home=grown, url=url, span=span, **SPAN)
    run_here(engine, home=rebuilt, url=url, **SPAN)
    assert contents(grown) == contents(rebuilt)
