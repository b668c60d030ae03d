"""Who the company is and how much business it does: its months, their order numbers, their size by day."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from salespipe_dagster.synthetic.streams import Chance, Ints
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError

FIRST_MONTH, LAST_MONTH = "2000-01", "2049-12"
NUMBERS_PER_MONTH = 3_500_000
"""How many order numbers a month has: all 50 years of them fit into INT."""
MOST_ORDERS = NUMBERS_PER_MONTH // 5
"""Of an average month: the busiest that there can be has less than five times as many."""
EPOCH = date(1970, 1, 1)

_SEASON = (850, 800, 900, 930, 950, 940, 900, 920, 1000, 1150, 1600, 1160)
"""Thousandths of an average month, January to December: the peak is November."""
_WEEKDAYS = (200, 210, 205, 195, 170, 40, 20)
"""Thousandths of a week's orders, Monday to Sunday."""
_GROWTH = 1200
"""Thousandths of the year before."""
_WITHIN_YEAR = (1000, 1015, 1031, 1047, 1063, 1079, 1095, 1112, 1129, 1147, 1164, 1182)
"""The same by month: the twelfth part of a year's growth, compounded."""
_JANUARY_2024 = 829
"""Thousandths: the average over 2024 and 2025 is 1000."""
_LEAST, _MOST = 250, 2800
"""Thousandths between which growth stays, so that no month outgrows its numbers."""


@dataclass(frozen=True)
class Firm:
    """What makes a company this one and no other.

    Attributes:
        seed: names the company; another seed is another company.
        orders_per_month: how many orders an average month of 2024 and 2025 has, of six lines on average.
        quirks: whether it has the nasty parts of real data, as `quirks` lists them.
        first_month: in which its books are opened: payments of orders from before it are not in them.
    """

    seed: int = 7
    orders_per_month: int = 165
    quirks: bool = True
    first_month: str = "2024-01"

    def __post_init__(self) -> None:
        """Refuses a size that the order numbers of a month have no room for."""
        if not 0 <= self.orders_per_month <= MOST_ORDERS:
            raise ValueError(f"orders_per_month={self.orders_per_month} is not within 0 and {MOST_ORDERS}.")


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
    start = (months.index(in_business(month)) - months.index(FIRST_MONTH)) * NUMBERS_PER_MONTH
    return range(start, start + NUMBERS_PER_MONTH)


def day_number(day: date) -> int:
    """Days since 1970-01-01: how days are counted within this package, and in Arrow."""
    return (day - EPOCH).days


@lru_cache(maxsize=64)
def days(firm: Firm, month: str) -> Ints:
    """The running sum of the month's orders, day by day: what is ordered by the end of each of its days."""
    return day_by_day(Chance(firm.seed, f"days/{month}"), firm.orders_per_month, month, _WEEKDAYS)


def day_by_day(chance: Chance, average: int, month: str, weekdays: tuple[int, ...]) -> Ints:
    """The running sum, day by day, of what a month has of a business of this average, in its season and growth.

    Args:
        chance: the month's stream.
        average: of a month of 2024 and 2025.
        month: which.
        weekdays: shares of a week, Monday to Sunday.
    """
    size = average * _growth(month) * _SEASON[int(month[5:]) - 1] * chance.between(970, 1030)
    size = (size + 500_000_000) // 1_000_000_000
    first, end = day_number(months.first_day(month)), day_number(months.end_day(month))
    # 1970-01-01 was a Thursday.
    weights = [weekdays[(day + 3) % 7] * chance.between(800, 1200) for day in range(first, end)]
    bounds = np.cumsum(weights)
    return (size * bounds + bounds[-1] // 2) // bounds[-1]


def _growth(month: str) -> int:
    """Thousandths of the average month of 2024 and 2025."""
    years, rest = divmod(months.index(month) - months.index("2024-01"), 12)
    more, less = max(years, 0), max(-years, 0)
    grown = _JANUARY_2024 * _WITHIN_YEAR[rest] * _GROWTH**more * 1000**less
    return min(max(grown // (1000 * 1000**more * _GROWTH**less), _LEAST), _MOST)
