"""The charts of the online channel by the numbers that they plot, and what sets the channels apart."""

import random
import statistics
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster.charts import _sizes
from salespipe_dagster.charts._sizes import Reach
from salespipe_dagster_tests.drawn import about, detail, draw, frame, title
from salespipe_spark import months

SUMMARY = "month_start date, region string, product string, total_revenue decimal(18,2)"
SEGMENTS = (
    "month_start date, age_group string, membership_tier string, total_revenue decimal(18,2), transaction_count bigint"
)
MONTHLY = "month_start date, channel string, revenue decimal(18,2)"
SALES = "transaction_id string, amount decimal(18,2)"
BLUE, GREEN, GREY = "#0072B2", "#009E73", "#7F7F7F"
Segment = tuple[str | None, str | None, str, int]


def segments(spark: SparkSession, *rows: Segment) -> DataFrame:
    """Age group, tier, revenue and transactions, all of January."""
    day = months.first_day("2024-01")
    return spark.createDataFrame([(day, age, tier, Decimal(amount), n) for age, tier, amount, n in rows], SEGMENTS)


def sales(spark: SparkSession, *amounts: str) -> DataFrame:
    return spark.createDataFrame([(str(n), Decimal(amount)) for n, amount in enumerate(amounts)], SALES)


def bars(drawn: dict[str, Any], panel: int = 0) -> dict[str, float]:
    """What is plotted, from the top down."""
    trace = drawn["data"][panel]
    return dict(zip(trace["y"], trace["x"], strict=True))


class TestRegionsAndProducts:
    ROWS = (
        ("2024-01", "North", "Jet", "10.10"),
        ("2024-02", "North", "Brig", "20.20"),
        ("2024-01", "South", "Jet", "40.00"),
        ("2024-01", "East", "Kite", "29.70"),
    )

    def test_regions_are_summed_over_products_and_months(self, spark: SparkSession) -> None:
        drawn = draw("online_revenue_by_region", frame(spark, SUMMARY, *self.ROWS), about("2024-01", "2024-02"))
        assert bars(drawn) == {"South": 40.0, "North": 30.3, "East": 29.7}
        assert drawn["data"][0]["text"] == ["40  (40%)", "30.30  (30%)", "29.70  (30%)"]
        assert title(drawn) == "South makes 40% of online revenue"
        assert detail(drawn) == "USD 100 of online revenue from 3 regions in 2 months"

    def test_products_are_summed_over_regions_and_months(self, spark: SparkSession) -> None:
        drawn = draw("top_online_products", frame(spark, SUMMARY, *self.ROWS), about("2024-01", "2024-02"))
        assert bars(drawn) == {"Jet": 50.1, "Kite": 29.7, "Brig": 20.2}
        assert title(drawn) == "Jet makes 50% of online revenue"

    def test_many_regions_leave_the_smallest_as_one_bar_and_many_products_are_told(self, spark: SparkSession) -> None:
        rows = [("2024-01", f"R{n:02}", f"P{n:02}", str(100 - n)) for n in range(30)]
        regions = draw("online_revenue_by_region", frame(spark, SUMMARY, *rows), about("2024-01"))
        products = draw("top_online_products", frame(spark, SUMMARY, *rows), about("2024-01"))
        rest = float(sum(100 - n for n in range(14, 30)))
        assert list(bars(regions).items())[-1] == ("16 other regions", rest)
        assert list(bars(products)) == [f"P{n:02}" for n in range(14)]
        assert detail(products).endswith("USD 1.26k of it from the 16 that are not shown")

    def test_a_channel_has_its_own_colour(self, spark: SparkSession) -> None:
        online = draw("online_revenue_by_region", frame(spark, SUMMARY, self.ROWS[0]), about("2024-01"))
        country = frame(spark, "month_start date, country string, revenue decimal(18,2)", ("2024-01", "USA", "1"))
        wholesale = draw("revenue_by_country", country, about("2024-01"))
        assert [drawn["data"][0]["marker"]["color"] for drawn in (online, wholesale)] == [[GREEN], [BLUE]]


class TestMembershipTiers:
    def test_tiers_are_summed_over_ages(self, spark: SparkSession) -> None:
        data = segments(
            spark, ("18-24", "Gold", "30.01", 1), ("25-34", "Gold", "29.99", 2), ("25-34", "Basic", "40", 3)
        )
        drawn = draw("online_revenue_by_membership_tier", data, about("2024-01"))
        assert bars(drawn) == {"Gold": 60.0, "Basic": 40.0}
        assert title(drawn) == "Gold makes 60% of online revenue"

    def test_customers_without_a_tier_have_a_bar_but_never_the_title(self, spark: SparkSession) -> None:
        data = segments(spark, (None, None, "50", 1), ("18-24", None, "10", 1), ("18-24", "Gold", "40", 1))
        drawn = draw("online_revenue_by_membership_tier", data, about("2024-01"))
        assert bars(drawn) == {"Customers without a tier": 60.0, "Gold": 40.0}
        assert drawn["data"][0]["marker"]["color"] == [GREY, GREEN]
        assert title(drawn) == "Gold makes 40% of online revenue"
        assert detail(drawn) == (
            "USD 100 of online revenue from 1 membership tier in 1 month; USD 60 of it from customers without a tier"
        )

    def test_a_tier_called_none_is_a_tier(self, spark: SparkSession) -> None:
        """As text, NULL and None were one, and the tier's revenue was that of nobody."""
        data = segments(spark, ("18-24", None, "30", 1), ("18-24", "None", "70", 1))
        drawn = draw("online_revenue_by_membership_tier", data, about("2024-01"))
        assert bars(drawn) == {"None": 70.0, "Customers without a tier": 30.0}
        assert title(drawn) == "None makes 70% of online revenue"

    def test_tiers_that_were_given_all_for_nothing_do_not_hide_the_others(self, spark: SparkSession) -> None:
        """The title was "No online revenue" above a bar."""
        data = segments(spark, ("18-24", "Gold", "0", 1), ("18-24", None, "5", 1))
        drawn = draw("online_revenue_by_membership_tier", data, about("2024-01"))
        assert title(drawn) == "Customers without a tier make all online revenue"


class TestAgeGroups:
    def test_revenue_stands_beside_the_average_transaction(self, spark: SparkSession) -> None:
        """The average is that of all transactions, not the average of the months' averages."""
        data = segments(
            spark,
            ("25-34", "Gold", "90", 1),
            ("25-34", "Basic", "30", 3),
            ("18-24", "Gold", "80.01", 2),
            ("18-24", None, "0.00", 1),
        )
        drawn = draw("online_revenue_by_age_group", data, about("2024-01"))
        assert bars(drawn) == {"18-24": 80.01, "25-34": 120.0}
        assert bars(drawn, 1) == {"18-24": 26.67, "25-34": 30.0}
        assert drawn["data"][0]["text"] == ["80.01  (40%)", "120  (60%)"]
        assert drawn["data"][1]["text"] == ["26.67", "30"]
        assert drawn["data"][1]["hovertext"][0] == "18-24<br>USD 26.67 in each of 3 transactions"
        assert title(drawn) == "Age group 25-34 makes 60% of online revenue"
        assert detail(drawn) == (
            "USD 200.01 of online revenue from 2 age groups in 1 month; 25-34 spend most at a time, USD 30"
        )

    def test_groups_stand_by_age_whatever_they_sell(self, spark: SparkSession) -> None:
        names = ["65+", "Under 18", "100 and more", "18-24", None, "9-12", "Senior", "<9"]
        data = segments(spark, *((name, "Gold", str(n + 1), 1) for n, name in enumerate(names)))
        drawn = draw("online_revenue_by_age_group", data, about("2024-01"))
        by_age = ["<9", "Under 18", "9-12", "18-24", "65+", "100 and more", "Senior", "Customers of unknown age"]
        assert list(bars(drawn)) == list(bars(drawn, 1)) == by_age

    def test_unknown_age_is_grey_and_told_and_leads_in_no_title(self, spark: SparkSession) -> None:
        data = segments(spark, (None, None, "60", 2), (None, "Gold", "15", 1), ("18-24", "Gold", "25", 1))
        drawn = draw("online_revenue_by_age_group", data, about("2024-01"))
        assert bars(drawn) == {"18-24": 25.0, "Customers of unknown age": 75.0}
        assert drawn["data"][0]["marker"]["color"] == [GREEN, GREY]
        assert drawn["data"][1]["marker"]["color"][1] == GREY
        assert title(drawn) == "Age group 18-24 makes 25% of online revenue"
        assert detail(drawn) == (
            "USD 100 of online revenue from 1 age group in 1 month, 75 of it from customers of unknown age"
        )

    def test_no_age_known_at_all_is_said(self, spark: SparkSession) -> None:
        drawn = draw("online_revenue_by_age_group", segments(spark, (None, None, "9", 1)), about("2024-01"))
        assert title(drawn) == "Customers of unknown age make all online revenue"

    def test_many_groups_leave_the_smallest_together_with_their_own_average(self, spark: SparkSession) -> None:
        rows = [(f"{n}-{n + 1}", "Gold", str(1000 - n), 2) for n in range(10, 30)]
        drawn = draw("online_revenue_by_age_group", segments(spark, *rows, (None, None, "1", 1)), about("2024-01"))
        names = list(bars(drawn))
        assert names == [*(f"{n}-{n + 1}" for n in range(10, 23)), "7 other age groups", "Customers of unknown age"]
        rest = sum(1000 - n for n in range(23, 30))
        assert (bars(drawn)[names[-2]], bars(drawn, 1)[names[-2]]) == (float(rest), rest / 14)

    def test_four_groups_that_tie_are_counted(self, spark: SparkSession) -> None:
        data = segments(spark, *((name, "Gold", "5", 1) for name in ("18-24", "25-34", "35-44", "45-54")))
        drawn = draw("online_revenue_by_age_group", data, about("2024-01"))
        assert title(drawn) == "4 age groups each make 25% of online revenue"
        assert detail(drawn).endswith("; 4 of them spend most at a time, USD 5")


class TestRevenueByChannel:
    def test_a_line_for_each_channel_with_zeros_and_gaps(self, spark: SparkSession) -> None:
        rows = [
            ("2024-01", "wholesale", "80.10"),
            ("2024-01", "online", "20.20"),
            ("2024-02", "wholesale", "50"),
            ("2024-04", "online", "9.99"),
        ]
        drawn = draw("revenue_by_channel", frame(spark, MONTHLY, *rows), about("2024-01", "2024-02", "2024-04"))
        plotted = {trace["name"]: trace["y"] for trace in drawn["data"]}
        assert plotted == {"Wholesale": [80.1, 50.0, None, 0.0], "Online": [20.2, 0.0, None, 9.99]}
        assert {trace["name"]: trace["line"]["color"] for trace in drawn["data"]} == {
            "Wholesale": BLUE,
            "Online": GREEN,
        }
        assert drawn["data"][0]["x"] == ["2024-01", "2024-02", "2024-03", "2024-04"]
        assert drawn["data"][1]["hovertext"][0] == "Online: USD 20.20"

    def test_last_month_and_the_year_before_say_how_the_online_part_went(self, spark: SparkSession) -> None:
        rows = [("2023-02", "online", "1"), ("2023-02", "wholesale", "9"), ("2024-02", "online", "3")]
        data = frame(spark, MONTHLY, *rows, ("2024-02", "wholesale", "7"))
        drawn = draw("revenue_by_channel", data, about("2023-02", "2024-02"))
        assert title(drawn) == "Wholesale makes 80% of revenue"
        assert detail(drawn) == "USD 20 of revenue in 2 months; online makes 30% in Feb 2024, 10% in Feb 2023"

    def test_without_the_other_channel_nothing_is_compared(self, spark: SparkSession) -> None:
        """There are no files: the line of the other channel would lie on zero for ever."""
        drawn = draw("revenue_by_channel", frame(spark, MONTHLY, ("2024-01", "wholesale", "7")), about("2024-01"))
        assert [trace["name"] for trace in drawn["data"]] == ["Wholesale"]
        assert title(drawn) == "Wholesale makes all revenue"
        assert detail(drawn) == "USD 7 of revenue in 1 month"

    @pytest.mark.parametrize("lost", ["0", "-5"])
    def test_month_in_which_shares_say_nothing_has_none(self, spark: SparkSession, lost: str) -> None:
        rows = [("2024-01", "online", "0"), ("2024-01", "wholesale", lost)]
        drawn = draw("revenue_by_channel", frame(spark, MONTHLY, *rows), about("2024-01"))
        assert "online makes" not in detail(drawn)


class TestTransactionAmounts:
    def test_figures_are_those_of_the_amounts(self, spark: SparkSession) -> None:
        """Held against Python's own statistics."""
        amounts = [Decimal(n * n) for n in range(1, 11)]
        drawn = draw("online_transaction_amounts", sales(spark, *map(str, amounts)), about("2024-01"))
        mean, median, deviation = (f(amounts) for f in (statistics.mean, statistics.median, statistics.stdev))
        assert (mean, median, round(deviation, 2)) == (Decimal("38.5"), Decimal("30.5"), Decimal("34.17"))
        assert title(drawn) == "The median online transaction is USD 30.50, the mean USD 38.50"
        assert detail(drawn) == (
            "10 online transactions in Jan 2024: mean USD 38.50, median USD 30.50, standard deviation USD 34.17"
        )
        at_mean, at_median, across = drawn["layout"]["shapes"][:3]
        assert (at_mean["x0"], at_mean["x1"], at_median["x0"]) == (38.5, 38.5, 30.5)
        assert (round(across["x0"], 2), round(across["x1"], 2)) == (4.33, 72.67)
        said = [note["text"] for note in drawn["layout"]["annotations"][:-1]]
        assert said == ["mean USD 38.50", "median USD 30.50", "standard deviation USD 34.17"]

    def test_half_a_cent_of_the_median_is_rounded_half_up(self, spark: SparkSession) -> None:
        """As a float, 1.015 is less than that, and 1.01 was shown."""
        drawn = draw("online_transaction_amounts", sales(spark, "1.01", "1.02"), about("2024-01"))
        assert title(drawn) == "The median online transaction is USD 1.02, the mean USD 1.02"

    def test_fifty_bins_hold_every_transaction(self, spark: SparkSession) -> None:
        """Each counted in Python; an amount on an edge is in the upper bin."""
        chance = random.Random(5)
        amounts = [Decimal(chance.randrange(0, 24_999)) / 100 for _ in range(2000)] + [Decimal(5), Decimal("249.99")]
        (trace,) = draw("online_transaction_amounts", sales(spark, *map(str, amounts)), about("2024-01"))["data"]
        expected = [0] * 50
        for amount in amounts:
            expected[int(amount // 5)] += 1  # USD 5 is the least round width of which fifty hold 249.99
        assert trace["y"] == expected
        assert trace["x"] == [5 * n + 2.5 for n in range(50)]
        assert set(trace["marker"]["color"]) == {GREEN}

    def test_far_larger_transactions_are_the_fiftieth_bin(self, spark: SparkSession) -> None:
        amounts = [str(n) for n in range(1, 1000)] + ["1000000000"]
        drawn = draw("online_transaction_amounts", sales(spark, *amounts), about("2024-01"))
        (trace,) = drawn["data"]
        assert (len(trace["y"]), sum(trace["y"]), trace["y"][-1]) == (50, 1000, 1)
        assert trace["marker"]["color"].count(GREY) == 1
        assert trace["hovertext"][-1].startswith("USD 1.176k and more<br>1 online transaction")
        assert drawn["layout"]["xaxis"]["ticktext"][-1] == "1.176k+"

    def test_deviation_that_leaves_the_axis_has_no_end_there(self, spark: SparkSession) -> None:
        """A mark at the edge would say that it ends there; its text ran out of the picture."""
        amounts = [str(n) for n in range(1, 1000)] + ["1000000000"]
        layout = draw("online_transaction_amounts", sales(spark, *amounts), about("2024-01"))["layout"]
        low, high = layout["xaxis"]["range"]
        assert [(s["x0"], s["x1"]) for s in layout["shapes"][2:]] == [(low, high)]
        note = layout["annotations"][2]
        assert (note["x"], note["xanchor"]) == (high, "right")

    @pytest.mark.parametrize(
        ("amounts", "tops", "side"),
        [
            (["2"] * 9 + ["3", "9", "90", "100", "101"], {"mean": 0.94, "median": 1.0}, "left"),
            (["1"] + ["99"] * 9 + ["99.99"], {"mean": 0.94, "median": 1.0}, "right"),
        ],
    )
    def test_text_of_a_line_is_not_crossed_by_the_other(
        self, spark: SparkSession, amounts: list[str], tops: dict[str, float], side: str
    ) -> None:
        """Mean and median lie closer together than their texts are long."""
        layout = draw("online_transaction_amounts", sales(spark, *amounts), about("2024-01"))["layout"]
        notes = {note["text"].split(" ")[0]: note for note in layout["annotations"][:2]}
        assert {name: note["y"] for name, note in notes.items()} == tops
        assert {note["xanchor"] for note in notes.values()} == {side}
        assert [line["y1"] for line in layout["shapes"][:2]] == [tops["mean"], tops["median"]]

    def test_one_transaction_and_equal_ones_have_no_deviation(self, spark: SparkSession) -> None:
        one = draw("online_transaction_amounts", sales(spark, "12.34"), about("2024-01"))
        same = draw("online_transaction_amounts", sales(spark, "12.34", "12.34"), about("2024-01"))
        assert title(one) == "The only online transaction is USD 12.34"
        assert detail(same).endswith("standard deviation USD 0")
        assert [len(drawn["layout"]["shapes"]) for drawn in (one, same)] == [2, 2]
        assert [len(drawn["data"][0]["y"]) for drawn in (one, same)] == [50, 50]

    def test_bins_are_fifty_and_hardly_wider_than_they_must_be(self) -> None:
        for seed in range(500):
            chance = random.Random(seed)
            low = float(-chance.choice([0, 0, 0, chance.randrange(1, 10**6)]))
            high = float(chance.choice([0, 1, 49, 50, chance.randrange(1, 10**9)]))
            least, most = low * chance.choice([1, 2]), high * chance.choice([1, 1, 3])
            bins = _sizes.exactly(50, Reach(9, least, most, low, high))
            numbers = {bins.of(Decimal(amount) / 100) for amount in (least, low, high, most)}
            opened = (min(numbers) < bins.first) + (max(numbers) > bins.last)
            assert bins.last - bins.first + 1 + opened == 50, seed
            assert all(bins.closed(bins.of(Decimal(amount) / 100)) for amount in (low, high)), seed
            assert bins.width <= 1.34 * (high - low) / 47 + 1, seed
