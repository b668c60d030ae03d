"""The chart of each month by its figures: the month, the month before, the year before; top five of each."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from salespipe_dagster.charts import About, charts, compared, touched
from salespipe_dagster_tests.drawn import about, detail, footer, frame, title
from salespipe_spark import months

MONTHLY = (
    "month_start date, channel string, revenue decimal(18,2), orders bigint, customers bigint, "
    "margin_amount decimal(18,2), cancelled_amount decimal(18,2)"
)
PRODUCTS = "month_start date, product_code string, revenue decimal(18,2)"
CUSTOMERS = "month_start date, customer_number string, revenue decimal(18,2)"
Month = tuple[str, str, int, int, str, str]
"""Month, revenue, orders, customers, margin, cancelled."""

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
MAY: Month = ("2024-05", "1000", 4, 2, "400", "50")


def draw(
    spark: SparkSession,
    months_: list[Month],
    abouts: Mapping[str, About],
    products: list[tuple[str, str, str]] | None = None,
    customers: list[tuple[str, str, str]] | None = None,
    names: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    rows = [
        (months.first_day(m), "wholesale", Decimal(r), o, c, Decimal(margin), Decimal(lost))
        for m, r, o, c, margin, lost in months_
    ]
    known = list((names or {}).items())
    drawn = charts()["month_in_review"].draw(
        spark.createDataFrame(rows, MONTHLY),
        frame(spark, PRODUCTS, *(products or [])),
        frame(spark, CUSTOMERS, *(customers or [])),
        spark.createDataFrame(known, "product_code string, product_name string"),
        spark.createDataFrame(known, "customer_number string, customer_name string"),
        abouts=abouts,
    )
    return {month: figure.to_plotly_json() for month, figure in drawn.items()}


def tiles(drawn: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The key figures by name, each with its changes."""
    texts = [re.sub("</?span[^>]*>", "", note["text"]) for note in drawn["layout"]["annotations"][:-3]]
    parts = [text.split("<br>", 3) for text in texts]
    return {name: (figure, changes) for name, _, figure, changes in parts}


def test_key_figures_stand_beside_the_month_and_the_year_before(spark: SparkSession) -> None:
    rows = [MAY, ("2024-04", "800", 5, 2, "500", "0"), ("2023-05", "2000", 2, 4, "400", "25")]
    drawn = draw(spark, rows, {"2024-05": about("2023-05", "2024-04", "2024-05")})["2024-05"]
    assert tiles(drawn) == {
        "Revenue, USD": ("<b>1.00k</b>", f"+25% on Apr 2024<br>{MINUS}50% on May 2023"),
        "Orders": ("<b>4</b>", f"{MINUS}20% on Apr 2024<br>+100% on May 2023"),
        "Average order, USD": ("<b>250</b>", f"+56% on Apr 2024<br>{MINUS}75% on May 2023"),
        "Customers": ("<b>2</b>", f"unchanged on Apr 2024<br>{MINUS}50% on May 2023"),
        "Wholesale margin, USD": ("<b>400</b>", f"{MINUS}20% on Apr 2024<br>unchanged on May 2023"),
        "Cancelled, USD": ("<b>50</b>", f"{DASH} on Apr 2024<br>+100% on May 2023"),
    }
    assert title(drawn) == "Revenue was USD 1.00k in May 2024, +25% on the month before"
    assert detail(drawn) == (
        "All channels together; below each figure its change on Apr 2024 and on May 2023; "
        "a dash where no percentage makes sense"
    )


def test_month_that_is_not_published_is_a_dash_and_not_a_fall_to_nothing(spark: SparkSession) -> None:
    drawn = draw(spark, [MAY], {"2024-05": about("2024-05")})["2024-05"]
    assert {changes for _, changes in tiles(drawn).values()} == {f"{DASH} on Apr 2024<br>{DASH} on May 2023"}
    assert title(drawn) == "Revenue was USD 1.00k in May 2024"


def test_published_month_before_without_rows_has_sold_nothing(spark: SparkSession) -> None:
    """A rise from nothing has no percentage."""
    drawn = draw(spark, [MAY], {"2024-05": about("2024-04", "2024-05")})["2024-05"]
    assert tiles(drawn)["Revenue, USD"] == ("<b>1.00k</b>", f"{DASH} on Apr 2024<br>{DASH} on May 2023")


def test_channels_are_added_up_also_where_one_has_no_margin(spark: SparkSession) -> None:
    day = months.first_day("2024-05")
    rows = [
        (day, "wholesale", Decimal(60), 1, 1, Decimal(20), Decimal(0)),
        (day, "online", Decimal(40), 3, 2, None, Decimal(0)),
    ]
    empty = frame(spark, PRODUCTS), frame(spark, CUSTOMERS)
    names = [spark.createDataFrame([], f"{key} string, {name} string") for key, name in KEYS]
    drawn = charts()["month_in_review"].draw(
        spark.createDataFrame(rows, MONTHLY), *empty, *names, abouts={"2024-05": about("2024-05")}
    )["2024-05"]
    found = {name: figure for name, (figure, _) in tiles(drawn.to_plotly_json()).items()}
    assert found == {
        "Revenue, USD": "<b>100</b>",
        "Orders": "<b>4</b>",
        "Average order, USD": "<b>25</b>",
        "Customers": "<b>3</b>",
        "Wholesale margin, USD": "<b>20</b>",
        "Cancelled, USD": "<b>0</b>",
    }


KEYS = (("product_code", "product_name"), ("customer_number", "customer_name"))


def test_top_five_are_those_of_the_month_alone_with_their_share_of_all(spark: SparkSession) -> None:
    products = [("2024-05", f"S{n}", str(10 * n)) for n in range(1, 8)] + [("2024-04", "S1", "9999")]
    customers = [("2024-05", "7", "210"), ("2024-05", "8", "70"), ("2024-05", "9", "0")]
    drawn = draw(
        spark,
        [MAY],
        {"2024-05": about("2024-04", "2024-05")},
        products,
        customers,
        {"S7": "Jet", "7": "Ann", "8": "Ann"},
    )["2024-05"]
    one, other = drawn["data"]
    assert (one["y"], one["x"]) == (["Jet", "S6", "S5", "S4", "S3"], [70.0, 60.0, 50.0, 40.0, 30.0])
    assert one["text"] == ["70  (25%)", "60  (21%)", "50  (18%)", "40  (14%)", "30  (11%)"]
    # Two customers of one name stay two, and who bought nothing is no leader.
    assert (other["y"], other["x"]) == (["Ann 7", "Ann 8"], [210.0, 70.0])
    assert drawn["layout"]["xaxis"]["range"][0] == drawn["layout"]["xaxis2"]["range"][0] == 0.0


def test_leader_whose_label_is_the_name_of_another_keeps_a_bar(spark: SparkSession) -> None:
    """The label "Toys 5", of customer 5 of two called Toys, took the bar of the one who is called so."""
    customers = [("2024-05", "5", "100"), ("2024-05", "6", "20"), ("2024-05", "7", "3")]
    names = {"5": "Toys", "6": "Toys", "7": "Toys 5"}
    bars = draw(spark, [MAY], {"2024-05": about("2024-05")}, [], customers, names)["2024-05"]["data"][1]
    assert (bars["y"], bars["x"]) == (["Toys 5 5", "Toys 6", "Toys 5"], [100.0, 20.0, 3.0])


def test_products_that_tie_are_in_the_order_of_their_code(spark: SparkSession) -> None:
    products = [("2024-05", f"S{n}", "10") for n in (3, 6, 1, 5, 2, 4)]
    drawn = draw(spark, [MAY], {"2024-05": about("2024-05")}, products)["2024-05"]
    assert drawn["data"][0]["y"] == ["S1", "S2", "S3", "S4", "S5"]


def test_every_month_asked_for_is_drawn_with_its_own_footer(spark: SparkSession) -> None:
    rows = [MAY, ("2024-06", "10", 1, 1, "1", "0")]
    abouts = {"2024-05": about("2024-05", expected=2), "2024-06": about("2024-05", "2024-06", expected=3)}
    drawn = draw(spark, rows, abouts)
    assert [title(each) for each in drawn.values()] == [
        "Revenue was USD 1.00k in May 2024",
        f"Revenue was USD 10 in Jun 2024, {MINUS}99% on the month before",
    ]
    assert footer(drawn["2024-06"]) == (
        "Source: marts/monthly_revenue, revenue_by_product, revenue_by_customer   ·   "
        "covers 2 of 3 months: May 2024 to Jun 2024   ·   run 1a2b3c4d"
    )


@pytest.mark.parametrize(
    ("rows", "published", "said"),
    [
        ([], [], "May 2024 is not published yet"),
        ([], ["2024-05"], "No revenue in May 2024"),
        ([("2024-05", "0", 0, 0, "0", "99")], ["2024-05"], "No revenue in May 2024"),
        ([("2024-05", "0.01", 1, 1, "0", "0")], ["2024-05"], "Revenue was USD 0.01 in May 2024"),
        ([("2024-05", "1000000000", 1, 1, "0", "0")], ["2024-05"], "Revenue was USD 1.00B in May 2024"),
        ([("2024-05", "-3", 1, 1, "-3", "0")], ["2024-05"], f"Revenue was USD {MINUS}3 in May 2024"),
    ],
)
def test_title_holds_of_any_month(spark: SparkSession, rows: list[Month], published: list[str], said: str) -> None:
    drawn = draw(spark, rows, {"2024-05": about(*published)})["2024-05"]
    assert title(drawn) == said
    assert "bar charts of the month's top products" in drawn["layout"]["meta"]["alt"]


def test_names_are_shown_letter_for_letter(spark: SparkSession) -> None:
    rows = [("2024-05", "S1", "5")]
    drawn = draw(spark, [MAY], {"2024-05": about("2024-05")}, rows, rows, {"S1": "<b>x</b>"})["2024-05"]
    assert drawn["layout"]["yaxis"]["ticktext"] == ["&lt;b&gt;x&lt;/b&gt; "]
    assert drawn["data"][0]["hovertext"] == ["&lt;b&gt;x&lt;/b&gt;<br>USD 5.00"]


def test_a_month_is_shown_in_three_reviews() -> None:
    """Its own, the next month's and the one a year later: these are drawn anew where it changes."""
    assert compared("2024-01") == ["2023-01", "2023-12", "2024-01"]
    assert touched(["2024-12"]) == ["2024-12", "2025-01", "2025-12"]
    assert touched(["2024-01", "2024-02"]) == ["2024-01", "2024-02", "2024-03", "2025-01", "2025-02"]
