"""fact_payments by literal rows."""

from datetime import date
from decimal import Decimal

from pyspark.sql import SparkSession

from salespipe_dagster_tests.support import assert_rows, frame
from salespipe_spark.core.fact_payments import CONTRACT, fact_payments
from salespipe_spark.lake import audit
from salespipe_spark.staging.payments import CONTRACT as PAYMENTS


def test_payments_pass_unchanged_in_the_lakes_money_type(spark: SparkSession) -> None:
    """One cheque number may come from two customers; a refund is negative; the last of a month stays in it."""
    rows = [
        (103, "HQ336336", date(2024, 2, 29), Decimal("6066.78")),
        (112, "HQ336336", date(2024, 2, 1), Decimal("0.01")),
        (112, "HQ55022", date(2024, 1, 31), Decimal("-99999999.99")),
    ]
    assert_rows(fact_payments(frame(spark, PAYMENTS.ddl, rows)), CONTRACT.ddl, rows)


def test_sum_of_a_month_exceeds_the_width_of_a_single_payment(spark: SparkSession) -> None:
    """Three payments of 99,999,999.99 do not fit the source's DECIMAL(10,2)."""
    rows = [(103, f"HQ{n}", date(2024, 1, 15), Decimal("99999999.99")) for n in range(3)]
    figures = audit.figures(fact_payments(frame(spark, PAYMENTS.ddl, rows)), CONTRACT)
    assert figures["2024-01"].sums == {"amount": Decimal("299999999.97")}
