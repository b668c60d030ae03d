"""One large sales file over 24 months, for measurements: nothing else makes files of this size."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from salespipe_dagster.synthetic.online.dropped import Book
from salespipe_dagster.synthetic.online.sales import Sales, runs, sales
from salespipe_dagster.synthetic.online.sales_files import piece
from salespipe_dagster.synthetic.online.shop import Shop, days
from salespipe_dagster.synthetic.online.styles import PLAIN
from salespipe_spark import months

FIRST_MONTH, LAST_MONTH = "2024-01", "2025-12"
_BYTES = 80
"""Fewer than a line has: the file is full before its last month is over."""


@dataclass
class Bulk:
    """What is in a large file: its bytes, its records, and the amount of those that are as they should be."""

    size: int
    book: Book
    amount: Decimal


def sales_csv(target: Path, size: int, *, seed: int = 7, quirks: bool = False) -> Bulk:
    """Write a plain CSV file of sales of at least so many bytes, and at most one run of sales more.

    Args:
        target: the file; what is there is replaced.
        size: in bytes; 500 MB are some six million lines.
        seed: the same seed makes the same bytes.
        quirks: whether lines are repeated and spoilt as in the shop's own files.
    """
    span = months.between(FIRST_MONTH, LAST_MONTH)
    shop = Shop(seed, sales_per_month=size // _BYTES // len(span) + 1, quirks=quirks)
    book, cents = Book(), 0
    with target.open("wb") as file:
        file.write(PLAIN.header().encode())
        for month, found in _sales(shop, span):
            made = piece(shop, month, PLAIN, found, dirty=quirks)
            file.write(made.render())
            book += made.book
            cents += int(found.amount.sum())
            if file.tell() >= size:
                break
        return Bulk(file.tell(), book, Decimal(cents).scaleb(-2))


def _sales(shop: Shop, span: list[str]) -> Iterator[tuple[str, Sales]]:
    for month in span:
        for places in runs(0, int(days(shop, month)[-1])):
            yield month, sales(shop, month, places)
