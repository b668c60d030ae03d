"""Payments: most come 20 to 45 days after the goods left, some late, some in part, some never.

A month's payments are looked for among the orders of the months before, from the company's first month on:
a payment whose order is not there would be a credit. Only the orders that are paid in it are added up. A
cheque is a function of the company's seed and its order's number, as is its day.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from salespipe_dagster.synthetic.business import FIRST_MONTH, Firm, day_number
from salespipe_dagster.synthetic.lines import totals
from salespipe_dagster.synthetic.orders import NEVER, Orders, orders
from salespipe_dagster.synthetic.people import buyers
from salespipe_dagster.synthetic.streams import Flags, Ints, below, words
from salespipe_spark import months

PAID_WITHIN = 210
"""Days from the order to its last payment, at most."""
_REST_WITHIN = 60
"""Of these, days from the first payment to the last."""
MONTHS_BACK = 7
"""How many months before its payment an order may lie: seven months are 212 days at least."""
SUFFIXES = ("", "-2", "-3", "-4")
"""How an order's cheques differ: the first one, some cents, the rest of a payment in part, paid twice."""


@dataclass(frozen=True)
class Payments:
    """Cheques: the customer's place, the order's number, which cheque of it, its day, its cents."""

    customer: Ints
    order: Ints
    cheque: Ints
    day: Ints
    amount: Ints


@dataclass(frozen=True)
class _Terms:
    """How orders are paid: the day of each cheque or NEVER, the part first paid in thousandths, the cents forgotten."""

    days: tuple[Ints, Ints, Ints, Ints]
    part: Ints
    forgotten: Ints


def payments(firm: Firm, month: str, today: int) -> Iterator[Payments]:
    """The month's cheques that have come by today, one run of orders after the other."""
    first = day_number(months.first_day(month))
    end = min(day_number(months.end_day(month)), today + 1)
    earliest = months.from_index(months.index(month) - MONTHS_BACK)
    for ordered in months.between(max(FIRST_MONTH, firm.first_month, earliest), month):
        for run in orders(firm, ordered, today):
            terms = _terms(firm, run)
            due = [(day >= first) & (day < end) for day in terms.days]
            chosen = np.logical_or.reduce(due)
            if chosen.any():
                yield _cheques(firm, ordered, run.where(chosen), [each[chosen] for each in due])


def _cheques(firm: Firm, ordered: str, paid: Orders, due: list[Flags]) -> Payments:
    terms, total = _terms(firm, paid), totals(firm, ordered, paid)
    first = total * terms.part // 1000
    amounts = (first - terms.forgotten, terms.forgotten, total - first, total)
    counts = [int(each.sum()) for each in due]
    return Payments(
        customer=np.concatenate([paid.customer[each] for each in due]),
        order=np.concatenate([paid.number[each] for each in due]),
        cheque=np.repeat(np.arange(len(due)), counts),
        day=np.concatenate([day[each] for day, each in zip(terms.days, due, strict=True)]),
        amount=np.concatenate([amount[each] for amount, each in zip(amounts, due, strict=True)]),
    )


def _terms(firm: Firm, placed: Orders) -> _Terms:
    prompt, other = (words(firm.seed, f"payments/{name}", placed.number) for name in ("prompt", "other"))
    share = below(prompt, 0, 16, 1000)
    never = share < np.where(buyers(firm).pays_badly[placed.customer], 350, 12)
    late = share >= 880
    in_part = (share >= 800) & ~late
    delay = np.where(late, 46 + below(prompt, 16, 16, 75), 17 + below(prompt, 16, 16, 26))
    # A dispute is paid when it is settled, if ever.
    released = np.where(placed.disputed == NEVER, placed.ships, placed.resolved)
    paid = np.where(
        never | (released == NEVER), NEVER, np.minimum(released + delay, placed.day + PAID_WITHIN - _REST_WITHIN)
    )
    completed = in_part & (below(prompt, 32, 8, 100) < 60) & (paid < NEVER)
    rest = np.where(completed, paid + 15 + below(prompt, 48, 16, _REST_WITHIN - 15), NEVER)
    mistaken = np.full(len(paid), firm.quirks) & (below(other, 0, 16, 30) == 0) & (paid < NEVER)
    twice = np.full(len(paid), firm.quirks) & (below(other, 16, 16, 200) == 0) & (paid < NEVER) & ~in_part
    days = (paid, np.where(mistaken, paid, NEVER), rest, np.where(twice, paid + 3 + below(other, 32, 16, 8), NEVER))
    return _Terms(
        days=days,
        part=np.where(in_part, 400 + below(prompt, 40, 8, 400), 1000),
        forgotten=np.where(mistaken, 1 + below(other, 48, 16, 99), 0),
    )
