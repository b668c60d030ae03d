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

import pytest

from salespipe_dagster.synthetic.company import Company, order_numbers
from salespipe_dagster.synthetic.vocabulary import COMMENTS, CUSTOMER_NAMES, PRODUCT_DESCRIPTIONS, PRODUCT_NAMES
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


@pytest.mark.parametrize("table", MONTHLY)
def test_month_does_not_depend_on_what_was_made_before(table: str) -> None:
    """A backfill of one month must not change what a run of the whole range has made."""
    first = digest(table, "2025-02")
    for month in ("2024-07", "2031-01", "2025-03", "2025-01"):
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


@pytest.mark.parametrize("month", ["1969-12", "2161-01", "2024-13", "2024-1"])
@pytest.mark.parametrize("table", MONTHLY)
def test_month_without_order_numbers_is_refused(table: str, month: str) -> None:
    with pytest.raises(SalespipeError, match=month):
        Company().rows(table, month)


@pytest.mark.parametrize("orders_per_month", [-1, 150_001])
def test_company_too_large_for_its_order_numbers_is_refused(orders_per_month: int) -> None:
    """More orders than numbers would run into the next month's numbers."""
    with pytest.raises(ValueError, match="not within 0 and 150000"):
        Company(orders_per_month=orders_per_month)


# --- order numbers


def test_order_numbers_of_all_months_lie_end_to_end_and_fit_into_int() -> None:
    """A slice of a month is its key range: a number in two ranges would be deleted with the wrong month."""
    ranges = [order_numbers(month) for month in months.between("1970-01", "2160-12")]
    assert all(a.stop == b.start for a, b in pairwise(ranges))
    assert (ranges[0].start, ranges[-1].stop) == (0, 2_062_800_000)
    assert ranges[-1].stop < 2**31


@pytest.mark.parametrize("month", ["1970-01", "2024-02", "2025-12", "2160-12"])
def test_orders_and_lines_of_a_month_have_its_numbers_and_dates(month: str) -> None:
    found, lines = Company().rows("orders", month), Company().rows("order_details", month)
    numbers = order_numbers(month)
    assert all(number in numbers for number in found["orderNumber"].to_pylist())
    assert set(lines["orderNumber"].to_pylist()) == set(found["orderNumber"].to_pylist())
    assert {months.month_of(day) for day in found["orderDate"].to_pylist()} == {month}
    assert {months.month_of(d) for d in Company().rows("payments", month)["paymentDate"].to_pylist()} <= {month}


def test_no_order_has_the_number_zero() -> None:
    """MySQL gives a new number to a row that is inserted with 0 into an AUTO_INCREMENT column."""
    assert Company().rows("orders", "1970-01")["orderNumber"][0].as_py() == 1


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
    assert counts == {"customers": 150, "employees": 23, "offices": 7, "products": 110, "product_lines": 7}
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


def test_prices_lie_between_four_fifths_of_the_msrp_and_the_msrp() -> None:
    products = {row["productCode"]: row for row in rows("products")}
    shares = [line["priceEach"] / products[line["productCode"]]["MSRP"] for line in rows("order_details")]
    costs = [row["buyPrice"] / row["MSRP"] for row in products.values()]
    assert Decimal("0.8") <= min(shares) < Decimal("0.81")
    assert Decimal("0.99") < max(shares) <= 1
    assert Decimal("0.4") <= min(costs) < max(costs) <= Decimal("0.6")


def test_orders_paid_are_nine_of_ten_and_paid_to_the_cent_after_the_order() -> None:
    orders, amounts = {row["orderNumber"]: row for row in rows("orders")}, ordered_amounts()
    paid: dict[int, Decimal] = defaultdict(Decimal)
    for payment in rows("payments"):
        order = orders[int(payment["checkNumber"][2:].removesuffix("-2"))]
        assert payment["customerNumber"] == order["customerNumber"]
        assert 5 <= (payment["paymentDate"] - order["orderDate"]).days <= 59
        paid[order["orderNumber"]] += payment["amount"]
    earlier = [number for number, order in orders.items() if order["orderDate"] < date(2025, 11, 1)]
    assert 0.87 < sum(number in paid for number in earlier) / len(earlier) < 0.92
    assert {number for number in paid if paid[number] != amounts[number]} == set()
    assert {orders[number]["status"] for number in paid} == {"Shipped", "Resolved"}


def test_nobody_has_paid_more_than_ordered_since_the_first_month() -> None:
    """Payments for orders from before the first month would look like a negative balance."""
    assert all(int(row["checkNumber"][2:].removesuffix("-2")) >= 583_200_000 for row in rows("payments"))


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
        ("orders", "comments", {text for text, _ in COMMENTS}),
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
