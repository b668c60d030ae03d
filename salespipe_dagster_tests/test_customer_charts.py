"""The charts about customers by the numbers that they plot: cohorts, credit limits, receivables."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster_tests.drawn import about, detail, draw, title
from salespipe_spark import months

COHORTS = "cohort_month date, month_start date, customers bigint, revenue decimal(18,2)"
LIFETIMES = (
    "customer_number string, revenue decimal(18,2), balance decimal(18,2), "
    "credit_limit decimal(10,2), is_over_credit_limit boolean"
)
AGEING = "customer_number int, bucket string, amount decimal(18,2), as_of_date date"
Customer = tuple[str, str, str | None, bool | None]


def cohorts(spark: SparkSession, *rows: tuple[str, str, int, str]) -> DataFrame:
    values = [(months.first_day(c), months.first_day(m), number, Decimal(amount)) for c, m, number, amount in rows]
    return spark.createDataFrame(values, COHORTS)


def lifetimes(spark: SparkSession, *rows: Customer) -> DataFrame:
    """Customers as number, revenue, credit limit, and whether the balance is above it."""
    values = [(n, Decimal(r), Decimal(7), None if c is None else Decimal(c), over) for n, r, c, over in rows]
    return spark.createDataFrame(values, LIFETIMES)


def ageing(spark: SparkSession, *rows: tuple[int, str, str]) -> DataFrame:
    return spark.createDataFrame([(n, b, Decimal(a), date(2024, 2, 29)) for n, b, a in rows], AGEING)


class TestNewAndReturningCustomers:
    ROWS = (("2024-01", "2024-01", 3, "90"), ("2024-01", "2024-02", 2, "50.10"), ("2024-02", "2024-02", 1, "9.90"))

    def test_a_months_own_cohort_is_new_and_every_earlier_one_returns(self, spark: SparkSession) -> None:
        rows = (*self.ROWS, ("2024-01", "2024-04", 1, "5"), ("2024-02", "2024-04", 1, "7.50"))
        says = about("2024-01", "2024-02", "2024-04")
        returning, new = draw("new_and_returning_customers", cohorts(spark, *rows), says)["data"]
        assert returning["x"] == new["x"] == ["2024-01", "2024-02", "2024-03", "2024-04"]
        assert (returning["name"], returning["y"]) == ("Returning customers", [0.0, 50.1, None, 12.5])
        assert (new["name"], new["y"]) == ("New customers", [90.0, 9.9, None, 0.0])
        assert returning["hovertext"] == [
            "USD 0.00 from 0 customers",
            "USD 50.10 from 2 customers",
            "",
            "USD 12.50 from 2 customers",
        ]

    def test_title_is_the_larger_kinds_share_and_the_first_month_is_explained(self, spark: SparkSession) -> None:
        drawn = draw("new_and_returning_customers", cohorts(spark, *self.ROWS), about("2024-01", "2024-02"))
        assert title(drawn) == "New customers make 67% of wholesale revenue"
        assert (
            detail(drawn) == "4 customers came in 2 months; in Jan 2024, the first month, every customer counts as new"
        )

    def test_title_of_one_month_and_of_a_tie(self, spark: SparkSession) -> None:
        one = draw("new_and_returning_customers", cohorts(spark, self.ROWS[0]), about("2024-01"))
        assert title(one) == "New customers make all wholesale revenue"
        tie = cohorts(spark, ("2024-01", "2024-01", 1, "5"), ("2024-01", "2024-02", 1, "5"))
        drawn = draw("new_and_returning_customers", tie, about("2024-01", "2024-02"))
        assert title(drawn) == "New customers and Returning customers each make 50% of wholesale revenue"

    def test_losses_are_stacked_below_zero_within_the_axis(self, spark: SparkSession) -> None:
        rows = cohorts(spark, ("2024-01", "2024-02", 1, "-30"), ("2024-02", "2024-02", 1, "-40"))
        drawn = draw("new_and_returning_customers", rows, about("2024-01", "2024-02"))
        assert drawn["layout"]["barmode"] == "relative"
        assert drawn["layout"]["yaxis"]["range"][0] < -70
        assert title(drawn) == "Highest wholesale revenue: Returning customers, USD \N{MINUS SIGN}30"


class TestCohortRevenueByMonth:
    def test_a_row_is_a_first_month_and_a_column_the_months_since(self, spark: SparkSession) -> None:
        rows = [("2024-01", "2024-01", 3, "90"), ("2024-01", "2024-03", 1, "4"), ("2024-03", "2024-03", 1, "6")]
        says = about("2024-01", "2024-02", "2024-03", "2024-05")
        drawn = draw("cohort_revenue_by_month", cohorts(spark, *rows), says)
        (cells,) = drawn["data"]
        assert (cells["y"], cells["x"]) == (["2024-01", "2024-03"], ["0", "1", "2", "3", "4"])
        # April is not published: blank in both rows. February and May without sales are zero.
        assert cells["z"] == [[90.0, 0.0, 4.0, None, 0.0], [6.0, None, 0.0, None, None]]
        assert cells["hovertext"][0][2] == "Customers of Jan 2024, in Mar 2024<br>USD 4.00"
        assert title(drawn) == "Customers of Jan 2024 make 94% of wholesale revenue"

    def test_title_of_first_months_that_tie(self, spark: SparkSession) -> None:
        rows = cohorts(spark, ("2024-04", "2024-04", 1, "5"), ("2024-03", "2024-03", 1, "5"))
        drawn = draw("cohort_revenue_by_month", rows, about("2024-03", "2024-04"))
        assert title(drawn) == "Customers of Mar 2024 and Apr 2024 each make 50% of wholesale revenue"

    def test_ten_years_label_every_january_and_every_half_year(self, spark: SparkSession) -> None:
        span = months.between("2016-01", "2025-12")
        drawn = draw("cohort_revenue_by_month", cohorts(spark, *((m, m, 1, "1") for m in span)), about(*span))
        assert drawn["layout"]["xaxis"]["ticktext"] == [str(n) for n in range(0, 120, 6)]
        assert drawn["layout"]["yaxis"]["ticktext"][:2] == ["Jan 2016 ", "Jul 2016 "]
        assert drawn["data"][0]["texttemplate"] == ""

    def test_unknown_amount_of_a_month_to_come_is_not_said_to_be_unpublished(self, spark: SparkSession) -> None:
        rows = cohorts(spark, ("2024-02", "2024-02", 1, "5"))
        (cells,) = draw("cohort_revenue_by_month", rows, about("2024-01", "2024-02"))["data"]
        assert (cells["z"], cells["hoverongaps"]) == ([[5.0, None]], False)


class TestCreditLimitAndSales:
    def test_points_are_limit_and_revenue_and_those_over_it_are_apart(self, spark: SparkSession) -> None:
        rows = [("1", "50.25", "100", False), ("2", "80", "20", True), ("3", "9", None, None), ("4", "0", "0", False)]
        names = {"1": "Ann", "2": "Bo", "3": "Cy", "4": "Di"}
        drawn = draw("credit_limit_and_sales", lifetimes(spark, *rows), about("2024-01"), names)
        within, over = drawn["data"]
        assert (within["x"], within["y"]) == ([100.0, 0.0], [50.25, 0.0])
        assert (over["x"], over["y"]) == ([20.0], [80.0])
        assert over["hovertext"] == ["Bo<br>revenue USD 80.00<br>credit limit USD 20.00<br>owes USD 7.00"]
        assert within["marker"]["symbol"] != over["marker"]["symbol"]  # not by colour alone
        assert title(drawn) == "Bo owes more than its credit limit"
        assert detail(drawn) == "3 customers with a credit limit; 1 without one"

    @pytest.mark.parametrize(
        ("over", "said"),
        [
            ((False, False, False), "No customer owes more than the credit limit"),
            ((True, True, False), "2 of 3 customers owe more than their credit limit"),
            ((True, True, True), "Every customer with a credit limit owes more than it"),
        ],
    )
    def test_title_counts_those_who_owe_too_much(self, spark: SparkSession, over: tuple[bool, ...], said: str) -> None:
        rows = [(str(number), "5", "1", each) for number, each in enumerate(over)]
        assert title(draw("credit_limit_and_sales", lifetimes(spark, *rows), about("2024-01"))) == said

    def test_no_one_has_a_limit(self, spark: SparkSession) -> None:
        drawn = draw("credit_limit_and_sales", lifetimes(spark, ("1", "5", None, None)), about("2024-01"))
        assert title(drawn) == "No customer has a credit limit"

    def test_names_do_not_cover_one_another(self, spark: SparkSession) -> None:
        """Three customers at almost the same place: a name on either side, and none for the third."""
        rows = [("1", "1000", "500", False), ("2", "999", "500", False), ("3", "998", "500", False)]
        drawn = draw(
            "credit_limit_and_sales", lifetimes(spark, *rows), about("2024-01"), {"1": "A", "2": "B", "3": "C"}
        )
        notes = drawn["layout"]["annotations"][:-1]
        assert [(note["text"], note["xanchor"]) for note in notes] == [("A", "left"), ("B", "right")]

    def test_customers_over_their_limit_are_named_beside_those_who_buy_more(self, spark: SparkSession) -> None:
        """The title speaks of them; by revenue alone they were points without a name."""
        rows = [(str(n), str(1000 - 100 * n), str(100 + 90 * n), n > 6) for n in range(9)]
        drawn = draw("credit_limit_and_sales", lifetimes(spark, *rows), about("2024-01"))
        named = {note["text"] for note in drawn["layout"]["annotations"][:-1]}
        assert named == {f"Customer {n}" for n in (0, 1, 2, 3, 4, 7, 8)}

    def test_of_very_many_those_who_buy_most_are_shown(self, spark: SparkSession) -> None:
        rows = [(f"{number:04}", str(number), "5", False) for number in range(1001)]
        drawn = draw("credit_limit_and_sales", lifetimes(spark, *rows), about("2024-01"))
        assert (len(drawn["data"][0]["x"]), min(drawn["data"][0]["y"])) == (1000, 1.0)
        assert detail(drawn) == (
            "1,001 customers with a credit limit, the 1,000 who buy most of them are shown; none without one"
        )


class TestReceivablesAgeing:
    def bars(self, drawn: dict[str, Any]) -> dict[str, float]:
        (bars,) = drawn["data"]
        return dict(zip(bars["x"], bars["y"], strict=True))

    def test_bars_are_sums_over_customers_by_age_with_credit_apart(self, spark: SparkSession) -> None:
        rows = [(1, "over 90 days", "10.50"), (2, "over 90 days", "14.50"), (1, "0-30 days", "75"), (3, "credit", "-8")]
        drawn = draw("receivables_ageing", ageing(spark, *rows), about("2024-01", "2024-02"))
        assert self.bars(drawn) == {
            "0-30 days": 75.0,
            "31-60 days": 0.0,
            "61-90 days": 0.0,
            "over 90 days": 25.0,
            "Paid ahead": -8.0,
        }
        assert drawn["data"][0]["text"] == ["75  (75%)", "0  (0%)", "0  (0%)", "25  (25%)", "\N{MINUS SIGN}8"]
        colours = drawn["data"][0]["marker"]["color"]
        assert colours[-1] not in colours[:-1]
        assert title(drawn) == "25% of what customers owe is older than 90 days"
        assert detail(drawn) == "2 customers owe USD 100 on 29 Feb 2024; USD 8 is paid ahead"

    @pytest.mark.parametrize(
        ("bucket", "said"),
        [
            ("0-30 days", "Nothing that customers owe is older than 90 days"),
            ("over 90 days", "All that customers owe is older than 90 days"),
            ("credit", "Nothing is owed at the end of Feb 2024"),
        ],
    )
    def test_title_where_all_is_of_one_age(self, spark: SparkSession, bucket: str, said: str) -> None:
        amount = "-0.01" if bucket == "credit" else "0.01"
        assert title(draw("receivables_ageing", ageing(spark, (1, bucket, amount)), about("2024-02"))) == said

    def test_title_of_a_small_part_is_not_rounded_to_nothing(self, spark: SparkSession) -> None:
        rows = ageing(spark, (1, "0-30 days", "1000000000.00"), (1, "over 90 days", "0.01"))
        drawn = draw("receivables_ageing", rows, about("2024-02"))
        assert title(drawn) == "Under 1% of what customers owe is older than 90 days"
        assert detail(drawn) == "1 customer owes USD 1.00B on 29 Feb 2024; nothing is paid ahead"
