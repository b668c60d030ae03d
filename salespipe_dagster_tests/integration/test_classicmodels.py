"""The main job on real input: the classicmodels database on a MariaDB server, 30 months in one run.

What is expected comes from queries on the source, never from a figure that the pipeline made.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from salespipe_dagster_tests.integration.conftest import ALL_MONTHS as SPAN
from salespipe_dagster_tests.integration.pipeline import ask, objects, run, salespipe, table_rows
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.marts.receivables_ageing import BUCKETS, CREDIT
from salespipe_spark.months import between, month_of
from salespipe_spark.tables import tables

LINES = "FROM orderdetails d JOIN orders o USING (orderNumber) JOIN customers c USING (customerNumber)"
MARTS = [t.name for t in tables().values() if t.layer == "marts" and {"ordered_amount", "units"} <= {*t.contract.names}]
LIVE = "SUM(IF(status = 'Cancelled', 0, quantityOrdered * priceEach))"


@pytest.fixture
def home(classicmodels_home: Path) -> Path:
    """The home of one run over all 30 months."""
    return classicmodels_home


def by_month(home: Path, table: str, column: str, day: str) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in table_rows(home, table):
        sums[month_of(row[day])] += row[column]
    return dict(sums)


def test_the_amount_of_every_month_is_the_sources_to_the_cent(home: Path, classicmodels: str) -> None:
    """The sum of the fact is SUM(quantityOrdered * priceEach) of the source in each month, and in no other."""
    query = f"SELECT LEFT(orderDate, 7), SUM(quantityOrdered * priceEach) {LINES} GROUP BY 1"
    expected = dict(ask(classicmodels, query))
    assert len(expected) == 29
    assert by_month(home, "fact_orders", "amount", "order_date") == expected


def test_the_payments_of_every_month_are_the_sources_to_the_cent(home: Path, classicmodels: str) -> None:
    """Payments run a month longer than orders: 2005-06 must not be cut off."""
    expected = dict(ask(classicmodels, "SELECT LEFT(paymentDate, 7), SUM(amount) FROM payments GROUP BY 1"))
    assert "2005-06" in expected
    assert by_month(home, "fact_payments", "amount", "payment_date") == expected


def test_each_order_line_is_one_fact_row(home: Path, classicmodels: str) -> None:
    """No join loses a line or doubles one."""
    expected = sorted(ask(classicmodels, "SELECT orderNumber, orderLineNumber FROM orderdetails"))
    found = sorted((row["order_number"], row["order_line_number"]) for row in table_rows(home, "fact_orders"))
    assert found == expected


def test_revenue_by_country_and_month_is_the_sources(home: Path, classicmodels: str) -> None:
    """Joined by postal code, the USA would sell four times as much; padded names would be countries of their own."""
    query = f"SELECT LEFT(orderDate, 7), TRIM(country), SUM(quantityOrdered * priceEach), {LIVE} {LINES} GROUP BY 1, 2"
    expected = {(month, country): (ordered, revenue) for month, country, ordered, revenue in ask(classicmodels, query)}
    found = {
        (month_of(row["month_start"]), row["country"]): (row["ordered_amount"], row["revenue"])
        for row in table_rows(home, "revenue_by_country")
    }
    assert found == expected


def test_the_usa_sold_what_it_sold(home: Path) -> None:
    """The figures that a well-known pipeline on this database reports four times too high, 13,057,249.77."""
    usa = [row for row in table_rows(home, "revenue_by_country") if row["country"] == "USA"]
    assert sum(row["ordered_amount"] for row in usa) == Decimal("3273280.05")
    assert sum(row["revenue"] for row in usa) == Decimal("3231834.84")


@pytest.mark.parametrize("mart", MARTS)
def test_the_months_of_every_mart_sum_to_the_fact(home: Path, classicmodels: str, mart: str) -> None:
    """A mart neither loses nor doubles a line, whatever its grain."""
    ordered = f"SELECT LEFT(orderDate, 7), SUM(quantityOrdered * priceEach) {LINES} GROUP BY 1"
    units = f"SELECT LEFT(orderDate, 7), SUM(quantityOrdered) {LINES} WHERE status <> 'Cancelled' GROUP BY 1"
    assert by_month(home, mart, "ordered_amount", "month_start") == dict(ask(classicmodels, ordered))
    assert by_month(home, mart, "units", "month_start") == dict(ask(classicmodels, units))


def test_distinct_counts_of_a_month_are_the_sources(home: Path, classicmodels: str) -> None:
    """Orders and customers are counted once each, and cancelled orders not at all."""
    counts = "COUNT(DISTINCT orderNumber), COUNT(DISTINCT customerNumber)"
    query = f"SELECT LEFT(orderDate, 7), {counts} {LINES} WHERE status <> 'Cancelled' GROUP BY 1"
    found = [
        (month_of(row["month_start"]), row["orders"], row["customers"]) for row in table_rows(home, "monthly_revenue")
    ]
    assert sorted(found) == sorted(ask(classicmodels, query))


def test_reps_sell_what_their_customers_order(home: Path, classicmodels: str) -> None:
    """By month and rep; in this database every customer who orders has one."""
    query = f"SELECT LEFT(orderDate, 7), salesRepEmployeeNumber, {LIVE} {LINES} GROUP BY 1, 2"
    found = [
        (month_of(row["month_start"]), row["sales_rep_number"], row["revenue"])
        for row in table_rows(home, "revenue_by_sales_rep")
    ]
    assert sorted(found) == sorted(ask(classicmodels, query))


def test_what_customers_owe_is_what_they_bought_less_what_they_paid(home: Path, classicmodels: str) -> None:
    """Of each customer, and with it which of them is over its limit."""
    bought = dict(ask(classicmodels, f"SELECT customerNumber, {LIVE} {LINES} GROUP BY 1"))
    paid = dict(ask(classicmodels, "SELECT customerNumber, SUM(amount) FROM payments GROUP BY 1"))
    limits = dict(ask(classicmodels, "SELECT customerNumber, creditLimit FROM customers"))
    balances = {number: bought.get(number, 0) - paid.get(number, 0) for number in limits}
    found = {row["customer_number"]: row for row in table_rows(home, "customer_lifetimes")}
    assert {number: row["balance"] for number, row in found.items()} == balances
    over = {number for number, row in found.items() if row["is_over_credit_limit"]}
    assert over == {number for number, limit in limits.items() if balances[number] > limit}


def test_what_is_open_is_as_old_as_the_newest_orders(home: Path, classicmodels: str) -> None:
    """Payments settle the oldest orders first: settled here one by one, in Python."""
    days = ask(classicmodels, f"SELECT customerNumber, orderDate, {LIVE} {LINES} GROUP BY 1, 2 ORDER BY 1, 2")
    left: dict[int, Decimal] = dict(ask(classicmodels, "SELECT customerNumber, SUM(amount) FROM payments GROUP BY 1"))
    expected: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for customer, day, amount in days:
        settled = min(amount, left.get(customer, Decimal(0)))
        left[customer] = left.get(customer, Decimal(0)) - settled
        age = (date(2005, 6, 30) - day).days
        expected[customer, BUCKETS[(age > 30) + (age > 60) + (age > 90)]] += amount - settled
    expected |= {(customer, CREDIT): -amount for customer, amount in left.items()}
    found = {(row["customer_number"], row["bucket"]): row["amount"] for row in table_rows(home, "receivables_ageing")}
    assert found == {key: amount for key, amount in expected.items() if amount}


def test_cohorts_are_those_of_the_first_order(home: Path, classicmodels: str) -> None:
    """Customers, orders and revenue of each cohort in each month."""
    first = "SELECT customerNumber, MIN(LEFT(orderDate, 7)) f FROM orders WHERE status <> 'Cancelled' GROUP BY 1"
    counts = "COUNT(DISTINCT customerNumber), COUNT(DISTINCT orderNumber), SUM(quantityOrdered * priceEach)"
    query = (
        f"SELECT f, LEFT(orderDate, 7), {counts} {LINES} JOIN ({first}) firsts USING (customerNumber) "
        "WHERE status <> 'Cancelled' GROUP BY 1, 2"
    )
    found = [
        (month_of(r["cohort_month"]), month_of(r["month_start"]), r["customers"], r["orders"], r["revenue"])
        for r in table_rows(home, "cohort_revenue")
    ]
    assert sorted(found) == sorted(ask(classicmodels, query))


def test_every_month_is_one_object_also_one_without_orders(home: Path) -> None:
    """2005-06 has payments and no orders: an empty object, not a missing one, and not a stale one."""
    catalogue = Catalogue(home / "lake")
    for table in tables().values():
        assert catalogue.published(table) == table.parts(between("2003-01", "2005-06"))
    assert catalogue.intact(tables()["fact_orders"], "2005-06").figures.rows == 0
    assert catalogue.intact(tables()["fact_payments"], "2005-06").figures.rows == 2


def test_a_second_run_replaces_no_object(home: Path, classicmodels: str) -> None:
    """Objects, receipts and charts stay as they are, to the byte and the nanosecond."""
    before = objects(home)
    run(home=home, url=classicmodels, **SPAN)
    assert objects(home) == before


def test_verify_proves_the_lake(home: Path, classicmodels: str) -> None:
    """The proof holds after a run, and changes nothing."""
    before = objects(home)
    done = salespipe("verify", home=home, url=classicmodels, **SPAN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert objects(home) == before


def test_what_lies_outside_the_months_is_named(classicmodels: str, tmp_path: Path) -> None:
    """Rows before START_MONTH or after END_MONTH are in no figure; a run says how many, and how much money."""
    select = 'key:"staging/order_details"'
    printed = run("--select", select, home=tmp_path, url=classicmodels, start_month="2003-02", end_month="2005-05")
    [(lines, amount)] = ask(
        classicmodels, f"SELECT COUNT(*), SUM(quantityOrdered * priceEach) {LINES} WHERE orderDate < '2003-02-01'"
    )
    assert f"order_details: {lines} rows lie outside the configured months, amount {amount}" in printed


def test_the_source_is_never_written(home: Path, load_classicmodels: Callable[[], str], classicmodels: str) -> None:
    """All that ran above left the source as its dump made it."""
    fresh = load_classicmodels()
    for table in ("orders", "orderdetails", "customers", "payments", "products"):
        assert ask(classicmodels, f"SELECT * FROM {table}") == ask(fresh, f"SELECT * FROM {table}")
    assert ask(classicmodels, "SHOW TABLES") == [(name,) for (name,) in ask(fresh, "SHOW TABLES")]
