"""Every chart as a browser draws it: no text lies over another one, or beside the picture."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster import rendering
from salespipe_dagster.charts import charts, compared
from salespipe_dagster_tests import test_month_in_review as review
from salespipe_dagster_tests.drawn import DIMENSIONS, about
from salespipe_dagster_tests.integration.browser import OVERLAPPING, chromium
from salespipe_dagster_tests.test_every_chart import NAMES
from salespipe_spark import months
from salespipe_spark.marts.receivables_ageing import BUCKETS

SPANS = [[], *(months.between("2024-01", last) for last in ("2024-01", "2024-02", "2025-12", "2033-12"))]
FEW = {"bucket": BUCKETS, "channel": ("wholesale", "online")}
"""Columns that do not hold any text."""

TITLES = [f"{word} de Villeneuve & Fils, Modèles réduits" for word in ("Anciens", "WWWWWW", "Petits", "Nouveaux")]

DRAW = f"""async (figure) => {{
  document.body.innerHTML = '<div id="chart" style="width: 1200px; height: 700px"></div>';
  await Plotly.newPlot("chart", figure.data, figure.layout, {{displayModeBar: false}});
  const seen = [...document.querySelectorAll("#chart svg text")].map((node) => [node.textContent.trim(),
    node.getBoundingClientRect()]).filter(([text, box]) => text && box.width > 0);
  const found = seen.filter(([, box]) => box.left < -1 || box.right > 1201 || box.top < -1 || box.bottom > 701)
    .map(([text]) => `outside: ${{text}}`);
  return [...found, ...({OVERLAPPING})(seen, 2, 4)];
}}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield _with_plotly(browser)


def _with_plotly(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1200, "height": 700})
    page.set_content("<style>body { margin: 0 }</style>")
    page.add_script_tag(content=rendering.plotly_js().decode())
    return page


def sold(spark: SparkSession, ddl: str, span: list[str], entities: int, largest: Decimal) -> DataFrame:
    """Every entity in every month; the first sells most, and each a little more from month to month."""
    columns = [column.split(" ") for column in ddl.split(", ")]

    def value(column: str, kind: str, i: int, turn: int) -> Any:
        amount = (largest / (i + 1) * (turn + 1) / len(span)).quantize(Decimal("0.01"))
        match kind:
            case "date":
                # A cohort of the months so far for each entity; there is no sale before its own month.
                return months.first_day(span[min(i % len(span), turn) if column == "cohort_month" else turn])
            case "string":
                few = FEW.get(column)
                return few[i % len(few)] if few else f"{i} {TITLES[i % len(TITLES)]}"
            case "bigint":
                return turn * entities + i if column == "order_number" else i + 1
            case "boolean":
                return column == "is_over_credit_limit" and i % 3 == 0
            case _:
                return amount * (i + 2) / 3 if column == "credit_limit" else amount

    rows = [tuple(value(c, k, i, turn) for c, k in columns) for turn in range(len(span)) for i in range(entities)]
    if "credit_limit" in ddl:
        rows = rows[-entities:]  # a row for a customer, not for a month
    return spark.createDataFrame(rows, ddl)


def test_texts_that_do_not_keep_apart_are_found(page: Page) -> None:
    """What this file rests on."""
    notes = [{"text": text, "x": x, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
             for text, x in (("one", 0.5), ("another", 0.51), ("far out", 1.2))]  # fmt: skip
    found = page.evaluate(DRAW, {"data": [], "layout": {"annotations": notes}})
    assert "one / another" in found
    assert "outside: far out" in found


@pytest.mark.parametrize("name", NAMES)
def test_texts_of_a_chart_keep_apart(page: Page, spark: SparkSession, name: str) -> None:
    """With no months, one, two, two years and ten; one entity and many; a cent and a billion."""
    found: dict[str, list[str]] = {}
    for span in SPANS:
        for entities in (1, 18):
            for largest in ("0.01", "1000000000.00"):
                inputs = [sold(spark, NAMES[name], span, entities, Decimal(largest))]
                if name in DIMENSIONS:
                    names = [(f"{i} {TITLES[i % len(TITLES)]}", TITLES[i % len(TITLES)]) for i in range(entities)]
                    inputs.append(spark.createDataFrame(names, DIMENSIONS[name]))
                figure = charts()[name].draw(*inputs, about=about(*span, expected=max(len(span), 1)))
                if wrong := page.evaluate(DRAW, rendering.drawing(figure)):
                    found[f"{len(span)} months, {entities} of {largest}"] = wrong[:4]
    assert found == {}


@pytest.mark.parametrize("scale", ["0.01", "1000000000.00"])
def test_texts_of_the_review_keep_apart(page: Page, spark: SparkSession, scale: str) -> None:
    span = ["2024-05", "2025-04", "2025-05"]
    rows = [(m, scale, 10**6, 10**5, scale, scale) for m in span]
    sales = [("2025-05", f"{i} {title}", scale) for i, title in enumerate(TITLES * 2)]
    drawn = review.draw(
        spark, rows, {m: about(*(c for c in compared(m) if c in span)) for m in span}, products=sales, customers=sales
    )
    assert {month: wrong for month, figure in drawn.items() if (wrong := page.evaluate(DRAW, figure))} == {}
