"""The default company's rows, as many tests look at them."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from salespipe_dagster.synthetic.company import Company
from salespipe_spark import months

MONTHS = months.between("2024-01", "2025-12")
SNAPSHOTS = ["customers", "employees", "offices", "products", "product_lines"]
MONTHLY = ["orders", "order_details", "payments"]


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


def of_orders() -> dict[int, list[tuple[date, Decimal]]]:
    """The payments of every order."""
    found: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for payment in rows("payments"):
        found[int(payment["checkNumber"][2:].partition("-")[0])].append((payment["paymentDate"], payment["amount"]))
    return found
