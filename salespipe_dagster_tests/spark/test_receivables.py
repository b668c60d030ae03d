"""What customers ordered, paid and owe: receivables by month, lifetimes, cohorts and ageing, by literal rows."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from salespipe_dagster_tests.spark.test_marts import fact, facts
from salespipe_dagster_tests.support import assert_rows, frame
from salespipe_spark.core.dim_customers import CONTRACT as CUSTOMERS
from salespipe_spark.core.fact_payments import CONTRACT as PAYMENTS
from salespipe_spark.marts.cohort_revenue import CONTRACT as COHORTS
from salespipe_spark.marts.cohort_revenue import cohort_revenue
from salespipe_spark.marts.customer_lifetimes import CONTRACT as LIFETIMES
from salespipe_spark.marts.customer_lifetimes import customer_lifetimes
from salespipe_spark.marts.receivables import CONTRACT as RECEIVABLES
from salespipe_spark.marts.receivables import receivables
from salespipe_spark.marts.receivables_ageing import receivables_ageing
from salespipe_spark.marts.revenue_by_customer import revenue_by_customer

JANUARY, FEBRUARY, MARCH, MAY = (date(2024, month, 1) for month in (1, 2, 3, 5))
Row = tuple[Any, ...]
AGEING = "customer_number int, bucket string, amount decimal(18,2), as_of_date date"
SHORT = "customer_number int, bucket string, amount decimal(18,2)"


def payments(spark: SparkSession, *rows: tuple[int, date, str]) -> DataFrame:
    """Payments from (customer, day, amount)."""
    full = [(customer, f"C{n}", day, Decimal(amount)) for n, (customer, day, amount) in enumerate(rows)]
    return frame(spark, PAYMENTS.ddl, full)


def customers(spark: SparkSession, limits: dict[int, str | None]) -> DataFrame:
    """Customers from their numbers and credit limits."""
    rows: list[Row] = []
    for number, limit in limits.items():
        place = ("Town", None, None, "USA", "key")
        rows.append((number, "Name", "Contact", "1", *place, limit and Decimal(limit), None, None))
    return frame(spark, CUSTOMERS.ddl, rows)


def amounts(*texts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))


class TestReceivables:
    def test_months_of_orders_and_of_payments_meet_by_customer(self, spark: SparkSession) -> None:
        lines = facts(
            spark,
            fact(1, amount="100.00", customer=1, day=date(2024, 1, 5)),
            fact(2, amount="30.00", customer=1, day=date(2024, 1, 9), cancelled=True),
            fact(3, amount="7.00", customer=2, day=date(2024, 2, 1)),
        )
        paid = payments(spark, (1, date(2024, 1, 31), "60.00"), (1, date(2024, 3, 1), "40.00"))
        expected = [
            (JANUARY, 1, *amounts("130.00", "100.00", "60.00")),
            (FEBRUARY, 2, *amounts("7.00", "7.00", "0.00")),
            (MARCH, 1, *amounts("0.00", "0.00", "40.00")),
        ]
        assert_rows(receivables(lines, paid), RECEIVABLES.ddl, expected)

    def test_several_lines_and_payments_do_not_multiply_each_other(self, spark: SparkSession) -> None:
        """Joined before they are summed, two lines and three payments make six of each."""
        lines = facts(spark, fact(1, 1, amount="10.00", customer=1), fact(1, 2, amount="20.00", customer=1))
        paid = payments(spark, *((1, date(2024, 1, day), "5.00") for day in (1, 2, 3)))
        assert_rows(receivables(lines, paid), RECEIVABLES.ddl, [(JANUARY, 1, *amounts("30.00", "30.00", "15.00"))])


class TestLifetimes:
    @staticmethod
    def made(spark: SparkSession, lines: list[Any], paid: list[Any], limits: dict[int, str | None]) -> DataFrame:
        fact_orders = facts(spark, *lines)
        owed = receivables(fact_orders, payments(spark, *paid))
        return customer_lifetimes(revenue_by_customer(fact_orders), owed, customers(spark, limits))

    def test_months_are_added_up(self, spark: SparkSession) -> None:
        lines = [
            fact(1, amount="100.00", customer=1, day=date(2024, 1, 5)),
            fact(2, amount="50.00", customer=1, day=date(2024, 3, 5)),
            fact(3, amount="9.00", customer=1, day=date(2024, 5, 5), cancelled=True),
        ]
        made = self.made(spark, lines, [(1, date(2024, 5, 1), "60.00")], {1: "89.99"})
        sums = amounts("159.00", "150.00", "60.00", "90.00")
        assert_rows(made, LIFETIMES.ddl, [(1, JANUARY, MARCH, 2, *sums, Decimal("89.99"), True)])

    @pytest.mark.parametrize(("limit", "over"), [("90.00", False), ("89.99", True), (None, None)])
    def test_limit_is_passed_only_above_it_and_no_limit_is_unknown(
        self, spark: SparkSession, limit: str | None, over: bool | None
    ) -> None:
        made = self.made(spark, [fact(1, amount="90.00", customer=1)], [], {1: limit})
        found = made.select("credit_limit", "is_over_credit_limit")
        assert_rows(
            found, "credit_limit decimal(10,2), is_over_credit_limit boolean", [(limit and Decimal(limit), over)]
        )

    def test_customers_without_orders_and_orders_without_customers_are_kept(self, spark: SparkSession) -> None:
        """An inner join would lose what a customer who was deleted has bought."""
        made = self.made(spark, [fact(1, amount="10.00", customer=2)], [(3, MARCH, "4.00")], {1: "5.00"})
        none = amounts("0.00", "0.00", "0.00", "0.00")
        expected: list[Row] = [
            (1, None, None, 0, *none, Decimal("5.00"), False),
            (2, JANUARY, JANUARY, 1, *amounts("10.00", "10.00", "0.00", "10.00"), None, None),
            (3, None, None, 0, *amounts("0.00", "0.00", "4.00", "-4.00"), None, None),
        ]
        assert_rows(made, LIFETIMES.ddl, expected)


class TestCohorts:
    def test_customers_stay_in_the_month_of_their_first_order(self, spark: SparkSession) -> None:
        lines = facts(
            spark,
            fact(1, amount="10.00", customer=1, day=JANUARY),
            fact(2, amount="20.00", customer=2, day=JANUARY),
            fact(3, amount="5.00", customer=1, day=MARCH),
            fact(4, amount="6.00", customer=1, day=date(2024, 3, 9)),
            fact(5, amount="7.00", customer=3, day=MARCH),
        )
        expected = [
            (JANUARY, JANUARY, 2, 2, Decimal("30.00")),
            (JANUARY, MARCH, 1, 2, Decimal("11.00")),
            (MARCH, MARCH, 1, 1, Decimal("7.00")),
        ]
        assert_rows(cohort_revenue(revenue_by_customer(lines)), COHORTS.ddl, expected)

    def test_cancelled_first_order_founds_no_cohort(self, spark: SparkSession) -> None:
        lines = facts(spark, fact(1, customer=1, day=JANUARY, cancelled=True), fact(2, amount="5.00", day=MARCH))
        made = cohort_revenue(revenue_by_customer(lines))
        assert_rows(made, COHORTS.ddl, [(MARCH, MARCH, 1, 1, Decimal("5.00"))])


class TestAgeing:
    """Counted to 2024-05-31 where the newest month is May."""

    @staticmethod
    def made(spark: SparkSession, lines: list[Any], *paid: tuple[int, date, str]) -> DataFrame:
        fact_orders = facts(spark, *lines)
        return receivables_ageing(fact_orders, receivables(fact_orders, payments(spark, *paid)))

    def test_days_since_the_order_choose_the_bucket(self, spark: SparkSession) -> None:
        days = {
            date(2024, 5, 31): "1.00",
            date(2024, 5, 1): "2.00",  # 30 days
            date(2024, 4, 30): "4.00",  # 31
            date(2024, 4, 1): "8.00",  # 60
            date(2024, 3, 31): "16.00",  # 61
            date(2024, 3, 2): "32.00",  # 90
            date(2024, 3, 1): "64.00",  # 91
        }
        lines = [fact(n, amount=amount, customer=1, day=day) for n, (day, amount) in enumerate(days.items())]
        as_of = date(2024, 5, 31)
        expected = [
            (1, "0-30 days", Decimal("3.00"), as_of),
            (1, "31-60 days", Decimal("12.00"), as_of),
            (1, "61-90 days", Decimal("48.00"), as_of),
            (1, "over 90 days", Decimal("64.00"), as_of),
        ]
        assert_rows(self.made(spark, lines), AGEING, expected)

    def test_payments_settle_the_oldest_orders_first(self, spark: SparkSession) -> None:
        """Whatever order a payment was meant for: it names none."""
        lines = [
            fact(1, amount="100.00", customer=1, day=JANUARY),
            fact(2, amount="50.00", customer=1, day=date(2024, 4, 15)),
            fact(3, amount="25.00", customer=1, day=date(2024, 5, 20)),
        ]
        made = self.made(spark, lines, (1, date(2024, 5, 21), "110.00"))
        expected = [(1, "31-60 days", Decimal("40.00")), (1, "0-30 days", Decimal("25.00"))]
        assert_rows(made.drop("as_of_date"), SHORT, expected)

    def test_what_is_paid_ahead_is_a_credit_below_zero(self, spark: SparkSession) -> None:
        lines = [fact(1, amount="10.00", customer=1, day=MAY)]
        made = self.made(spark, lines, (1, MAY, "12.50"), (2, MAY, "3.00"))
        expected = [(1, "credit", Decimal("-2.50")), (2, "credit", Decimal("-3.00"))]
        assert_rows(made.drop("as_of_date"), SHORT, expected)

    def test_settled_customers_and_cancelled_orders_owe_nothing(self, spark: SparkSession) -> None:
        lines = [fact(1, amount="10.00", customer=1, day=MAY), fact(2, amount="9.00", customer=2, cancelled=True)]
        assert_rows(self.made(spark, lines, (1, MAY, "10.00")).drop("as_of_date"), SHORT, [])

    def test_returns_and_refunds_still_add_up_to_the_balance(self, spark: SparkSession) -> None:
        """Negative orders and payments: the buckets of a customer are its revenue less its payments, to the cent."""
        lines = [
            fact(1, amount="100.00", customer=1, day=JANUARY),
            fact(2, amount="-30.00", customer=1, day=MARCH),
            fact(3, amount="12.34", customer=1, day=MAY),
            fact(4, amount="-5.00", customer=2, day=MAY),
            fact(5, amount="8.00", customer=3, day=MAY),
        ]
        made = self.made(spark, lines, (1, FEBRUARY, "90.00"), (3, MAY, "-2.00"))
        totals = made.groupBy("customer_number").agg(F.sum("amount").alias("sum"))
        expected = [(1, Decimal("-7.66")), (2, Decimal("-5.00")), (3, Decimal("10.00"))]
        assert_rows(totals, "customer_number int, sum decimal(28,2)", expected)
