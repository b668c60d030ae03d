"""What holds of every chart, whatever its figures are: titles, footer, alternative text, hostile names, extremes."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster import charts
from salespipe_dagster.charts import About, _look, _words
from salespipe_dagster_tests.drawn import about, draw, footer, title
from salespipe_dagster_tests.worded import CASES
from salespipe_spark import months
from salespipe_spark.tables import tables

PRODUCTS = "month_start date, product_code string, product_line string, revenue decimal(18,2)"
SEGMENTS = (
    "month_start date, age_group string, membership_tier string, total_revenue decimal(18,2), transaction_count bigint"
)
SUMMARY = "month_start date, region string, product string, total_revenue decimal(18,2)"
COHORTS = "cohort_month date, month_start date, customers bigint, orders bigint, revenue decimal(18,2)"
LIFETIMES = (
    "customer_number string, revenue decimal(18,2), balance decimal(18,2), "
    "credit_limit decimal(18,2), is_over_credit_limit boolean"
)
NAMES = {
    "cohort_revenue_by_month": COHORTS,
    "credit_limit_and_sales": LIFETIMES,
    "deal_sizes": "order_number bigint, amount decimal(18,2), is_cancelled boolean",
    "monthly_revenue": "month_start date, channel string, revenue decimal(18,2), cancelled_amount decimal(18,2)",
    "new_and_returning_customers": COHORTS,
    "online_revenue_by_age_group": SEGMENTS,
    "online_revenue_by_membership_tier": SEGMENTS,
    "online_revenue_by_region": SUMMARY,
    "online_transaction_amounts": "transaction_id string, amount decimal(18,2)",
    "product_line_by_month": "month_start date, country string, product_line string, revenue decimal(18,2)",
    "product_lines_over_time": PRODUCTS,
    "receivables_ageing": "customer_number string, bucket string, amount decimal(18,2), as_of_date date",
    "revenue_by_channel": "month_start date, channel string, revenue decimal(18,2)",
    "revenue_by_country": "month_start date, country string, revenue decimal(18,2)",
    "sales_by_rep": "month_start date, sales_rep_number string, revenue decimal(18,2)",
    "top_customers": "month_start date, customer_number string, revenue decimal(18,2)",
    "top_online_products": SUMMARY,
    "top_products": PRODUCTS,
}
ALL_CHANNELS = ("monthly_revenue", "revenue_by_channel")
NOTHING = {
    "credit_limit_and_sales": ("No customer has a credit limit",) * 2,
    "receivables_ageing": ("Nothing is owed at the end of Jan 2024", "Nothing is owed at the end of Feb 2024"),
}
UNSEEN = ("meta", "name", "x", "y", "categoryarray", "tickvals")
EVIL = "<b>A & B</b> %{x}"
CHOICES = {"bucket": "over 90 days", "channel": "wholesale"}


def filled(spark: SparkSession, ddl: str, span: list[str], amount: str, name: str = EVIL) -> DataFrame:
    """A row for each month: each amount is the same, each text the name."""

    def value(column: str, kind: str, month: str) -> Any:
        if column == "order_number":
            return months.index(month)
        if kind == "date":
            return months.first_day(span[0] if column == "cohort_month" else month)
        return {"string": CHOICES.get(column, name), "bigint": 1, "boolean": False}.get(kind, Decimal(amount))

    columns = [column.split(" ") for column in ddl.split(", ")]
    return spark.createDataFrame([tuple(value(c, k, m) for c, k in columns) for m in span], ddl)


def nothing(name: str, *says: str) -> str:
    """The title where nothing was sold: of the chart's channel, or of all."""
    channel = "" if name in ALL_CHANNELS else "online " if "online" in name else "wholesale "
    if name in NOTHING:
        return NOTHING[name][len(says) - 1]
    return f"No {channel}revenue {'in' if len(says) == 1 else 'from'} {' to '.join(says)}"


def texts(values: Any) -> list[str]:
    """Every text within the plain values of a chart, but for those that are not drawn."""
    if isinstance(values, str):
        return [values]
    if isinstance(values, dict):
        return [t for key, each in values.items() if key not in UNSEEN for t in texts(each)]
    return [t for each in values for t in texts(each)] if isinstance(values, list | tuple) else []


@pytest.mark.parametrize(("name", "ddl"), NAMES.items())
class TestEveryChart:
    def test_no_month_published(self, spark: SparkSession, name: str, ddl: str) -> None:
        drawn = draw(name, spark.createDataFrame([], ddl), about(run=""))
        source = tables()[charts.charts()[name].inputs[0]]
        assert title(drawn) == "No month is published yet"
        assert footer(drawn) == f"Source: {source.layer}/{source.name}   ·   covers 0 of 24 months"

    def test_months_without_rows(self, spark: SparkSession, name: str, ddl: str) -> None:
        empty = spark.createDataFrame([], ddl)
        assert title(draw(name, empty, about("2024-01"))) == nothing(name, "Jan 2024")
        assert title(draw(name, empty, about("2024-01", "2024-02"))) == nothing(name, "Jan 2024", "Feb 2024")

    def test_footer_says_source_months_and_run(self, spark: SparkSession, name: str, ddl: str) -> None:
        source = tables()[charts.charts()[name].inputs[0]]
        assert footer(draw(name, spark.createDataFrame([], ddl), about("2024-01", "2024-02", "2024-05"))) == (
            f"Source: {source.layer}/{source.name}   ·   "
            "covers 3 of 24 months: Jan 2024 to Feb 2024, May 2024   ·   run 1a2b3c4d"
        )

    def test_alternative_text_holds_title_and_footer(self, spark: SparkSession, name: str, ddl: str) -> None:
        alt = draw(name, spark.createDataFrame([], ddl), about("2024-01"))["layout"]["meta"]["alt"]
        assert "chart of" in alt.lower() or "heatmap of" in alt.lower()
        assert nothing(name, "Jan 2024") in alt
        assert "covers 1 of 24 months: Jan 2024; run 1a2b3c4d" in alt

    def test_ten_years_have_no_more_labels_than_room(self, spark: SparkSession, name: str, ddl: str) -> None:
        span = months.between("2016-03", "2026-02")
        layout = draw(name, filled(spark, ddl, span, "10"), about(*span, expected=120))["layout"]
        assert len(layout["xaxis"].get("tickvals", [])) <= 24
        assert len(layout["yaxis"].get("tickvals", [])) <= 24

    @pytest.mark.parametrize("amount", ["0.01", "1000000000.00", "0", "-0.01"])
    def test_amounts_of_any_size_have_a_title_and_axes(
        self, spark: SparkSession, name: str, ddl: str, amount: str
    ) -> None:
        drawn = draw(name, filled(spark, ddl, ["2024-01"], amount), about("2024-01"))
        said = title(drawn)
        assert not any(word in said.lower() for word in ("nan", "inf", "none ", "decimal", "division"))
        for axis in ("xaxis", "yaxis"):
            low, high = drawn["layout"][axis].get("range", (0, 1))
            assert low != high

    def test_name_of_the_source_is_never_a_command_to_plotly(self, spark: SparkSession, name: str, ddl: str) -> None:
        drawn = draw(name, filled(spark, ddl, ["2024-01"], "5"), about("2024-01"), {EVIL: EVIL})
        assert [text for text in texts([drawn["layout"], drawn["data"]]) if "<b>A &" in text or "%{x" in text] == []

    def test_long_name_takes_no_more_than_its_room(self, spark: SparkSession, name: str, ddl: str) -> None:
        """A title that is too long gets a smaller font; a name is cut."""
        drawn = draw(name, filled(spark, ddl, ["2024-01"], "5", "W" * 300), about("2024-01"), {"W" * 300: "W" * 300})
        layout = drawn["layout"]
        assert _words.width(title(drawn), layout["title"]["font"]["size"]) <= 1152
        assert all(len(text) < 100 for text in layout["yaxis"].get("ticktext", []))
        assert all(len(a["text"]) < 130 for a in layout["annotations"])


@pytest.mark.parametrize(
    ("amount", "short", "tight"),
    [
        ("0", "0", "0"),
        ("0.01", "0.01", "0.01"),
        ("26.83", "26.83", "27"),
        ("999.99", "999.99", "1.00k"),
        ("1000", "1.00k", "1.0k"),
        ("80450.00", "80.5k", "80k"),
        ("118499", "118k", "118k"),
        ("999499.99", "999k", "999k"),
        ("999500", "1.00M", "1.00M"),
        ("1000000000", "1.00B", "1.0B"),
        ("1234567890123456.78", "1230T", "1200T"),
        ("-54200", "\N{MINUS SIGN}54.2k", "\N{MINUS SIGN}54k"),
    ],
)
def test_amounts_are_rounded_from_decimal_to_the_right_unit(amount: str, short: str, tight: str) -> None:
    assert (_words.short(Decimal(amount)), _words.tight(Decimal(amount))) == (short, tight)


@pytest.mark.parametrize(("name", "given", "said"), CASES)
def test_figures_are_worded_as_in_the_report(name: str, given: tuple[int | None, ...], said: str) -> None:
    amounts = (None if each is None else Decimal(each) / 100 for each in given)
    assert getattr(_words, name)(*amounts) == said


def test_average_is_rounded_half_up() -> None:
    """11.49 in two orders were 5.74 in a chart and 5.75 in the report."""
    assert [_words.exact(Decimal(text)) for text in ("5.745", "-5.745", "5.7449")] == ["5.75", "−5.75", "5.74"]


@pytest.mark.parametrize(
    ("amount", "said"), [("10000", "10k"), ("12500", "12.5k"), ("1125", "1.125k"), ("500", "500"), ("0.05", "0.05")]
)
def test_edges_have_the_digits_that_they_need_and_no_more(amount: str, said: str) -> None:
    assert _words.edge(Decimal(amount)) == said


def test_names_are_cut_by_their_width_not_their_length() -> None:
    """26 capitals take twice the room of 26 small letters."""
    assert _words.fitted("illicit till little fills", 190, 14) == "illicit till little fills"
    assert _words.fitted("W" * 30, 190, 14) == "W" * 13 + "…"
    assert _words.fitted("日" * 30, 190, 14) == "日" * 12 + "…"


def test_day_is_written_out() -> None:
    assert _words.day_name(date(2025, 12, 31)) == "31 Dec 2025"


def test_a_chart_is_a_module_with_a_function_of_its_name_that_reads_tables() -> None:
    found = charts.charts()
    assert {*NAMES, "month_in_review"} == set(found)  # what holds of every chart is tested of each
    assert [chart.name for chart in found.values() if chart.monthly] == ["month_in_review"]
    assert [(c.name, i) for c in found.values() for i in c.inputs if i not in tables()] == []


def test_palette_gives_each_name_of_a_kind_its_own_colour() -> None:
    assert len(set(_look.colours(["a", "b", "c", "d", "e", "f", "g"]).values())) == 7
    assert About("USD", [], 0, "").coverage == "covers 0 of 0 months"
