"""The charts about orders and product lines by the numbers that they plot."""

import statistics
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster_tests.drawn import about, detail, draw, frame, title

LINES = "month_start date, product_code string, product_line string, revenue decimal(18,2)"
ORDERS = "order_number int, amount decimal(18,2), is_cancelled boolean"


def orders(spark: SparkSession, *amounts: str) -> DataFrame:
    """Orders of one line each."""
    return spark.createDataFrame([(n, Decimal(amount), False) for n, amount in enumerate(amounts)], ORDERS)


def buckets(drawn: dict[str, Any]) -> dict[float, int]:
    """The plotted counts by the middle of their bucket; empty ones left out."""
    (bars,) = drawn["data"]
    return {round(x, 4): y for x, y in zip(bars["x"], bars["y"], strict=True) if y}


class TestDealSizes:
    def test_an_order_is_the_sum_of_its_lines_and_cancelled_ones_are_none(self, spark: SparkSession) -> None:
        lines = [(1, "10", False), (1, "15", False), (2, "75", False), (3, "500", True)]
        rows = spark.createDataFrame([(n, Decimal(a), c) for n, a, c in lines], ORDERS)
        drawn = draw("deal_sizes", rows, about("2024-01"))
        # Of 25 and 75 on 8 buckets at most: 10 wide.
        assert buckets(drawn) == {25.0: 1, 75.0: 1}
        assert title(drawn) == "The median wholesale order is USD 50, the mean USD 50"
        assert (
            detail(drawn) == "2 wholesale orders in Jan 2024: mean USD 50, median USD 50, standard deviation USD 35.36"
        )

    def test_mean_median_and_deviation_are_those_of_the_amounts(self, spark: SparkSession) -> None:
        """Held against Python's own statistics."""
        amounts = [Decimal(n * n) for n in range(1, 11)]
        drawn = draw("deal_sizes", orders(spark, *map(str, amounts)), about("2024-01"))
        mean, median, deviation = (f(amounts) for f in (statistics.mean, statistics.median, statistics.stdev))
        assert (mean, median, round(deviation, 2)) == (Decimal("38.5"), Decimal("30.5"), Decimal("34.17"))
        assert (
            detail(drawn)
            == "10 wholesale orders in Jan 2024: mean USD 38.50, median USD 30.50, standard deviation USD 34.17"
        )

    def test_amount_on_an_edge_is_in_the_upper_bucket_to_the_cent(self, spark: SparkSession) -> None:
        drawn = draw("deal_sizes", orders(spark, "0.00", "9.99", "10.00", "19.99", "20.00", "80.00"), about("2024-01"))
        assert buckets(drawn) == {5.0: 2, 15.0: 2, 25.0: 1, 85.0: 1}
        assert drawn["data"][0]["hovertext"][0] == "USD 0 to under 10<br>2 wholesale orders (33%)"

    def test_a_few_far_larger_orders_share_an_open_bucket(self, spark: SparkSession) -> None:
        """One order of a billion would press all others into one bar."""
        amounts = [str(n) for n in range(1, 1000)]
        drawn = draw("deal_sizes", orders(spark, *amounts, "1000000000"), about("2024-01"))
        assert len(drawn["data"][0]["x"]) == 21
        assert drawn["data"][0]["y"][-1] == 1
        assert drawn["data"][0]["hovertext"][-1] == "USD 1k and more<br>1 wholesale order (under 1%)"
        assert drawn["data"][0]["marker"]["color"][-1] != drawn["data"][0]["marker"]["color"][0]
        assert sum(drawn["data"][0]["y"]) == 1000
        # The mean, near a million, lies in that bucket's middle.
        assert drawn["layout"]["shapes"][0]["x0"] == 1025.0

    @pytest.mark.parametrize("number", [60, 5000])
    def test_buckets_are_as_many_as_read_well(self, spark: SparkSession, number: int) -> None:
        rows = spark.range(number).selectExpr(
            "CAST(id AS INT) order_number", "CAST(id + 1 AS DECIMAL(18,2)) amount", "false is_cancelled"
        )
        assert 5 <= len(draw("deal_sizes", rows, about("2024-01"))["data"][0]["x"]) <= 26

    def test_one_order(self, spark: SparkSession) -> None:
        drawn = draw("deal_sizes", orders(spark, "0.01"), about("2024-01"))
        assert title(drawn) == "The only wholesale order is USD 0.01"
        assert detail(drawn) == "1 wholesale order in Jan 2024: mean USD 0.01, median USD 0.01"
        assert buckets(drawn) == {0.015: 1}

    def test_credit_notes_are_left_of_zero(self, spark: SparkSession) -> None:
        drawn = draw("deal_sizes", orders(spark, "-40", "40"), about("2024-01"))
        assert buckets(drawn) == {-35.0: 1, 45.0: 1}


class TestProductLinesOverTime:
    ROWS = (
        ("2024-01", "S1", "Cars", "9.10"),
        ("2024-01", "S2", "Cars", "0.90"),
        ("2024-01", "S3", "Ships", "4"),
        ("2024-02", "S3", "Ships", "6"),
        ("2024-04", "S1", "Cars", "1"),
    )

    def test_lines_are_sums_over_products_with_zeros_and_gaps(self, spark: SparkSession) -> None:
        drawn = draw("product_lines_over_time", frame(spark, LINES, *self.ROWS), about("2024-01", "2024-02", "2024-04"))
        plotted = {trace["name"]: (trace["x"], trace["y"]) for trace in drawn["data"]}
        span = ["2024-01", "2024-02", "2024-03", "2024-04"]
        assert plotted == {"Cars": (span, [10.0, 0.0, None, 1.0]), "Ships": (span, [4.0, 6.0, None, 0.0])}
        assert title(drawn) == "Cars sell most in 2 of 3 months"

    def test_title_of_one_month_of_all_and_of_ties(self, spark: SparkSession) -> None:
        def said(*rows: tuple[str, ...]) -> str:
            span = sorted({row[0] for row in rows})
            return title(draw("product_lines_over_time", frame(spark, LINES, *rows), about(*span)))

        assert said(self.ROWS[0], self.ROWS[2]) == "Cars sell most in Jan 2024"
        assert said(self.ROWS[0], self.ROWS[2], self.ROWS[4]) == "Cars sell most in all 2 months"
        assert said(*self.ROWS[:4]) == "Cars and Ships each sell most in 1 of 2 months"

    def test_month_without_revenue_has_no_one_ahead(self, spark: SparkSession) -> None:
        data = frame(spark, LINES, self.ROWS[0], self.ROWS[2])
        drawn = draw("product_lines_over_time", data, about("2024-01", "2024-02"))
        assert title(drawn) == "Cars sell most in 1 of 2 months"

    def test_line_has_the_colour_that_it_has_among_all_lines(self, spark: SparkSession) -> None:
        """By rank, a line that overtakes another would take over its colour."""
        rows = [("2024-01", "S", line, amount) for line, amount in (("A", "1"), ("B", "2"), ("C", "3"))]
        drawn = draw("product_lines_over_time", frame(spark, LINES, *rows), about("2024-01"))
        found = {trace["name"]: trace["line"]["color"] for trace in drawn["data"]}
        assert found == {"A": "#0072B2", "B": "#E69F00", "C": "#009E73"}

    def test_many_lines_leave_the_smallest_together_in_grey(self, spark: SparkSession) -> None:
        rows = [("2024-01", "S", f"L{n}", str(100 - n)) for n in range(9)]
        drawn = draw("product_lines_over_time", frame(spark, LINES, *rows), about("2024-01"))
        assert [trace["name"] for trace in drawn["data"]] == [*(f"L{n}" for n in range(6)), "3 other lines"]
        assert drawn["data"][-1]["y"] == [94.0 + 93.0 + 92.0]
        assert drawn["data"][-1]["line"]["color"] == "#7F7F7F"

    def test_lines_that_share_a_colour_differ_in_their_dashes(self, spark: SparkSession) -> None:
        rows = [("2024-01", "S", f"L{n}", "9" if n in (0, 7) else "1") for n in range(9)]
        drawn = draw("product_lines_over_time", frame(spark, LINES, *rows), about("2024-01"))
        look = {trace["name"]: (trace["line"]["color"], trace["line"]["dash"]) for trace in drawn["data"]}
        assert look["L0"] == ("#0072B2", "solid")
        assert look["L7"] == ("#0072B2", "dash")

    def test_names_beside_lines_that_end_together_stand_one_above_the_other(self, spark: SparkSession) -> None:
        rows = [("2024-01", "S", f"L{n}", "5") for n in range(7)]
        layout = draw("product_lines_over_time", frame(spark, LINES, *rows), about("2024-01"))["layout"]
        heights = [note["y"] * 470 for note in layout["annotations"][:-1]]
        assert [round(b - a) for a, b in pairwise(heights)] == [19] * 6
        assert max(heights) <= 470
