"""The nasty parts of real data: all of them are there, and none with the switch off."""

from collections import Counter, defaultdict
from functools import cache
from typing import Any

import pytest

from salespipe_dagster.synthetic.business import Firm
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster.synthetic.people import buyers
from salespipe_dagster.synthetic.quirks import (
    COMMENTS,
    CUSTOMER_NAMES,
    PRODUCT_DESCRIPTIONS,
    PRODUCT_NAMES,
    tidied,
)
from salespipe_dagster_tests.synthetic.made import MONTHLY, MONTHS, SNAPSHOTS, rows
from salespipe_spark import months

PLACE = ("city", "state", "postalCode", "country")


@cache
def clean(table: str) -> list[dict[str, Any]]:
    parts = [None] if table in SNAPSHOTS else MONTHS[:12]
    return [row for month in parts for row in Company(quirks=False).rows(table, month).to_pylist()]


# --- without the nasty parts


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
