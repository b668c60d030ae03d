"""Orders: who orders what when, and what becomes of an order as time goes by.

An order is a function of the company's seed and its number, whoever asks: months are made in runs of
orders, so that a month of any size takes little memory. Its whole life is drawn at once, shipping,
dispute and cancellation included; what a day sees of it is what has happened by then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from salespipe_dagster.synthetic import business
from salespipe_dagster.synthetic.business import Firm
from salespipe_dagster.synthetic.people import bounds, buyers
from salespipe_dagster.synthetic.quirks import CANCELLED, CANCELLED_CLEAN, COMMENTS, COMMENTS_CLEAN, Written
from salespipe_dagster.synthetic.streams import Flags, Ints, below, picked, words
from salespipe_spark import months

ORDERS_AT_ONCE = 32_768
"""Some 200,000 lines: tens of megabytes while they are made."""
NEVER = 2**30
"""A day that does not come."""
SETTLED_AFTER = 120
"""Days after which nothing happens to an order any more."""

IN_PROCESS, ON_HOLD, SHIPPED, DISPUTED, RESOLVED, CANCELLATION = range(6)
"""What a status means; how a cancellation is written is drawn, so it is CANCELLATION or more."""
STATUSES = ("In Process", "On Hold", "Shipped", "Disputed", "Resolved")

_MOST_LINES = (6, 12, 18)
_LARGEST_DEAL = 2
_HELD, _CANCELLED, _DISPUTED = 45, 32, 28
"""Of a thousand orders."""


@dataclass(frozen=True)
class Orders:
    """Orders of one month in the order of their numbers, column by column; days count from 1970-01-01.

    Attributes:
        customer: the place among the customers, not the number.
        deal: 0 to 2; larger deals have more of each product, at a lower price.
        wanted: how many lines were asked for: a product asked for twice is one line.
        ships: the day on which it leaves, as are the next three the days of what happens to it; or NEVER.
        held: whether it is on hold until it ships or is cancelled.
        spelling: how a cancellation of it is written.
    """

    number: Ints
    day: Ints
    required: Ints
    customer: Ints
    comment: Ints
    deal: Ints
    wanted: Ints
    ships: Ints
    disputed: Ints
    resolved: Ints
    cancelled: Ints
    held: Flags
    spelling: Ints

    def where(self, chosen: Flags) -> Self:
        """These of the orders."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def status(self, today: int) -> Ints:
        """What the day sees of each: a place in `statuses`."""
        seen = np.where(self.held, ON_HOLD, IN_PROCESS)
        happened = ((self.ships, SHIPPED), (self.disputed, DISPUTED), (self.resolved, RESOLVED))
        for day, status in happened:
            seen = np.where(day <= today, status, seen)
        return np.where(self.cancelled <= today, CANCELLATION + self.spelling, seen)


def statuses(firm: Firm) -> list[str | None]:
    """How statuses are written."""
    return [*STATUSES, *(written.text for written in _cancelled(firm))]


def comments(firm: Firm) -> list[str | None]:
    """What comments say."""
    return [written.text for written in _comments(firm)]


def orders(firm: Firm, month: str, today: int) -> Iterator[Orders]:
    """The month's orders that were placed by today, in runs of `ORDERS_AT_ONCE`."""
    sizes = business.days(firm, month)
    first = business.day_number(months.first_day(month))
    seen = min(today - first, len(sizes) - 1)
    placed = int(sizes[seen]) if seen >= 0 else 0
    for start in range(0, placed, ORDERS_AT_ONCE):
        places = np.arange(start, min(start + ORDERS_AT_ONCE, placed))
        yield _drawn(firm, month, places, first + np.searchsorted(sizes, places, side="right"))


def _drawn(firm: Firm, month: str, places: Ints, day: Ints) -> Orders:
    number = places + business.order_numbers(month).start + 1
    trade, fate, later = (words(firm.seed, f"orders/{name}", number) for name in ("trade", "fate", "later"))
    customer = picked(trade, 0, 31, bounds(firm, month))
    lines = below(trade, 31, 11, np.array(_MOST_LINES)[below(trade, 42, 6, len(_MOST_LINES))])
    deal = np.searchsorted((520, 880), below(trade, 48, 16, 1000), side="right") + buyers(firm).large[customer]
    # What becomes of it: one of a thousand.
    fated = below(fate, 0, 16, 1000)
    held = fated < _HELD
    given_up = (fated >= _HELD) & (fated < _HELD + _CANCELLED)
    dispute = fated >= 1000 - _DISPUTED
    waits = np.where(held, 8 + below(fate, 16, 10, 60), 1 + below(fate, 16, 10, 3) + below(fate, 26, 10, 6))
    ships = _on_workday(day + waits)
    dropped = given_up | (held & (below(fate, 36, 10, 100) < 35))  # what is held may end either way
    disputed = np.where(dispute, ships + 5 + below(later, 0, 10, 25), NEVER)
    settles = dispute & (below(later, 22, 10, 100) < 70)
    return Orders(
        number=number,
        day=day,
        required=day + 6 + below(fate, 46, 10, 9),
        customer=customer,
        comment=picked(later, 32, 16, _running(_comments(firm))),
        deal=np.minimum(deal, _LARGEST_DEAL),
        wanted=lines + 1,
        ships=np.where(dropped, NEVER, ships),
        disputed=disputed,
        resolved=np.where(settles, disputed + 20 + below(later, 10, 12, 60), NEVER),
        cancelled=np.where(dropped, day + waits, NEVER),
        held=held,
        spelling=picked(later, 48, 16, _running(_cancelled(firm))),
    )


def _on_workday(day: Ints) -> Ints:
    """The day, or the Monday after it: nothing leaves at the weekend. 1970-01-01 was a Thursday."""
    return day + np.array((0, 0, 0, 0, 0, 2, 1))[(day + 3) % 7]


def _running(texts: tuple[Written, ...]) -> Ints:
    return np.cumsum([written.weight for written in texts])


def _cancelled(firm: Firm) -> tuple[Written, ...]:
    return CANCELLED if firm.quirks else CANCELLED_CLEAN


def _comments(firm: Firm) -> tuple[Written, ...]:
    return COMMENTS if firm.quirks else COMMENTS_CLEAN
