"""Order lines: products, quantities and prices of given orders, also of a few orders picked from a month.

A line is a function of the company's seed, its order's number and its place there. An order asks for its
products evenly over the running sum of their weights, so a product that is asked for twice is asked
for twice in a row, and is one line.
"""

from dataclasses import dataclass

import numpy as np

from salespipe_dagster.synthetic.business import Firm
from salespipe_dagster.synthetic.catalogue import demand, products
from salespipe_dagster.synthetic.orders import Orders
from salespipe_dagster.synthetic.streams import Ints, below, words

_PLACES = 32
"""How many numbers an order has for its lines: more than lines."""
_LEAST = np.array((6, 18, 40))
_MORE = np.array((20, 34, 58))
"""By deal: the least quantity, and how many more there may be."""
_DISCOUNT = np.array((0, 30, 80))
_FURTHER = np.array((60, 90, 110))
"""By deal: thousandths of the suggested retail price."""


@dataclass(frozen=True)
class Lines:
    """Lines, order by order: `order` is the place among the orders given, prices are cents."""

    order: Ints
    line: Ints
    product: Ints
    quantity: Ints
    price: Ints

    @property
    def amount(self) -> Ints:
        """Cents."""
        return self.quantity * self.price


def lines(firm: Firm, month: str, orders: Orders) -> Lines:
    """All lines of these orders of the month."""
    shuffled, bounds = demand(firm, int(month[5:]))
    order = np.repeat(np.arange(len(orders.number)), orders.wanted)
    place = _places(orders.wanted)
    word = words(firm.seed, "lines", orders.number[order] * _PLACES + place)
    # The order's lines divide the weights evenly among them, and each draws within its own share.
    within = ((place << 32) + below(word, 0, 32, 1 << 32)) // orders.wanted[order]
    chosen = np.searchsorted(bounds, (within * int(bounds[-1])) >> 32, side="right")
    kept = (place == 0) | (np.diff(chosen, prepend=-1) != 0)
    order, word = order[kept], word[kept]
    product, deal = shuffled[chosen[kept]], orders.deal[order]
    discount = _DISCOUNT[deal] + below(word, 32, 16, _FURTHER[deal])
    msrp = np.array([product.msrp for product in products(firm)])
    return Lines(
        order=order,
        line=_places(np.bincount(order, minlength=len(orders.number))) + 1,
        product=product,
        quantity=_LEAST[deal] + below(word, 48, 16, _MORE[deal]),
        price=-(-msrp[product] * (1000 - discount) // 1000),
    )


def totals(firm: Firm, month: str, orders: Orders) -> Ints:
    """What each of these orders comes to, in cents."""
    found = lines(firm, month, orders)
    sums = np.zeros(len(orders.number), np.int64)
    np.add.at(sums, found.order, found.amount)
    return sums


def _places(counts: Ints) -> Ints:
    """0, 1, 2 … for each of the counts."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
