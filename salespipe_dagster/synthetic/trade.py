"""What happens month by month: orders, their lines, payments. Money is integer cents.

A month is made from the seed and its own name alone, so that any month can be made at any time, and
only what touches it is made with it: its payments need the orders of the two months before.
"""

from collections import Counter
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import NamedTuple

from salespipe_dagster.synthetic.catalogue import products, share
from salespipe_dagster.synthetic.people import customers
from salespipe_dagster.synthetic.streams import stream
from salespipe_dagster.synthetic.vocabulary import COMMENTS, STATUSES
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError

FIRST_MONTH, LAST_MONTH = "1970-01", "2160-12"
NUMBERS_PER_MONTH = 900_000
"""How many order numbers a month has: all 191 years of them fit into INT."""

_SEASON = (850, 800, 900, 930, 950, 940, 900, 920, 1000, 1150, 1600, 1160)
"""Thousandths of an average month, January to December: the peak is November."""
_LONGEST_DELAY = 59
"""Days until an order is paid, at most: that is the month after next, also over a February."""
_BOOKS_OPEN = date(2024, 1, 1)
"""What was ordered before is paid before: from the default first month on nobody seems to pay too much."""
_PAID = {status.text for status in STATUSES if status.paid}


class Order(NamedTuple):
    """A row of the orders."""

    order_number: int
    order_date: date
    required_date: date
    shipped_date: date | None
    status: str
    comments: str | None
    customer_number: int


class Line(NamedTuple):
    """A row of the order details."""

    order_number: int
    product_code: str
    quantity_ordered: int
    price_each: int
    order_line_number: int


class Payment(NamedTuple):
    """A row of the payments."""

    customer_number: int
    check_number: str
    payment_date: date
    amount: int


def in_business(month: str) -> str:
    """The month, if the company has order numbers for it.

    Raises:
        SalespipeError: the text is no month, or one before the first or after the last.
    """
    if not FIRST_MONTH <= months.parse(month) <= LAST_MONTH:
        hint = f"choose months from {FIRST_MONTH} to {LAST_MONTH}"
        raise SalespipeError(f"The synthetic company does no business in {month}.", hint)
    return month


def order_numbers(month: str) -> range:
    """The order numbers that belong to a month; those of the following month come next.

    Raises:
        SalespipeError: the text is no month, or one that has no numbers.
    """
    start = _months_since(FIRST_MONTH, in_business(month)) * NUMBERS_PER_MONTH
    return range(start, start + NUMBERS_PER_MONTH)


def orders(seed: int, orders_per_month: int, month: str) -> list[Order]:
    """The month's orders by date."""
    rng = stream(seed, "orders", month)
    numbers, first = order_numbers(month), months.first_day(month)
    size = _size(rng, orders_per_month, month)
    days = sorted(rng.choices(range((months.end_day(month) - first).days), k=size))
    buyers = customers(seed)
    drawn = zip(
        days,
        rng.choices(buyers, [buyer.weight for buyer in buyers], k=size),
        rng.choices(STATUSES, [status.weight for status in STATUSES], k=size),
        rng.choices([text for text, _ in COMMENTS], [weight for _, weight in COMMENTS], k=size),
        strict=True,
    )
    found: list[Order] = []
    for number, (day, buyer, status, comments) in enumerate(drawn, numbers.start + 1):
        ordered = first + timedelta(days=day)
        required = ordered + timedelta(days=rng.randint(6, 14))
        shipped = ordered + timedelta(days=rng.randint(1, 9))  # some later than required
        shipped_date = shipped if status.shipped else None
        found.append(Order(number, ordered, required, shipped_date, status.text, comments, buyer.customer_number))
    return found


def order_details(seed: int, orders_per_month: int, month: str) -> list[Line]:
    """The lines of the month's orders, order by order."""
    rng = stream(seed, "order_details", month)
    goods = products(seed)
    bounds = list(accumulate(product.weight for product in goods))
    found: list[Line] = []
    for order in orders(seed, orders_per_month, month):
        wanted = rng.randint(1, rng.choice((6, 12, 18)))
        drawn = rng.choices(range(len(goods)), cum_weights=bounds, k=wanted)
        for number, position in enumerate(dict.fromkeys(drawn), 1):  # a product is in an order once
            product = goods[position]
            price = share(product.msrp, rng, 800, 1000)
            found.append(Line(order.order_number, product.product_code, rng.randint(6, 60), price, number))
    return found


def payments(seed: int, orders_per_month: int, month: str) -> list[Payment]:
    """The month's payments by date: for orders of this month and of the two before."""
    earliest = months.month_of(months.first_day(month) - timedelta(days=_LONGEST_DELAY))
    found = [
        payment
        for ordered in months.between(max(earliest, FIRST_MONTH), month)
        for payment in _settlements(seed, orders_per_month, ordered)
        if months.month_of(payment.payment_date) == month
    ]
    return sorted(found, key=lambda payment: payment.payment_date)


@lru_cache(maxsize=3)  # three months in a row ask for the same one
def _settlements(seed: int, orders_per_month: int, month: str) -> tuple[Payment, ...]:
    """What the month's orders bring in, whenever it is paid."""
    rng = stream(seed, "payments", month)
    owed: Counter[int] = Counter()
    for line in order_details(seed, orders_per_month, month):
        owed[line.order_number] += line.quantity_ordered * line.price_each
    found: list[Payment] = []
    for order in orders(seed, orders_per_month, month):
        paid_on = order.order_date + timedelta(days=rng.randint(5, _LONGEST_DELAY))
        if order.order_date < _BOOKS_OPEN:
            paid_on = min(paid_on, _BOOKS_OPEN - timedelta(days=1))
        check = f"{rng.choice('ABEHIMNOPQ')}{rng.choice('ABDGJLMPS')}{order.order_number}"
        late = rng.randint(1, 99) if rng.randrange(30) == 0 else 0
        if order.status not in _PAID or rng.randrange(100) == 0:
            continue
        found.append(Payment(order.customer_number, check, paid_on, owed[order.order_number] - late))
        if late:  # a typing mistake of some cents, made good with a second cheque
            found.append(Payment(order.customer_number, f"{check}-2", paid_on, late))
    return tuple(found)


def _size(rng: Random, orders_per_month: int, month: str) -> int:
    """How many orders the month has: growth, season and some chance, all in thousandths."""
    since = _months_since("2024-01", month) if month >= "2024-01" else -_months_since(month, "2024-01")
    growth = min(max(770 + 20 * since, 200), 3000)  # 1000 on average over 2024 and 2025
    chance = rng.randint(970, 1030)
    return (orders_per_month * growth * _SEASON[int(month[5:]) - 1] * chance + 500_000_000) // 1_000_000_000


def _months_since(first: str, month: str) -> int:
    return len(months.between(first, month)) - 1
