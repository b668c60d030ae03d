"""The synthetic company: the same bytes for the same seed, the source's shape, order numbers, any size."""

import hashlib
import os
import subprocess
import sys
from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa
import pytest

from salespipe_dagster.synthetic import company as company_module
from salespipe_dagster.synthetic import orders as orders_module
from salespipe_dagster.synthetic.business import Firm, days
from salespipe_dagster.synthetic.company import Company, Ledger, order_numbers
from salespipe_dagster_tests.synthetic.made import MONTHLY, MONTHS, SNAPSHOTS, rows
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import tables

DATE_OF_THE_ORDER = ("order_details", "order_date")
"""The one column of staging that the source does not have."""

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
