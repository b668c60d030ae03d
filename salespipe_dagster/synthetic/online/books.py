"""What the shop itself knows of its months: sums of its own integers, without a file, a parser or an engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

import numpy as np

from salespipe_dagster.synthetic.business import LAST_MONTH, day_number
from salespipe_dagster.synthetic.online import assortment
from salespipe_dagster.synthetic.online.dropped import Book
from salespipe_dagster.synthetic.online.profiles import known_at
from salespipe_dagster.synthetic.online.sales import Sales, corrected, runs, sales
from salespipe_dagster.synthetic.online.sales_files import corrects, exported, sales_files
from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_dagster.synthetic.online.shoppers import NO_AGE, shoppers
from salespipe_dagster.synthetic.online.vocabulary import AGE_GROUPS, REGIONS, TIERS
from salespipe_dagster.synthetic.streams import Ints
from salespipe_spark import months

Key = TypeVar("Key")
Segment = tuple[str | None, str | None]


class Tally(NamedTuple):
    """What some sales come to: how many they are, their units, their amount in units of money."""

    sales: int
    units: int
    amount: Decimal


@dataclass(frozen=True)
class OnlineLedger:
    """The books of a month, as the files say it that are there by a day.

    Attributes:
        total: of all sales with a date in the month, each as it was corrected last.
        customers: how many bought.
        by_region_and_product: the same, where there are any.
        by_segment: by age group and membership tier of the newest profiles; None where no profile says.
        files: the records in the month's own sales files.
    """

    total: Tally
    customers: int
    by_region_and_product: dict[tuple[str, str], Tally]
    by_segment: dict[Segment, Tally]
    files: Book


def online_ledger(shop: Shop, month: str, today: date) -> OnlineLedger:
    """The month's books by today."""
    regions, segments = [region.name for region in REGIONS], _segments()
    products = assortment.names(shop)
    places = _Sums(len(regions) * len(products)), _Sums(len(segments))
    segment = _segment_of(shop, today)
    customers = np.zeros(len(segment), np.bool_)
    for found in sales_as_known(shop, month, today):
        places[0].add(found.region * len(products) + found.product, found)
        places[1].add(segment[found.customer], found)
        customers[found.customer] = True
    markets = [(region, product) for region in regions for product in products]
    return OnlineLedger(
        total=places[0].total(),
        customers=int(customers.sum()),
        by_region_and_product=dict(places[0].tallies(markets)),
        by_segment=dict(places[1].tallies(segments)),
        files=sum((file.book() for file in sales_files(shop, month, today)), Book()),
    )


def sales_as_known(shop: Shop, month: str, today: date) -> Iterator[Sales]:
    """The sales with a date in the month, as the files say that are there by today, in runs."""
    begins = day_number(months.first_day(month))
    is_corrected = corrects(shop, month, today)
    for places in runs(0, exported(shop, month, today)):
        found = sales(shop, month, places)
        if is_corrected:
            right, _ = corrected(shop, month, found)
            found = right.take(right.day >= begins)
        yield found
    after = months.following(month)
    if after <= LAST_MONTH and corrects(shop, after, today) and exported(shop, after, today):
        right, _ = corrected(shop, after, sales(shop, after, np.arange(1)))
        yield right.take(right.day < day_number(months.first_day(after)))


class _Sums:
    """Sales, units and cents by place."""

    def __init__(self, places: int) -> None:
        self._sums = np.zeros((3, places), np.int64)

    def add(self, places: Ints, found: Sales) -> None:
        for total, values in zip(self._sums, (1, found.quantity, found.amount), strict=True):
            np.add.at(total, places, values)

    def total(self) -> Tally:
        return _tally(*self._sums.sum(axis=1).tolist())

    def tallies(self, keys: list[Key]) -> Iterator[tuple[Key, Tally]]:
        """Those with a sale."""
        for key, sums in zip(keys, self._sums.T.tolist(), strict=True):
            if sums[0]:
                yield key, _tally(*sums)


def _tally(sales: int, units: int, cents: int) -> Tally:
    return Tally(sales, units, Decimal(cents).scaleb(-2))


def _segments() -> list[Segment]:
    """Every age group, or none, with every tier; the last one is for those without a profile."""
    ages = [*(name for name, _ in AGE_GROUPS), None]
    return [*((age, tier) for age in ages for tier in TIERS), (None, None)]


def _segment_of(shop: Shop, today: date) -> Ints:
    """The place among the segments of each customer, as the profiles say that are there by today."""
    people, day = shoppers(shop), day_number(known_at(shop, today))
    return np.where(people.known(day), people.age * len(TIERS) + people.tiers(day), (NO_AGE + 1) * len(TIERS))
