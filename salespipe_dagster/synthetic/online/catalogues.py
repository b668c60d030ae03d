"""The product catalogues that the shop drops: when it opens, and on each first day of a half-year after that."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from salespipe_dagster.synthetic.online import assortment
from salespipe_dagster.synthetic.online.dropped import Book, OnlineFile, Piece
from salespipe_dagster.synthetic.online.shop import Shop, midnight
from salespipe_dagster.synthetic.online.vocabulary import WARES
from salespipe_dagster.synthetic.streams import below, words
from salespipe_spark import months

FOLDER = "products"

_HEADER = ("product", "category", "price", "stock")
_WRITTEN = timedelta(minutes=10)


def catalogue_files(shop: Shop, today: date) -> list[OnlineFile]:
    """The files that are there by today, in the order in which they were written."""
    if not shop.sales_per_month:
        return []
    begun = [m for m in months.between(shop.first_month, months.month_of(today)) if months.index(m) % 6 == 0]
    days = sorted({months.first_day(month) for month in (shop.first_month, *begun)})
    return [_file(shop, turn, day) for turn, day in enumerate(day for day in days if day <= today)]


def rows(shop: Shop, month: str) -> list[tuple[str, str, str, str]]:
    """The catalogue of the month's half-year, as its file has it; price and stock may be missing."""
    half = assortment.half_year(month)
    prices, names = assortment.prices(shop, half).tolist(), assortment.names(shop)
    stock = below(words(shop.seed, "online/stock", half * 1000 + np.arange(len(WARES))), 0, 16, 400).tolist()
    return [
        (
            names[place],
            WARES[place].category,
            "" if shop.quirks and place % 13 == 5 else f"{prices[place] // 100}.{prices[place] % 100:02d}",
            "" if shop.quirks and place % 11 == 4 else str(stock[place]),
        )
        for place in assortment.listed(shop)
    ]


def _file(shop: Shop, turn: int, day: date) -> OnlineFile:
    def pieces() -> Iterator[Piece]:
        found = rows(shop, months.month_of(day))
        repeated = [found[0]] if shop.quirks else []
        spoilt = [("Voucher", "Gifts", "10.00", "plenty")] if shop.quirks and turn % 2 else []
        reasons = Counter({"bad_number": 1}) if spoilt else Counter[str]()
        book = Book(len(found), len(repeated), reasons)
        yield Piece(book, lambda: _csv([_HEADER, *found, *repeated, *spoilt], crlf=shop.quirks))

    return OnlineFile(f"{FOLDER}/catalogue-{day}.csv", midnight(day) + _WRITTEN, pieces)


def _csv(lines: list[tuple[str, str, str, str]], *, crlf: bool) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n" if crlf else "\n").writerows(lines)
    return written.getvalue().encode()
