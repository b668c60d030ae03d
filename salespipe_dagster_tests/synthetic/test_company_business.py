"""How the company's business goes: its shape, its payments, and what a day changes."""

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal

import pytest

from salespipe_dagster.synthetic import payments
from salespipe_dagster.synthetic.business import Firm
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster.synthetic.orders import SETTLED_AFTER
from salespipe_dagster.synthetic.people import buyers
from salespipe_dagster_tests.synthetic.made import MONTHLY, MONTHS, SNAPSHOTS, of_orders, ordered_amounts, rows
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError

# --- the size and the shape of the business


def test_default_company_has_the_size_of_the_demo() -> None:
    """`make demo` promises at least 20,000 order lines in 24 months."""
    counts = {table: len(rows(table)) for table in SNAPSHOTS}
    assert counts == {"customers": 153, "employees": 23, "offices": 7, "products": 110, "product_lines": 7}
    assert 20_000 <= len(rows("order_details")) <= 30_000


def test_business_grows_and_peaks_in_november() -> None:
    orders = Counter(months.month_of(row["orderDate"]) for row in rows("orders"))
    assert max(MONTHS[:12], key=lambda month: orders[month]) == "2024-11"
    assert max(MONTHS[12:], key=lambda month: orders[month]) == "2025-11"
    assert sum(orders[m] for m in MONTHS[12:]) > sum(orders[m] for m in MONTHS[:12])


def test_ten_largest_customers_buy_more_than_a_quarter_and_usa_buys_most() -> None:
    amounts = ordered_amounts()
    by_customer: dict[int, Decimal] = defaultdict(Decimal)
    by_country: dict[str, Decimal] = defaultdict(Decimal)
    countries = {row["customerNumber"]: row["country"].strip() for row in rows("customers")}
    for order in rows("orders"):
        by_customer[order["customerNumber"]] += amounts[order["orderNumber"]]
        by_country[countries[order["customerNumber"]]] += amounts[order["orderNumber"]]
    total = sum(amounts.values())
    assert sum(sorted(by_customer.values())[-10:]) > total / 4
    assert max(by_country, key=lambda country: by_country[country]) == "USA"
    assert len(by_country) == 15


def test_prices_lie_near_the_msrp_and_larger_quantities_cost_less() -> None:
    products = {row["productCode"]: row for row in rows("products")}
    shares: dict[bool, list[Decimal]] = defaultdict(list)
    for line in rows("order_details"):
        shares[line["quantityOrdered"] >= 52].append(line["priceEach"] / products[line["productCode"]]["MSRP"])
    costs = [row["buyPrice"] / row["MSRP"] for row in products.values()]
    assert Decimal("0.81") <= min(shares[True]) < Decimal("0.82")
    assert Decimal("0.99") < max(shares[False]) <= 1
    assert max(shares[True]) <= Decimal("0.93")
    assert Decimal("0.4") <= min(costs) < max(costs) <= Decimal("0.6")


def test_few_order_at_the_weekend() -> None:
    by_weekday = Counter(row["orderDate"].weekday() for row in rows("orders"))
    assert by_weekday[5] + by_weekday[6] < len(rows("orders")) / 10
    assert min(by_weekday[day] for day in range(5)) > 4 * by_weekday[5]


def test_product_lines_have_seasons_of_their_own() -> None:
    """Motorcycles sell in May, trains before Christmas: the same share all year would be a dull chart."""
    lines = {row["productCode"]: row["productLine"] for row in rows("products")}
    sold: dict[str, Counter[int]] = defaultdict(Counter)
    dates = {row["orderNumber"]: row["orderDate"] for row in rows("orders")}
    for line in rows("order_details"):
        sold[lines[line["productCode"]]][dates[line["orderNumber"]].month] += line["quantityOrdered"]
    assert sold["Motorcycles"][5] > 2 * sold["Motorcycles"][1]
    assert sold["Ships"][7] > 2 * sold["Ships"][12]
    assert sold["Trains"][12] > 5 * sold["Trains"][3]


def test_some_customers_begin_and_some_leave_within_two_years() -> None:
    seen: dict[int, set[str]] = defaultdict(set)
    for row in rows("orders"):
        seen[row["customerNumber"]].add(months.month_of(row["orderDate"]))
    frequent = [found for found in seen.values() if len(found) >= 3]
    assert sum(min(found) > "2024-04" for found in frequent) >= 5
    assert sum(max(found) < "2025-07" for found in frequent) >= 5


def test_a_larger_company_has_more_customers() -> None:
    """From a hundred lines to 10^8 in 24 months; their names are not needed to count them."""
    counts = [len(buyers(Firm(orders_per_month=size)).numbers) for size in (1, 165, 16_500, 700_000)]
    assert counts == [50, 153, pytest.approx(4853, rel=0.002), pytest.approx(80_670, rel=0.002)]


def test_names_of_many_customers_differ() -> None:
    found = Company(orders_per_month=20_000).rows("customers")
    assert found.num_rows == pytest.approx(5606, rel=0.002)
    assert len(set(found["customerName"].to_pylist())) > 5_000


# --- payments


def test_payments_come_late_in_part_or_not_at_all() -> None:
    orders, amounts, paid = {row["orderNumber"]: row for row in rows("orders")}, ordered_amounts(), of_orders()
    old = [n for n, order in orders.items() if order["shippedDate"] and order["orderDate"] < date(2025, 6, 1)]
    delays = [(paid[n][0][0] - orders[n]["shippedDate"]).days for n in old if n in paid]
    assert 0.8 < sum(17 <= delay <= 45 for delay in delays) / len(delays) < 0.92
    assert 0.08 < sum(delay > 45 for delay in delays) / len(delays) < 0.18
    assert 0.01 < sum(n not in paid for n in old) / len(old) < 0.1
    sums = {n: sum((amount for _, amount in paid[n]), Decimal(0)) for n in old if n in paid}
    assert 0.01 < sum(sums[n] < amounts[n] for n in sums) / len(sums) < 0.08
    assert all(day >= orders[n]["orderDate"] for n in old for day, _ in paid.get(n, []))


def test_only_orders_that_left_are_paid_and_to_whom_they_belong() -> None:
    orders = {row["orderNumber"]: row for row in rows("orders")}
    assert {orders[number]["status"] for number in of_orders()} == {"Shipped", "Resolved"}
    for payment in rows("payments"):
        assert payment["customerNumber"] == orders[int(payment["checkNumber"][2:].partition("-")[0])]["customerNumber"]


def test_no_customer_has_paid_more_than_it_ordered_but_for_a_rare_credit() -> None:
    """Payments for orders from before the first month would look like a negative balance."""
    balance: Counter[int] = Counter()
    amounts = ordered_amounts()
    for order in rows("orders"):
        if order["status"].strip().lower() != "cancelled":
            balance[order["customerNumber"]] += amounts[order["orderNumber"]]
    for payment in rows("payments"):
        balance[payment["customerNumber"]] -= payment["amount"]
    assert 1 <= sum(owed < 0 for owed in balance.values()) <= 5
    assert sum(owed > 0 for owed in balance.values()) > 60


@pytest.mark.parametrize("first", ["2025-11", "2021-06"])
def test_payments_are_of_orders_from_the_first_month_on(first: str) -> None:
    """Wherever it is set: payments without their orders make debtors into creditors."""
    company, quarter = Company(orders_per_month=40, first_month=first), months.between(first, months.shifted(first, 2))
    placed = {row["orderNumber"] for month in quarter for row in company.rows("orders", month).to_pylist()}
    cheques = [cheque for month in quarter for cheque in company.rows("payments", month)["checkNumber"].to_pylist()]
    assert len(cheques) > 10
    assert {int(cheque[2:].partition("-")[0]) for cheque in cheques} <= placed
    assert company.rows("payments", months.shifted(first, -1)).num_rows == 0


def test_some_orders_are_paid_twice() -> None:
    assert any(row["checkNumber"].endswith("-4") for row in rows("payments"))


# --- the day that the company has come to


ADVANCED = date(2025, 3, 20)


def test_what_lies_after_today_is_not_there() -> None:
    company = Company(today=ADVANCED)
    assert max(company.rows("orders", "2025-03")["orderDate"].to_pylist()) == ADVANCED
    assert max(company.rows("payments", "2025-03")["paymentDate"].to_pylist()) <= ADVANCED
    assert all(d is None or d <= ADVANCED for d in company.rows("orders", "2025-03")["shippedDate"].to_pylist())
    assert [company.rows(table, "2025-04").num_rows for table in MONTHLY] == [0, 0, 0]


def test_the_last_weeks_are_not_shipped_yet_and_old_orders_are() -> None:
    today = date(2025, 12, 31)
    open_orders = [row for row in rows("orders") if row["status"] in ("In Process", "On Hold")]
    assert len(open_orders) > 30
    assert all((today - row["orderDate"]).days <= 70 for row in open_orders)
    assert sum((today - row["orderDate"]).days <= 14 for row in open_orders) > len(open_orders) / 2


def test_time_only_adds_to_what_there_was() -> None:
    """Orders keep their customer, date and comment; an order that left has left; payments stay as they are."""
    before, after = Company(today=ADVANCED), Company(today=ADVANCED).after(60)
    was = {row["orderNumber"]: row for row in before.rows("orders", "2025-03").to_pylist()}
    now = {row["orderNumber"]: row for row in after.rows("orders", "2025-03").to_pylist()}
    fixed = ("orderDate", "requiredDate", "comments", "customerNumber")
    assert set(was) < set(now)
    assert all(was[number][name] == now[number][name] for number in was for name in fixed)
    assert all(now[n]["shippedDate"] == was[n]["shippedDate"] for n in was if was[n]["shippedDate"])
    moves = Counter((was[n]["status"].strip().lower(), now[n]["status"].strip().lower()) for n in was)
    assert moves["in process", "shipped"] > 20
    assert {new for old, new in moves if old == "cancelled"} == {"cancelled"}
    paid, paid_now = (company.rows("payments", "2025-03").to_pylist() for company in (before, after))
    assert all(row in paid_now for row in paid)
    assert len(paid) < len(paid_now)


def test_an_order_of_an_earlier_month_is_cancelled_later() -> None:
    seen = [Company(today=date(2025, 6, 30)).after(days).rows("orders", "2025-05") for days in range(0, 90, 10)]
    cancelled = [sum(s.strip().lower() == "cancelled" for s in each["status"].to_pylist()) for each in seen]
    assert cancelled == sorted(cancelled)
    assert cancelled[-1] > cancelled[0]


def test_nothing_happens_to_an_order_after_it_is_settled() -> None:
    """`advance` looks no further back than this."""
    last = Company(orders_per_month=20_000, today=date(2025, 1, 31)).after(SETTLED_AFTER)
    assert last.rows("orders", "2025-01").equals(last.after(1000).rows("orders", "2025-01"))


def test_payments_are_looked_for_far_enough_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment that comes later than they are looked for would be in no month."""
    company = Company(orders_per_month=3_000)
    found = company.rows("payments", "2025-09")
    monkeypatch.setattr(payments, "MONTHS_BACK", 20)
    assert company.rows("payments", "2025-09").num_rows == found.num_rows


def test_in_one_step_or_in_many_it_is_the_same_day() -> None:
    assert Company().after(3).after(40).after(17) == Company().after(60)
    with pytest.raises(SalespipeError, match="no business after 2049-12-31"):
        Company().after(10_000)
