"""The charts by the numbers that they plot: literal rows in, plotted figures and titles out."""

from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from salespipe_dagster.charts import _totals
from salespipe_dagster_tests.drawn import about, detail, draw, frame, title
from salespipe_spark import months

MONTHLY = "month_start date, channel string, revenue decimal(18,2), cancelled_amount decimal(18,2)"
COUNTRIES = "month_start date, country string, revenue decimal(18,2)"
PRODUCTS = "month_start date, product_code string, revenue decimal(18,2)"
CUSTOMERS = "month_start date, customer_number string, revenue decimal(18,2)"
REPS = "month_start date, sales_rep_number string, revenue decimal(18,2)"
LINES = "month_start date, country string, product_line string, revenue decimal(18,2)"


def country_title(spark: SparkSession, **revenue: str) -> str:
    rows = [("2024-01", country, amount) for country, amount in revenue.items()]
    return title(draw("revenue_by_country", frame(spark, COUNTRIES, *rows), about("2024-01")))


def monthly_title(spark: SparkSession, **revenue: str) -> str:
    rows = [(month[1:].replace("_", "-"), "wholesale", amount, "0") for month, amount in revenue.items()]
    return title(draw("monthly_revenue", frame(spark, MONTHLY, *rows), about(*(row[0] for row in rows))))


class TestMonthlyRevenue:
    def test_plots_revenue_and_cancelled_apart_over_all_channels(self, spark: SparkSession) -> None:
        rows = [
            ("2024-01", "wholesale", "100.10", "7.00"),
            ("2024-01", "online", "0.20", "0.00"),
            ("2024-02", "wholesale", "50.00", "0.00"),
        ]
        drawn = draw("monthly_revenue", frame(spark, MONTHLY, *rows), about("2024-01", "2024-02"))
        plotted = {trace["name"]: (trace["x"], trace["y"]) for trace in drawn["data"]}
        assert plotted == {
            "Revenue": (["2024-01", "2024-02"], [100.3, 50.0]),
            "Cancelled, not in revenue": (["2024-01", "2024-02"], [7.0, 0.0]),
        }

    def test_month_without_sales_is_zero_and_month_not_published_is_a_gap(self, spark: SparkSession) -> None:
        """A gap says that nothing is known; zero says that nothing was sold."""
        drawn = draw(
            "monthly_revenue",
            frame(spark, MONTHLY, ("2024-01", "wholesale", "5", "0")),
            about("2024-01", "2024-02", "2024-04"),
        )
        assert drawn["data"][0]["x"] == ["2024-01", "2024-02", "2024-03", "2024-04"]
        assert drawn["data"][0]["y"] == [5.0, 0.0, None, 0.0]

    def test_hover_text_is_exact_where_a_float_is_not(self, spark: SparkSession) -> None:
        data = frame(spark, MONTHLY, ("2024-01", "wholesale", "1234567890123456.78", "0"))
        drawn = draw("monthly_revenue", data, about("2024-01"))
        assert drawn["data"][0]["hovertext"] == ["USD 1,234,567,890,123,456.78"]

    def test_last_month_is_held_against_the_month_and_the_year_before(self, spark: SparkSession) -> None:
        rows = [("2023-03", "wholesale", "80", "0"), ("2024-02", "wholesale", "200", "0")]
        data = frame(spark, MONTHLY, *rows, ("2024-03", "wholesale", "100", "0"))
        drawn = draw("monthly_revenue", data, about("2023-03", "2024-02", "2024-03"))
        assert detail(drawn) == (
            "USD 380 of revenue in 3 months; USD 0 cancelled; "
            "Mar 2024 is \N{MINUS SIGN}50% on the month before and +25% on the year before"
        )
        assert drawn["data"][0]["hovertext"][-2:] == [
            "USD 200.00",
            "USD 100.00, \N{MINUS SIGN}50% on the month before, +25% on the year before",
        ]

    @pytest.mark.parametrize("before", ["0", "-5"])
    def test_change_is_blank_where_the_month_before_was_nothing_or_less(self, spark: SparkSession, before: str) -> None:
        """A percentage of nothing is infinite, of a loss it has the wrong sign."""
        rows = [("2024-01", "wholesale", before, "0"), ("2024-02", "wholesale", "10", "0")]
        drawn = draw("monthly_revenue", frame(spark, MONTHLY, *rows), about("2024-01", "2024-02"))
        assert "before" not in detail(drawn)
        assert drawn["data"][0]["hovertext"][1] == "USD 10.00"

    def test_title_names_the_highest_month(self, spark: SparkSession) -> None:
        assert monthly_title(spark, m2024_01="10", m2024_02="1234567", m2024_03="5") == (
            "Revenue was highest in Feb 2024: USD 1.23M"
        )

    def test_title_of_one_month_does_not_compare(self, spark: SparkSession) -> None:
        assert monthly_title(spark, m2024_01="10.50") == "Revenue was USD 10.50 in Jan 2024"

    def test_title_names_months_that_tie(self, spark: SparkSession) -> None:
        assert monthly_title(spark, m2024_01="9", m2024_02="1", m2024_03="9") == (
            "Revenue was highest in Jan 2024 and Mar 2024: USD 9 each"
        )

    def test_title_of_equal_months(self, spark: SparkSession) -> None:
        assert monthly_title(spark, m2024_01="9", m2024_02="9") == "Revenue was the same in all 2 months: USD 9"

    def test_title_holds_where_every_month_is_negative(self, spark: SparkSession) -> None:
        assert monthly_title(spark, m2024_01="-9", m2024_02="-7.25") == (
            "Revenue was highest in Feb 2024: USD \N{MINUS SIGN}7.25"
        )

    def test_axis_of_money_begins_at_zero_and_names_the_currency(self, spark: SparkSession) -> None:
        data = frame(spark, MONTHLY, ("2024-01", "wholesale", "100", "0"), ("2024-02", "wholesale", "98", "0"))
        axis = draw("monthly_revenue", data, about("2024-01", "2024-02", currency="EUR"))["layout"]["yaxis"]
        assert (axis["range"][0], axis["range"][1] > 100, axis["title"]["text"]) == (0.0, True, "Amount per month, EUR")


class TestRevenueByCountry:
    def test_bars_are_sorted_sums_over_months_and_ties_by_name(self, spark: SparkSession) -> None:
        rows = [
            ("2024-01", "Spain", "10"),
            ("2024-02", "Spain", "20.05"),
            ("2024-01", "USA", "40"),
            ("2024-01", "Italy", "30.05"),
        ]
        drawn = draw("revenue_by_country", frame(spark, COUNTRIES, *rows), about("2024-01", "2024-02"))
        (bars,) = drawn["data"]
        assert (bars["y"], bars["x"]) == (["USA", "Italy", "Spain"], [40.0, 30.05, 30.05])
        assert bars["text"] == ["40  (40%)", "30.05  (30%)", "30.05  (30%)"]
        assert drawn["layout"]["xaxis"]["range"][0] == 0.0

    def test_many_countries_leave_the_smallest_as_one_grey_bar_at_the_end(self, spark: SparkSession) -> None:
        rows = [("2024-01", f"C{i:02}", str(100 - i)) for i in range(20)]
        (bars,) = draw("revenue_by_country", frame(spark, COUNTRIES, *rows), about("2024-01"))["data"]
        rest = sum(100 - i for i in range(14, 20))
        assert (len(bars["y"]), bars["y"][-1], bars["x"][-1]) == (15, "6 other countries", float(rest))
        assert bars["marker"]["color"][-1] != bars["marker"]["color"][0]
        assert sum(bars["x"]) == sum(100 - i for i in range(20))

    def test_title_is_the_leaders_share(self, spark: SparkSession) -> None:
        assert country_title(spark, USA="35", Spain="33", Italy="32") == "USA makes 35% of wholesale revenue"

    def test_title_of_the_only_seller_is_all(self, spark: SparkSession) -> None:
        assert country_title(spark, USA="0.01", Spain="0") == "USA makes all wholesale revenue"

    def test_title_never_rounds_a_part_to_the_whole(self, spark: SparkSession) -> None:
        assert country_title(spark, USA="9999", Spain="1") == "USA makes over 99% of wholesale revenue"

    def test_title_names_leaders_that_tie(self, spark: SparkSession) -> None:
        assert (
            country_title(spark, USA="40", Spain="40", Italy="20") == "Spain and USA each make 40% of wholesale revenue"
        )

    def test_title_counts_leaders_where_many_tie(self, spark: SparkSession) -> None:
        assert country_title(spark, A="1", B="1", C="1", D="1") == "4 countries each make 25% of wholesale revenue"

    def test_title_has_no_share_where_an_amount_is_negative(self, spark: SparkSession) -> None:
        """60 of a sum of 10 would be 600%."""
        assert country_title(spark, USA="60", Spain="-50") == "Highest wholesale revenue: USA, USD 60"

    def test_negative_bar_is_plotted_and_labelled_within_the_axis(self, spark: SparkSession) -> None:
        data = frame(spark, COUNTRIES, ("2024-01", "USA", "60"), ("2024-01", "Spain", "-50"))
        drawn = draw("revenue_by_country", data, about("2024-01"))
        assert drawn["data"][0]["x"] == [60.0, -50.0]
        assert drawn["data"][0]["text"] == ["60", "\N{MINUS SIGN}50"]
        assert drawn["layout"]["xaxis"]["range"][0] < -50

    def test_name_with_markup_is_shown_letter_for_letter(self, spark: SparkSession) -> None:
        """Plotly takes <b> in a text for a command."""
        data = frame(spark, COUNTRIES, ("2024-01", "<b>A & B</b>", "1"))
        layout = draw("revenue_by_country", data, about("2024-01"))["layout"]
        assert layout["yaxis"]["ticktext"] == ["&lt;b&gt;A &amp; B&lt;/b&gt; "]
        assert layout["title"]["text"] == "<b>&lt;b&gt;A &amp; B&lt;/b&gt; makes all wholesale revenue</b>"
        assert layout["meta"]["title"] == "<b>A & B</b> makes all wholesale revenue"


class TestNamedBars:
    def test_products_are_shown_by_name_with_their_sums_over_months(self, spark: SparkSession) -> None:
        rows = [("2024-01", "S10", "10.50"), ("2024-02", "S10", "20"), ("2024-01", "S18", "40")]
        data = frame(spark, PRODUCTS, *rows)
        drawn = draw("top_products", data, about("2024-01", "2024-02"), {"S10": "Ship", "S18": "Car", "S24": "Unsold"})
        assert (drawn["data"][0]["y"], drawn["data"][0]["x"]) == (["Car", "Ship"], [40.0, 30.5])
        assert title(drawn) == "Car makes 57% of wholesale revenue"

    def test_customers_who_share_a_name_keep_a_bar_each(self, spark: SparkSession) -> None:
        """Added up by name, two shops called Smith would be the largest customer."""
        data = frame(spark, CUSTOMERS, ("2024-01", "103", "30"), ("2024-01", "112", "20"), ("2024-01", "119", "40"))
        drawn = draw("top_customers", data, about("2024-01"), {"103": "Smith", "112": "Smith", "119": "Jones"})
        assert (drawn["data"][0]["y"], drawn["data"][0]["x"]) == (
            ["Jones", "Smith 103", "Smith 112"],
            [40.0, 30.0, 20.0],
        )

    def test_made_up_label_is_never_the_name_of_another_customer(self, spark: SparkSession) -> None:
        """The 100 of customer 5, shown as "Toys 5", were lost to the 3 of the one who is called so."""
        rows = [("2024-01", "5", "100"), ("2024-01", "6", "20"), ("2024-01", "7", "3")]
        names = {"5": "Toys", "6": "Toys", "7": "Toys 5"}
        (bars,) = draw("top_customers", frame(spark, CUSTOMERS, *rows), about("2024-01"), names)["data"]
        assert (bars["y"], bars["x"]) == (["Toys 5 5", "Toys 6", "Toys 5"], [100.0, 20.0, 3.0])

    def test_customer_who_is_called_a_number_is_not_the_one_without_a_name(self, spark: SparkSession) -> None:
        data = frame(spark, CUSTOMERS, ("2024-01", "103", "10"), ("2024-01", "200", "90"))
        (bars,) = draw("top_customers", data, about("2024-01"), {"103": "", "200": "103"})["data"]
        assert (bars["y"], bars["x"]) == (["103", "103 103"], [90.0, 10.0])

    def test_labels_are_the_same_in_whatever_order_rows_come(self) -> None:
        """Both "Shop 1 a" and "Shop a" with their keys are "Shop 1 a a": which is which may not change."""
        names = {"a": "Shop 1 a", "1 a a": "Shop", "b": "Shop 1 a", "c": "Shop"}
        expected = {"1 a a": "Shop 1 a a", "a": "Shop 1 a a a", "b": "Shop 1 a b", "c": "Shop c"}
        assert _totals.labels(list(names), names) == expected
        assert _totals.labels(list(names)[::-1], names) == expected

    def test_customer_who_is_gone_is_shown_by_number(self, spark: SparkSession) -> None:
        drawn = draw("top_customers", frame(spark, CUSTOMERS, ("2024-01", "103", "30")), about("2024-01"), {})
        assert drawn["data"][0]["y"] == ["103"]

    def test_sales_without_a_rep_have_a_bar_of_their_own(self, spark: SparkSession) -> None:
        rows = [(months.first_day("2024-01"), None, Decimal(60)), (months.first_day("2024-01"), "1370", Decimal(40))]
        drawn = draw("sales_by_rep", spark.createDataFrame(rows, REPS), about("2024-01"), {"1370": "Gerard Hernandez"})
        (bars,) = drawn["data"]
        assert (bars["y"], bars["x"]) == (["Customers without a rep", "Gerard Hernandez"], [60.0, 40.0])
        assert title(drawn) == "Gerard Hernandez makes 40% of wholesale revenue"
        assert bars["marker"]["color"][0] != bars["marker"]["color"][1]
        said = drawn["layout"]["title"]["subtitle"]["text"]
        assert (
            said
            == "USD 100 of wholesale revenue from 1 sales rep in 1 month; USD 60 of it from customers without a rep"
        )

    def test_customers_without_a_rep_are_never_among_the_other_reps(self, spark: SparkSession) -> None:
        day = months.first_day("2024-01")
        rows = [(day, str(n), Decimal(100 - n)) for n in range(20)] + [(day, None, Decimal("0.01"))]
        (bars,) = draw("sales_by_rep", spark.createDataFrame(rows, REPS), about("2024-01"))["data"]
        assert bars["y"][-2:] == ["Customers without a rep", "7 other sales reps"]
        assert len(bars["y"]) == 15

    def test_no_rep_at_all_is_said(self, spark: SparkSession) -> None:
        rows = [(months.first_day("2024-01"), None, Decimal(60))]
        drawn = draw("sales_by_rep", spark.createDataFrame(rows, REPS), about("2024-01"))
        assert title(drawn) == "Customers without a rep make all wholesale revenue"

    def test_smaller_products_are_told_not_plotted(self, spark: SparkSession) -> None:
        """As one bar they dwarf every product that the chart is about."""
        data = frame(spark, PRODUCTS, *(("2024-01", f"S{n:02}", str(100 - n)) for n in range(20)))
        drawn = draw("top_products", data, about("2024-01"))
        assert drawn["data"][0]["y"] == [f"S{n:02}" for n in range(14)]
        said = drawn["layout"]["title"]["subtitle"]["text"]
        assert said.endswith(f"USD {sum(100 - n for n in range(14, 20))} of it from the 6 that are not shown")


class TestProductLineByMonth:
    def test_cells_are_sums_over_countries_with_the_largest_line_on_top(self, spark: SparkSession) -> None:
        rows = [
            ("2024-01", "USA", "Ships", "1.10"),
            ("2024-01", "Spain", "Ships", "2.20"),
            ("2024-02", "USA", "Cars", "9.00"),
        ]
        says = about("2024-01", "2024-02", "2024-04")
        (cells,) = draw("product_line_by_month", frame(spark, LINES, *rows), says)["data"]
        assert cells["y"] == ["Cars", "Ships"]
        assert cells["x"] == ["2024-01", "2024-02", "2024-03", "2024-04"]
        assert cells["z"] == [[0.0, 9.0, None, 0.0], [3.3, 0.0, None, 0.0]]
        assert cells["hovertext"][1][0] == "Ships, Jan 2024<br>USD 3.30"

    def test_many_lines_leave_the_smallest_as_one_row(self, spark: SparkSession) -> None:
        rows = [("2024-01", "USA", f"L{i:02}", str(100 - i)) for i in range(17)]
        (cells,) = draw("product_line_by_month", frame(spark, LINES, *rows), about("2024-01"))["data"]
        assert (len(cells["y"]), cells["y"][-1], cells["z"][-1]) == (15, "3 other lines", [86.0 + 85.0 + 84.0])

    def test_title_is_the_leaders_share(self, spark: SparkSession) -> None:
        rows = [
            ("2024-01", "USA", "Classic Cars", "4"),
            ("2024-02", "USA", "Ships", "3"),
            ("2024-01", "USA", "Trains", "3"),
        ]
        drawn = draw("product_line_by_month", frame(spark, LINES, *rows), about("2024-01", "2024-02"))
        assert title(drawn) == "Classic Cars make 40% of wholesale revenue"

    def test_colours_go_both_ways_from_zero_where_an_amount_is_negative(self, spark: SparkSession) -> None:
        rows = [("2024-01", "USA", "Ships", "-5"), ("2024-01", "USA", "Trains", "2")]
        (cells,) = draw("product_line_by_month", frame(spark, LINES, *rows), about("2024-01"))["data"]
        assert (cells["zmin"], cells["zmax"]) == (-5.0, 5.0)


def test_country_without_a_name_has_one_in_every_sentence(spark: SparkSession) -> None:
    """Empty and blank are one: a sentence needs a subject, and no revenue may be lost over it."""
    rows = [("2024-01", "", "30.00"), ("2024-01", "   ", "40.00"), ("2024-01", "USA", "30.00")]
    drawn = draw("revenue_by_country", frame(spark, COUNTRIES, *rows), about("2024-01"))
    assert title(drawn) == "No name makes 70% of wholesale revenue"
    assert drawn["layout"]["yaxis"]["ticktext"] == ["No name ", "USA "]
    assert list(drawn["data"][0]["x"]) == [70.0, 30.0]
