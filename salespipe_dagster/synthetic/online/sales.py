"""The sales: who buys what when, for how much, and which of them are corrected later.

A sale is a function of the shop's seed and its number. Every third month the shop finds mistakes in
what it has exported, and drops the corrected sales in one more file: other quantities, and its first sale
of the month, which turns out to be of the evening before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from salespipe_dagster.synthetic.business import day_number
from salespipe_dagster.synthetic.online import assortment
from salespipe_dagster.synthetic.online.shop import SALES_PER_MONTH, Shop, days
from salespipe_dagster.synthetic.online.shoppers import bounds, shoppers
from salespipe_dagster.synthetic.streams import Flags, Ints, below, picked, words
from salespipe_spark import months

SALES_AT_ONCE = 131_072
DAY = 24 * 60 * 60

_MOST_UNITS = np.array((2, 3, 4, 4, 3, 2, 3))
"""By age group: how many units of a product are bought at most; the last one is for no age group."""
_DISCOUNTS = np.array((0, 0, 0, 5, 10, 25))
"""Hundredths off the price."""
_CORRECTED = 30
"""One of so many sales of a month with a correction."""


@dataclass(frozen=True)
class Sales:
    """Sales of one month in the order of their places, column by column.

    Attributes:
        place: within the month.
        day: since 1970-01-01.
        second: of the day.
        customer: the place among the customers, not the number.
        product: the place among the products.
        quantity: units.
        price: of one, in cents.
        region: the place among the regions.
    """

    place: Ints
    day: Ints
    second: Ints
    customer: Ints
    product: Ints
    quantity: Ints
    price: Ints
    region: Ints

    @property
    def amount(self) -> Ints:
        """Cents."""
        return self.quantity * self.price

    def take(self, chosen: Flags | Ints) -> Self:
        """These of the sales."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


def sales(shop: Shop, month: str, places: Ints) -> Sales:
    """The sales of these places of the month, as they are exported first."""
    number = months.index(month) * SALES_PER_MONTH + places
    trade, more = (words(shop.seed, f"online/sales/{name}", number) for name in ("trade", "more"))
    sold = days(shop, month)
    day = np.searchsorted(sold, places, side="right")
    before = np.concatenate([[0], sold])[day]
    customer = picked(trade, 0, 31, bounds(shop, month))
    buyers = shoppers(shop)
    product = picked(trade, 31, 17, assortment.demand())
    price = assortment.prices(shop, assortment.half_year(month))[product]
    return Sales(
        place=places,
        day=day_number(months.first_day(month)) + day,
        # The day is shared out evenly among its sales, and each draws within its share: they come in order.
        second=((places - before) * DAY + below(more, 0, 20, DAY)) // (sold[day] - before),
        customer=customer,
        product=product,
        quantity=1 + below(trade, 48, 16, _MOST_UNITS[buyers.age[customer]]),
        price=price * (100 - _DISCOUNTS[below(more, 20, 16, len(_DISCOUNTS))]) // 100,
        region=buyers.region[customer],
    )


def runs(first: int, end: int) -> Iterator[Ints]:
    """The places from first to before end, in runs of `SALES_AT_ONCE`."""
    for start in range(first, end, SALES_AT_ONCE):
        yield np.arange(start, min(start + SALES_AT_ONCE, end))


def has_correction(shop: Shop, month: str) -> bool:
    """Whether the shop corrects sales of the month, at its end."""
    return shop.quirks and shop.sales_per_month > 0 and months.index(month) % 3 == 2


def corrected(shop: Shop, month: str, exported: Sales) -> tuple[Sales, Flags]:
    """The sales as the month's correction has them, and which of them are in it."""
    number = months.index(month) * SALES_PER_MONTH + exported.place
    mistaken = below(words(shop.seed, "online/corrections", number), 0, 32, _CORRECTED) == 0
    moved = (exported.place == 0) & (month > shop.first_month)
    mistaken &= exported.place > 0  # so that the file is longer where the first sale is in it
    right = replace(exported, quantity=exported.quantity + mistaken, day=exported.day - moved)
    return right, mistaken | moved
