"""Checks over several tables: what is published is wrong together, though each table passed its own audit."""

import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal

import dagster as dg

from salespipe_dagster.checks import unreconciled
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.support import SHOP, FakeSource, evaluations, failures, local, materialise
from salespipe_spark.engine import Engine
from salespipe_spark.lake.catalogue import Catalogue, receipt_key
from salespipe_spark.tables import tables

MONTHS = ["2024-01", "2024-02", "2024-03"]


def rewrite(settings: Settings, table: str, month: str, **sums: Decimal) -> None:
    """Leave a receipt whose sums are these, as if the month had been published with them."""
    catalogue, found = Catalogue(settings.lake), tables()[table]
    receipt = catalogue.intact(found, month)
    changed = replace(receipt, figures=replace(receipt.figures, sums=receipt.figures.sums | sums))
    local(catalogue).path(receipt_key(found, month)).write_text(changed.to_json())


def checked(
    settings: Settings, engine: Engine, table: str, name: str, months: list[str] = MONTHS
) -> dg.AssetCheckEvaluation:
    """A check of a table, after a run of the table."""
    result = materialise(settings, engine, FakeSource(), months, table)
    assert result.success, failures(result)
    return evaluations(result, table)[name]


def test_filled_lake_reconciles(filled: Settings) -> None:
    assert unreconciled(Catalogue(filled.lake)) == []


def test_empty_lake_reconciles(settings: Settings) -> None:
    assert unreconciled(Catalogue(settings.lake)) == []


def test_mart_that_is_a_cent_off_its_fact_is_found(filled: Settings) -> None:
    rewrite(filled, "revenue_by_country", "2024-01", revenue=Decimal("3030.99"))
    assert unreconciled(Catalogue(filled.lake)) == [
        "2024-01: revenue_by_country.revenue 3030.99 is not fact_orders.revenue 3031.00"
    ]


def test_cent_that_the_online_fact_lacks_is_found_wherever_it_counts(filled: Settings) -> None:
    """The channels are held apart: a cent too much of the other one would hide it."""
    rewrite(filled, "fact_online_sales", "2024-01", amount=Decimal("149.98"))
    given = "is not fact_online_sales.amount 149.98"
    assert sorted(unreconciled(Catalogue(filled.lake))) == [
        "2024-01: fact_online_sales.amount 149.98 is not online_sales.total_amount 149.99",
        f"2024-01: monthly_revenue.online_ordered_amount 149.99 {given}",
        f"2024-01: monthly_revenue.online_revenue 149.99 {given}",
        f"2024-01: online_revenue_by_segment.total_revenue 149.99 {given}",
        f"2024-01: online_sales_summary.total_revenue 149.99 {given}",
    ]


def test_fact_whose_source_was_read_again_is_found(filled: Settings, engine: Engine) -> None:
    """Each table passed its audit when it was published; the input came later, and the fact was not made anew."""
    more = (112, "B2", date(2024, 3, 20), Decimal("0.50"))
    source = FakeSource({"payments": [*SHOP["payments"], more]})
    assert materialise(filled, engine, source, ["2024-03"], "payments").success
    assert unreconciled(Catalogue(filled.lake)) == [
        "2024-03: fact_payments.rows 1 is not payments.rows 2",
        "2024-03: fact_payments.amount 50.00 is not payments.amount 50.50",
    ]


def test_mart_of_a_month_that_has_no_fact_is_found(filled: Settings) -> None:
    (filled.lake / receipt_key(tables()["fact_payments"], "2024-01")).unlink()
    (filled.lake / receipt_key(tables()["payments"], "2024-03")).unlink()
    found = unreconciled(Catalogue(filled.lake))
    assert found == [
        "2024-03: fact_payments.rows 1 is not payments.rows None",
        "2024-03: fact_payments.amount 50.00 is not payments.amount None",
        "2024-01: receivables.paid_amount 3031.00 is not fact_payments.amount None",
    ]


def test_reconciliation_fails_with_expected_and_actual(filled: Settings, engine: Engine) -> None:
    rewrite(filled, "revenue_by_customer", "2024-03", ordered_amount=Decimal("123.41"))
    check = checked(filled, engine, "monthly_revenue", "reconciliation")
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert check.metadata["expected"].value == "every balance of every month holds"
    expected = "2024-03: revenue_by_customer.ordered_amount 123.41 is not fact_orders.amount 123.40"
    assert check.metadata["actual"].value == expected


def test_reconciliation_passes_with_expected_and_actual(filled: Settings, engine: Engine) -> None:
    check = checked(filled, engine, "monthly_revenue", "reconciliation")
    assert check.passed
    assert check.metadata["actual"].value == "every balance holds"


def moved(day: date) -> FakeSource:
    """The shop after order 10100, which has two lines, was dated anew."""
    source = FakeSource()
    source.rows["orders"][0] = (10100, day, *SHOP["orders"][0][2:])
    return source


def test_order_in_two_months_is_found_and_named(filled: Settings, engine: Engine) -> None:
    """Each month's keys are unique: only over all months does an order that moved show up twice."""
    result = materialise(filled, engine, moved(date(2024, 3, 6)), ["2024-03"], "orders", "order_details")
    assert result.success, failures(result)
    check = evaluations(result, "orders")["keys_over_all_months"]
    assert not check.passed
    assert check.metadata["expected"].value == "unique (order_number)"
    assert check.metadata["actual"].value == "{'order_number': 10100, 'rows': 2}"
    check = evaluations(result, "order_details")["keys_over_all_months"]
    assert str(check.metadata["actual"].value).count("'rows': 2") == 2
    assert evaluations(result, "orders")["keys_unique"].passed


def test_order_that_left_its_old_month_is_in_one(filled: Settings, engine: Engine) -> None:
    result = materialise(filled, engine, moved(date(2024, 3, 6)), MONTHS, "orders", "order_details", "fact_orders")
    assert result.success, failures(result)
    for name in ("orders", "order_details", "fact_orders"):
        check = evaluations(result, name)["keys_over_all_months"]
        assert check.passed
        assert check.metadata["actual"].value == "unique"


def test_coverage_counts_published_months_and_warns_of_missing_ones(filled: Settings, engine: Engine) -> None:
    """A lake that is being filled month by month is not wrong, and its figures are not those of all months."""
    folder = "marts/monthly_revenue"
    shutil.rmtree(filled.lake / folder / "year=2024" / "month=02")
    (filled.lake / "_receipts" / folder / "2024-02.json").unlink()
    check = checked(filled, engine, "monthly_revenue", "coverage", ["2024-03"])
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert check.metadata["expected"].value == "covers 3 of 3 months"
    assert check.metadata["actual"].value == "covers 2 of 3 months, missing 2024-02"


def test_coverage_passes_when_every_month_is_published(filled: Settings, engine: Engine) -> None:
    check = checked(filled, engine, "revenue_by_country", "coverage", ["2024-01"])
    assert check.passed
    assert check.metadata["actual"].value == "covers 3 of 3 months"
