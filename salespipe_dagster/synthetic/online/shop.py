"""Who the online shop is and when it drops files: its months, their sales by day, the exports of its sales.

A sale is a function of the shop's seed and its number: its month and its place there. So a file is made
from nothing but places, whatever else was made before.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from salespipe_dagster.synthetic.business import day_by_day, in_business
from salespipe_dagster.synthetic.streams import Chance, Ints
from salespipe_spark import months

SALES_PER_MONTH = 100_000_000
"""How many numbers a month has for its sales."""
MOST_SALES = 14_000_000
"""Of an average month: the busiest that there can be has less than seven times as many."""
MOST_FILES = 10_000

_RISING = 25
"""Thousandths of the average month that the shop gains each month on the rest of the company, for two years."""
_WEEKDAYS = (140, 130, 130, 135, 150, 165, 150)
"""Thousandths of a week's sales, Monday to Sunday: people buy at the weekend."""
_READY = timedelta(minutes=90)
"""How long after the sales that are in it an export is written."""


@dataclass(frozen=True)
class Shop:
    """What makes an online shop this one and no other.

    Attributes:
        seed: names the company that it belongs to.
        sales_per_month: how many transactions an average month of 2024 and 2025 has.
        files_per_month: how many exports of sales a month has; more than days make several a day.
        quirks: whether its files have the nasty parts of real ones, as `spoilt` and `styles` list them.
        first_month: of which it drops files.
    """

    seed: int = 7
    sales_per_month: int = 420
    files_per_month: int = 2
    quirks: bool = True
    first_month: str = "2024-01"

    def __post_init__(self) -> None:
        """Refuses sizes that the numbers of a month have no room for."""
        if not 0 <= self.sales_per_month <= MOST_SALES:
            raise ValueError(f"sales_per_month={self.sales_per_month} is not within 0 and {MOST_SALES}.")
        if not 1 <= self.files_per_month <= MOST_FILES:
            raise ValueError(f"files_per_month={self.files_per_month} is not within 1 and {MOST_FILES}.")


@dataclass(frozen=True)
class Export:
    """One export of sales: the places of the month that are in it, and when it is made.

    Attributes:
        month: whose sales.
        first: the place of its first sale.
        end: the place after its last.
        day: its last day, at whose end it is there.
        turn: which of its day's exports.
        turns: how many its day has.
    """

    month: str
    first: int
    end: int
    day: date
    turn: int = 0
    turns: int = 1

    @property
    def written(self) -> datetime:
        """When it is written."""
        into_the_day = timedelta(days=1) * (self.turn + 1) / self.turns
        return midnight(self.day) + timedelta(seconds=into_the_day // timedelta(seconds=1)) + _READY


def midnight(day: date) -> datetime:
    """When the day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@lru_cache(maxsize=64)
def days(shop: Shop, month: str) -> Ints:
    """The running sum of the month's sales, day by day."""
    chance = Chance(shop.seed, f"online/days/{in_business(month)}")
    risen = min(max(months.index(month) - months.index("2024-01"), 0), 24)
    average = shop.sales_per_month * (1000 + _RISING * (risen - 12))
    return day_by_day(chance, (average + 500) // 1000, month, _WEEKDAYS)


def exports(shop: Shop, month: str, today: date) -> list[Export]:
    """The month's exports that were made by the end of today, in order; none of a shop that sells nothing."""
    if not shop.sales_per_month:
        return []
    sold = [0, *days(shop, month).tolist()]
    last, begins = len(sold) - 1, months.first_day(month)
    turns = -(-shop.files_per_month // last)
    files = shop.files_per_month if turns == 1 else last
    found: list[Export] = []
    for k in range(files):
        first, end = last * k // files, last * (k + 1) // files
        day = begins + timedelta(days=end - 1)
        sales = sold[end] - sold[first]
        bounds = [sold[first] + sales * turn // turns for turn in range(turns + 1)]
        found += [Export(month, bounds[turn], bounds[turn + 1], day, turn, turns) for turn in range(turns)]
    return [export for export in found if export.day <= today]
