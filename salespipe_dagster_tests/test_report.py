"""The report as bytes: what it holds, that it is right or not made, and that names in it stay names."""

import json
import re
import subprocess
import sys
import zipfile
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from shutil import copy, copytree, ignore_patterns
from typing import Any

import pytest
from pyspark.sql import SparkSession

from salespipe_dagster.charts import About
from salespipe_dagster.report import figures, page, report
from salespipe_dagster_tests.report_rows import Line, frames, made
from salespipe_spark.errors import SalespipeError

ROOT = Path(__file__).parents[1]
ABOUT = About(currency="EUR", months=["2024-01", "2024-02"], expected=2, run="0a1b2c3d")

LINES = [
    Line("2024-01", "France", "Ships", "S1", 7, 1, Decimal("10.05"), Decimal("4.00"), 2),
    Line("2024-01", "USA", "Planes", "P1", 8, 2, Decimal("0.01"), cancelled=True),
    Line("2024-02", "USA", "Ships", "S1", 8, 3, Decimal("20.00"), Decimal("21.50"), 3),
    Line("2024-02", "USA", "Ships", "S2", 8, 4, Decimal("5.00"), Decimal("1.00"), 1),
]


def data_of(content: bytes) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', content.decode(), re.DOTALL)
    assert found
    return json.loads(found[1])


def test_page_holds_the_marts_in_cents(spark: SparkSession) -> None:
    data = data_of(made(spark, LINES, ageing=[(7, "0-30 days", Decimal("3.05")), (8, "credit", Decimal("-1.00"))]))
    assert data["months"] == ["2024-01", "2024-02"]
    assert data["countries"] == ["France", "USA"]
    assert data["lines"] == ["Planes", "Ships"]
    # month, country, line; ordered, cancelled, revenue, margin, units; orders
    assert data["cube"] == [
        [0, 0, 1, 1005, 0, 1005, 605, 2, 1],
        [0, 1, 0, 1, 1, 0, 0, 0, 0],
        [1, 1, 1, 2500, 0, 2500, 250, 4, 2],
    ]
    # month; orders, customers, average order
    assert data["counts"] == [[0, 1, 1, 1005], [1, 2, 1, 1250]]
    assert data["countryOrders"] == [[0, 0, 1], [0, 1, 0], [1, 1, 2]]
    assert data["products"]["names"] == ["The P1", "The S1", "The S2"]
    assert data["products"]["by"] == ["month", "line"]
    assert data["customers"]["names"] == ["Customer 7", "Customer 8"]
    assert data["customers"]["by"] == ["month"]
    assert data["ageing"]["asOf"] == "2024-03-31"
    assert data["ageing"]["buckets"][0] == ["0-30 days", 305]
    assert data["ageing"]["buckets"][-1] == ["credit", -100]
    assert data["ageing"]["debtors"] == [["Customer 7", 305, 0]]


def test_same_figures_make_the_same_bytes(spark: SparkSession) -> None:
    """Else the file would be replaced by every run, and its date would say nothing."""
    assert made(spark, LINES) == made(spark, LINES[::-1])


def test_report_names_the_run_that_published(spark: SparkSession) -> None:
    assert data_of(made(spark, LINES))["run"] == "0a1b2c3d"


def test_month_that_not_every_mart_has_is_left_out(spark: SparkSession) -> None:
    """Its revenue stood in one chart and was missing in the next."""
    data = data_of(made(spark, LINES, published=["2024-02"]))
    assert data["months"] == ["2024-02"]
    assert data["cube"] == [[0, 0, 0, 2500, 0, 2500, 250, 4, 2]]
    assert sum(row[5] for row in data["products"]["rows"]) == 2500


def test_unpublished_month_between_is_in_the_span_and_not_published(spark: SparkSession) -> None:
    late = [*LINES[:2], LINES[2]._replace(month="2024-04")]
    data = data_of(made(spark, late))
    assert data["months"] == ["2024-01", "2024-02", "2024-03", "2024-04"]
    assert data["published"] == [0, 3]
    assert data["coverage"] == "covers 2 of 4 months: Jan 2024, Apr 2024"


def test_other_channels_are_not_mixed_in(spark: SparkSession) -> None:
    """Countries and lines are of the shop's orders: with another channel the totals would differ."""
    given = frames(spark, LINES)
    online = given["monthly_revenue"].selectExpr(
        *("'online' AS channel" if name == "channel" else name for name in given["monthly_revenue"].columns)
    )
    both = given | {"monthly_revenue": given["monthly_revenue"].unionByName(online)}
    assert report(**both, about=ABOUT) == report(**given, about=ABOUT)


def test_marts_that_differ_make_no_report(spark: SparkSession) -> None:
    """One of two tables of a month was published, the other's run failed."""
    given = frames(spark, LINES)
    given["revenue_by_product"] = frames(spark, LINES[:3])["revenue_by_product"]
    with pytest.raises(SalespipeError, match=r"ordered_amount by marts/revenue_by_product is not that"):
        report(**given, about=ABOUT)


def test_amount_that_a_browser_cannot_add_makes_no_report(spark: SparkSession) -> None:
    """2^53 cents are 90,071,992,547,409.92: from there on a sum in the page could be a cent off."""
    most = [LINES[1]._replace(amount=Decimal("90071992547409.91"))]  # cancelled: no average holds so much
    assert data_of(made(spark, most))["cube"][0][3] == 2**53 - 1
    more = [*most, LINES[1]]
    with pytest.raises(SalespipeError, match=r"more than a browser adds up(.|\n)*the marts are right"):
        made(spark, more)


def test_amounts_that_cancel_each_other_are_bounded_apart(spark: SparkSession) -> None:
    """A filter picks one of them; their sum alone would pass."""
    large = Decimal("60000000000000.00")
    lines = [LINES[1]._replace(amount=large), LINES[1]._replace(amount=-large, country="France")]
    with pytest.raises(SalespipeError, match="more than a browser adds up"):
        made(spark, lines)


def test_many_customers_are_the_largest_of_all_months_and_the_rest(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST_ROWS", 3)
    monkeypatch.setattr(figures, "MOST_NAMES", 1)
    lines = [*LINES, LINES[2]._replace(customer=9, order=5, amount=Decimal("1.00"))]
    customers = data_of(made(spark, lines))["customers"]
    assert customers["by"] == []
    assert customers["names"] == ["Customer 8"]
    # month, line, name; ordered, cancelled, revenue, margin, units
    assert customers["rows"] == [[None, None, 0, 2501, 1, 2500, 250, 4]]
    # how many; 10.05 + 1.00, margin 6.05 - 20.50, 2 + 3 units
    assert customers["rest"] == [2, 1105, 0, 1105, -1445, 5]


def test_customers_of_one_name_are_told_apart(spark: SparkSession) -> None:
    """Two shops called alike were one bar."""
    data = data_of(made(spark, LINES, names=lambda _: "Atelier"))
    assert data["customers"]["names"] == ["Atelier 7", "Atelier 8"]


def test_made_up_label_is_never_the_name_of_another_customer(spark: SparkSession) -> None:
    """Customer 5 of two called Toys was added to the one who is called "Toys 5", and both were one line."""
    toys = [(5, "100.00", "Toys"), (6, "20.00", "Toys"), (7, "3.00", "Toys 5")]
    shop = [*toys, (103, "10.00", ""), (200, "90.00", "103")]
    lines = [LINES[0]._replace(customer=number, order=number, amount=Decimal(a)) for number, a, _ in shop]
    owed = [(number, "0-30 days", Decimal(amount)) for number, amount, _ in shop]
    data = data_of(made(spark, lines, ageing=owed, names={number: name for number, _, name in shop}.__getitem__))
    customers = data["customers"]
    expected = {"Toys 5 5": 10000, "Toys 6": 2000, "Toys 5": 300, "103 103": 1000, "103": 9000}
    assert {customers["names"][row[2]]: row[5] for row in customers["rows"]} == expected
    assert len(customers["rows"]) == 5
    assert {name: amount for name, amount, _ in data["ageing"]["debtors"]} == expected


HOSTILE = "</script><img src=x onerror=alert(1)><!-- \u2028 & $data"


def test_hostile_name_cannot_end_the_data(spark: SparkSession) -> None:
    content = made(spark, [LINES[0]._replace(country=HOSTILE)])
    assert data_of(content)["countries"] == [HOSTILE]
    assert b"<img" not in content
    assert content.count(b"</script>") == 2


def test_empty_lake_makes_a_page(spark: SparkSession) -> None:
    data = data_of(made(spark, []))
    assert (data["months"], data["cube"], data["ageing"]["asOf"]) == ([], [], "")


def test_page_allows_nothing_but_itself(spark: SparkSession) -> None:
    content = made(spark, LINES).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', content)
    assert policy
    allowed = dict(part.split(" ", 1) for part in policy[1].split("; "))
    assert allowed["default-src"] == "'none'"
    assert all(re.fullmatch(r"'sha256-[\w+/]{43}='", allowed[name]) for name in ("style-src", "script-src"))
    addresses = set(re.findall(r"\w+://[^\s\"'`)]+", content))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, which no browser asks for


def test_scripts_set_names_as_text() -> None:
    scripts = "".join((files("salespipe_dagster.report") / name).read_text() for name in page.SCRIPTS)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function", scripts)


def test_wheel_has_the_files_of_the_page(tmp_path: Path) -> None:
    """Run from the sources it worked, installed it had no template."""
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        copy(ROOT / name, tmp_path)
    for name in ("salespipe_dagster", "spark"):
        copytree(ROOT / name, tmp_path / name, ignore=ignore_patterns("__pycache__"))
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if name.startswith("salespipe_dagster/report/")}
    expected = {"__init__.py", "figures.py", "page.py", "report.html", "report.css", *page.SCRIPTS}
    assert inside == {f"salespipe_dagster/report/{name}" for name in expected}
