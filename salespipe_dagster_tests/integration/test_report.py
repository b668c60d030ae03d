"""The report in a real browser: right to the cent for whatever is chosen, silent, and nothing over anything."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from playwright.sync_api import Browser
from pyspark.sql import SparkSession

from salespipe_dagster.definitions import build_defs
from salespipe_dagster_tests.conftest import settings_below
from salespipe_dagster_tests.integration.browser import cents, chromium, opened
from salespipe_dagster_tests.report_rows import Line, live, made, total
from salespipe_dagster_tests.support import FakeSource, read_parquet
from salespipe_dagster_tests.worded import CASES
from salespipe_spark import months
from salespipe_spark.engine import Engine

DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SCREENS = pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
DASH = "–"

LONG = "Société Générale des Modèles Réduits Anciens et Contemporains de Villeneuve-Saint-Georges"
COUNTRIES = ["USA", "France", LONG, *(f"Country {i}" for i in range(18))]
PRODUCT_LINES = ["Ships", "Planes", LONG, *(f"Line {i}" for i in range(12))]


@pytest.fixture(scope="module")
def lake(filled_home: Path, tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """The lake of the literal shop with its report, which was made twice and replaced once."""
    home = Path(shutil.copytree(filled_home, tmp_path_factory.mktemp("report") / "home"))
    settings = settings_below(home)
    job = build_defs(settings, engine=engine, source_db=FakeSource()).resolve_job_def("monthly_refresh")
    stamps: list[int] = []
    for _ in range(2):
        assert job.execute_in_process(asset_selection=[dg.AssetKey("report")]).success
        stamps.append((settings.lake / "report" / "index.html").stat().st_mtime_ns)
    assert stamps[0] == stamps[1]
    return settings.lake


@pytest.fixture(scope="module")
def browser(lake: Path) -> Iterator[Browser]:
    """The machine's own Chromium; after the lake, because Playwright and Dagster both want the thread's event loop."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def store(tmp_path: Path) -> Callable[[bytes], Path]:
    """Puts a page in a file."""

    def put(content: bytes) -> Path:
        file = tmp_path / "a lake" / "index.html"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        return file

    return put


def shop(span: list[str], scale: Decimal = Decimal(1)) -> list[Line]:
    """Orders of many countries and lines, another handful each month; every seventh is cancelled."""
    return [
        Line(
            month=month,
            country=COUNTRIES[n % len(COUNTRIES)],
            product_line=PRODUCT_LINES[n % len(PRODUCT_LINES)],
            product=f"P{n % 40} {LONG if n % 5 == 0 else ''}",
            customer=n % 30,
            order=n // 2,
            amount=Decimal(n * 7919 % 100_000 + 1) / 100 * scale,
            cost=Decimal(n * 31 % 5_000) / 100 * scale,
            quantity=n % 9 + 1,
            cancelled=n // 2 % 7 == 0,
        )
        for i, month in enumerate(span)
        for n in range(i * 24, i * 24 + 24)
    ]


def last(count: int) -> list[str]:
    """So many months, the last of them December 2025."""
    return months.between(months.from_index(months.index("2025-12") - count + 1), "2025-12")


@SCREENS
@pytest.mark.parametrize("count", [0, 1, 2, 24, 120])
def test_any_number_of_months_is_drawn_without_overlaps(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path], count: int, screen: dict[str, Any]
) -> None:
    lines = shop(last(count)) if count else []
    content = made(spark, lines, names=lambda n: f"{LONG} {n}" if n % 3 else f"Firm {n}")
    assert len(content) < 6_000_000
    with opened(browser, store(content), **screen) as report:
        print(f"{count} months: {len(content):,} bytes, interactive after {report.ready} ms")  # noqa: T201  (for -s)
        assert report.overlaps() == []
        assert report.outside() == []
        assert report.page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"]
        if count:
            assert cents(report.whole("revenue")) == total(live(lines))
            assert report.page.title() == f"Wholesale sales, {'Dec 2025' if count == 1 else expected_span(count)}"
        else:
            assert report.title("empty") == "No month is published yet"
        if count == 1:
            assert report.title("by-month").startswith("Revenue was EUR")
            assert report.changes("revenue") == [f"{DASH} vs Nov 2025", f"{DASH} vs Dec 2024"]


def expected_span(count: int) -> str:
    return {2: "Nov 2025", 24: "Jan 2024", 120: "Jan 2016"}[count] + " to Dec 2025"


@SCREENS
@pytest.mark.parametrize("amount", ["0.01", "1000000000.00", "-5.00"])
def test_one_order_of_any_amount(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path], amount: str, screen: dict[str, Any]
) -> None:
    lines = [Line("2025-12", "USA", "Ships", "S1", 7, 1, Decimal(amount))]
    bucket, owed = ("over 90 days", "All of what customers owe is older than 90 days")
    if amount == "-5.00":
        bucket, owed = ("credit", "Customers owe nothing")
    file = store(made(spark, lines, ageing=[(7, bucket, Decimal(amount))]))
    with opened(browser, file, **screen) as report:
        assert cents(report.key("revenue")) == Decimal(amount)
        assert report.overlaps() == []
        assert report.outside() == []
        assert report.title("ageing") == owed
        found = [report.title(card) for card in ("by-month", "by-country", "by-line", "products", "customers")]
    said = {"0.01": "0.01", "1000000000.00": "1.00B", "-5.00": "−5"}[amount]
    if amount == "-5.00":
        assert found == [
            "Revenue was EUR −5 in Dec 2025",
            "Highest revenue: USA, EUR −5",
            "Highest revenue: Ships, EUR −5",
            "Highest revenue: The S1, EUR −5",
            "Highest revenue: Customer 7, EUR −5",
        ]
    else:
        assert found[0] == f"Revenue was EUR {said} in Dec 2025"
        assert found[1:] == [
            "USA makes all revenue",
            "Ships make all revenue",
            "The S1 makes all revenue",
            "Customer 7 makes all revenue",
        ]


@pytest.mark.parametrize("scale", ["0.001", "1000000.00"])
def test_ten_years_of_tiny_or_huge_amounts(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path], scale: str
) -> None:
    lines = shop(last(120), Decimal(scale))  # up to 1.00, and up to 10^9
    lines = [line._replace(amount=round(line.amount, 2), cost=round(line.cost, 2)) for line in lines]
    file = store(made(spark, lines))
    for screen in (DESKTOP, PHONE):
        with opened(browser, file, **screen) as report:
            assert cents(report.whole("revenue")) == total(live(lines))
            assert cents(report.whole("ordered")) == total(lines)
            assert report.overlaps() == []
            assert report.outside() == []


def test_filters_change_every_figure_to_the_right_one(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]
) -> None:
    lines = shop(last(24))
    with opened(browser, store(made(spark, lines)), **DESKTOP) as report:
        report.page.locator("#from").select_option(label="Mar 2025")
        report.page.locator("#to").select_option(label="Oct 2025")
        report.choose("country", "USA", "Country 3")
        report.choose("line", "Ships", "Line 5", "Line 0")
        kept = [
            line
            for line in lines
            if "2025-03" <= line.month <= "2025-10"
            and line.country in ("USA", "Country 3")
            and line.product_line in ("Ships", "Line 5", "Line 0")
        ]
        assert len(live(kept)) > 2
        cost = sum((line.cost for line in live(kept)), Decimal(0))
        assert cents(report.whole("revenue")) == total(live(kept))
        assert cents(report.whole("ordered")) == total(kept)
        assert cents(report.whole("cancelled")) == total(kept) - total(live(kept))
        assert cents(report.whole("margin")) == total(live(kept)) - cost
        assert cents(report.whole("units")) == sum(line.quantity for line in live(kept))
        october = [line for line in live(kept) if line.month == "2025-10"]
        assert cents(report.key("revenue")) == total(october)
        for card, field in (("by-country", "country"), ("by-line", "product_line")):
            rows = {row[0]: cents(row[1]) for row in report.rows(card)}
            assert rows.pop("Sum") == total(live(kept))
            for name, amount in rows.items():
                assert amount == total(line for line in live(kept) if getattr(line, field) == name)
        by_month = {row[0]: cents(row[1]) for row in report.rows("by-month")}
        assert len(by_month) == 8 + 1
        assert by_month["Oct 2025"] == total(october)
        # No mart has products by country: of the chosen months and lines, and said so.
        of_lines = [
            line
            for line in live(lines)
            if "2025-03" <= line.month <= "2025-10" and line.product_line in ("Ships", "Line 5", "Line 0")
        ]
        assert cents(report.rows("products")[-1][1]) == total(of_lines)
        assert "Not by country" in report.page.locator("#products").inner_text()
        of_months = [line for line in live(lines) if "2025-03" <= line.month <= "2025-10"]
        assert cents(report.rows("customers")[-1][1]) == total(of_months)
        assert "Not by country or product line" in report.page.locator("#customers").inner_text()
        address = report.page.url
        report.page.locator("#reset").click()
        assert cents(report.whole("revenue")) == total(live(lines))
        assert "#" not in report.page.url
    file, _, fragment = address.partition("#")
    with opened(browser, Path(file.removeprefix("file://").replace("%20", " ")), f"#{fragment}", **PHONE) as report:
        assert cents(report.whole("revenue")) == total(live(kept))
        assert report.page.locator("#country summary").inner_text().startswith("Country 2 countries")


def test_counts_are_shown_only_where_a_mart_holds_the_selection(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]
) -> None:
    """Orders of two countries added up would count an order of both twice, and customers likewise."""
    lines = [
        Line("2024-03", "USA", "Ships", "S1", 1, 1, Decimal("10.00")),
        Line("2024-03", "USA", "Planes", "P1", 1, 1, Decimal("5.01")),
        Line("2024-03", "USA", "Planes", "P1", 2, 2, Decimal("5.00")),
        Line("2024-03", "France", "Ships", "S1", 3, 3, Decimal("1.00")),
        Line("2024-03", "Spain", "Cars", "C1", 4, 4, Decimal("2.00")),
    ]
    shown = {
        "": ("4", "4", "5.75"),  # 23.01 / 4 = 5.7525
        "#country=USA": ("2", DASH, DASH),
        "#country=USA&line=Ships": ("1", DASH, DASH),
        "#country=France&line=Planes": ("0", DASH, DASH),
        "#country=USA&country=France": (DASH, DASH, DASH),
        "#line=Ships": (DASH, DASH, DASH),
        "#country=USA&country=France&country=Spain": ("4", "4", "5.75"),
    }
    file = store(made(spark, lines))
    for fragment, expected in shown.items():
        with opened(browser, file, fragment, **DESKTOP) as report:
            found = tuple(report.key(name) for name in ("orders", "customers", "average"))
            assert found == expected, fragment
            for name in ("orders", "customers", "average"):
                if report.key(name) == DASH:
                    report.page.locator(f"#key-{name} strong").hover()
                    assert "not counted for this selection" in report.page.locator("#tip").inner_text()


def test_changes_against_the_month_and_the_year_before(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]
) -> None:
    amounts = {"2024-03": "80.00", "2025-02": "0.00", "2025-03": "100.00"}
    lines = [Line(month, "USA", "Ships", "S1", 1, i, Decimal(a)) for i, (month, a) in enumerate(amounts.items())]
    file = store(made(spark, lines))
    with opened(browser, file, **DESKTOP) as report:
        # From nothing no percentage leads up.
        assert report.changes("revenue") == [f"{DASH} vs Feb 2025", "+25% vs Mar 2024"]
        assert report.changes("cancelled") == ["unchanged vs Feb 2025", "unchanged vs Mar 2024"]
        assert report.changes("units") == ["unchanged vs Feb 2025", "unchanged vs Mar 2024"]
    with opened(browser, file, "#to=2025-02", **DESKTOP) as report:
        assert report.changes("revenue") == [f"{DASH} vs Jan 2025", f"{DASH} vs Feb 2024"]
        assert report.title("by-month") == "Revenue was highest in Mar 2024: EUR 80"


def test_figures_are_worded_as_in_the_charts(browser: Browser) -> None:
    words = (files("salespipe_dagster.report") / "words.js").read_text(encoding="utf-8")
    say = "cases.map(([name, given]) => ({exact, short, share, change})[name](...given))"
    with contextlib.closing(browser.new_page()) as page:
        said = page.evaluate(f"cases => {{ {words}\nreturn {say}; }}", [case[:2] for case in CASES])
    assert said == [case[2] for case in CASES]


def test_month_that_is_not_published_is_a_gap_and_is_told(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]
) -> None:
    """A month without sales is zero; a month that is not published is not."""
    lines = [Line(month, "USA", "Ships", "S1", 1, 1, Decimal("3.00")) for month in ("2024-01", "2024-04")]
    file = store(made(spark, lines, published=["2024-01", "2024-02", "2024-04"]))
    with opened(browser, file, **DESKTOP) as report:
        assert "Covers 3 of 4 months: Jan 2024 to Feb 2024, Apr 2024." in report.page.locator("#coverage").inner_text()
        assert report.page.locator("#by-month rect.missing").count() == 1
        assert [row[:2] for row in report.rows("by-month")] == [
            ["Apr 2024", "3.00"],
            ["Mar 2024", DASH],
            ["Feb 2024", "0.00"],
            ["Jan 2024", "3.00"],
            ["Sum", "6.00"],
        ]
        assert report.changes("revenue") == [f"{DASH} vs Mar 2024", f"{DASH} vs Apr 2023"]
    with opened(browser, file, "#from=2024-03&to=2024-03", **DESKTOP) as report:
        assert report.title("by-month") == "No month of this period is published"


def test_title_names_all_that_lead(browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]) -> None:
    lines = [
        Line("2024-03", country, line, line, i, i, Decimal(amount))
        for i, (country, line, amount) in enumerate(
            [("USA", "Ships", "40.00"), ("France", "Planes", "40.00"), ("Spain", "Cars", "20.00")]
        )
    ]
    file = store(made(spark, lines, ageing=[(1, "0-30 days", Decimal("30.00")), (2, "over 90 days", Decimal("10.00"))]))
    with opened(browser, file, **DESKTOP) as report:
        assert report.title("by-country") == "France and USA each make 40% of revenue"
        assert report.title("by-line") == "Planes and Ships each make 40% of revenue"
        assert report.title("customers") == "Customer 0 and Customer 1 each make 40% of revenue"
        assert report.title("ageing") == "25% of what customers owe is older than 90 days"
        assert "As of 31 Mar 2024" in report.page.locator("#ageing").inner_text()
    with opened(browser, file, "#country=Spain&line=Ships", **DESKTOP) as report:
        assert report.title("by-country") == "No revenue in Mar 2024"
        assert report.title("by-month") == "No revenue in Mar 2024"


@pytest.mark.parametrize(
    ("recent", "oldest", "title"),
    [
        ("1000.00", "0.01", "Under 1% of what customers owe is older than 90 days"),
        ("0.01", "1000.00", "Over 99% of what customers owe is older than 90 days"),
        ("1000.00", "0.00", "Nothing of what customers owe is older than 90 days"),
    ],
)
def test_title_of_the_ageing(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path], recent: str, oldest: str, title: str
) -> None:
    """0% and 100% are said only where they are exact."""
    owed = [(1, "0-30 days", Decimal(recent)), (1, "over 90 days", Decimal(oldest))]
    with opened(browser, store(made(spark, shop(last(1)), ageing=owed)), **DESKTOP) as report:
        assert report.title("ageing") == title


def test_ageing_has_no_shares_where_a_return_is_owed_back(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]
) -> None:
    """As in the chart: of 10.00 and -3.00 the first would be 143%."""
    owed = [(1, "0-30 days", Decimal("10.00")), (1, "over 90 days", Decimal("-3.00"))]
    with opened(browser, store(made(spark, shop(last(1)), ageing=owed)), **DESKTOP) as report:
        assert report.title("ageing") == "Customers owe EUR 7"
        assert report.page.locator("#ageing .share").all_inner_texts() == [""] * 5


HOSTILE = "</script><img src=x onerror=\"document.title='taken'\"><b>&amp;{}"


def test_hostile_names_stay_names(browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]) -> None:
    """A customer may call himself what he wants, in a file that finance opens."""
    lines = [Line("2024-03", HOSTILE, HOSTILE + "L", HOSTILE + "P", 1, 1, Decimal("10.00"))]
    lines.append(lines[0]._replace(country="__proto__", product_line="constructor", product="toString", order=2))
    file = store(made(spark, lines, names=lambda n: HOSTILE + str(n), ageing=[(1, "0-30 days", Decimal("3.00"))]))
    with opened(browser, file, **DESKTOP) as report:
        assert {row[0] for row in report.rows("by-country")} == {HOSTILE, "__proto__", "Sum"}
        assert report.rows("customers")[0][0] == HOSTILE + "1"
        report.choose("country", "__proto__")
        assert cents(report.whole("revenue")) == Decimal("10.00")
        assert report.page.locator("img").count() == 0
        assert report.page.title() == "Wholesale sales, Mar 2024"


def test_fragment_of_somebody_else_is_no_error(
    browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]
) -> None:
    lines = shop(last(2))
    fragment = "#from=2025-12&to=2025-11&country=Atlantis&line=%3Cb%3E&from=x&%%%"
    with opened(browser, store(made(spark, lines)), fragment, **DESKTOP) as report:
        assert cents(report.whole("revenue")) == total(live(lines))


def test_dark_light_and_paper(browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]) -> None:
    file = store(made(spark, shop(last(24))))
    background = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, file, color_scheme="dark", **DESKTOP) as report:
        dark = report.page.evaluate(background)
        report.page.locator("#theme").click()
        light = report.page.evaluate(background)
        assert sum(map(int, dark[4:-1].split(", "))) < 150 < 600 < sum(map(int, light[4:-1].split(", ")))
        report.page.locator("#theme").click()
        assert report.page.evaluate(background) == dark
        report.page.emulate_media(media="print")
        ink = report.page.evaluate("getComputedStyle(document.body).color")
        assert ink == "rgb(31, 41, 51)"
        assert not report.page.locator("#filters").is_visible()
        assert report.page.locator("#selection").is_visible()
        report.page.set_viewport_size({"width": 703, "height": 1000})  # a sheet of A4 without its margins
        report.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert report.overlaps() == []


def test_keyboard_alone_chooses(browser: Browser, spark: SparkSession, store: Callable[[bytes], Path]) -> None:
    lines = shop(last(2))
    with opened(browser, store(made(spark, lines)), **DESKTOP) as report:
        report.page.locator("#country summary").focus()
        for pressed in ("Enter", "Tab", "Space", "Escape"):
            report.page.keyboard.press(pressed)
        first = sorted({line.country for line in lines})[0]
        assert cents(report.whole("revenue")) == total(line for line in live(lines) if line.country == first)
        assert report.page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert "Revenue EUR" in report.page.locator("[aria-live=polite]").inner_text()


def test_report_of_a_lake_is_what_a_query_on_its_marts_says(browser: Browser, lake: Path) -> None:
    """From the definitions to the browser: what is shown adds up to the marts' files."""
    parts = sorted((lake / "marts" / "revenue_by_customer").rglob("data.parquet"))
    sold = [row for part in parts for row in read_parquet(part)]
    with opened(browser, lake / "report" / "index.html", **DESKTOP) as report:
        assert cents(report.whole("ordered")) == sum(row[2] for row in sold) == Decimal("3254.39")
        assert cents(report.whole("revenue")) == sum(row[4] for row in sold) == Decimal("3154.40")
        assert [row[:2] for row in report.rows("customers")] == [
            ["Atelier", "3,031.00"],
            ["Signal", "123.40"],
            ["Sum", "3,154.40"],
        ]
        assert [row[:2] for row in report.rows("by-month")] == [
            ["Mar 2024", "123.40"],
            ["Feb 2024", "0.00"],
            ["Jan 2024", "3,031.00"],
            ["Sum", "3,154.40"],
        ]
