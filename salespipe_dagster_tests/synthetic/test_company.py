"""The synthetic company: the same bytes for the same seed, the source's shape, the nasty parts of real data."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from salespipe_dagster.synthetic import company as company_module
from salespipe_dagster.synthetic import orders as orders_module
from salespipe_dagster.synthetic import payments
from salespipe_dagster.synthetic.business import Firm, days
from salespipe_dagster.synthetic.company import Company, Ledger, order_numbers
from salespipe_dagster.synthetic.orders import SETTLED_AFTER
from salespipe_dagster.synthetic.people import buyers
from salespipe_dagster.synthetic.quirks import (
    COMMENTS,
    CUSTOMER_NAMES,
    PRODUCT_DESCRIPTIONS,
    PRODUCT_NAMES,
    tidied,
)
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import tables

MONTHS = months.between("2024-01", "2025-12")
SNAPSHOTS = ["customers", "employees", "offices", "products", "product_lines"]
MONTHLY = ["orders", "order_details", "payments"]
DATE_OF_THE_ORDER = ("order_details", "order_date")
"""The one column of staging that the source does not have."""
PLACE = ("city", "state", "postalCode", "country")

COLUMNS = {
    "customers": "customerNumber int32, customerName string, contactLastName string, contactFirstName string, "
    "phone string, addressLine1 string, addressLine2 string, city string, state string, postalCode string, "
    "country string, salesRepEmployeeNumber int32, creditLimit decimal128(10, 2)",
    "employees": "employeeNumber int32, lastName string, firstName string, extension string, email string, "
    "officeCode string, reportsTo int32, jobTitle string",
    "offices": "officeCode string, city string, phone string, addressLine1 string, addressLine2 string, "
    "state string, country string, postalCode string, territory string",
    "products": "productCode string, productName string, productLine string, productScale string, "
    "productVendor string, productDescription string, quantityInStock int32, buyPrice decimal128(10, 2), "
    "MSRP decimal128(10, 2)",
    "product_lines": "productLine string, textDescription string, htmlDescription string",
    "orders": "orderNumber int32, orderDate date32[day], requiredDate date32[day], shippedDate date32[day], "
    "status string, comments string, customerNumber int32",
    "order_details": "orderNumber int32, productCode string, quantityOrdered int32, priceEach decimal128(10, 2), "
    "orderLineNumber int32",
    "payments": "customerNumber int32, checkNumber string, paymentDate date32[day], amount decimal128(10, 2)",
}
WIDTHS = {
    "customers": {"customerName": 50, "contactLastName": 50, "contactFirstName": 50, "phone": 50, "addressLine1": 50}
    | {"addressLine2": 50, "city": 50, "state": 50, "postalCode": 15, "country": 50},
    "employees": {"lastName": 50, "firstName": 50, "extension": 10, "email": 100, "officeCode": 10, "jobTitle": 50},
    "offices": {"officeCode": 10, "postalCode": 15, "territory": 10, "phone": 50, "addressLine1": 50},
    "products": {"productCode": 15, "productName": 70, "productScale": 10, "productVendor": 50},
    "product_lines": {"productLine": 50, "textDescription": 4000},
    "orders": {"status": 15},
    "order_details": {"productCode": 15},
    "payments": {"checkNumber": 50},
}
DIGESTS = """
import hashlib
from salespipe_dagster.synthetic.company import Company
for table, month in {parts!r}:
    found = Company().rows(table, month)
    print(table, month, hashlib.sha256(repr((str(found.schema), found.to_pylist())).encode()).hexdigest())
"""


@cache
def rows(table: str) -> list[dict[str, Any]]:
    """All rows that the default company has of a table, over 24 months where it is cut into months."""
    parts = [None] if table in SNAPSHOTS else MONTHS
    return [row for month in parts for row in Company().rows(table, month).to_pylist()]


def ordered_amounts() -> dict[int, Decimal]:
    """The amount of every order."""
    found: dict[int, Decimal] = defaultdict(Decimal)
    for line in rows("order_details"):
        found[line["orderNumber"]] += line["quantityOrdered"] * line["priceEach"]
    return found


def digest(table: str, month: str | None, company: Company | None = None) -> str:
    found = (company or Company()).rows(table, month)
    return hashlib.sha256(repr((str(found.schema), found.to_pylist())).encode()).hexdigest()


# --- the same company everywhere


def test_another_process_with_another_hash_seed_and_order_of_months_makes_the_same_bytes() -> None:
    """`hash` of a string differs from process to process, and so would all that is drawn from it."""
    parts = [(table, month) for month in reversed(MONTHS[9:14]) for table in reversed(MONTHLY)]
    parts += [(table, None) for table in reversed(SNAPSHOTS)]
    environment = os.environ | {"PYTHONHASHSEED": "4711"}
    script = DIGESTS.format(parts=parts)
    printed = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    here = {f"{table} {month} {digest(table, month)}" for table, month in sorted(parts, key=str)}
    assert set(printed.stdout.decode().splitlines()) == here
    assert len(here) == 20


def test_the_bytes_are_those_of_another_python_and_numpy() -> None:
    """Seen equal with 3.11.7 and numpy 2.4.6, and with 3.13.0 and numpy 2.5.5; Faker has no part in these tables.

    A change of what the company does changes this text; a change of Python, numpy or machine must not.
    """
    digests = [digest(table, month, Company(seed=11, quirks=False)) for table in MONTHLY for month in MONTHS[9:12]]
    assert hashlib.sha256("".join(digests).encode()).hexdigest()[:16] == "282a411c0284cfbb"


@pytest.mark.parametrize("table", MONTHLY)
def test_month_does_not_depend_on_what_was_made_before(table: str) -> None:
    """A backfill of one month must not change what a run of the whole range has made."""
    first = digest(table, "2025-02")
    for month in ("2024-07", "2025-09", "2025-03", "2025-01"):
        for other in MONTHLY:
            Company(seed=3).rows(other, month)
            Company().rows(other, month)
    assert digest(table, "2025-02") == first


@pytest.mark.parametrize("table", [*MONTHLY, "customers", "employees", "products"])
def test_another_seed_is_another_company(table: str) -> None:
    month = "2024-03" if table in MONTHLY else None
    assert digest(table, month, Company(seed=8)) != digest(table, month, Company(seed=7))


def test_months_differ_from_each_other() -> None:
    """One stream for all months would sell the same things every month."""
    sold = {tuple(Company().rows("order_details", month)["productCode"].to_pylist()[:50]) for month in MONTHS}
    assert len(sold) == 24


# --- the shape of the source


@pytest.mark.parametrize("table", SNAPSHOTS + MONTHLY)
def test_columns_are_those_of_the_source_in_order_with_exact_types(table: str) -> None:
    """Order details have no date in the source: a date here would be a column that MySQL does not know."""
    schema = Company().rows(table, "2024-01" if table in MONTHLY else None).schema
    assert ", ".join(f"{field.name} {field.type}" for field in schema) == COLUMNS[table]


@pytest.mark.parametrize("table", SNAPSHOTS + MONTHLY)
def test_table_conforms_to_its_contract(table: str) -> None:
    contract = tables()[table].contract
    key = [column.source_name for column in contract.columns if column.name in contract.key]
    required = [c.source_name for c in contract.columns if not c.nullable and (table, c.name) != DATE_OF_THE_ORDER]
    found = rows(table)
    assert len({tuple(row[name] for name in key) for row in found}) == len(found) > 0
    assert [name for name in required if any(row[name] is None for row in found)] == []


@pytest.mark.parametrize("table", SNAPSHOTS + MONTHLY)
def test_texts_fit_into_the_classicmodels_schema(table: str) -> None:
    """Some Faker companies have names of 51 letters; a strict server refuses the row, a lax one cuts it."""
    longest = {name: max(len(row[name] or "") for row in rows(table)) for name in WIDTHS[table]}
    assert {name: found for name, found in longest.items() if found > WIDTHS[table][name]} == {}


@pytest.mark.parametrize(("table", "key"), [("products", "productCode"), ("payments", "checkNumber")])
def test_text_keys_differ_in_more_than_case(table: str, key: str) -> None:
    """MySQL compares keys without case: two that differ in case only are a duplicate there."""
    assert len({row[key].lower() for row in rows(table)}) == len(rows(table))


def test_empty_months_have_all_columns_with_their_types() -> None:
    found = [Company(orders_per_month=0).rows(table, "2024-01") for table in MONTHLY]
    assert [table.num_rows for table in found] == [0, 0, 0]
    assert [", ".join(f"{f.name} {f.type}" for f in t.schema) for t in found] == [COLUMNS[t] for t in MONTHLY]


@pytest.mark.parametrize(
    ("table", "month"), [("orders", None), ("customers", "2024-01"), ("orderdetails", "2024-01"), ("dim_dates", None)]
)
def test_wrong_table_or_month_is_refused(table: str, month: str | None) -> None:
    with pytest.raises(ValueError, match="the monthly tables are orders, order_details, payments"):
        Company().rows(table, month)


@pytest.mark.parametrize("month", ["1999-12", "2050-01", "2024-13", "2024-1"])
@pytest.mark.parametrize("table", MONTHLY)
def test_month_without_order_numbers_is_refused(table: str, month: str) -> None:
    with pytest.raises(SalespipeError, match=month):
        Company().rows(table, month)


@pytest.mark.parametrize("orders_per_month", [-1, 700_001])
def test_company_too_large_for_its_order_numbers_is_refused(orders_per_month: int) -> None:
    """More orders than numbers would run into the next month's numbers."""
    with pytest.raises(ValueError, match="not within 0 and 700000"):
        Company(orders_per_month=orders_per_month)


# --- order numbers


def test_order_numbers_of_all_months_lie_end_to_end_and_fit_into_int() -> None:
    """A slice of a month is its key range: a number in two ranges would be deleted with the wrong month."""
    ranges = [order_numbers(month) for month in months.between("2000-01", "2049-12")]
    assert all(a.stop == b.start for a, b in pairwise(ranges))
    assert (ranges[0].start, ranges[-1].stop) == (0, 2_100_000_000)
    assert ranges[-1].stop < 2**31


@pytest.mark.parametrize("month", ["2000-01", "2024-02", "2025-12", "2049-12"])
def test_orders_and_lines_of_a_month_have_its_numbers_and_dates(month: str) -> None:
    company = Company(today=date(2049, 12, 31))
    found, lines = company.rows("orders", month), company.rows("order_details", month)
    numbers = order_numbers(month)
    assert all(number in numbers for number in found["orderNumber"].to_pylist())
    assert set(lines["orderNumber"].to_pylist()) == set(found["orderNumber"].to_pylist())
    assert {months.month_of(day) for day in found["orderDate"].to_pylist()} == {month}
    assert {months.month_of(d) for d in company.rows("payments", month)["paymentDate"].to_pylist()} <= {month}


def test_no_order_has_the_number_zero() -> None:
    """MySQL gives a new number to a row that is inserted with 0 into an AUTO_INCREMENT column."""
    assert Company().rows("orders", "2000-01")["orderNumber"][0].as_py() == 1


# --- what belongs together


@pytest.mark.parametrize(
    ("table", "column", "parent", "key"),
    [
        ("orders", "customerNumber", "customers", "customerNumber"),
        ("payments", "customerNumber", "customers", "customerNumber"),
        ("order_details", "orderNumber", "orders", "orderNumber"),
        ("order_details", "productCode", "products", "productCode"),
        ("products", "productLine", "product_lines", "productLine"),
        ("customers", "salesRepEmployeeNumber", "employees", "employeeNumber"),
        ("employees", "reportsTo", "employees", "employeeNumber"),
        ("employees", "officeCode", "offices", "officeCode"),
    ],
)
def test_every_reference_has_its_row(table: str, column: str, parent: str, key: str) -> None:
    references = {row[column] for row in rows(table)} - {None}
    assert references - {row[key] for row in rows(parent)} == set()
    assert references


def test_lines_of_an_order_are_numbered_from_one() -> None:
    numbers: dict[int, list[int]] = defaultdict(list)
    for line in rows("order_details"):
        numbers[line["orderNumber"]].append(line["orderLineNumber"])
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert len(numbers) == len(rows("orders"))


def test_sales_reps_are_sales_reps_and_only_the_president_has_no_manager() -> None:
    titles = {row["employeeNumber"]: row["jobTitle"] for row in rows("employees")}
    assert {titles[row["salesRepEmployeeNumber"]] for row in rows("customers") if row["salesRepEmployeeNumber"]} == {
        "Sales Rep"
    }
    assert [row["jobTitle"] for row in rows("employees") if row["reportsTo"] is None] == ["President"]


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


def of_orders() -> dict[int, list[tuple[date, Decimal]]]:
    """The payments of every order."""
    found: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for payment in rows("payments"):
        found[int(payment["checkNumber"][2:].partition("-")[0])].append((payment["paymentDate"], payment["amount"]))
    return found


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


# --- at any size


def test_a_month_is_made_in_runs_and_the_runs_are_of_no_consequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A month that does not fit into memory is handed over in parts, each the same wherever it is cut."""
    company = Company(orders_per_month=900)
    whole = {table: company.rows(table, "2025-02") for table in MONTHLY}
    monkeypatch.setattr(orders_module, "ORDERS_AT_ONCE", 101)
    monkeypatch.setattr(company_module, "ROWS_AT_ONCE", 700)
    for table in ("orders", "order_details"):
        parts = list(company.batches(table, "2025-02"))
        assert len(parts) > 1
        assert pa.concat_tables(parts).combine_chunks().equals(whole[table])
    by = [("customerNumber", "ascending"), ("checkNumber", "ascending")]
    assert company.rows("payments", "2025-02").sort_by(by).equals(whole["payments"].sort_by(by))


def test_the_largest_company_has_numbers_for_its_busiest_month() -> None:
    """Growth ends where the numbers do: no month runs into the next one's."""
    firm = Firm(orders_per_month=700_000)
    largest = max(int(days(firm, month)[-1]) for month in months.between("2000-01", "2049-12"))
    assert 3_000_000 < largest < 3_500_000
    assert sum(int(days(firm, month)[-1]) for month in MONTHS) > 10**8 / 6.2


def test_the_ledger_is_what_the_rows_come_to() -> None:
    """Once by the company's integers, once by the decimals of its rows."""
    statuses = {row["orderNumber"]: row["status"].strip().lower() for row in rows("orders")}
    found = [0, 0, Decimal(0), Decimal(0)]
    numbers = order_numbers("2025-11")
    for line in rows("order_details"):
        if line["orderNumber"] in numbers:
            amount = line["quantityOrdered"] * line["priceEach"]
            found[1] += 1
            found[2] += amount
            found[3] += amount if statuses[line["orderNumber"]] == "cancelled" else 0
    found[0] = sum(statuses[number] != "cancelled" for number in statuses if number in numbers)
    assert Company().ledger("2025-11") == Ledger(*found)
    assert Company(today=date(2024, 1, 1)).ledger("2025-11") == Ledger(0, 0, Decimal(0), Decimal(0))


# --- without the nasty parts


@cache
def clean(table: str) -> list[dict[str, Any]]:
    parts = [None] if table in SNAPSHOTS else MONTHS[:12]
    return [row for month in parts for row in Company(quirks=False).rows(table, month).to_pylist()]


@pytest.mark.parametrize("table", SNAPSHOTS + MONTHLY)
def test_a_clean_company_has_no_odd_text(table: str) -> None:
    texts = {value for row in clean(table) for value in row.values() if isinstance(value, str)}
    assert {text for text in texts if text != tidied(text) or "%" in text or "\n" in text or text == "NULL"} == set()


def test_a_clean_company_has_every_part_of_its_places_and_every_customer_orders() -> None:
    """With enough orders: who buys once in years may not be seen in one."""
    towns: dict[str, set[str]] = defaultdict(set)
    for row in clean("customers"):
        towns[row["postalCode"]].add(row["city"])
        assert row["salesRepEmployeeNumber"] is not None
        assert row["creditLimit"] is not None
    assert {code: found for code, found in towns.items() if len(found) > 1} == {}
    assert min(buyers(Firm(quirks=False)).weights) > 0
    assert {row["productCode"] for row in clean("order_details")} == {row["productCode"] for row in clean("products")}
    assert not any("-2" in row["checkNumber"] or "-4" in row["checkNumber"] for row in clean("payments"))
    assert "" not in {row["comments"] for row in clean("orders")}


def test_cancellations_are_ordinary_business() -> None:
    assert {row["status"] for row in clean("orders")} >= {"Shipped", "Cancelled", "Disputed", "Resolved"}
    assert {row["status"] for row in clean("orders")} <= {"In Process", "On Hold"} | {
        *("Shipped", "Cancelled", "Disputed", "Resolved")
    }


# --- the nasty parts of real data


def test_customers_share_postal_codes_also_across_towns_and_countries() -> None:
    """A join on the postal code multiplies sales: the mistake of the course pipeline."""
    towns: dict[str, set[str]] = defaultdict(set)
    for row in rows("customers"):
        if row["postalCode"]:
            towns[row["postalCode"].strip()].add(f"{row['city'].strip()}, {row['country'].strip()}")
    assert towns["94010"] == {"Burlingame, USA", "Hillsborough, USA"}
    assert towns["75016"] == {"Paris, France", "Irving, USA"}
    assert Counter(row["postalCode"] for row in rows("customers"))["10022"] > 1


@pytest.mark.parametrize("column", ["state", "postalCode", "creditLimit", "addressLine2", "salesRepEmployeeNumber"])
def test_some_customers_leave_it_empty_and_most_columns_are_filled(column: str) -> None:
    missing = sum(row[column] is None for row in rows("customers"))
    assert 3 <= missing <= 147


@pytest.mark.parametrize("part", PLACE)
def test_some_places_are_padded(part: str) -> None:
    """'Norway  ' and 'Norway' are one country: without trimming they are two bars in a chart."""
    padded = [row[part] for row in rows("customers") if row[part] and row[part] != row[part].strip(" ")]
    plain = {row[part] for row in rows("customers")}
    assert padded
    assert [text for text in padded if not text.strip()] == []
    assert any(text.strip() in plain for text in padded)


def test_city_and_country_are_never_blank() -> None:
    assert [row for row in rows("customers") if not row["city"].strip() or not row["country"].strip()] == []


def test_some_offices_are_padded_and_some_have_no_state() -> None:
    assert any(row[part] != row[part].strip() for row in rows("offices") for part in ("country", "postalCode"))
    assert any(row["state"] is None for row in rows("offices"))


def test_some_customers_never_ordered_and_some_order_without_a_rep() -> None:
    buyers = {row["customerNumber"] for row in rows("orders")}
    without_rep = {row["customerNumber"] for row in rows("customers") if row["salesRepEmployeeNumber"] is None}
    assert len(rows("customers")) - len(buyers) >= 18
    assert without_rep & buyers
    assert without_rep - buyers


def test_some_products_were_never_sold() -> None:
    sold = {row["productCode"] for row in rows("order_details")}
    assert len(rows("products")) - len(sold) == 3


def test_every_status_occurs_as_it_is_typed_in_the_shop() -> None:
    assert {row["status"] for row in rows("orders")} == {
        *("Shipped", "Resolved", "Disputed", "On Hold", "In Process"),
        *("Cancelled", "cancelled", " Cancelled", "CANCELLED "),
    }


def test_orders_have_a_shipping_date_exactly_where_they_left() -> None:
    shipped = {row["status"] for row in rows("orders") if row["shippedDate"] is not None}
    not_shipped = {row["status"] for row in rows("orders") if row["shippedDate"] is None}
    assert shipped == {"Shipped", "Resolved", "Disputed"}
    assert not_shipped == {"On Hold", "In Process", "Cancelled", "cancelled", " Cancelled", "CANCELLED "}


@pytest.mark.parametrize("column", ["requiredDate", "shippedDate"])
def test_some_dates_spill_over_into_the_next_month(column: str) -> None:
    """An order belongs to the month it was placed in, whenever it leaves."""
    spilled = [r for r in rows("orders") if r[column] and months.month_of(r[column]) > months.month_of(r["orderDate"])]
    assert spilled
    assert all(row[column] > row["orderDate"] for row in rows("orders") if row[column])


def test_some_orders_leave_late() -> None:
    assert any(row["shippedDate"] and row["shippedDate"] > row["requiredDate"] for row in rows("orders"))


def test_names_and_comments_hold_every_nasty_letter() -> None:
    """Each of these breaks a loader that quotes by hand, a CSV, a LIKE, a latin1 or a three-byte utf8 column."""
    names = "".join(row["customerName"] for row in rows("customers"))
    products = "".join(row["productName"] + row["productDescription"] for row in rows("products"))
    comments = "".join(row["comments"] or "" for row in rows("orders"))
    for letter in ("'", '"', "\\", "%", "\t", "\n", "ö"):
        assert letter in names
        assert letter in comments
    for letter in ("'", '"', "\\", "%", "\t", "\n", "ß"):
        assert letter in products
    assert "\r\n" in comments
    assert "🚚" in comments
    assert any(row["contactLastName"][0] > "\u3000" for row in rows("customers"))


@pytest.mark.parametrize(
    ("table", "column", "vocabulary"),
    [
        ("customers", "customerName", set(CUSTOMER_NAMES)),
        ("products", "productName", set(PRODUCT_NAMES)),
        ("products", "productDescription", set(PRODUCT_DESCRIPTIONS)),
        ("orders", "comments", {written.text for written in COMMENTS}),
    ],
)
def test_all_of_the_vocabulary_is_used(table: str, column: str, vocabulary: set[str | None]) -> None:
    """A nasty name that no position deals out is tested by nobody."""
    assert vocabulary - {row[column] for row in rows(table)} == set()


def test_comments_are_missing_empty_and_the_word_null() -> None:
    """'' and NULL are two things, and the text NULL is a third."""
    assert {None, "", " NULL "} <= {row["comments"] for row in rows("orders")}


def test_product_lines_have_missing_and_empty_descriptions() -> None:
    assert None in {row["textDescription"] for row in rows("product_lines")}
    assert {None, ""} <= {row["htmlDescription"] for row in rows("product_lines")}


def test_prices_use_every_cent() -> None:
    """Prices of whole dollars would hide a sum that loses cents."""
    assert {int(row["priceEach"] * 100) % 100 for row in rows("order_details")} == set(range(100))


def test_some_orders_have_one_line_and_some_have_many() -> None:
    lines = Counter(Counter(row["orderNumber"] for row in rows("order_details")).values())
    assert lines[1] > 100
    assert max(lines) >= 15


def test_some_payments_are_of_cents() -> None:
    cents = [row["amount"] for row in rows("payments") if row["amount"] < 1]
    assert min(cents) > 0
    assert len(cents) > 50


@pytest.mark.parametrize("seed", [0, -1, 1, 2, 12345])
def test_dealt_out_parts_are_there_for_every_seed(seed: int) -> None:
    customers = Company(seed).rows("customers").to_pylist()
    assert any(row["country"] != row["country"].strip() for row in customers)
    assert any(row["salesRepEmployeeNumber"] is None for row in customers)
    assert any(row["creditLimit"] is None for row in customers)
    assert any(row["postalCode"] is None for row in customers)
    assert len({row["country"].strip() for row in customers}) == 15
